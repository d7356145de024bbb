"""What the program declares for Prometheus and Grafana."""

from typing import Any

from tests.unit.doubles.a_stack import run, valid, waits_for
from tools.offline.recording import Recording


def _declared(**longhorn: Any) -> Recording:
    return run(valid(longhorn=longhorn))


def _names(recording: Recording) -> set[str]:
    return {
        resource.name.removeprefix("longhorn-monitoring-")
        for resource in recording.resources
        if resource.name.startswith("longhorn-monitoring-")
    }


def test_a_stack_that_does_not_ask_for_it_has_none_of_it() -> None:
    assert _names(_declared()) == set()


def test_all_of_it_waits_for_longhorn_and_has_the_labels_by_which_it_is_found() -> None:
    recording = _declared(monitoring={"labels": {"release": "prometheus"}})
    assert _names(recording) == {"metrics", "alerts", "dashboard", "kept"}
    for name in ("metrics", "alerts"):
        assert waits_for(recording, f"longhorn-monitoring-{name}", "longhorn-ready")
        metadata = recording.named(f"longhorn-monitoring-{name}").inputs["metadata"]
        assert metadata["labels"] == {"release": "prometheus"}
        assert metadata["namespace"] == "longhorn-system"
    board = recording.named("longhorn-monitoring-dashboard").inputs
    assert board["metadata"]["labels"] == {"grafana_dashboard": "1"}


def test_objects_without_labels_have_no_empty_map_which_kubernetes_would_not_keep() -> None:
    recording = _declared(monitoring={"dashboardLabels": {}})
    for name in ("metrics", "alerts", "dashboard"):
        assert "labels" not in recording.named(f"longhorn-monitoring-{name}").inputs["metadata"]


def test_the_service_monitor_is_the_programs_own_for_every_version() -> None:
    for version in ("1.5.3", "1.6.4"):
        recording = _declared(version=version, monitoring={})
        spec = recording.named("longhorn-monitoring-metrics").inputs["spec"]
        assert spec["endpoints"] == [{"port": "manager", "path": "/metrics"}]
        values = recording.named("longhorn-release").inputs["values"]
        assert "metrics" not in values


def test_alerts_and_dashboard_can_be_left_out() -> None:
    assert _names(_declared(monitoring={"alerts": False})) == {"metrics", "dashboard", "kept"}
    assert _names(_declared(monitoring={"dashboard": False})) == {"metrics", "alerts", "kept"}


def test_the_dashboard_lies_where_grafana_looks() -> None:
    given = {"dashboardNamespace": "grafana", "dashboardLabels": {"board": "yes"}}
    board = _declared(monitoring=given).named("longhorn-monitoring-dashboard").inputs["metadata"]
    assert (board["namespace"], board["labels"]) == ("grafana", {"board": "yes"})


def test_alerts_about_old_backups_go_by_the_age_that_the_stack_file_allows() -> None:
    backup = {"target": "nfs://192.0.2.1:/b", "maximumAgeHours": 30}
    recording = _declared(monitoring={}, backup=backup)
    groups = recording.named("longhorn-monitoring-alerts").inputs["spec"]["groups"]
    assert [group["name"] for group in groups] == ["longhorn", "longhorn-backup-age"]
