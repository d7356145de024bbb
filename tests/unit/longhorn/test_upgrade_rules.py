"""What stands in the way of a version of Longhorn, and that all of it is told at once."""

from dataclasses import replace
from typing import Any

import pytest

from components.longhorn.upgrade_rules import Installed, install_problems, path_problem
from components.longhorn.versions import minor_of
from configuration.longhorn import SUPPORTED_VERSIONS

_STACK = "longhorn-rancher/production"
_OURS = Installed(version="v1.5.3", namespace="longhorn-system", owner=_STACK)


def _problems(
    installed: Installed | None,
    wanted: str = "1.6.4",
    kubernetes: str = "v1.28.4",
    *,
    is_new: bool = False,
) -> list[str]:
    owner = _STACK if is_new else None
    return install_problems(installed, wanted, kubernetes, new_owner=owner)


def _item(name: str, *, spec: Any = None, **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec or {}, "status": status}


def _ready(status: str, reason: str = "") -> list[dict[str, str]]:
    return [{"type": "Ready", "status": status, "reason": reason}]


@pytest.mark.parametrize(
    ("current", "wanted"),
    [("v1.5.3", "1.5.3"), ("v1.5.3", "1.5.5"), ("v1.5.3", "1.6.4"), ("v1.6.1-own", "1.6.4")],
)
def test_a_patch_and_the_next_minor_version_are_fine(current: str, wanted: str) -> None:
    assert path_problem(current, wanted) is None
    assert _problems(replace(_OURS, version=current), wanted) == []


def test_a_build_that_is_no_version_is_its_owners_own_decision() -> None:
    assert path_problem("master-head", "1.6.4") is None


def test_a_skipped_minor_version_is_refused_with_the_one_to_take() -> None:
    (problem,) = _problems(replace(_OURS, version="v1.4.4"))
    assert "Longhorn v1.4.4 to 1.6.4 skips a minor version" in problem
    assert "Go to the newest 1.5.x first" in problem


@pytest.mark.parametrize(
    ("current", "remedy"),
    [
        ("v1.6.4", "Set longhorn.version to 1.6.4"),
        ("v1.6.0", "Set longhorn.version to 1.6.1"),
        ("v1.6.9", "This program supports no version that follows it"),
        ("v1.7.2", "This program supports no version that follows it"),
    ],
)
def test_going_back_is_refused_with_what_to_set(current: str, remedy: str) -> None:
    (problem,) = _problems(replace(_OURS, version=current), "1.5.5")
    assert "can't go back to 1.5.5" in problem
    assert remedy in problem


def test_a_major_version_is_no_step_that_is_known() -> None:
    assert "crosses a major version" in str(path_problem("v0.8.1", "1.5.3"))


def test_nothing_is_in_the_way_of_the_first_installation() -> None:
    assert _problems(None, is_new=True) == []


@pytest.mark.parametrize("installed", [None, _OURS])
def test_a_kubernetes_older_than_the_chart_takes_is_refused(installed: Installed | None) -> None:
    (problem,) = _problems(installed, kubernetes="v1.20.15", is_new=installed is None)
    assert "Kubernetes v1.20.15 is older than 1.21, which Longhorn 1.6.4 needs" in problem


@pytest.mark.parametrize(
    ("installed", "is_new"),
    [
        (replace(_OURS, owner=None), True),
        (replace(_OURS, owner="longhorn-rancher/other", version="v1.6.4"), True),
        (replace(_OURS, namespace="storage"), True),
        (replace(_OURS, namespace="storage"), False),
    ],
)
def test_a_longhorn_of_somebody_elses_is_refused_whatever_its_version(
    installed: Installed, is_new: bool
) -> None:
    (problem,) = _problems(installed, is_new=is_new)
    assert f"is in namespace {installed.namespace} already" in problem
    assert "stages.longhorn: false" in problem
    assert ("the stack" in problem) == (installed.owner is not None)


def test_a_kubernetes_that_is_too_old_is_told_beside_a_longhorn_of_somebody_elses() -> None:
    kubernetes, foreign = _problems(replace(_OURS, owner=None), kubernetes="v1.20.0", is_new=True)
    assert "v1.20.0" in kubernetes
    assert "is in namespace longhorn-system already" in foreign


def test_the_stack_that_another_longhorn_belongs_to_is_named() -> None:
    (problem,) = _problems(replace(_OURS, owner="longhorn-rancher/other"), is_new=True)
    assert "the stack longhorn-rancher/other did" in problem


@pytest.mark.parametrize(("owner", "is_new"), [(_STACK, True), (None, False)])
def test_a_longhorn_of_this_stack_may_be_upgraded(owner: str | None, is_new: bool) -> None:
    assert _problems(replace(_OURS, owner=owner), is_new=is_new) == []


def test_degraded_and_faulted_volumes_are_named_and_healthy_ones_are_not() -> None:
    volumes = [
        _item("pvc-a", robustness="healthy", state="attached"),
        _item("pvc-b", robustness="degraded", state="attached"),
        _item("pvc-c", robustness="faulted", state="detached"),
        _item("pvc-d", robustness="unknown", state="detached"),
        _item("pvc-e", robustness="degraded", state="attached"),
        {"metadata": {"name": "pvc-new"}},
    ]
    degraded, faulted = _problems(replace(_OURS, volumes=volumes))
    assert degraded.startswith("2 volumes are degraded: pvc-b, pvc-e.")
    assert faulted.startswith("1 volume is faulted: pvc-c.")


