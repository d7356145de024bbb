"""Plays Rancher's cluster agent, whose pod nothing runs in the lab.

python -m lab.rancher.stand_in.agent KUBECONFIG

Once the Deployment cattle-cluster-agent is available it does what the agent's start does: read
where Rancher is, compare Rancher's CA with the checksum, and join with the token. What Rancher
applies to its cluster goes through it: Rancher's own Deployment of it, with CATTLE_FEATURES, soon
after the first connection, and the clean-up Job when Rancher takes the cluster out; Rancher forgets
the cluster while that Job is at work (belongings.py).
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
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError as HttpStatusError

from kubernetes.client import ApiClient, CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from urllib3.exceptions import HTTPError

from lab.common import daemons
from lab.common.progress import LabError, say
from lab.rancher.stand_in import belongings

from . import redeploy

_PROCESS = "rancher-agent-stand-in"
_NAMESPACE = "cattle-system"
_DEPLOYMENT = "cattle-cluster-agent"
_PERIOD_SECONDS = 1.0
_ANSWER_SECONDS = 10.0
_PASSING = (LabError, OSError, HTTPException, HTTPError, ApiException, ValueError)
"""What a pod of the real agent would be started again after; among them a half answer."""


class AgentError(LabError):
    """Why the agent would end at once and be started again."""


@dataclass(frozen=True)
class Credentials:
    """What the import manifest tells the agent."""

    server: str
    ca_checksum: str
    token: str = field(repr=False)
    features: str = ""
    deployment: dict[str, Any] = field(default_factory=dict, repr=False)


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
            except _PASSING as error:
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
    told = join(credentials)
    if told.get("cleanup"):
        belongings.order_clean_up(client)
        _post(credentials, "cleaned", _trusted(credentials))
        return f"{credentials.server} took the cluster out, and its clean-up Job is at work"
    belongings.bring(client)
    if told.get("apply"):
        redeploy.apply(client, told["apply"])
        _post(credentials, "applied", _trusted(credentials))
        return f"{credentials.server} deployed its agent"
    if not credentials.features:
        return f"a tunnel to {credentials.server}, and no features"
    redeploy.settle(client, credentials.deployment)
    return f"connected to {credentials.server}"


def read_credentials(client: ApiClient) -> Credentials | None:
    """What the agent's pod would find; None while no pod of it is available."""
    deployment = redeploy.read(client, _DEPLOYMENT)
    if deployment is None or not deployment["status"].get("availableReplicas"):
        return None
    pod = deployment["spec"]["template"]["spec"]
    variables = {each["name"]: each.get("value", "") for each in pod["containers"][0]["env"]}
    names = [
        volume["secret"]["secretName"]
        for volume in pod.get("volumes", [])
        if volume["name"] == "cattle-credentials"
    ]
    if not names:
        raise AgentError(f"Deployment {_DEPLOYMENT} mounts no Secret cattle-credentials-…")
    secret: Any = CoreV1Api(client).read_namespaced_secret(names[0], _NAMESPACE)
    return Credentials(
        server=variables.get("CATTLE_SERVER", ""),
        ca_checksum=variables.get("CATTLE_CA_CHECKSUM", ""),
        token=base64.b64decode(secret.data["token"]).decode(),
        features=variables.get("CATTLE_FEATURES", ""),
        deployment=deployment,
    )


def join(credentials: Credentials) -> dict[str, Any]:
    """Connect, or say again that the agent is alive; returns what Rancher wants to be done.

    Raises AgentError as the real agent does: another CA than the checksum says, a token that
    Rancher does not know.
    """
    said = {"features": credentials.features, "deployment": credentials.deployment}
    return _post(credentials, "connect", _trusted(credentials), said)


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


def _post(
    credentials: Credentials,
    verb: str,
    context: ssl.SSLContext,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    url = f"{credentials.server}/lab/agent/{verb}"
    return _request(url, context, credentials.token, body)


def _request(
    url: str,
    context: ssl.SSLContext,
    token: str | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    if not url.startswith("https://"):
        raise AgentError("CATTLE_SERVER does not begin with https://")
    sent = json.dumps(body or {}).encode() if token else None
    request = urllib.request.Request(url, data=sent)  # noqa: S310
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
