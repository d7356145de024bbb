"""Objects that somebody deleted or changed in the cluster: found, and put right."""

import copy
import json
from typing import Any

import pytest

from components.cluster import kept
from components.cluster.api import ApiError
from components.cluster.kept import KeptObjectsProvider, kept_finding
from components.cluster.kept_rules import object_path, object_problem
from components.common import waiting
from configuration.frontend_rules import UNDOES
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_plain_cluster import APlainCluster

_INGRESS: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {
        "name": "longhorn-ui",
        "namespace": "longhorn-system",
        "annotations": {"nginx.ingress.kubernetes.io/auth-type": "basic"},
    },
    "spec": {"rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/"}]}}]},
}
_SECRET: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "password", "namespace": "longhorn-system"},
    "data": {"auth": "aGlkZGVu"},
}
_AT = "/apis/networking.k8s.io/v1/namespaces/longhorn-system/ingresses/longhorn-ui"
_PASSWORD_PATH = "/api/v1/namespaces/longhorn-system/secrets/password"  # noqa: S105  a path
_PROPS: dict[str, Any] = {
    "kubeconfig": "k",
    "context": None,
    "objects": json.dumps([_SECRET, _INGRESS]),
    "finding": None,
}
PROVIDER = KeptObjectsProvider()


def _filled_in() -> dict[str, Any]:
    """The Ingress as a cluster has it."""
    found = copy.deepcopy(_INGRESS)
    found["metadata"] |= {"uid": "1", "labels": {"of": "somebody"}}
    found["metadata"]["annotations"]["controller/said"] = "hello"
    found["spec"]["rules"][0]["http"]["paths"][0]["pathType"] = "Prefix"
    return {**found, "status": {"loadBalancer": {}}}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> APlainCluster:
    one = APlainCluster({_AT: _filled_in(), _PASSWORD_PATH: copy.deepcopy(_SECRET)})
    monkeypatch.setattr(kept, "open_cluster", lambda _props: one)
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    return one


def _open(found: dict[str, Any]) -> dict[str, Any]:
    """The Ingress without its guard."""
    del found["metadata"]["annotations"]["nginx.ingress.kubernetes.io/auth-type"]
    return found


