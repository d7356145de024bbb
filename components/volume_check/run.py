"""One run of the volume check against the cluster; cleans up after itself in every case."""

import json
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from components.cluster.api import ClusterApi
from components.common.answers import listed, mapped
from components.common.waiting import wait_until
from components.longhorn.objects import read_object
from components.volume_check.backup import VolumeBackup, now_text
from components.volume_check.backup_objects import restore_missing
from components.volume_check.cleanup import VolumeCheckCleanup
from components.volume_check.objects import claim_of, given_without_binding, job_of, script_of
from configuration.base import quantity_bytes


class VolumeCheckRun:
    """Makes the objects of one check, waits for its Jobs, reads the report, deletes all of it."""

    def __init__(self, cluster: ClusterApi, props: dict[str, Any]) -> None:
        self._cluster = cluster
        self._core, self._batch, self._storage = cluster.core, cluster.batch, cluster.storage
        self._props = props
        self._namespace = str(props["namespace"])
        self._name = self._claim_name = f"volume-check-{secrets.token_hex(4)}"
        self._token = secrets.token_hex(8)
        self._cleanup = VolumeCheckCleanup(cluster, self._namespace)
        self._deadline = time.monotonic() + float(props["timeout_seconds"])

    def run(self) -> dict[str, Any]:
        """The report: bound_class, bound_size, seconds, restored.

        Raises what the check found wrong, and what it could not take away again.
        """
        started = time.monotonic()
        # A check that was broken off may have left something, and only one runs at a time.
        self._cleanup.run()
        try:
            report = self._checked()
            report["seconds"] = round(time.monotonic() - started, 1)
        except BaseException as error:
            try:
                self._cleanup.run()
            except Exception as left:  # whatever it is, the check's own error is what counts
                raise RuntimeError(f"{error} Besides: {left}") from error
            raise
        self._cleanup.run()
        return report

    def _checked(self) -> dict[str, Any]:
        backup = None
        if self._props.get("restore"):
            backup = VolumeBackup(self._cluster, self._name, self._seconds_left)
            backup.require_target()
        self._core.create_namespaced_config_map(self._namespace, script_of(self._props, self._name))
        self._create_claim()
        self._run_job("write", self._token, str(self._given_bytes()))
        self._run_job("read", self._token)
        claim = self._claim()
        return {
            "bound_class": claim.spec.storage_class_name,
            "bound_size": mapped(claim.status.capacity).get("storage", "unknown"),
            "restored": None if backup is None else self._restored(backup),
        }

    def _restored(self, backup: VolumeBackup) -> dict[str, Any]:
        """Back up, delete, restore, compare; the report of it."""
        self._run_job("store")
        written = self._report("store")
        began = time.monotonic()
        backup.make(str(self._claim().spec.volume_name), self._cleanup.owner)
        made = time.monotonic()
        checked = self._storage.read_storage_class(self._props["storage_class"])
        self._cleanup.remove_claims()
        deleted = time.monotonic()
        self._storage.create_storage_class(backup.restoring_class(checked))
        self._claim_name = f"{self._name}-restored"
        self._create_claim(self._name)
        self._run_job("hash")
        read = self._report("hash")
        if read != written:
            raise RuntimeError(
                f"volume check, restore: {written['bytes']} bytes with SHA-256 {written['sha256']} "
                f"were backed up, and {read['bytes']} bytes with SHA-256 {read['sha256']} came "
                "back. Do not rely on backups in this target: try with one of a volume of yours, "
                "and read the logs of longhorn-manager and of the instance managers."
            )
        return {
            "at": now_text(),
            "bytes": written["bytes"],
            "sha256": written["sha256"],
            "backupBytes": backup.size_bytes,
            "backupSeconds": round(made - began, 1),
            "restoreSeconds": round(time.monotonic() - deleted, 1),
        }

    def _create_claim(self, storage_class: str | None = None) -> None:
        self._core.create_namespaced_persistent_volume_claim(
            self._namespace, claim_of(self._props, self._claim_name, storage_class)
        )

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
        return [f"claim {self._claim_name} is {phase}{self._last_event()}"]

    def _seconds_left(self) -> float:
        return max(1.0, self._deadline - time.monotonic())

    def _run_job(self, step: str, *arguments: str) -> None:
        self._batch.create_namespaced_job(
            self._namespace,
            job_of(self._props, self._name, step, *arguments, claim=self._claim_name),
        )
        wait_until(
            f"volume check, step {step}",
            lambda: self._job_missing(step),
            timeout_seconds=self._seconds_left(),
        )

    def _report(self, step: str) -> dict[str, Any]:
        """What a step has found in the volume: bytes, sha256."""
        for message in self._messages(step):
            # Of several pods, all but the last may have failed.
            with suppress(ValueError, KeyError, TypeError):
                found: dict[str, Any] = json.loads(message)
                return {"bytes": found["bytes"], "sha256": found["sha256"]}
        raise RuntimeError(
            f"volume check, step {step}, ended without a report. The pods said: "
            f"{self._said(step) or 'nothing'}"
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
        missing = self._claim_missing()
        if not missing and self._claim_name != self._name:
            missing = restore_missing(self._restoring())
        return missing or [f"Job {self._name}-{step} runs{self._last_event()}"]

    def _restoring(self) -> Mapping[str, Any] | None:
        return read_object(self._cluster, "volumes", str(self._claim().spec.volume_name))

    def _claim(self) -> Any:
        return self._core.read_namespaced_persistent_volume_claim(self._claim_name, self._namespace)

    def _said(self, step: str) -> str:
        return " / ".join(dict.fromkeys(self._messages(step)))

    def _messages(self, step: str) -> list[str]:
        pods = self._core.list_namespaced_pod(
            self._namespace, label_selector=f"job-name={self._name}-{step}"
        ).items
        return [
            container.state.terminated.message
            for pod in pods
            for container in listed(pod.status.container_statuses)
            if container.state.terminated and container.state.terminated.message
        ]

    def _last_event(self) -> str:
        events = self._core.list_namespaced_event(self._namespace).items
        ours = [
            event
            for event in events
            if event.type == "Warning" and event.involved_object.name.startswith(self._name)
        ]
        # The cluster lists them by name.
        return f" ({max(ours, key=_seconds_of).message})" if ours else ""


def _seconds_of(event: Any) -> float:
    """When an event was last seen, in seconds since 1970; 0 where it does not tell."""
    at = event.last_timestamp or event.event_time
    return at.timestamp() if at else 0.0
