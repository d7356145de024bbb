"""An installation that failed shows in the preview and is made good by `up`."""

import base64
import gzip
import json
from types import SimpleNamespace
from typing import Any

import pytest

from components.cluster.helm_rights import make_rights
from components.longhorn.findings import LonghornFindings
from components.preflight import findings as preflight
from components.preflight.findings import Findings
from components.preflight.release import release_finding
from tests.unit.doubles.a_plain_cluster import APlainCluster, helm_secret
from tests.unit.doubles.a_stack import run, valid

_MANIFEST = """---
# Source: longhorn/templates/serviceaccount.yaml
apiVersion: v1
kind: ServiceAccount
metadata:
  name: longhorn-service-account
  namespace: longhorn-system
---
# Source: longhorn/templates/daemonset-sa.yaml
apiVersion: apps/v1
kind: DaemonSet
metadata:
  labels:
    name: not-this
    app: longhorn-manager
  name: longhorn-manager
  namespace: longhorn-system
spec:
  template:
    metadata:
      name: nor-this
---
kind: Service
apiVersion: v1
metadata:
  name: "longhorn-frontend"
  namespace: longhorn-system
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: longhorn-bind
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: of-another-namespace
  namespace: monitoring
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: volumes.longhorn.io
"""
_CORE, _APPS = "/api/v1/namespaces/longhorn-system", "/apis/apps/v1/namespaces/longhorn-system"
_MANAGER, _FRONTEND = f"{_APPS}/daemonsets/longhorn-manager", f"{_CORE}/services/longhorn-frontend"
_BINDING = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/longhorn-bind"
_ALL = (_MANAGER, _FRONTEND, _BINDING, f"{_CORE}/serviceaccounts/longhorn-service-account")


def _packed(manifest: str) -> str:
    """As Helm's record is in a Secret."""
    helms = base64.b64encode(gzip.compress(json.dumps({"manifest": manifest}).encode()))
    return base64.b64encode(helms).decode()


class ACluster(APlainCluster):
    """Helm's records by revision, and the release's objects but for those that are gone."""

    def __init__(self, *gone: str, manifest: str = _MANIFEST, **records: str) -> None:
        names = {path: path.rpartition("/")[2] for path in _ALL if path not in gone}
        super().__init__({path: {"metadata": {"name": name}} for path, name in names.items()})
        self.core = self
        self._records = {int(name.removeprefix("v")): status for name, status in records.items()}
        self._manifest = manifest
        self.manifests: dict[int, str] = {}

    def list_namespaced_secret(self, _namespace: str, *, label_selector: str) -> Any:
        assert label_selector == "owner=helm,name=longhorn"
        records = self._records.items()
        return SimpleNamespace(
            items=[
                helm_secret(status, number, _packed(self.manifests.get(number, self._manifest)))
                for number, status in records
            ]
        )


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        (ACluster(v1="failed"), "revision 1 of longhorn failed"),
        (ACluster(v1="deployed", v2="failed"), "revision 2 of longhorn fail"),
        (ACluster(v10="failed", v9="deployed"), "revision 10 of longhorn f"),
        (ACluster(_MANAGER, v1="deployed"), "DaemonSet longhorn-manager is missing"),
        (ACluster(_BINDING, v1="deployed"), "ClusterRoleBinding longhorn-bind is missing"),
        (
            ACluster(_MANAGER, _FRONTEND, v1="deployed"),
            "DaemonSet longhorn-manager, Service longhorn-frontend are missing, and Helm's revi",
        ),
    ],
)
def test_what_failed_and_what_is_missing_is_a_finding(cluster: Any, said: str) -> None:
    assert said in str(release_finding(cluster))


@pytest.mark.parametrize(
    "cluster",
    [
        ACluster(*_ALL),
        ACluster(v1="deployed"),
        ACluster(v1="failed", v2="deployed"),
        # Cleared by the hook before Pulumi's own next step.
        ACluster(*_ALL, v1="pending-install"),
    ],
)
def test_no_release_one_that_works_and_one_in_the_middle_are_no_finding(cluster: Any) -> None:
    assert release_finding(cluster) is None


def test_a_service_that_the_chart_itself_opens_is_no_finding() -> None:
    opened = _MANIFEST.replace(
        """"longhorn-frontend"
  namespace: longhorn-system
""",
        """"longhorn-frontend"
  namespace: longhorn-system
spec:
  type: NodePort
""",
    )
    cluster: Any = ACluster(v1="deployed", manifest=opened)
    cluster.objects[_FRONTEND]["spec"] = {"type": "NodePort"}
    assert release_finding(cluster) is None


def test_the_account_and_rights_of_the_charts_hooks_are_made_before_an_upgrade() -> None:
    account = f"{_CORE}/serviceaccounts/longhorn-service-account"
    cluster: Any = ACluster(account, _BINDING, v1="deployed", v2="failed")
    made = make_rights(cluster, "longhorn-system", "longhorn")
    assert made == [
        "ServiceAccount longhorn-service-account",
        "ClusterRoleBinding longhorn-bind",
    ]
    assert cluster.objects[account]["kind"] == "ServiceAccount"
    assert make_rights(cluster, "longhorn-system", "longhorn") == []


def test_of_a_later_revision_that_failed_no_rights_are_made() -> None:
    account = f"{_CORE}/serviceaccounts/longhorn-service-account"
    cluster: Any = ACluster(account, v1="deployed", v2="failed")
    cluster.manifests[2] = _MANIFEST.replace("longhorn-service-account", "longhorn-ui-account")
    made = make_rights(cluster, "longhorn-system", "longhorn")
    assert made == ["ServiceAccount longhorn-service-account"]


def test_a_release_without_any_record_has_no_rights_to_make() -> None:
    cluster: Any = ACluster(*_ALL)
    assert make_rights(cluster, "longhorn-system", "longhorn") == []


def test_the_charts_service_that_somebody_opened_to_everybody_is_a_finding() -> None:
    cluster: Any = ACluster(v1="deployed")
    cluster.objects[_FRONTEND]["spec"] = {"type": "NodePort"}
    said = "Service longhorn-frontend is NodePort, not ClusterIP, and Longhorn has no login"
    assert release_finding(cluster) == said


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