def test_what_is_as_wanted_is_neither_named_nor_written(
    cluster: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kept_finding(cluster, [_SECRET, _INGRESS]) is None
    assert PROVIDER.make(_PROPS) == ("kept-objects", {**_PROPS, "applied": False})
    assert cluster.applied == []
    assert capsys.readouterr().err == ""


def test_an_annotation_that_was_taken_off_is_named_and_put_back(
    cluster: APlainCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _open(cluster.objects[_AT])
    said = (
        "Ingress longhorn-system/longhorn-ui has metadata.annotations."
        "nginx.ingress.kubernetes.io/auth-type empty, not basic"
    )
    assert object_problem(_INGRESS, found) == said
    assert PROVIDER.make(_PROPS)[1]["applied"] is True
    assert cluster.applied == [_AT]
    assert object_problem(_INGRESS, cluster.objects[_AT]) is None
    assert cluster.objects[_AT]["metadata"]["annotations"]["controller/said"] == "hello"
    assert f"{said}: put right" in capsys.readouterr().err


def test_an_object_that_is_gone_is_named_and_made_as_the_stack_has_it(
    cluster: APlainCluster,
) -> None:
    del cluster.objects[_AT]
    gone = "Ingress longhorn-system/longhorn-ui is not there"
    assert object_problem(_INGRESS, None) == gone
    PROVIDER.make(_PROPS)
    assert cluster.objects[_AT] == _INGRESS


def test_of_a_secret_nothing_that_it_holds_is_told(
    cluster: APlainCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.objects[_PASSWORD_PATH]["data"] = {"auth": "bXkgb3du"}
    PROVIDER.make(_PROPS)
    said = capsys.readouterr().err
    assert "Secret longhorn-system/password holds something else: put right" in said
    assert "aGlkZGVu" not in said
    assert "bXkgb3du" not in said
    assert cluster.objects[_PASSWORD_PATH]["data"] == _SECRET["data"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rules": []}, "spec.rules [], not"),
        ({"rules": [{"host": "b.example.com"}]}, "spec.rules.1.host b.example.com, not a.exam"),
        ({"rules": [{"host": "b" * 99}]}, "spec.rules.1.host that differs"),
    ],
)
def test_a_part_is_named_by_its_place_and_by_both_values_where_they_are_short(
    changed: dict[str, Any], said: str
) -> None:
    wanted = {**_INGRESS, "spec": {"rules": [{"host": "a.example.com"}]}}
    assert said in str(object_problem(wanted, {**_filled_in(), "spec": changed}))


def test_one_that_is_about_to_go_is_waited_for_and_made_again(cluster: Any) -> None:
    cluster.objects[_AT]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert "is not there" in str(kept_finding(cluster, [_INGRESS]))
    asked = cluster.call_api

    def going(path: str, method: str, **options: Any) -> Any:
        found = asked(path, method, **options)
        if found["metadata"].get("deletionTimestamp"):
            del cluster.objects[_AT]
        return found

    cluster.call_api = going
    PROVIDER.make(_PROPS)
    assert cluster.objects[_AT] == _INGRESS


_SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "ui", "namespace": "longhorn-system"},
    "spec": {"selector": {"app": "ui"}, "ports": [{"name": "http", "port": 80}]},
}
_SERVICE_AT = "/api/v1/namespaces/longhorn-system/services/ui"
_SERVICE_PROPS = {**_PROPS, "objects": json.dumps([_SERVICE])}


def _service(cluster: APlainCluster, *more: dict[str, Any], **selector: str) -> None:
    """As the cluster has it, with what somebody added."""
    ports = [{"name": "http", "port": 80, "nodePort": 31000}, *more]
    spec = {"selector": {"app": "ui", **selector}, "ports": ports, "clusterIP": "10.0.0.1"}
    metadata = {**_SERVICE["metadata"], "resourceVersion": "1"}
    cluster.objects[_SERVICE_AT] = {**_SERVICE, "metadata": metadata, "spec": spec}


def test_a_port_that_somebody_added_goes_and_the_rest_stays_as_it_is(
    cluster: APlainCluster,
) -> None:
    _service(cluster, {"name": "more", "port": 81})
    PROVIDER.make(_SERVICE_PROPS)
    assert cluster.replaced == [_SERVICE_AT]
    spec = cluster.objects[_SERVICE_AT]["spec"]
    assert spec["ports"] == [{"name": "http", "port": 80, "nodePort": 31000}]
    assert spec["clusterIP"] == "10.0.0.1"


def test_what_the_api_server_can_not_merge_is_replaced(
    cluster: APlainCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    _service(cluster)
    cluster.objects[_SERVICE_AT]["spec"]["ports"][0]["port"] = 8080

    def refuse(*_words: Any) -> None:
        raise ApiError(422, body="Duplicate value")

    monkeypatch.setattr(kept, "apply_object", refuse)
    PROVIDER.make(_SERVICE_PROPS)
    assert cluster.objects[_SERVICE_AT]["spec"]["ports"][0]["port"] == 80


def test_a_key_that_somebody_added_to_a_selector_is_another_choice_of_pods(
    cluster: APlainCluster,
) -> None:
    _service(cluster, of="somebody")
    said = "Service longhorn-system/ui has spec.selector.of added"
    assert object_problem(_SERVICE, cluster.objects[_SERVICE_AT]) == said


def test_what_a_selector_selects_is_put_back_as_a_whole(cluster: APlainCluster) -> None:
    wanted = {"matchLabels": {"app": "longhorn-manager"}}
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "longhorn", "namespace": "longhorn-system"},
        "spec": {"selector": wanted},
    }
    path = object_path(monitor)
    changed = {"matchLabels": {**wanted["matchLabels"], "team": "x"}, "matchExpressions": []}
    metadata = {**monitor["metadata"], "resourceVersion": "1"}
    cluster.objects[path] = {**monitor, "metadata": metadata, "spec": {"selector": changed}}
    said = "spec.selector.matchLabels.team added and spec.selector.matchExpressions added"
    assert said in str(object_problem(monitor, cluster.objects[path]))
    PROVIDER.make({**_PROPS, "objects": json.dumps([monitor])})
    assert cluster.objects[path]["spec"] == {"selector": wanted}


