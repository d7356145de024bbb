"""The guard lets Longhorn go only without volumes, or if the stack says that they may go."""

from typing import Any

import pytest

from components.cluster import gone as gone_cluster
from components.common import waiting
from components.longhorn.findings import LonghornFindings
from components.longhorn.removal import confirmation as longhorn_confirmation
from components.longhorn.removal import guard as longhorn_removal_guard
from components.longhorn.removal.guard import LonghornRemovalGuardProvider
from components.preflight import findings as preflight
from components.preflight.findings import Findings
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_cluster import ACluster, api_error, persistent_volume, volume
from tests.unit.doubles.a_stack import run, valid, waits_for

GUARD = "pulumi-python:dynamic/longhorn:RemovalGuard"
PROPS = {
    "kubeconfig": "k",
    "context": None,
    "allow_uninstall": False,
    "removal_confirmed": False,
}
ALLOWED = {**PROPS, "allow_uninstall": True}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ACluster:
    made = ACluster()
    for module in (gone_cluster, longhorn_removal_guard):
        monkeypatch.setattr(module, "open_cluster", lambda _props: made)
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    return made


def delete(props: dict[str, Any]) -> None:
    LonghornRemovalGuardProvider().delete("id", props)


def test_without_volumes_longhorn_may_go_and_is_told_so(cluster: ACluster) -> None:
    delete(PROPS)
    assert cluster.confirmed == "true"


def test_a_volume_is_refused_by_name_with_its_claim_and_the_remedy(cluster: ACluster) -> None:
    cluster.objects["volumes"] = {"pvc-1": volume("pvc-1"), "pvc-2": volume("pvc-2")}
    cluster.persistent_volumes = [persistent_volume("pvc-1", "default/data")]
    with pytest.raises(RuntimeError) as refused:
        delete(PROPS)
    said = str(refused.value)
    assert "2 volumes" in said
    assert "pvc-1: 10 MiB, attached, healthy, claim default/data" in said
    assert "longhorn.allowUninstall: true" in said
    assert cluster.confirmed == "false"


def test_volumes_may_go_where_the_stack_says_so_and_are_named(
    cluster: ACluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.objects["volumes"] = {"pvc-1": volume("pvc-1")}
    delete(ALLOWED)
    assert cluster.confirmed == "true"
    assert "pvc-1: 10 MiB" in capsys.readouterr().err


def test_a_longhorn_that_is_gone_holds_nothing_up(
    cluster: ACluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.objects.clear()
    cluster.persistent_volumes = [persistent_volume("pvc-1", "default/data")]
    cluster.refusals = [AssertionError("something is written")]
    delete(PROPS)
    assert cluster.objects == {}
    assert cluster.deleted == []
    assert "not in the cluster any more" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["create", "update"])
def test_as_long_as_longhorn_stays_its_confirmation_is_taken_back(
    cluster: ACluster, step: str
) -> None:
    cluster.objects["settings"]["deleting-confirmation-flag"]["value"] = "true"
    provider = LonghornRemovalGuardProvider()
    if step == "create":
        provider.create(PROPS)
    else:
        provider.update("id", PROPS, PROPS)
    assert cluster.confirmed == "false"


def test_a_confirmation_by_hand_is_a_change_after_a_refresh(cluster: ACluster) -> None:
    cluster.objects["settings"]["deleting-confirmation-flag"]["value"] = "true"
    provider = LonghornRemovalGuardProvider()
    seen = dict(provider.read("id", PROPS).outs or {})
    assert provider.diff("id", seen, PROPS).changes is True


def test_a_confirmation_by_hand_that_a_preview_finds_is_an_update_that_comes_before_any_removal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = "deleting-confirmation-flag is true, not false"
    found = Findings(longhorn=LonghornFindings(removal=said))
    monkeypatch.setattr(preflight, "read_findings", lambda *_args: found)
    # No other test's, since equal ones share one run.
    config = valid(longhorn={"evictionTimeoutSeconds": 3601})
    guard = run(config).named("longhorn-removal-guard")
    assert guard.inputs["finding"] == said
    provider = LonghornRemovalGuardProvider()
    assert provider.diff("id", PROPS, {**PROPS, "finding": said}).changes is True
    assert provider.diff("id", {**PROPS, "finding": said}, PROPS).changes is False


@pytest.mark.parametrize("key", ["kubeconfig", "context", "allow_uninstall"])
def test_every_input_is_kept_up_to_date_since_a_removal_goes_by_the_state(key: str) -> None:
    provider = LonghornRemovalGuardProvider()
    assert provider.diff("id", PROPS, {**PROPS, key: "other"}).changes is True
    assert provider.diff("id", PROPS, PROPS).changes is False


def test_a_webhook_that_does_not_answer_yet_is_waited_for(cluster: ACluster) -> None:
    cluster.refusals = [api_error(500, "failed calling webhook")]
    delete(PROPS)
    assert cluster.confirmed == "true"


def test_a_webhook_that_never_answers_is_told(
    cluster: ACluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(longhorn_confirmation, "_SECONDS", -1.0)
    cluster.refusals = [api_error(500, "failed calling webhook")]
    with pytest.raises(TimeoutError, match="failed calling webhook"):
        delete(PROPS)


def test_the_stacks_guard_goes_before_everything_else() -> None:
    recording = run(valid(stages={"volumeCheck": True, "rancherImport": True}))
    for earlier in (
        "longhorn-release",
        "longhorn-ready",
        "longhorn-node-1-disks",
        "node-1-labels-patch",
        "volume-check",
        "rancher-registration",
        "rancher-cluster-active",
        "longhorn-removal-guard",
    ):
        assert waits_for(recording, "removal-guard", earlier), earlier


def test_longhorns_own_guard_waits_for_the_release_alone() -> None:
    recording = run(valid())
    assert waits_for(recording, "longhorn-removal-guard", "longhorn-release")
    assert not waits_for(recording, "longhorn-removal-guard", "longhorn-ready")


def test_both_guards_are_replaced_with_what_they_guard() -> None:
    recording = run(valid())
    guarded = {recording.named(name).urn for name in ("longhorn-namespace", "longhorn-release")}
    guards = recording.of_type(GUARD)
    assert len(guards) == 2
    for guard in guards:
        assert set(guard.request.replace_with) == guarded


def test_without_longhorn_in_the_stack_there_is_nothing_to_guard() -> None:
    recording = run(valid(stages={"longhorn": False, "frontend": False}))
    assert recording.of_type(GUARD) == []
