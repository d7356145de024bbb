"""What somebody deleted or changed of the objects around Longhorn shows in the next preview.

`up` puts it right, without a refresh. The tests share one stack, and a preview after each is clean.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.definitions import OPERATOR, TRAEFIK, operator_definition
from tests.engine.engine import Engine, Stack
from tests.engine.longhorn_lab import LONGHORN, LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn

pytestmark = needs_longhorn

_UP_SECONDS = 900
_HASH = "$apr1$unmistak$ablehashablehashableha"
_ROUTER = "traefik.ingress.kubernetes.io/router.middlewares"


@pytest.fixture(scope="module")
def lab() -> Iterator[LonghornLab]:
    with longhorn_lab(1) as one:
        yield one


@pytest.fixture(scope="module")
def stack(lab: LonghornLab, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    lab.kubectl("apply", "-f", "-", text=TRAEFIK)
    kinds = {"ServiceMonitor": "servicemonitors", "PrometheusRule": "prometheusrules"}
    lab.apply(*(operator_definition(kind, plural) for kind, plural in kinds.items()))
    for name in ("middlewares.traefik.io", *(f"{each}.{OPERATOR}" for each in kinds.values())):
        lab.kubectl("wait", "--for=condition=Established", f"crd/{name}")
    lab.kubectl("create", "namespace", LONGHORN)
    lab.kubectl("create", "secret", "generic", "tls", "-n", LONGHORN)
    # No controller gives this Ingress an address here.
    frontend = {"type": "Ingress", "ingressClass": "traefik", "host": "longhorn.example.com"}
    frontend |= {"tlsSecret": "tls", "annotations": {"pulumi.com/skipAwait": "true"}}
    config = lab.config(monitoring={}) | {"longhorn-rancher:frontend": frontend}
    config["longhorn-rancher:stages"] = {**config["longhorn-rancher:stages"], "frontend": True}
    folder = tmp_path_factory.mktemp("kept") / "engine"
    secrets = {"frontendBasicAuth": f"admin:{_HASH}"}
    one = Engine(folder).project_stack("kept", config=config, secrets=secrets)
    one.up(seconds=_UP_SECONDS).or_fail()
    return one


@pytest.fixture(autouse=True)
def _quiet_before_and_afterwards(stack: Stack) -> Iterator[None]:
    _assert_quiet(stack)
    yield
    _assert_quiet(stack)


def _assert_quiet(stack: Stack) -> None:
    previewed = stack.preview("--diff").or_fail()
    assert previewed.operations() == {}, previewed.log


def _repaired(stack: Stack, resource: str, said: str) -> None:
    """The preview names it on this resource alone, and `up` updates that and nothing else."""
    previewed = stack.preview("--diff").or_fail()
    assert said in " ".join(previewed.log.split())
    assert previewed.operations() == {"update": 1}
    assert previewed.step(resource, "update")
    done = stack.up(seconds=_UP_SECONDS).or_fail()
    assert done.operations() == {"update": 1}
    assert _HASH not in previewed.log + done.log


def _made_again(stack: Stack, lab: LonghornLab, resource: str, kind: str, name: str) -> None:
    """An object that is deleted here comes again by this resource as it was."""
    before = _object(lab, kind, name)
    lab.kubectl("delete", kind, name, "-n", LONGHORN)
    _repaired(stack, resource, f"{LONGHORN}/{name} is not there")
    after = _object(lab, kind, name)
    for part in ("spec", "data"):
        assert after.get(part) == before.get(part)


def test_an_ingress_whose_guard_was_taken_off_asks_for_the_password_again(
    stack: Stack, lab: LonghornLab
) -> None:
    lab.kubectl("annotate", "ingress", "longhorn-ui", "-n", LONGHORN, f"{_ROUTER}-")
    _repaired(stack, "longhorn-frontend-kept", f"metadata.annotations.{_ROUTER} empty, not")
    assert _object(lab, "ingress", "longhorn-ui")["metadata"]["annotations"][_ROUTER]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ingress", "longhorn-ui"),
        ("middlewares.traefik.io", "longhorn-ui-basic-auth"),
        ("secret", "longhorn-ui-basic-auth"),
    ],
)
def test_what_is_gone_of_the_interface_is_made_again(
    stack: Stack, lab: LonghornLab, kind: str, name: str
) -> None:
    _made_again(stack, lab, "longhorn-frontend-kept", kind, name)


def test_another_password_that_somebody_wrote_is_the_stack_s_again(
    stack: Stack, lab: LonghornLab
) -> None:
    before = _object(lab, "secret", "longhorn-ui-basic-auth")
    patch = json.dumps({"data": {"users": "bXkgb3du"}})
    lab.kubectl("patch", "secret", "longhorn-ui-basic-auth", "-n", LONGHORN, "-p", patch)
    _repaired(stack, "longhorn-frontend-kept", "longhorn-ui-basic-auth holds something else")
    assert _object(lab, "secret", "longhorn-ui-basic-auth")["data"] == before["data"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (f"servicemonitors.{OPERATOR}", "longhorn"),
        (f"prometheusrules.{OPERATOR}", "longhorn"),
        ("configmap", "longhorn-dashboard"),
    ],
)
def test_what_is_gone_of_the_monitoring_is_made_again(
    stack: Stack, lab: LonghornLab, kind: str, name: str
) -> None:
    _made_again(stack, lab, "longhorn-monitoring-kept", kind, name)


def test_the_chart_s_service_that_somebody_opened_is_closed(stack: Stack, lab: LonghornLab) -> None:
    patch = json.dumps({"spec": {"type": "NodePort"}})
    lab.kubectl("patch", "service", "longhorn-frontend", "-n", LONGHORN, "-p", patch)
    _repaired(stack, "longhorn-release", "Service longhorn-frontend is NodePort, not ClusterIP")
    assert _object(lab, "service", "longhorn-frontend")["spec"]["type"] == "ClusterIP"


def test_objects_of_the_chart_that_somebody_deleted_come_again(
    stack: Stack, lab: LonghornLab
) -> None:
    lab.kubectl("delete", "deployment", "longhorn-ui", "-n", LONGHORN)
    lab.kubectl("delete", "service", "longhorn-backend", "-n", LONGHORN)
    said = "Deployment longhorn-ui, Service longhorn-backend are missing"
    _repaired(stack, "longhorn-release", said)
    assert _object(lab, "deployment", "longhorn-ui")
    assert _object(lab, "service", "longhorn-backend")


def test_the_rights_of_the_chart_s_own_hooks_come_again(stack: Stack, lab: LonghornLab) -> None:
    lab.kubectl("delete", "serviceaccount", "longhorn-service-account", "-n", LONGHORN)
    lab.kubectl("delete", "clusterrolebinding", "longhorn-bind")
    said = "ClusterRoleBinding longhorn-bind, ServiceAccount longhorn-service-account are missing"
    _repaired(stack, "longhorn-release", said)
    assert _object(lab, "serviceaccount", "longhorn-service-account")
    assert _object(lab, "clusterrolebinding", "longhorn-bind")


def test_parts_of_the_csi_driver_that_are_gone_or_stopped_come_again(
    stack: Stack, lab: LonghornLab
) -> None:
    lab.kubectl("delete", "deployment", "csi-provisioner", "-n", LONGHORN)
    lab.kubectl("scale", "deployment", "csi-resizer", "--replicas=0", "-n", LONGHORN)
    lab.kubectl("delete", "csidriver", "driver.longhorn.io")
    said = "Deployment csi-provisioner is gone; Deployment csi-resizer is scaled to 0; CSIDriver"
    _repaired(stack, "longhorn-ready", said)
    assert _object(lab, "deployment", "csi-provisioner")["status"]["readyReplicas"] == 3
    assert _object(lab, "deployment", "csi-resizer")["spec"]["replicas"] == 3
    assert _object(lab, "csidriver", "driver.longhorn.io")


def test_after_a_repair_an_annotation_that_the_stack_gives_up_goes(
    stack: Stack, lab: LonghornLab
) -> None:
    key = "longhorn-rancher:frontend"
    lab.kubectl("delete", "ingress", "longhorn-ui", "-n", LONGHORN)
    stack.up(seconds=_UP_SECONDS).or_fail()
    given = {"pulumi.com/skipAwait": "true"}
    frontend = {"type": "Ingress", "ingressClass": "traefik", "host": "longhorn.example.com"}
    for annotations in ({**given, "example.com/a": "b"}, given):
        section = {**frontend, "tlsSecret": "tls", "annotations": annotations}
        stack.configure({key: section})
        stack.up(seconds=_UP_SECONDS).or_fail()
        found = _object(lab, "ingress", "longhorn-ui")["metadata"]["annotations"]
        assert ("example.com/a" in found) is ("example.com/a" in annotations)


def _object(lab: LonghornLab, kind: str, name: str) -> dict[str, Any]:
    return json.loads(lab.kubectl("get", kind, name, "-n", LONGHORN, "-o", "json"))
