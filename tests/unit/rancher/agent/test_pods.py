"""Why the agent's pods do not run, as a failed `up` says it."""

from typing import Any

from components.rancher.agent.pods import pods_problem

_PULLING = {
    "reason": "ImagePullBackOff",
    "message": 'Back-off pulling image\n "registry.example.com/rancher/rancher-agent:v2.8.5"',
}
_NOWHERE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 node(s) had untolerated taints.",
}


def _pod(created: str, *, waiting: Any = None, condition: Any = None, **metadata: str) -> Any:
    state = {"waiting": waiting} if waiting else {"running": {}}
    return {
        "metadata": {"creationTimestamp": created, **metadata},
        "status": {
            "conditions": [{"type": "Initialized", "status": "True"}, condition or {}],
            "containerStatuses": [{"state": state}],
        },
    }


def test_an_image_that_can_not_be_pulled_is_told_in_one_line() -> None:
    said = pods_problem([_pod("2026-11-30T10:00:00Z", waiting=_PULLING)])
    assert said == (
        "ImagePullBackOff: Back-off pulling image "
        '"registry.example.com/rancher/rancher-agent:v2.8.5"'
    )


def test_a_pod_without_a_node_is_told() -> None:
    said = pods_problem([_pod("2026-11-30T10:00:00Z", condition=_NOWHERE)])
    assert said == "Unschedulable: 0/3 nodes are available: 3 node(s) had untolerated taints."


def test_the_newest_pod_counts_and_none_that_is_deleted() -> None:
    old = _pod("2026-11-30T10:00:00Z", waiting=_PULLING)
    new = _pod("2026-11-30T11:00:00Z", condition=_NOWHERE)
    deleted = _pod(
        "2026-11-30T12:00:00Z",
        waiting={"reason": "Gone", "message": "it ends"},
        deletionTimestamp="2026-11-30T12:01:00Z",
    )
    assert pods_problem([old, deleted, new]).startswith("Unschedulable")
    assert pods_problem([deleted]) == ""


def test_pods_that_run_or_only_start_say_nothing() -> None:
    starting = {"reason": "ContainerCreating"}
    pods = [_pod("2026-11-30T10:00:00Z"), _pod("2026-11-30T10:00:00Z", waiting=starting)]
    assert pods_problem([*pods, {}]) == ""
