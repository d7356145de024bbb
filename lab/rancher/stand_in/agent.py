"""Plays Rancher's cluster agent, whose pod nothing runs in the lab.

python -m lab.rancher.stand_in.agent KUBECONFIG

Once the Deployment cattle-cluster-agent is available it does what the agent's start does: read
where Rancher is, compare Rancher's CA with the checksum, and join with the token. When Rancher
takes the cluster out, the clean-up Job is made through it, and Rancher forgets the cluster while
the Job is at work (belongings.py).
"""

import base64
import hashlib
import json
import signal
import ssl
import sys
import threading
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError as HttpStatusError

from kubernetes.client import ApiClient, AppsV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from urllib3.exceptions import HTTPError

from lab.common import daemons
from lab.common.progress import LabError, say
from lab.rancher.stand_in import belongings

_PROCESS = "rancher-agent-stand-in"
_NAMESPACE = "cattle-system"
_DEPLOYMENT = "cattle-cluster-agent"
_PERIOD_SECONDS = 1.0
_ANSWER_SECONDS = 10.0


class AgentError(RuntimeError):
    """Why the agent would end at once and be started again."""


@dataclass(frozen=True)
class Credentials:
    """What the import manifest tells the agent."""

    server: str
    ca_checksum: str
    token: str = field(repr=False)


def up(kubeconfig: Path) -> None:
    """Start playing the agent for this cluster, in the background; does nothing if it runs."""
    daemons.start(_PROCESS, [sys.executable, "-m", "lab.rancher.stand_in.agent", kubeconfig])


def status() -> bool:
    """Whether it runs."""
    return daemons.is_running(_PROCESS)


def down() -> None:
    """End it."""
    daemons.stop(_PROCESS)


def main() -> None:
    """Look every second until SIGTERM; say what changed."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    say("stand-in for Rancher's cluster agent: a test double, not the agent")
    last = ""
    with new_client_from_config(sys.argv[1]) as client:
        while not done.wait(_PERIOD_SECONDS):
            try:
                now = reconcile(client)
            except (AgentError, LabError, OSError, HTTPError, ApiException) as error:
                now = f"not connected: {error}"
            try:
                if belongings.play_clean_up(client):
                    say("the clean-up Job has done its work")
            except (HTTPError, ApiException) as error:
                say(f"the clean-up Job is held up: {error}")
            if now != last:
                say(now)
                last = now


def reconcile(client: ApiClient) -> str:
    """Join, stay joined or clean up, whichever it takes; returns what it is doing."""
    credentials = read_credentials(client)
    if credentials is None:
        return "there is no agent to play"
    if join(credentials):
        belongings.order_clean_up(client)
        _post(credentials, "cleaned", _trusted(credentials))
        return f"{credentials.server} took the cluster out, and its clean-up Job is at work"
    belongings.bring(client)
    return f"connected to {credentials.server}"


def read_credentials(client: ApiClient) -> Credentials | None:
    """What the agent's pod would find; None while no pod of it is available."""
    try:
        deployment: Any = AppsV1Api(client).read_namespaced_deployment(_DEPLOYMENT, _NAMESPACE)
    except ApiException as error:
        if error.status == 404:
            return None
        raise
    if not deployment.status.available_replicas:
        return None
    pod = deployment.spec.template.spec
    variables = {each.name: each.value or "" for each in pod.containers[0].env or []}
    names = [
        volume.secret.secret_name
        for volume in pod.volumes or []
        if volume.secret is not None and volume.name == "cattle-credentials"
    ]
    if not names:
        raise AgentError(f"Deployment {_DEPLOYMENT} mounts no Secret cattle-credentials-…")
    secret: Any = CoreV1Api(client).read_namespaced_secret(names[0], _NAMESPACE)
    return Credentials(
        server=variables.get("CATTLE_SERVER", ""),
        ca_checksum=variables.get("CATTLE_CA_CHECKSUM", ""),
        token=base64.b64decode(secret.data["token"]).decode(),
    )


def join(credentials: Credentials) -> bool:
    """Connect, or say again that the agent is alive; True if Rancher wants it to clean up.

    Raises AgentError as the real agent does: another CA than the checksum says, a token that
    Rancher does not know.
    """
    return bool(_post(credentials, "connect", _trusted(credentials)).get("cleanup"))


def _trusted(credentials: Credentials) -> ssl.SSLContext:
    """A context that trusts only the CA with the checksum, as the agent's start script does.

    The CA is fetched unverified, and then worth nothing unless its checksum is the right one.
    """
    if not credentials.ca_checksum:
        return ssl.create_default_context()
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    pem = str(_request(f"{credentials.server}/v3/settings/cacerts", blind).get("value", ""))
    found = hashlib.sha256(f"{pem.strip()}\n".encode()).hexdigest()
    if found != credentials.ca_checksum:
        raise AgentError(
            f"Configured cacerts checksum ({found}) does not match given --ca-checksum "
            f"({credentials.ca_checksum})"
        )
    return ssl.create_default_context(cadata=pem)


def _post(credentials: Credentials, verb: str, context: ssl.SSLContext) -> dict[str, Any]:
    return _request(f"{credentials.server}/lab/agent/{verb}", context, credentials.token)


def _request(url: str, context: ssl.SSLContext, token: str | None = None) -> dict[str, Any]:
    if not url.startswith("https://"):
        raise AgentError("CATTLE_SERVER does not begin with https://")
    request = urllib.request.Request(url, method="POST" if token else "GET")  # noqa: S310
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(  # noqa: S310
            request, timeout=_ANSWER_SECONDS, context=context
        ) as response:
            return dict(json.load(response))
    except HttpStatusError as error:
        raise AgentError(f"{url} answered HTTP {error.code}") from None


if __name__ == "__main__":
    main()