def test_an_annotation_that_undoes_the_password_is_taken_off(
    cluster: APlainCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "nginx.ingress.kubernetes.io/satisfy"
    cluster.objects[_AT]["metadata"]["annotations"] |= {key: "any"}
    guarded = {**_INGRESS, "foreign": UNDOES}
    PROVIDER.make({**_PROPS, "objects": json.dumps([guarded])})
    assert f"longhorn-ui has annotation {key} added: put right" in capsys.readouterr().err
    left = cluster.objects[_AT]["metadata"]["annotations"]
    assert set(left) == {"nginx.ingress.kubernetes.io/auth-type", "controller/said"}


def test_what_was_written_in_a_run_that_failed_is_known_by_whose_the_fields_are(
    cluster: APlainCluster,
) -> None:
    cluster.objects[_AT]["metadata"]["managedFields"] = [{"manager": "longhorn-rancher"}]
    assert PROVIDER.change({**_PROPS, "applied": False}, _PROPS)["applied"] is True
    assert cluster.applied == [_AT]


def test_that_the_address_of_a_load_balancer_may_be_another_one_is_told(
    cluster: APlainCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _SERVICE_AT not in cluster.objects
    balancer = {**_SERVICE, "spec": {**_SERVICE["spec"], "type": "LoadBalancer"}}
    PROVIDER.make({**_PROPS, "objects": json.dumps([balancer])})
    assert "ui may have another address now: `pulumi up --refresh`" in capsys.readouterr().err


def test_what_something_in_the_cluster_changes_back_at_once_is_an_error(
    cluster: APlainCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    _open(cluster.objects[_AT])
    monkeypatch.setattr(kept, "apply_object", lambda *_words: cluster.objects[_AT])
    monkeypatch.setattr(kept, "replace_object", lambda *_words: cluster.objects[_AT])
    with pytest.raises(RuntimeError, match=r"auth-type empty.*again right after it was written"):
        PROVIDER.make(_PROPS)


def test_a_refusal_is_told_with_the_words_of_the_cluster(cluster: APlainCluster) -> None:
    _open(cluster.objects[_AT])
    cluster.refusal = ApiError(400, body="admission webhook says no")
    with pytest.raises(RuntimeError, match=r"auth-type empty.*refuses it: admission webhook says"):
        PROVIDER.make(_PROPS)


def test_a_change_in_the_stack_file_is_its_own_resources_to_make() -> None:
    state = {**_PROPS, "applied": False}
    changed = {**_PROPS, "objects": "[]"}
    assert PROVIDER.differences(state, changed) == set()
    assert PROVIDER.differences(state, {**changed, "finding": "gone"}) == {"finding"}


def test_what_was_written_here_once_is_written_again_with_each_change(
    cluster: APlainCluster,
) -> None:
    state = {**_PROPS, "applied": True}
    changed = {**_PROPS, "objects": json.dumps([_INGRESS])}
    assert PROVIDER.differences(state, changed) == {"objects"}
    assert PROVIDER.change(state, changed) == {**changed, "applied": True}
    assert cluster.applied == [_AT]


def test_the_path_of_an_object_is_that_of_its_kind() -> None:
    assert (object_path(_INGRESS), object_path(_SECRET)) == (_AT, _PASSWORD_PATH)
