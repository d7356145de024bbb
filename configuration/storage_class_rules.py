"""Rules for StorageClasses beside Longhorn's own. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from configuration.longhorn_rules import class_replicas
from configuration.partial import knows
from configuration.problems import Problem, nearest
from configuration.repeated_names import repeated_names
from configuration.secrets import Secret
from configuration.stack_file import StackFile
from configuration.storage_classes import OWN_CLASSES, StorageClassSettings


def _classes(file: StackFile) -> Iterable[tuple[str, StorageClassSettings]]:
    for i, each in enumerate(file.longhorn.storage_classes):
        yield f"longhorn.storageClasses[{i}]", each


def _names(file: StackFile) -> Iterator[Problem]:
    for key, each in _classes(file):
        if knows(each, "name") and each.name in OWN_CLASSES:
            yield Problem(
                f"{key}.name",
                "is a class that Longhorn makes itself",
                "Choose another name; the class `longhorn` is set by longhorn.replicaCount, "
                "longhorn.reclaimPolicy and longhorn.defaultStorageClass.",
                each.name,
            )
    yield from repeated_names("longhorn.storageClasses", file.longhorn.storage_classes, "class")


def _strict_local(file: StackFile) -> Iterator[Problem]:
    own = class_replicas(file)
    for key, each in _classes(file):
        if knows(each, "data_locality", "replicas") and each.data_locality == "strict-local":
            replicas = own if each.replicas is None else each.replicas
            if replicas != 1:
                yield Problem(
                    f"{key}.dataLocality",
                    f"strict-local allows one replica only, and volumes get {replicas}",
                    "Set replicas: 1, or take best-effort.",
                )


def _tags(file: StackFile) -> Iterator[Problem]:
    """A tag that no disk or node has: no volume of the class would ever get a replica.

    Nothing is known where the stack leaves the disks and nodes to somebody else.
    """
    if not file.nodes or not file.stages.labels:
        return
    if not all(knows(node, "tags", "disks", "lost") for node in file.nodes):
        return
    present = file.present_nodes
    disks = {tag for node in present for disk in file.disks_of(node) for tag in disk.tags}
    nodes = {tag for node in present for tag in node.tags}
    for key, each in _classes(file):
        for field, tags, known, where in (
            ("disk_tags", each.disk_tags, disks, "disk"),
            ("node_tags", each.node_tags, nodes, "node"),
        ):
            for tag in tags if knows(each, field) else ():
                if tag not in known:
                    close = nearest(tag, sorted(known))
                    yield Problem(
                        f"{key}.{where}Tags",
                        f"no {where} of this stack has the tag {tag}, so no volume would get a "
                        "replica",
                        f"Did you mean {close}?" if close else f"Give it to a {where}.",
                    )


def _jobs(file: StackFile) -> Iterator[Problem]:
    jobs = [job for job in file.longhorn.recurring_jobs if knows(job, "name")]
    names = sorted(job.name for job in jobs)
    groups = sorted({group for job in jobs if knows(job, "groups") for group in job.groups})
    for key, each in _classes(file):
        if not knows(each, "recurring_jobs", "recurring_job_groups"):
            continue
        for field, wanted, known, what in (
            ("recurringJobs", each.recurring_jobs, names, "job"),
            ("recurringJobGroups", each.recurring_job_groups, groups, "group"),
        ):
            for name in wanted:
                if name not in known:
                    close = nearest(name, known)
                    yield Problem(
                        f"{key}.{field}",
                        f"names the {what} {name}, which no recurring job of this stack "
                        + ("is" if what == "job" else "is in"),
                        f"Did you mean {close}?" if close else "Add it to longhorn.recurringJobs.",
                    )


def _encryption(file: StackFile) -> Iterator[Problem]:
    encrypted = [key for key, each in _classes(file) if knows(each, "encrypted") and each.encrypted]
    if encrypted and not file.has(Secret.LONGHORN_ENCRYPTION_KEY):
        yield Problem(
            str(Secret.LONGHORN_ENCRYPTION_KEY),
            f"is missing, and {encrypted[0]} is encrypted",
            f"Set it: pulumi config set --secret {Secret.LONGHORN_ENCRYPTION_KEY}. Keep a copy.",
        )


STORAGE_CLASS_RULES: Sequence[Callable[[StackFile], Iterable[Problem]]] = (
    _names,
    _strict_local,
    _tags,
    _jobs,
    _encryption,
)
