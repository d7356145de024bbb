"""What the program declares in front of Longhorn's user interface."""

from typing import Any

import pytest

from tests.unit.doubles.a_stack import nodes, parent_of, run, valid, waits_for, with_secrets
from tools.offline.answers import CHOSEN_NODE_PORT
from tools.offline.recording import Recording, SecretValue

_SERVICE = "kubernetes:core/v1:Service"
_INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
_HASH = "ops:$apr1$Qv3Zq2wA$8Y1bqPpKpQ0mX4n1rQe9q/"
_OURS = {"type": "Ingress", "host": "longhorn.example.com", "tlsSecret": "longhorn-tls"}


def _run(frontend: dict[str, Any] | None = None, **changes: Any) -> Recording:
    return run(valid(frontend=frontend, **changes))


def _url(recording: Recording) -> object:
    return recording.outputs["longhornUrl"]


def test_by_default_nothing_is_exposed() -> None:
    recording = _run()
    assert recording.of_type(_SERVICE) == []
    assert recording.of_type(_INGRESS) == []
    assert _url(recording) == "http://longhorn-frontend.longhorn-system"


def test_a_node_port_is_a_service_of_the_programs_own() -> None:
    recording = _run({"type": "NodePort", "nodePort": 30080})
    (service,) = recording.of_type(_SERVICE)
    assert service.inputs["metadata"]["name"] == "longhorn-ui"
    assert service.inputs["metadata"]["namespace"] == "longhorn-system"
    assert service.inputs["spec"]["selector"] == {"app": "longhorn-ui"}
    assert service.inputs["spec"]["ports"] == [
        {"name": "http", "nodePort": 30080, "port": 80, "targetPort": "http"}
    ]
    assert _url(recording) == "http://192.0.2.11:30080"


def test_a_node_port_that_kubernetes_chose_stands_in_the_url() -> None:
    recording = _run({"type": "NodePort"})
    assert "nodePort" not in recording.of_type(_SERVICE)[0].inputs["spec"]["ports"][0]
    assert _url(recording) == f"http://192.0.2.11:{CHOSEN_NODE_PORT}"


