"""Mocks that answer as hosts, cluster and Docker would after a successful `up`."""

import json
import shlex
import uuid
from typing import Any

from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockResourceArgs

from lab.rancher.stand_in.manifest import render
from tools.offline.recording import DefaultMocks

DISK_BYTES = 107374182400
CHOSEN_NODE_PORT = 31234
GENERATED_PASSWORD = "made-up-by-the-mocks"  # noqa: S105  no real password
REGISTRATION_TOKEN = "registration-token-of-the-mocks"  # noqa: S105  no real token
CLUSTER_ID = "c-mock1"
CA_PEM = "-----BEGIN CERTIFICATE-----\nbW9ja3M=\n-----END CERTIFICATE-----\n"
_DISK_UUIDS = uuid.UUID("6c0e9d2e-9a53-4b8f-a6f1-3f1d5f0a7c11")


class AnsweringMocks(DefaultMocks):
    """Every resource has been created and says what the real one would say."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """The resource's id and outputs: its inputs, with its own answer laid over them."""
        id_, outputs = super().new_resource(args)
        answer = _ANSWERS.get(args.typ)
        return id_, {**outputs, **(answer(args) if answer else {})}


def _command(args: MockResourceArgs) -> dict[str, Any]:
    stdin = args.inputs["stdin"]
    text = stdin["value"] if isinstance(stdin, dict) else stdin
    line = next(line for line in text.splitlines() if line.startswith("set -- "))
    arguments = shlex.split(line)[3:]
    if arguments and arguments[0].startswith("/dev/"):
        device, mount_point, file_system = arguments[:3]
        result: dict[str, Any] = {
            "device": device,
            "uuid": str(uuid.uuid5(_DISK_UUIDS, args.name)),
            "fileSystem": file_system,
            "sizeBytes": DISK_BYTES,
            "mountPoint": mount_point,
            "immutable": True,
            "formatted": True,
        }
    elif args.name.endswith("-control-plane-health-manifests"):
        health = {"kube-controller-manager": "ok", "kube-scheduler": "ok"}
        result = {"kubernetes": "1.21.14", "health": health}
    else:
        packages = {"open-iscsi": "2.1.8-1", "nfs-common": "1:2.6.2-4"}
        result = {"family": "debian", "packages": packages, "iscsid": "active"}
    return {"stdout": json.dumps(result), "stderr": ""}


def _ready(args: MockResourceArgs) -> dict[str, Any]:
    return {"default_class": "longhorn" if args.inputs["default_storage_class"] else ""}


def _volume_check(args: MockResourceArgs) -> dict[str, Any]:
    found = {"bound_class": args.inputs["storage_class"], "bound_size": "10Mi", "seconds": 12.5}
    restored = {"at": "2024-05-01T02:00:00Z", "bytes": 4194304, "restoreSeconds": 8.5}
    return {**found, "restored": restored if args.inputs.get("restore") else None}


def _secret(value: str) -> dict[str, Any]:
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


def _password(_args: MockResourceArgs) -> dict[str, Any]:
    return {"value": _secret(GENERATED_PASSWORD)}


def _manifest(server_url: str, ca_pem: str) -> dict[str, Any]:
    text = render(
        server_url=server_url,
        token=REGISTRATION_TOKEN,
        ca_pem=ca_pem,
        checksum="",
        version="v2.8.5",
        install_uuid="5a0b0c7e-mocks",
    )
    return _secret(text)


def _registration(args: MockResourceArgs) -> dict[str, Any]:
    return {
        "cluster_id": CLUSTER_ID,
        "manifest": _manifest(args.inputs["server_url"], args.inputs["ca_pem"]),
        "registration_token": _secret(REGISTRATION_TOKEN),
        "api_token": _secret("token-mocks:secret"),
        "version": "v2.8.5",
    }


def _token_registration(args: MockResourceArgs) -> dict[str, Any]:
    server_url = args.inputs["url"]
    known = MockResourceArgs(args.typ, args.name, {**args.inputs, "server_url": server_url})
    return {**_registration(known), "server_url": server_url}


def _with_metadata(args: MockResourceArgs) -> dict[str, Any]:
    """The object as the API server would give it back."""
    given = args.inputs.get("metadata") or {"name": args.resource_id}
    return {"metadata": {**given, "uid": f"uid-of-{args.name}", "generation": 1}}


def _service(args: MockResourceArgs) -> dict[str, Any]:
    spec = dict(args.inputs["spec"])
    spec["ports"] = [{"nodePort": CHOSEN_NODE_PORT, **port} for port in spec["ports"]]
    status = {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}
    return {**_with_metadata(args), "spec": spec, "status": status}


_ANSWERS = {
    "command:remote:Command": _command,
    "pulumi-python:dynamic/longhorn:Ready": _ready,
    "pulumi-python:dynamic/longhorn:VolumeCheck": _volume_check,
    "pulumi-python:dynamic/rancher:GeneratedPassword": _password,
    "pulumi-python:dynamic/rancher:Ca": lambda _args: {"pem": CA_PEM},
    "pulumi-python:dynamic/rancher:Registration": _registration,
    "pulumi-python:dynamic/rancher:TokenRegistration": _token_registration,
    "pulumi-python:dynamic/rancher:Manifest": lambda _args: {
        "text": _manifest("https://rancher.example.com", CA_PEM)
    },
    "pulumi-python:dynamic/rancher:ClusterActive": lambda _args: {"state": "active"},
    "pulumi-python:dynamic/rancher:AgentConnection": lambda _args: {"revision": "1"},
    "kubernetes:core/v1:Namespace": _with_metadata,
    "kubernetes:apps/v1:Deployment": _with_metadata,
    "kubernetes:core/v1:Service": _service,
    "docker:index/remoteImage:RemoteImage": lambda args: {"imageId": f"sha256:{args.name}"},
}
