"""When the volume check is declared, and what makes it run again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.volume_check.check import VolumeCheckProvider
from tests.unit.doubles.a_stack import run, valid, waits_for
from tools.offline.recording import Recording

_CHECK = "pulumi-python:dynamic/longhorn:VolumeCheck"
_ON = {"volumeCheck": True}


def _run(**changes: Any) -> Recording:
    return run(valid(**{"stages": _ON, **changes}))


def _diff(**changes: Any) -> Any:
    olds = {"run": 1, "longhorn_version": "1.5.3", "storage_class": "longhorn", "size": "10Mi"}
    return VolumeCheckProvider().diff("id", olds, {**olds, **changes})


def test_no_check_runs_unless_the_stack_asks_for_one() -> None:
    recording = run(valid())
    assert recording.of_type(_CHECK) == []
    assert "volumeCheck" not in recording.outputs


def test_the_check_gets_what_the_stack_says() -> None:
    settings = {"size": "1Gi", "accessMode": "ReadWriteOnce", "storageClass": "fast", "run": 7}
    (check,) = _run(volumeCheck=settings).of_type(_CHECK)
    assert check.inputs["size"] == "1Gi"
    assert check.inputs["access_mode"] == "ReadWriteOnce"
    assert check.inputs["storage_class"] == "fast"
    assert check.inputs["run"] == 7
    assert check.inputs["script"].startswith("#!")


def test_the_check_waits_until_all_of_longhorn_runs() -> None:
    recording = _run()
    assert waits_for(recording, "volume-check", "longhorn-ready")
    assert waits_for(recording, "volume-check", "node-1-mnt-longhorn-sdb-mount")


def test_a_cluster_that_has_longhorn_already_is_checked_too() -> None:
    stages = {**_ON, "longhorn": False, "frontend": False, "labels": False}
    assert len(_run(stages=stages).of_type(_CHECK)) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [("run", 2), ("longhorn_version", "1.5.4"), ("storage_class", "fast"), ("size", "1Gi")],
)
def test_it_runs_again_when_what_it_proves_changes(key: str, value: object) -> None:
    found = _diff(**{key: value})
    assert found.changes
    assert found.replaces == [key]
    assert found.delete_before_replace


@pytest.mark.parametrize("key", ["script", "image", "timeout_seconds", "kubeconfig"])
def test_it_does_not_run_again_when_only_its_means_change(key: str) -> None:
    found = _diff(**{key: "other"})
    assert not found.changes
    assert not found.replaces


def test_the_check_tolerates_what_longhorn_tolerates_and_has_its_pull_secret() -> None:
    (check,) = run(
        valid(
            stages={"volumeCheck": True},
            controlPlane={"scheduling": "tolerate"},
            longhorn={
                "registrySecret": "registry",
                "tolerations": [{"key": "dedicated", "value": "x", "effect": "NoExecute"}],
            },
        )
    ).of_type(_CHECK)
    assert [each["key"] for each in check.inputs["tolerations"]] == [
        "node-role.kubernetes.io/control-plane",
        "node-role.kubernetes.io/master",
        "dedicated",
    ]
    assert check.inputs.get("pull_secret") == "registry"


def _restoring(*, days_ago: float | None, **changes: Any) -> Any:
    """The comparison with a state whose last restore was seen so long ago."""
    seen = None
    if days_ago is not None:
        at = datetime.now(UTC) - timedelta(days=days_ago)
        seen = {"at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
    state = {"run": 1, "restore": True, "restore_every_days": 30, "restored": seen}
    news = {"run": 1, "restore": True, "restore_every_days": 30, "restored": None, **changes}
    return VolumeCheckProvider().diff("id", state, news)


def test_a_restore_that_was_seen_too_long_ago_is_an_update_and_says_how_old_it_is(
    capfd: pytest.CaptureFixture[str],
) -> None:
    found = _restoring(days_ago=31)
    assert found.changes
    assert not found.replaces
    assert "31 days old" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("days_ago", "changes", "is_change"),
    [
        (29, {}, False),
        (31, {"restore_every_days": None}, False),
        (31, {"restore_every_days": 60}, False),
        (31, {"restore": None}, False),
        (None, {}, True),
    ],
)
def test_only_the_age_that_the_stack_names_makes_it_one(
    days_ago: float | None, changes: dict[str, Any], is_change: bool
) -> None:
    assert _restoring(days_ago=days_ago, **changes).changes is is_change


def test_a_restore_that_is_asked_for_runs_the_check_and_one_that_is_not_runs_nothing() -> None:
    olds = {"run": 1, "storage_class": "longhorn"}
    asked = VolumeCheckProvider().diff("id", olds, {**olds, "restore": True})
    assert (asked.changes, asked.replaces) == (True, [])
    no_more = VolumeCheckProvider().diff("id", {**olds, "restore": True}, {**olds, "restore": None})
    assert not no_more.changes