def test_a_load_balancer_lets_in_only_the_given_networks() -> None:
    recording = _run({"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"]})
    (service,) = recording.of_type(_SERVICE)
    assert service.inputs["spec"]["type"] == "LoadBalancer"
    assert service.inputs["spec"]["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert _url(recording) == "http://198.51.100.7"


def test_an_ingress_has_tls_and_sends_plain_requests_there() -> None:
    recording = _run({**_OURS, "ingressClass": "nginx"})
    (ingress,) = recording.of_type(_INGRESS)
    spec = ingress.inputs["spec"]
    assert spec["tls"] == [{"hosts": ["longhorn.example.com"], "secretName": "longhorn-tls"}]
    assert spec["ingressClassName"] == "nginx"
    annotations = ingress.inputs["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/ssl-redirect"] == "true"
    assert annotations["nginx.ingress.kubernetes.io/proxy-body-size"] == "10000m"
    assert _url(recording) == "https://longhorn.example.com"


def test_an_ingress_leads_to_the_charts_own_service() -> None:
    (rule,) = _run(_OURS).of_type(_INGRESS)[0].inputs["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert rule["host"] == "longhorn.example.com"
    assert path["backend"]["service"] == {"name": "longhorn-frontend", "port": {"number": 80}}


def test_a_certificate_issuer_stands_in_the_annotations() -> None:
    (ingress,) = _run({**_OURS, "clusterIssuer": "internal-ca"}).of_type(_INGRESS)
    annotations = ingress.inputs["metadata"]["annotations"]
    assert annotations["cert-manager.io/cluster-issuer"] == "internal-ca"


def test_annotations_of_the_stack_win_over_the_programs() -> None:
    key = "nginx.ingress.kubernetes.io/proxy-body-size"
    (ingress,) = _run({**_OURS, "annotations": {key: "1m", "a": "b"}}).of_type(_INGRESS)
    assert ingress.inputs["metadata"]["annotations"][key] == "1m"
    assert ingress.inputs["metadata"]["annotations"]["a"] == "b"


def test_basic_auth_lies_in_a_secret_whose_contents_are_secret() -> None:
    frontend = {**_OURS, "ingressClass": "nginx"}
    recording = run(with_secrets(valid(frontend=frontend), frontendBasicAuth=_HASH))
    secret = recording.named("longhorn-frontend-basic-auth")
    assert secret.type == "kubernetes:core/v1:Secret"
    data = secret.inputs["stringData"]
    assert isinstance(data, SecretValue)
    assert data.value == {"auth": _HASH}
    annotations = recording.of_type(_INGRESS)[0].inputs["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/auth-type"] == "basic"
    assert (
        annotations["nginx.ingress.kubernetes.io/auth-secret"]
        == (secret.inputs["metadata"]["name"])
    )


@pytest.mark.parametrize(
    "frontend",
    [
        {**_OURS, "ingressClass": "traefik"},
        {**_OURS, "ingressClass": "internal", "ingressController": "traefik"},
    ],
)
def test_traefik_asks_for_the_password_before_the_ingress_is_there(
    frontend: dict[str, Any],
) -> None:
    recording = run(with_secrets(valid(frontend=frontend), frontendBasicAuth=_HASH))
    data = recording.named("longhorn-frontend-basic-auth").inputs["stringData"]
    assert isinstance(data, SecretValue)
    assert data.value == {"users": _HASH}
    middleware = recording.named("longhorn-frontend-middleware")
    assert middleware.type == "kubernetes:traefik.io/v1alpha1:Middleware"
    assert middleware.inputs["spec"] == {"basicAuth": {"secret": "longhorn-ui-basic-auth"}}
    annotations = recording.of_type(_INGRESS)[0].inputs["metadata"]["annotations"]
    name = f"longhorn-system-{middleware.inputs['metadata']['name']}@kubernetescrd"
    assert annotations["traefik.ingress.kubernetes.io/router.middlewares"] == name
    assert not any(key.startswith("nginx.") for key in annotations)
    for guard in ("longhorn-frontend-basic-auth", "longhorn-frontend-middleware"):
        assert waits_for(recording, "longhorn-frontend-ingress", guard)


def test_traefik_serves_nothing_without_tls() -> None:
    (ingress,) = _run({**_OURS, "ingressClass": "traefik"}).of_type(_INGRESS)
    annotations = ingress.inputs["metadata"]["annotations"]
    assert annotations["traefik.ingress.kubernetes.io/router.entrypoints"] == "websecure"
    assert annotations["traefik.ingress.kubernetes.io/router.tls"] == "true"


def test_middlewares_of_the_stack_come_behind_the_password() -> None:
    key = "traefik.ingress.kubernetes.io/router.middlewares"
    frontend = {**_OURS, "ingressClass": "traefik", "annotations": {key: "a@kubernetescrd"}}
    recording = run(with_secrets(valid(frontend=frontend), frontendBasicAuth=_HASH))
    annotations = recording.of_type(_INGRESS)[0].inputs["metadata"]["annotations"]
    own = "longhorn-system-longhorn-ui-basic-auth@kubernetescrd"
    assert annotations[key] == f"{own},a@kubernetescrd"


def test_an_ipv6_address_has_brackets_in_the_url() -> None:
    first = nodes({"host": "2001:db8::11"})
    recording = _run({"type": "NodePort", "nodePort": 30080}, nodes=first)
    assert _url(recording) == "http://[2001:db8::11]:30080"


def test_without_basic_auth_nothing_says_that_there_is_any() -> None:
    recording = _run(_OURS)
    annotations = recording.of_type(_INGRESS)[0].inputs["metadata"]["annotations"]
    assert [key for key in annotations if "auth" in key] == []
    assert recording.of_type("kubernetes:core/v1:Secret") == []


@pytest.mark.parametrize(
    ("frontend", "child"),
    [({"type": "NodePort"}, "longhorn-frontend-service"), (_OURS, "longhorn-frontend-ingress")],
)
def test_it_waits_until_all_of_longhorn_runs(frontend: dict[str, Any], child: str) -> None:
    recording = _run(frontend)
    assert waits_for(recording, child, "longhorn-ready")
    assert parent_of(recording, recording.named(child)) == "longhorn-frontend"


def test_without_the_stage_nothing_is_exposed_and_no_url_told() -> None:
    recording = _run({"type": "NodePort"}, stages={"frontend": False})
    assert recording.of_type(_SERVICE) == []
    assert "longhornUrl" not in recording.outputs


def test_a_cluster_that_has_longhorn_already_gets_the_frontend_alone() -> None:
    recording = _run({"type": "NodePort"}, stages={"longhorn": False})
    assert len(recording.of_type(_SERVICE)) == 1
