"""The form of a kubeconfig that authenticates by a certificate."""

import json
from base64 import b64encode
from pathlib import Path

from lab.common.certificates import KeyPair


def kubeconfig_text(server: str, authority: Path, client: KeyPair, user: str) -> str:
    """A kubeconfig (JSON is YAML too) with the certificates inside, so that it can be copied."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "lab",
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user}}],
            "clusters": [
                {
                    "name": "lab",
                    "cluster": {
                        "server": server,
                        "certificate-authority-data": _base64(authority),
                    },
                }
            ],
            "users": [
                {
                    "name": user,
                    "user": {
                        "client-certificate-data": _base64(client.certificate),
                        "client-key-data": _base64(client.key),
                    },
                }
            ],
        },
        indent=2,
    )


def _base64(path: Path) -> str:
    return b64encode(path.read_bytes()).decode("ascii")
