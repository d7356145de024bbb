"""A look at the cluster before a version of Longhorn is put into it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import CheckFailure

from components.cluster.api import ClusterApi, cluster_inputs, open_cluster
from components.common.answers import mapped
from components.common.dynamic import DynamicProvider, DynamicResource, Properties, is_unknown
from components.common.owner import MARK, this_stack
from components.longhorn.objects import VERSION_SETTING, read_objects
from components.longhorn.upgrade_rules import Installed, install_problems, path_problem
from configuration.cluster import ClusterSettings

_ID = "longhorn-upgrade"
_ANSWER_SECONDS = 10


class LonghornUpgradeProvider(DynamicProvider):
    """Looks on create and when the version changes; needs no cluster as long as it does not."""

    not_compared: ClassVar[Mapping[str, str]] = {
        "kubeconfig": "only a look before a change of version uses it, and that has the new one",
        "context": "as kubeconfig",
        "owner": "a stack that got another name is marked again by its namespace",
    }

    def refusals(self, old: Properties, new: Properties) -> list[CheckFailure]:
        """What the cluster is not ready for."""
        before, wanted = old.get("version"), new["version"]
        if before == wanted or any(is_unknown(value) for value in new.values()):
            return []
        try:
            problems = _problems(new, is_new=before is None)
        except Exception:  # whatever keeps the cluster from answering, `up` says it
            path = None if before is None else path_problem(str(before), str(wanted))
            problems = [] if path is None else [path]
        return [CheckFailure("version", _told(problems))] if problems else []

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Look. Raises RuntimeError with everything that stands in the way."""
        return _ID, _inspected(new, is_new=True)

    def change(self, old: Properties, new: Properties) -> Properties:
        """Look again, for the version that is wanted now."""
        del old
        return _inspected(new, is_new=False)


class LonghornUpgrade(DynamicResource, module="longhorn", name="Upgrade"):
    """Owns nothing: it lets Longhorn's release be made or changed, or stops it.

    An `up` that broke off behind it goes on with the same version without another look, since a
    Longhorn that is halfway through has to arrive.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        version: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {**cluster_inputs(cluster), "version": version, "owner": this_stack()}
        super().__init__(LonghornUpgradeProvider(), name, inputs, opts)


def read_installed(cluster: ClusterApi) -> Installed | None:
    """The Longhorn that the cluster has, in whatever namespace; None if it has none.

    Raises whatever the client raises when the cluster does not answer.
    """
    settings = _objects(cluster, "settings", field_selector=f"metadata.name={VERSION_SETTING}")
    if not settings:
        return None
    namespace = str(settings[0]["metadata"]["namespace"])
    return Installed(
        version=str(settings[0].get("value")),
        namespace=namespace,
        owner=_owner(cluster, namespace),
        volumes=_objects(cluster, "volumes"),
        engine_images=_objects(cluster, "engineimages"),
        nodes=_objects(cluster, "nodes"),
    )


def _objects(cluster: ClusterApi, plural: str, **options: str) -> Sequence[Mapping[str, Any]]:
    options_here: dict[str, Any] = {"_request_timeout": _ANSWER_SECONDS, **options}
    return read_objects(cluster, plural, everywhere=True, **options_here) or []


def _owner(cluster: ClusterApi, namespace: str) -> str | None:
    found: Any = cluster.core.read_namespace(namespace, _request_timeout=_ANSWER_SECONDS)
    owner = mapped(found.metadata.annotations).get(MARK)
    return None if owner is None else str(owner)


def _problems(props: Properties, *, is_new: bool) -> list[str]:
    cluster = open_cluster(props)
    kubernetes: Any = cluster.version.get_code(_request_timeout=_ANSWER_SECONDS)
    return install_problems(
        read_installed(cluster),
        str(props["version"]),
        str(kubernetes.git_version),
        new_owner=str(props["owner"]) if is_new else None,
    )


def _inspected(props: Properties, *, is_new: bool) -> Properties:
    problems = _problems(props, is_new=is_new)
    if problems:
        raise RuntimeError(_told(problems))
    return props


def _told(problems: Sequence[str]) -> str:
    return "Longhorn was not touched, because\n" + "\n".join(f"  - {each}." for each in problems)
