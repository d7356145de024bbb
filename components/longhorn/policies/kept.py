"""StorageClasses and recurring jobs that somebody deleted or changed, put right.

Pulumi's plugin for Kubernetes compares the stack file with the state alone, and sees what happened
in the cluster with --refresh only.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi

from components.cluster.api import ApiError, ClusterApi, cluster_inputs, open_cluster
from components.common.answers import is_going, mapped
from components.common.dynamic import FINDING, DynamicProvider, DynamicResource, Properties
from components.common.progress import tell
from components.common.waiting import wait_until
from components.longhorn.fields import spec_of
from components.longhorn.objects import (
    DRIVER,
    GROUP,
    VERSION,
    read_object,
    try_create,
    try_patch,
)
from components.longhorn.policies.job_spec import job_changes, job_metadata
from components.longhorn.policies.kept_rules import (
    class_problem,
    job_problem,
    wanted_classes,
    wanted_jobs,
)
from components.longhorn.policies.present_class import read_class, remove_class
from components.longhorn.snapshot import class_parts
from configuration.stack_file import StackFile

# What refuses for a moment: Longhorn's webhook while a manager starts.
_PATIENCE = 60.0
_JOBS = "recurringjobs"
# By it a volume has a job (longhorn-manager v1.5.3, types/types.go).
_LABEL = "recurring-job.longhorn.io/"
_CONFLICT = 409
# What the plugin gives an object that it does not apply on the server's side, and compares
# (pulumi-kubernetes 4.32.0, provider/pkg/provider/provider.go, Check).
_LABELS = {"app.kubernetes.io/managed-by": "pulumi"}
# kubectl's copy of the whole object, with the parts that were not wanted.
_KUBECTLS_COPY = "kubectl.kubernetes.io/last-applied-configuration"


class KeptPoliciesProvider(DynamicProvider):
    """Writes only what is gone or differs. Their own resources remove what the stack gives up."""

    not_compared: ClassVar[Mapping[str, str]] = {
        "classes": "the resource of a class that changes in the stack file shows it, and makes it",
        "jobs": "the resource of a job that changes in the stack file shows it, and writes it",
    }

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Put right what is not as wanted.

        Raises TimeoutError with the reason when that is refused for long, and RuntimeError where a
        class of another driver has the name of one of the stack's.
        """
        cluster = open_cluster(new)
        for name, spec in new["jobs"].items():
            _keep_job(cluster, name, _with_whole_numbers(spec))
        for name, parts in new["classes"].items():
            _keep_class(cluster, name, parts)
        return "kept-policies", new


def _keep_job(cluster: ClusterApi, name: str, wanted: Properties) -> None:
    """Make or patch it. Never both: Longhorn takes a job that goes off the volumes that have it
    (longhorn-manager v1.5.3, controller/recurring_job_controller.go)."""
    problems: list[str] = []
    was_gone = False

    def missing() -> list[str]:
        nonlocal was_gone
        item = read_object(cluster, _JOBS, name)
        if item is not None and is_going(item):
            return [f"the end of the former recurring job {name}"]
        found = None if item is None else spec_of(item)
        problem = job_problem(name, found, wanted)
        if problem is None:
            return []
        problems.append(problem)
        if found is None:
            was_gone = True
            refusal = try_create(cluster, _JOBS, _job(name, wanted))
        else:
            refusal = try_patch(cluster, _JOBS, name, {"spec": job_changes(found, wanted)})
        return [refusal or problem]

    wait_until(f"recurring job {name}", missing, timeout_seconds=_PATIENCE)
    _say_first(problems)
    if was_gone:
        tell(
            f"Longhorn took recurring job {name} off its volumes when it went. Those in the group "
            "default have it again, if that is one of its groups; the others need their label: "
            f"{_LABEL}{name}=enabled"
        )


def _job(name: str, spec: Properties) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "RecurringJob",
        "metadata": job_metadata(name),
        "spec": spec,
    }


def _with_whole_numbers(spec: Properties) -> Properties:
    """Pulumi hands every number on as one with a fraction, which Kubernetes refuses here."""
    return {key: int(value) if isinstance(value, float) else value for key, value in spec.items()}


def _keep_class(cluster: ClusterApi, name: str, wanted: Properties) -> None:
    """Make it; one with other parts, which Kubernetes lets nobody change, goes first."""
    problems: list[str] = []
    marks: dict[str, dict[str, str]] = {"labels": _LABELS}
    made = False

    def missing() -> list[str]:
        nonlocal made
        item = read_class(cluster, name)
        problem = class_problem(name, None if item is None else class_parts(item), wanted)
        if problem is None:
            return []
        problems.append(problem)
        if item is not None and not made:
            marks.update(_marks(item))
            remove_class(cluster, name)
        made = made or _is_made(cluster, {**wanted, "metadata": {"name": name, **marks}})
        return [problem]

    wait_until(f"StorageClass {name}", missing, timeout_seconds=_PATIENCE)
    _say_first(problems)


def _marks(item: Any) -> dict[str, dict[str, str]]:
    """What somebody wrote on a class, such as that it is the default one."""
    annotations = mapped(item.metadata.annotations)
    annotations.pop(_KUBECTLS_COPY, None)
    return {"labels": {**mapped(item.metadata.labels), **_LABELS}, "annotations": annotations}


def _is_made(cluster: ClusterApi, parts: Properties) -> bool:
    """Whether the class was made; not where one of its name is still about to go."""
    body = {**parts, "provisioner": DRIVER, "allowVolumeExpansion": True}
    try:
        cluster.storage.create_storage_class(body)
    except ApiError as error:
        if error.status != _CONFLICT:
            raise
        return False
    return True


def _say_first(problems: list[str]) -> None:
    if problems:
        tell(f"{problems[0]}: put right")


class KeptPolicies(DynamicResource, module="longhorn", name="KeptPolicies"):
    """Sees to it that the stack's classes and jobs are there, and owns neither."""

    def __init__(
        self,
        name: str,
        *,
        file: StackFile,
        finding: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name.
            file: What the stack file says.
            finding: Which classes and jobs are not as it says right now.
            opts: Behind the resources of all of them.
        """
        inputs = {
            **cluster_inputs(file.cluster),
            "classes": wanted_classes(file),
            "jobs": wanted_jobs(file),
            FINDING: finding,
        }
        super().__init__(KeptPoliciesProvider(), name, inputs, opts)
