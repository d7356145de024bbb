"""An installation that failed shows in the preview and is made good by `up`."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.longhorn.findings import LonghornFindings
from components.preflight import findings as preflight
from components.preflight.findings import Findings
from components.preflight.release import release_finding
from tests.unit.doubles.a_stack import run, valid


class ACluster:
    """Helm's records by revision, and the DaemonSets of Longhorn."""

    def __init__(self, daemons: list[str], **records: str) -> None:
        self.core = self.apps = self
        self._records = {int(name.removeprefix("v")): status for name, status in records.items()}
        self._daemons = daemons

    def list_namespaced_secret(self, _namespace: str, *, label_selector: str) -> Any:
        assert label_selector == "owner=helm,name=longhorn"
        return SimpleNamespace(
            items=[
                _named("x", labels={"version": str(revision), "status": status})
                for revision, status in self._records.items()
            ]
        )

    def list_namespaced_daemon_set(self, _namespace: str) -> Any:
        return SimpleNamespace(items=[_named(name) for name in self._daemons])


def _named(name: str, **metadata: Any) -> Any:
    return SimpleNamespace(metadata=SimpleNamespace(name=name, **metadata))


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        (ACluster([], v1="failed"), "revision 1 of longhorn failed"),
        (ACluster(["longhorn-manager"], v1="deployed", v2="failed"), "revision 2 of longhorn fail"),
        (ACluster(["longhorn-manager"], v10="failed", v9="deployed"), "revision 10 of longhorn f"),
        (ACluster(["engine"], v1="deployed"), "longhorn-manager is missing"),
    ],
)
def test_what_failed_and_what_is_missing_is_a_finding(cluster: Any, said: str) -> None:
    assert said in str(release_finding(cluster))


@pytest.mark.parametrize(
    "cluster",
    [
        ACluster([]),
        ACluster(["longhorn-manager"], v1="failed", v2="deployed"),
        # Cleared by the hook before Pulumi's own next step.
        ACluster([], v1="pending-install"),
    ],
)
def test_no_release_one_that_works_and_one_in_the_middle_are_no_finding(cluster: Any) -> None:
    assert release_finding(cluster) is None


def test_without_a_finding_the_reason_of_a_repair_may_stay_in_the_state() -> None:
    release = run(valid()).named("longhorn-release")
    assert "description" not in release.inputs
    assert list(release.request.ignoreChanges) == ["description"]


def test_a_finding_makes_the_engine_upgrade_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Findings(longhorn=LonghornFindings(release="revision 1 failed"))
    monkeypatch.setattr(preflight, "read_findings", lambda _settings: found)
    # A configuration of its own, since equal ones share one run.
    release = run(valid(longhorn={"timeoutSeconds": 1234})).named("longhorn-release")
    assert release.inputs["description"] == "repaired: revision 1 failed"
    assert list(release.request.ignoreChanges) == []
