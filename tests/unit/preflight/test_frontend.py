"""The interface's guard, compared with the cluster's ingress classes."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.preflight.frontend import (
    IngressClass,
    check_guard,
    check_ingress_class,
    check_middlewares,
    read_has_middlewares,
    read_ingress_classes,
)
from configuration.longhorn import FrontendSettings
from tests.unit.doubles.a_cluster import api_error

_NGINX, _TRAEFIK = "k8s.io/ingress-nginx", "traefik.io/ingress-controller"


def _frontend(**changes: Any) -> FrontendSettings:
    return FrontendSettings.model_validate(
        {"type": "Ingress", "host": "a.example.com", "tlsSecret": "tls", **changes}
    )


def _class(name: str, controller: str, *, default: bool = False) -> IngressClass:
    return IngressClass(name=name, controller=controller, is_default=default)


class FakeCluster:
    """Has an nginx class, and a default one of Traefik."""

    def __init__(self) -> None:
        self.custom = self

    def list_cluster_custom_object(self, *kind: str, **_: Any) -> dict[str, Any]:
        assert kind == ("networking.k8s.io", "v1", "ingressclasses")
        marks = {"ingressclass.kubernetes.io/is-default-class": "true"}
        return {
            "items": [
                {"metadata": {"name": "nginx"}, "spec": {"controller": _NGINX}},
                {
                    "metadata": {"name": "traefik", "annotations": marks},
                    "spec": {"controller": _TRAEFIK},
                },
            ]
        }


def test_the_classes_are_read_with_who_serves_them() -> None:
    cluster: Any = FakeCluster()
    assert read_ingress_classes(cluster) == [
        _class("nginx", _NGINX),
        _class("traefik", _TRAEFIK, default=True),
    ]


@pytest.mark.parametrize(
    ("frontend", "controller"),
    [
        ({"ingressClass": "nginx"}, "nginx.org/ingress-controller"),
        ({"ingressClass": "nginx"}, _TRAEFIK),
        ({"ingressClass": "x", "ingressController": "traefik"}, _NGINX),
        ({}, _TRAEFIK),
        ({}, "haproxy.org/ingress-controller"),
    ],
)
def test_a_class_whose_controller_would_let_everybody_in_is_an_error(
    frontend: dict[str, Any], controller: str
) -> None:
    found = [_class(frontend.get("ingressClass", "any"), controller, default=True)]
    (result,) = check_ingress_class(_frontend(**frontend), found, has_password=True)
    assert (result.check, result.severity) == ("frontendGuard", "error")
    assert controller in result.found
    assert list(check_ingress_class(_frontend(**frontend), found, has_password=False)) == []


@pytest.mark.parametrize(
    ("frontend", "controller"),
    [
        ({}, _NGINX),
        ({"ingressController": "traefik"}, _TRAEFIK),
        ({"ingressClass": "traefik"}, _TRAEFIK),
    ],
)
def test_a_class_whose_controller_asks_for_the_password_is_fine(
    frontend: dict[str, Any], controller: str
) -> None:
    found = [_class(frontend.get("ingressClass", "any"), controller, default=True)]
    assert list(check_ingress_class(_frontend(**frontend), found, has_password=True)) == []


@pytest.mark.parametrize("name", [None, "nginx"])
def test_a_class_that_the_cluster_does_not_have_is_an_error_with_those_it_has(
    name: str | None,
) -> None:
    frontend = _frontend() if name is None else _frontend(ingressClass=name)
    found = [_class("traefik", _TRAEFIK)]
    (result,) = check_ingress_class(frontend, found, has_password=False)
    assert (result.check, result.severity) == ("ingressClass", "error")
    assert f"traefik ({_TRAEFIK})" in result.remedy


_ALLOWED = "nginx.ingress.kubernetes.io/whitelist-source-range"


@pytest.mark.parametrize(
    ("frontend", "has_password", "warned"),
    [
        ({"type": "ClusterIP"}, False, False),
        ({"type": "NodePort"}, False, True),
        ({"type": "LoadBalancer"}, False, True),
        ({"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"]}, False, True),
        ({"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8", "0.0.0.0/0"]}, False, True),
        ({"type": "LoadBalancer", "sourceRanges": ["::/0"]}, False, True),
        ({"type": "LoadBalancer", "sourceRanges": ["0.0.0.0/1", "128.0.0.0/1"]}, False, True),
        ({"type": "LoadBalancer", "sourceRanges": ["0.0.0.0/1", "::/1"]}, False, True),
        ({"type": "Ingress"}, False, True),
        ({"type": "Ingress"}, True, False),
        (
            {
                "type": "Ingress",
                "ingressClass": "traefik",
                "annotations": {"nginx.ingress.kubernetes.io/whitelist-source-range": "x"},
            },
            False,
            True,
        ),
        (
            {"type": "Ingress", "annotations": {"nginx.ingress.kubernetes.io/auth-url": "x"}},
            False,
            False,
        ),
        ({"type": "Ingress", "annotations": {"a": "b"}}, False, True),
        ({"type": "Ingress", "annotations": {_ALLOWED: "10.0.0.0/8"}}, False, False),
        ({"type": "Ingress", "annotations": {_ALLOWED: "10.0.0.0/8, 0.0.0.0/0"}}, False, True),
        ({"type": "Ingress", "annotations": {_ALLOWED: ""}}, False, True),
    ],
)
def test_what_everybody_may_use_is_a_warning(
    frontend: dict[str, Any], has_password: bool, warned: bool
) -> None:
    settings = FrontendSettings.model_validate(frontend)
    results = list(check_guard(settings, has_password=has_password))
    assert [(r.check, r.severity) for r in results] == [("frontendGuard", "warning")] * warned


@pytest.mark.parametrize(
    ("ranges", "found", "remedy"),
    [
        (["10.0.0.0/8"], "a node at the NodePort of Longhorn's LoadBalancer", "Close that port"),
        (["0.0.0.0/0"], "LoadBalancer can delete", "Set frontend.sourceRanges"),
        ([], "LoadBalancer can delete", "Set frontend.sourceRanges"),
    ],
)
def test_of_a_load_balancer_the_port_on_every_node_is_named(
    ranges: list[str], found: str, remedy: str
) -> None:
    settings = FrontendSettings.model_validate({"type": "LoadBalancer", "sourceRanges": ranges})
    (result,) = check_guard(settings, has_password=False)
    assert found in result.found
    assert remedy in result.remedy
    assert "NodePort" in result.found + result.remedy


@pytest.mark.parametrize("has_middlewares", [True, False])
def test_a_traefik_that_can_not_be_told_to_ask_for_the_password_is_an_error(
    has_middlewares: bool,
) -> None:
    results = list(check_middlewares(has_middlewares=has_middlewares))
    assert [(r.check, r.severity) for r in results] == [("frontendGuard", "error")] * (
        not has_middlewares
    )


def test_the_definition_of_traefiks_middlewares_is_looked_for() -> None:
    def read(name: str, **_options: Any) -> object:
        if name not in known:
            raise api_error(404)
        return name

    cluster: Any = SimpleNamespace(extensions=SimpleNamespace(read_custom_resource_definition=read))
    known = {"middlewares.traefik.io"}
    assert read_has_middlewares(cluster)
    known = {"middlewares.traefik.containo.us"}
    assert not read_has_middlewares(cluster)
