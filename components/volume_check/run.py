"""One run of the volume check against the cluster; cleans up after itself in every case."""

import secrets
import time
from typing import Any

from components.cluster.api import ClusterApi
from components.common.answers import listed, mapped
from components.common.waiting import wait_until
from components.volume_check.cleanup import VolumeCheckCleanup
from components.volume_check.objects import claim_of, given_without_binding, job_of, script_of
from configuration.base import quantity_bytes


class VolumeCheckRun:
    """Makes the objects of one check, waits for its Jobs, reads the report, deletes all of it."""

    def __init__(self, cluster: ClusterApi, props: dict[str, Any]) -> None:
        self._core, self._batch, self._storage = cluster.core, cluster.batch, cluster.storage
        self._props = props
        self._namespace = str(props["namespace"])
        self._name = f"volume-check-{secrets.token_hex(4)}"
        self._token = secrets.token_hex(8)
        self._cleanup = VolumeCheckCleanup(cluster, self._namespace)
        self._deadline = time.monotonic() + float(props["timeout_seconds"])

    def run(self) -> dict[str, Any]:
        """The report: bound_class, bound_size, seconds. Raises what the check found wrong."""
        started = time.monotonic()
        # A check that was broken off may have left something, and only one runs at a time.
        self._cleanup.run()
        try:
            self._core.create_namespaced_config_map(
                self._namespace, script_of(self._props, self._name)
            )
            self._core.create_namespaced_persistent_volume_claim(
                self._namespace, claim_of(self._props, self._name)
            )
            self._run_job("write", self._token, str(self._given_bytes()))
            self._run_job("read", self._token)
            claim = self._claim()
            return {
                "bound_class": claim.spec.storage_class_name,
                "bound_size": mapped(claim.status.capacity).get("storage", "unknown"),
                "seconds": round(time.monotonic() - started, 1),
            }
        finally:
            self._cleanup.run()

    def _given_bytes(self) -> int:
        """The bytes that the volume was given; waits for the binding if that needs no pod."""
        wanted = str(self._props["size"])
        storage_class = self._storage.read_storage_class(self._props["storage_class"])
        if storage_class.volume_binding_mode == "WaitForFirstConsumer":
            return given_without_binding(wanted)
        wait_until(
            "volume check, the claim",
            self._claim_missing,
            timeout_seconds=self._seconds_left(),
        )
        return quantity_bytes(mapped(self._claim().status.capacity).get("storage", wanted))

    def _claim_missing(self) -> list[str]:
        phase = self._claim().status.phase
        if phase == "Bound":
            return []
        return [f"claim {self._name} is {phase}{self._last_event()}"]

    def _seconds_left(self) -> float:
        return max(1.0, self._deadline - time.monotonic())

    def _run_job(self, step: str, *arguments: str) -> None:
        self._batch.create_namespaced_job(
            self._namespace, job_of(self._props, self._name, step, *arguments)
        )
        wait_until(
            f"volume check, step {step}",
            lambda: self._job_missing(step),
            timeout_seconds=self._seconds_left(),
        )

    def _job_missing(self, step: str) -> list[str]:
        status = self._batch.read_namespaced_job(f"{self._name}-{step}", self._namespace).status
        for condition in listed(status.conditions):
            if condition.status == "True" and condition.type == "Complete":
                return []
            if condition.status == "True" and condition.type == "Failed":
                raise RuntimeError(
                    f"volume check, step {step}, failed: {condition.message}. "
                    f"The pods said: {self._said(step) or 'nothing'}"
                )
        return self._claim_missing() or [f"Job {self._name}-{step} runs{self._last_event()}"]

    def _claim(self) -> Any:
        return self._core.read_namespaced_persistent_volume_claim(self._name, self._namespace)

    def _said(self, step: str) -> str:
        pods = self._core.list_namespaced_pod(
            self._namespace, label_selector=f"job-name={self._name}-{step}"
        ).items
        messages: list[str] = [
            container.state.terminated.message
            for pod in pods
            for container in listed(pod.status.container_statuses)
            if container.state.terminated and container.state.terminated.message
        ]
        return " / ".join(dict.fromkeys(messages))

    def _last_event(self) -> str:
        events = self._core.list_namespaced_event(self._namespace).items
        ours = [
            event
            for event in events
            if event.type == "Warning" and event.involved_object.name.startswith(self._name)
        ]
        return f" ({ours[-1].message})" if ours else ""
