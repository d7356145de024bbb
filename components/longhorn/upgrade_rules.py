"""What stands in the way of putting a version of Longhorn into a cluster. Pure.

Sources, in longhorn-manager v1.5.3 and v1.6.4: upgrade/util/util.go (which version follows which,
and which engines the new one can talk to), upgrade/upgrade.go (new managers wait for the old ones
of every node to end). Longhorn's documentation asks for V2 volumes to be detached.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.common.names import some_names
from components.common.versions import Step, minors_between, step, version_of
from components.longhorn.fields import condition, name_of, spec_of, status_of
from components.longhorn.objects import NAMESPACE
from components.longhorn.versions import minor_of, too_old_kubernetes
from configuration.longhorn import SUPPORTED_VERSIONS

_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class Installed:
    """The Longhorn that a cluster has, and what depends on it; objects as the API gives them."""

    version: str
    """As Longhorn itself says it, such as v1.5.3."""
    namespace: str
    """Where it stands."""
    owner: str | None
    """The stack that installed it, as its namespace says; None where no stack did."""
    volumes: Sequence[Mapping[str, Any]] = ()
    engine_images: Sequence[Mapping[str, Any]] = ()
    nodes: Sequence[Mapping[str, Any]] = ()


def path_problem(current: str, wanted: str) -> str | None:
    """Why Longhorn may not go from one version to the other in one step; None if it may.

    Args:
        current: What is installed.
        wanted: longhorn.version.
    """
    match step(current, wanted):
        case Step.FINE:
            return None
        case Step.BACK:
            return (
                f"Longhorn {current} can't go back to {wanted}: Longhorn refuses to start on what "
                f"a later version has changed. {way_on(current)}"
            )
        case Step.MAJOR:
            return f"Longhorn {current} to {wanted} crosses a major version"
        case Step.SKIPS:
            path = ", then ".join(minors_between(current, wanted))
            return (
                f"Longhorn {current} to {wanted} skips a minor version, which Longhorn refuses. "
                f"Go to the newest {path} first"
            )


def way_on(installed: str) -> str:
    """What a stack file may say where this version of Longhorn runs already."""
    for each in SUPPORTED_VERSIONS:
        if step(installed, each) is Step.FINE:
            return f"Set longhorn.version to {each}"
    return "This program supports no version that follows it"


def install_problems(
    installed: Installed | None, wanted: str, kubernetes: str, *, new_owner: str | None
) -> list[str]:
    """Everything that keeps `wanted` from being put into the cluster, each with its remedy.

    Args:
        installed: The Longhorn that is there; None if there is none.
        wanted: longhorn.version.
        kubernetes: The cluster's version, such as v1.28.4.
        new_owner: This stack, if its state does not say that it has installed Longhorn before.
    """
    problems: list[str] = []
    too_old = too_old_kubernetes(kubernetes, wanted)
    if too_old is not None:
        problems.append(f"{too_old}. Upgrade the cluster first")
    if installed is None:
        return problems
    if installed.namespace != NAMESPACE or new_owner not in (None, installed.owner):
        return [*problems, _foreign(installed)]
    if _is_same(installed.version, wanted):
        return problems
    path = path_problem(installed.version, wanted)
    if path is not None:
        problems.append(path)
    return [
        *problems,
        *_volume_problems(installed.volumes),
        *_engine_problems(installed.engine_images, wanted),
        *_node_problems(installed.nodes),
    ]


def _foreign(installed: Installed) -> str:
    by = "" if installed.owner is None else f"; the stack {installed.owner} did"
    return (
        f"Longhorn {installed.version} is in namespace {installed.namespace} already, and this "
        f"stack did not install it{by}. Set stages.longhorn: false to leave it to those who did, "
        "or have them remove it (which removes its volumes)"
    )


def _is_same(installed: str, wanted: str) -> bool:
    old, new = version_of(installed), version_of(wanted)
    return old is not None and new is not None and old.release == new.release


def _volume_problems(volumes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    volumes = list(volumes)
    for robustness, remedy in (
        ("degraded", "Wait until the replicas are rebuilt, or ask for fewer of them"),
        ("faulted", "Salvage it in Longhorn's interface, restore it from a backup, or delete it"),
    ):
        found = [
            name_of(each) for each in volumes if status_of(each).get("robustness") == robustness
        ]
        if found:
            yield f"{_count(found, 'volume')} {robustness}: {_names(found)}. {remedy}"
    second_engine = [
        name_of(each)
        for each in volumes
        if "v2" in (spec_of(each).get("dataEngine"), spec_of(each).get("backendStoreDriver"))
        and status_of(each).get("state") != "detached"
    ]
    if second_engine:
        yield (
            f"{_count(second_engine, 'volume')} of the V2 data engine and attached: "
            f"{_names(second_engine)}. Stop the pods that use it; Longhorn upgrades no attached one"
        )


def _engine_problems(images: Iterable[Mapping[str, Any]], wanted: str) -> Iterator[str]:
    minor = minor_of(wanted)
    for image in images:
        status = status_of(image)
        if not status.get("refCount"):
            continue
        for kind, supported in (
            ("cliAPIVersion", minor.engine_client_api),
            ("controllerAPIVersion", minor.engine_controller_api),
        ):
            found = int(status.get(kind) or 0)
            if found not in supported:
                yield (
                    f"volumes still use the engine {spec_of(image).get('image')}, whose {kind} is "
                    f"{found}; Longhorn {wanted} works with {supported[0]} to {supported[-1]}. "
                    "Upgrade the engines of these volumes first (Longhorn's interface, Volume, "
                    "Upgrade Engine)"
                )


def _node_problems(nodes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Nodes whose old manager can't end; a node that left Kubernetes has none."""
    away: list[str] = []
    for node in nodes:
        ready = condition(status_of(node), "Ready")
        is_away = ready.get("status") != "True" and ready.get("reason") != "KubernetesNodeGone"
        if ready and is_away:
            away.append(f"{name_of(node)} ({ready.get('reason') or 'no reason given'})")
    if away:
        yield (
            f"{_count(away, 'node')} not Ready in Longhorn: {_names(away)}. Bring it back or "
            "remove it from the cluster; no new manager starts while an old one can't end"
        )


def _count(names: Sequence[str], noun: str) -> str:
    return f"1 {noun} is" if len(names) == 1 else f"{len(names)} {noun}s are"


def _names(names: Sequence[str]) -> str:
    return some_names(sorted(names), _NAMED)
