"""Longhorn in Prometheus: the objects on a real API server, the metrics of the real manager.

The operator's kinds are there, and no operator: what Prometheus makes of the rules is
test_alerts.py's. The tests share one stack and follow one another.
"""

import json
import re
from collections.abc import Iterator

import pytest

from lab.common.waiting import wait_until
from tests.engine.definitions import OPERATOR, operator_definition
from tests.engine.engine import Engine, Stack
from tests.engine.longhorn_lab import LONGHORN, LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn_manager
from tests.engine.program_lab import on_host
from tests.unit.longhorn.monitoring.metrics import METRICS

pytestmark = needs_longhorn_manager

_KINDS = {
    "ServiceMonitor": "servicemonitors",
    "PrometheusRule": "prometheusrules",
    "Prometheus": "prometheuses",
}
_UP_SECONDS = 900
_SCRAPED_SECONDS = 120.0
_SERIES = re.compile(r"^(longhorn_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
# The manager that plays no engine of a volume has no figures of its traffic either way.
_OF_A_VOLUME = {name for name in METRICS if name.startswith("longhorn_volume_")}
_OF_A_BACKUP = {name for name in METRICS if name.startswith("longhorn_backup_")}
_ELSEWHERE = {name for name in METRICS if not name.startswith("longhorn_")}


@pytest.fixture(scope="module")
def lab() -> Iterator[LonghornLab]:
    with longhorn_lab(1, "real") as one:
        yield one


@pytest.fixture(scope="module")
def stack(lab: LonghornLab, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    config = lab.config(monitoring={"labels": {"release": "prometheus"}})
    folder = tmp_path_factory.mktemp("monitoring") / "engine"
    return Engine(folder).project_stack("monitoring", config=config)


def test_without_the_operator_nothing_is_touched_and_the_message_says_what_to_do(
    stack: Stack, lab: LonghornLab
) -> None:
    refused = stack.up(seconds=_UP_SECONDS)
    assert not refused.succeeded
    assert "does not know these kinds" in refused.log
    assert "Install the Prometheus operator first" in refused.log
    assert lab.objects("namespaces", f"--field-selector=metadata.name={LONGHORN}") == []


def test_with_it_the_objects_are_made_and_a_preview_shows_no_change(
    stack: Stack, lab: LonghornLab
) -> None:
    lab.apply(*(operator_definition(kind, plural) for kind, plural in _KINDS.items()))
    for plural in _KINDS.values():
        lab.kubectl("wait", "--for=condition=Established", "crd", f"{plural}.{OPERATOR}")
    stack.up(seconds=_UP_SECONDS).or_fail()
    (monitor,) = lab.objects(f"servicemonitors.{OPERATOR}", "-n", LONGHORN)
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    (rules,) = lab.objects(f"prometheusrules.{OPERATOR}", "-n", LONGHORN)
    assert rules["spec"]["groups"]
    (board,) = lab.objects("configmaps", "-n", LONGHORN, "-l", "grafana_dashboard=1")
    assert json.loads(board["data"]["longhorn.json"])["panels"]
    assert stack.preview().or_fail().operations() == {}


def test_a_prometheus_that_does_not_look_for_them_is_named_in_the_preview(
    stack: Stack, lab: LonghornLab
) -> None:
    selector = {"matchLabels": {"release": "other"}}
    spec = {"serviceMonitorSelector": selector, "serviceMonitorNamespaceSelector": {}}
    spec |= {"ruleSelector": {}, "ruleNamespaceSelector": {}}
    meta = {"name": "main", "namespace": "default"}
    lab.apply(
        {"apiVersion": f"{OPERATOR}/v1", "kind": "Prometheus", "metadata": meta, "spec": spec}
    )
    told = stack.preview().or_fail().log
    assert "default/main looks for release: other" in told
    assert "Longhorn's PrometheusRule" not in told
    lab.kubectl("delete", f"prometheuses.{OPERATOR}", "main", "-n", "default")


def test_the_service_monitor_leads_to_every_manager_once(lab: LonghornLab) -> None:
    (monitor,) = lab.objects(f"servicemonitors.{OPERATOR}", "-n", LONGHORN)
    labels = monitor["spec"]["selector"]["matchLabels"]
    chosen = ",".join(f"{key}={value}" for key, value in labels.items())
    (wanted,) = {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]}
    found = [
        service["metadata"]["name"]
        for service in lab.objects("services", "-n", LONGHORN, "-l", chosen)
        for port in service["spec"]["ports"]
        if port["name"] == wanted
    ]
    assert found == ["longhorn-backend"]


def test_the_managers_metrics_have_the_names_and_labels_that_alerts_go_by(
    lab: LonghornLab,
) -> None:
    host = lab.hosts[0]
    spec = {"size": "10485760", "numberOfReplicas": 1, "frontend": "blockdev", "accessMode": "rwo"}
    meta = {"name": "seen", "namespace": LONGHORN}
    lab.apply(
        {"apiVersion": "longhorn.io/v1beta2", "kind": "Volume", "metadata": meta, "spec": spec}
    )

    def scraped() -> dict[str, set[str]] | None:
        said = on_host(host, f"curl -sf http://{_manager(lab)}:9500/metrics")
        found = {
            name: set(re.findall(r'(\w+)="', labels)) for name, labels, _ in _SERIES.findall(said)
        }
        return found if set(found) >= _OF_A_VOLUME else None

    found = wait_until(
        scraped,
        doing="waiting until the manager tells of the volume",
        seconds=_SCRAPED_SECONDS,
    )
    wanted = set(METRICS) - _ELSEWHERE - _OF_A_BACKUP
    assert {name: found.get(name) for name in wanted} == {
        name: set(METRICS[name]) for name in wanted
    }
    lab.drop_volume("seen")


def test_a_destroy_leaves_none_of_it(stack: Stack, lab: LonghornLab) -> None:
    stack.destroy(seconds=_UP_SECONDS).or_fail()
    for plural in ("servicemonitors", "prometheusrules"):
        assert lab.objects(f"{plural}.{OPERATOR}", "--all-namespaces") == []


def _manager(lab: LonghornLab) -> str:
    (pod,) = lab.objects("pods", "-n", LONGHORN, "-l", "app=longhorn-manager")
    return pod["status"]["podIP"]
