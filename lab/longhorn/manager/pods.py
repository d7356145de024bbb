"""Runs the pods whose program is longhorn-manager itself, as a kubelet would.

Owns the containers of the chart's DaemonSet and of its uninstall Job, and those pods' status.
"""

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from kubernetes.client import ApiClient, CoreV1Api

from lab.common import played_pods
from lab.common.progress import say
from lab.hosts import process as host_process
from lab.longhorn.manager import container, pod_spec

SELECTORS = ("app=longhorn-manager", "job-name=longhorn-uninstall")
_RESTART_SECONDS = 5.0
_PROBE_SECONDS = 2.0
# Longer than any lab lives.
_TOKEN_SECONDS = 7 * 24 * 3600


class Pods:
    """The pods that really run, brought up to date by `reconcile`."""

    def __init__(self, program: Path, authority: str) -> None:
        """Remember what every container gets.

        Args:
            program: the real longhorn-manager.
            authority: the certificate authority of the API server, as PEM.
        """
        self._program = program
        self._authority = authority
        self._started: dict[str, float] = {}

    def reconcile(self, client: ApiClient) -> None:
        """Start, probe and end containers until they are those of the cluster's pods."""
        core = CoreV1Api(client)
        pods = {
            pod.metadata.name: pod
            for selector in SELECTORS
            for pod in played_pods.listed(core, selector)
            if pod.status.pod_ip
        }
        for name in container.running():
            if name not in pods:
                say(f"pod {name} is gone: ending its container")
                container.stop(name)
        for pod in pods.values():
            self._see_to(client, core, pod)

    def stop(self) -> None:
        """End every container."""
        for name in container.running():
            container.stop(name)

    def _see_to(self, client: ApiClient, core: CoreV1Api, pod: Any) -> None:
        name = pod.metadata.name
        if container.is_running(name):
            played_pods.set_ready(core, pod, ready=_serves(pod))
            return
        played_pods.set_ready(core, pod, ready=False)
        status = container.exit_status(name)
        if status is not None and pod.spec.restart_policy == "Never":
            message = pod_spec.last_words(container.log(name)) if status else ""
            say(f"pod {name} ended with exit status {status} {message}".rstrip())
            played_pods.end(core, pod, status, message)
            return
        due = self._started.get(name, -_RESTART_SECONDS) + _RESTART_SECONDS
        if time.monotonic() < due or host_process.first_process(pod.spec.node_name) is None:
            return
        if status is not None:
            said = pod_spec.last_words(container.log(name))
            say(f"pod {name} on {pod.spec.node_name} ended with exit status {status}: {said}")
        self._start(client, core, pod)

    def _start(self, client: ApiClient, core: CoreV1Api, pod: Any) -> None:
        metadata = pod.metadata
        token: Any = core.create_namespaced_service_account_token(
            pod.spec.service_account_name,
            metadata.namespace,
            {"spec": {"expirationSeconds": _TOKEN_SECONDS}},
        )
        server = urlsplit(client.configuration.host)
        say(f"pod {metadata.name} starts on {pod.spec.node_name}")
        container.start(
            container.Container(
                pod=metadata.name,
                node=pod.spec.node_name,
                program=self._program,
                command=pod.spec.containers[0].command,
                environment={
                    **pod_spec.environment(pod),
                    "KUBERNETES_SERVICE_HOST": str(server.hostname),
                    "KUBERNETES_SERVICE_PORT": str(server.port),
                },
                account={
                    "token": token.status.token,
                    "ca.crt": self._authority,
                    "namespace": metadata.namespace,
                },
            )
        )
        self._started[metadata.name] = time.monotonic()


def _serves(pod: Any) -> bool:
    """Whether the pod's readiness probe succeeds; a kubelet does not verify the certificate."""
    probe = pod_spec.readiness(pod)
    if probe is None:
        return True
    address = f"https://{pod.status.pod_ip}:{probe.port}{probe.path}"
    try:
        answer = httpx.get(address, verify=False, timeout=_PROBE_SECONDS)  # noqa: S501
    except httpx.HTTPError:
        return False
    return answer.is_success