@pytest.mark.parametrize(("count", "end"), [(10, "."), (11, " and 1 more."), (13, " and 3 more.")])
def test_of_many_volumes_the_first_are_named_and_the_rest_counted(count: int, end: str) -> None:
    names = [f"pvc-{number:02}" for number in reversed(range(count))]
    volumes = [_item(name, robustness="degraded") for name in names]
    (problem,) = _problems(replace(_OURS, volumes=volumes))
    assert problem.startswith(f"{count} volumes are degraded: pvc-00, ")
    assert f"pvc-09{end}" in problem


@pytest.mark.parametrize("key", ["backendStoreDriver", "dataEngine"])
def test_a_volume_of_the_v2_engine_must_be_detached(key: str) -> None:
    volumes = [
        _item("v2-used", spec={key: "v2"}, state="attached", robustness="healthy"),
        _item("v2-idle", spec={key: "v2"}, state="detached", robustness="unknown"),
        _item("v1-used", spec={key: "v1"}, state="attached", robustness="healthy"),
    ]
    (problem,) = _problems(replace(_OURS, volumes=volumes))
    assert "1 volume is of the V2 data engine and attached: v2-used" in problem


@pytest.mark.parametrize(
    ("status", "is_named"),
    [
        ({"refCount": 2, "cliAPIVersion": 7, "controllerAPIVersion": 4}, "cliAPIVersion"),
        ({"refCount": 2, "cliAPIVersion": 9, "controllerAPIVersion": 3}, "controllerAPIVersion"),
        ({"refCount": 2, "cliAPIVersion": 11, "controllerAPIVersion": 5}, "cliAPIVersion"),
        ({"refCount": 2, "cliAPIVersion": 8, "controllerAPIVersion": 4}, None),
        ({"refCount": 2, "cliAPIVersion": 10, "controllerAPIVersion": 5}, None),
        ({"refCount": 0, "cliAPIVersion": 3, "controllerAPIVersion": 3}, None),
    ],
)
def test_an_engine_that_volumes_use_must_be_one_that_the_new_version_can_talk_to(
    status: dict[str, int], is_named: str | None
) -> None:
    image = _item("ei-1", spec={"image": "longhornio/longhorn-engine:v1.3.3"}, **status)
    problems = _problems(replace(_OURS, engine_images=[image]))
    if is_named is None:
        assert problems == []
    else:
        (problem,) = problems
        assert "longhornio/longhorn-engine:v1.3.3" in problem
        assert f"whose {is_named} is {status[is_named]};" in problem


def test_the_versions_of_an_engine_that_fit_are_named() -> None:
    image = _item("ei-1", refCount=1, cliAPIVersion=7, controllerAPIVersion=3)
    client, controller = _problems(replace(_OURS, engine_images=[image]))
    assert "Longhorn 1.6.4 works with 8 to 10." in client
    assert "Longhorn 1.6.4 works with 4 to 5." in controller


def test_an_engine_that_says_no_version_is_told_and_no_traceback() -> None:
    found = _problems(replace(_OURS, engine_images=[_item("ei-1", refCount=1)]))
    assert [line.partition("whose ")[2].partition(";")[0] for line in found] == [
        "cliAPIVersion is 0",
        "controllerAPIVersion is 0",
    ]


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        (_ready("True"), None),
        (_ready("False", "KubernetesNodeNotReady"), "KubernetesNodeNotReady"),
        (_ready("Unknown"), "no reason given"),
        (_ready("False", "KubernetesNodeGone"), None),
        ([*_ready("True"), {"type": "Schedulable", "status": "False"}], None),
        (None, None),
    ],
)
def test_a_node_whose_old_manager_can_not_end_is_named(
    conditions: list[dict[str, str]] | None, reason: str | None
) -> None:
    problems = _problems(replace(_OURS, nodes=[_item("node-3", conditions=conditions)]))
    assert len(problems) == (reason is not None)
    for problem in problems:
        assert problem.startswith(f"1 node is not Ready in Longhorn: node-3 ({reason}).")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    installed = replace(
        _OURS,
        version="v1.4.4",
        volumes=[_item("pvc-1", robustness="degraded")],
        engine_images=[_item("ei-1", refCount=1, cliAPIVersion=7, controllerAPIVersion=4)],
        nodes=[_item("node-3", conditions=_ready("False", "ManagerPodDown"))],
    )
    problems = "\n".join(_problems(installed, kubernetes="v1.20.0"))
    for part in ("v1.20.0", "skips a minor", "pvc-1", "cliAPIVersion is 7", "node-3"):
        assert part in problems


def test_the_version_that_runs_already_needs_no_healthy_volumes() -> None:
    installed = replace(_OURS, volumes=[_item("pvc-1", robustness="degraded")])
    assert _problems(installed, "1.5.3") == []


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_every_supported_version_belongs_to_a_known_minor_version(version: str) -> None:
    assert minor_of(version).minimum_kubernetes == (1, 21)


def test_an_unknown_version_is_an_error_and_no_guess() -> None:
    with pytest.raises(ValueError, match=r"1\.7\.0"):
        minor_of("1.7.0")
