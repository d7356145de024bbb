"""A password, a network: refused where nothing would ask for it or limit anybody."""

from typing import Any

import pytest

from tests.unit.doubles.a_stack import mistake, mistakes, valid, with_secrets
from tools.offline.stack_file import StackConfig

_APR1 = "ops:$apr1$Qv3Zq2wA$8Y1bqPpKpQ0mX4n1rQe9q/"
_BCRYPT = "ops:$2y$05$" + "a" * 53
_SHA = "ops:{SHA}" + "a" * 27 + "="
_SHA512 = "ops:$6$rounds=5000$salt$" + "a" * 86
_INGRESS = {"type": "Ingress", "host": "longhorn.example.com", "tlsSecret": "tls"}


def _guarded(frontend: dict[str, Any], htpasswd: str = _APR1, **changes: Any) -> StackConfig:
    return with_secrets(valid(frontend=frontend, **changes), frontendBasicAuth=htpasswd)


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort", "LoadBalancer"])
def test_a_password_without_an_ingress_is_refused(kind: str) -> None:
    problem = mistake(_guarded({"type": kind}))
    assert problem.key == "longhorn-rancher:frontend.type"
    assert "asks nobody" in problem.rule


def test_a_password_for_an_interface_that_this_stack_does_not_expose_is_left_alone() -> None:
    assert mistakes(_guarded({"type": "ClusterIP"}, stages={"frontend": False})) == []


@pytest.mark.parametrize("name", ["nginx", "nginx-internal", "traefik", "my-traefik"])
def test_a_class_whose_name_says_who_serves_it_is_accepted(name: str) -> None:
    assert mistakes(_guarded({**_INGRESS, "ingressClass": name})) == []


@pytest.mark.parametrize("name", ["haproxy", "public", "kong", "cilium"])
def test_a_password_behind_another_class_needs_the_controllers_name(name: str) -> None:
    frontend = {**_INGRESS, "ingressClass": name}
    assert mistake(_guarded(frontend)).key == "longhorn-rancher:frontend.ingressController"
    assert mistakes(_guarded({**frontend, "ingressController": "nginx"})) == []
    assert mistakes(valid(frontend=frontend)) == [], "without a password any class will do"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("auth-type", "x"),
        ("auth-secret", "x"),
        ("auth-url", "x"),
        ("satisfy", "any"),
        ("enable-global-auth", "false"),
        ("configuration-snippet", "auth_basic off;"),
        ("server-snippet", "location /v1 { auth_basic off; }"),
    ],
)
def test_an_annotation_that_changes_how_the_password_is_asked_for_is_refused(
    name: str, value: str
) -> None:
    annotations = {f"nginx.ingress.kubernetes.io/{name}": value}
    problem = mistake(_guarded({**_INGRESS, "annotations": annotations}))
    assert name in problem.key
    assert mistakes(valid(frontend={**_INGRESS, "annotations": annotations})) == []


def test_other_annotations_of_the_controller_are_none_of_the_passwords_business() -> None:
    annotations = {"nginx.ingress.kubernetes.io/configuration-snippet": "more_set_headers 'A: b';"}
    assert mistakes(_guarded({**_INGRESS, "annotations": annotations})) == []


@pytest.mark.parametrize("name", ["bad key", "a/b/c", "/a", "-a", "a_.example.com/x"])
def test_a_name_that_no_annotation_can_have_is_refused(name: str) -> None:
    frontend = {"type": "NodePort", "annotations": {name: "x", "example.com/Name_1": "y"}}
    problem = mistake(valid(frontend=frontend))
    assert problem.key == f"longhorn-rancher:frontend.annotations.{name}"


def test_a_class_that_an_annotation_names_is_refused() -> None:
    annotations = {"kubernetes.io/ingress.class": "traefik"}
    problem = mistake(valid(frontend={**_INGRESS, "annotations": annotations}))
    assert problem.remedy == "Remove it, and set frontend.ingressClass."


@pytest.mark.parametrize("text", [_APR1, _BCRYPT, _SHA, f"# people\n{_APR1}\n\n{_BCRYPT}\n"])
@pytest.mark.parametrize("controller", ["nginx", "traefik"])
def test_htpasswd_lines_with_a_hash_are_accepted(text: str, controller: str) -> None:
    assert mistakes(_guarded({**_INGRESS, "ingressClass": controller}, text)) == []


def test_a_hash_that_only_nginx_knows_is_refused_for_traefik() -> None:
    assert mistakes(_guarded({**_INGRESS, "ingressClass": "nginx"}, _SHA512)) == []
    problem = mistake(_guarded({**_INGRESS, "ingressClass": "traefik"}, _SHA512))
    assert problem.key == "longhorn-rancher:frontendBasicAuth"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("tr0ub4dor", 1),
        ("ops:tr0ub4dor", 1),
        ("ops:", 1),
        (":$apr1$tr0ub4dor", 1),
        ("ops:{PLAIN}tr0ub4dor", 1),
        (f"{_APR1}\nops:tr0ub4dor", 2),
        ("b3BzOnRyMHViNGRvcg==", 1),
    ],
)
def test_text_that_is_no_htpasswd_line_is_refused_by_its_line_and_not_shown(
    text: str, line: int
) -> None:
    problem = mistake(_guarded(_INGRESS, text))
    assert problem.rule.startswith(f"line {line} ")
    assert "tr0ub4dor" not in str(problem)


@pytest.mark.parametrize("text", ["", "\n", "# nobody"])
def test_no_htpasswd_line_at_all_is_refused(text: str) -> None:
    assert "nobody could log in" in mistake(_guarded(_INGRESS, text)).rule


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort", "Ingress"])
def test_networks_that_the_type_ignores_are_refused(kind: str) -> None:
    frontend = {**(_INGRESS if kind == "Ingress" else {"type": kind})}
    problem = mistake(valid(frontend={**frontend, "sourceRanges": ["10.0.0.0/8"]}))
    assert problem.key == "longhorn-rancher:frontend.sourceRanges"


@pytest.mark.parametrize(
    ("network", "remedy"),
    [
        ("10.0.0.1/8", "Did you mean 10.0.0.0/8?"),
        ("10.0.0.0/33", "For example 10.0.0.0/8"),
        ("10.0.0.0-10.0.0.9", "For example 10.0.0.0/8"),
        ("everybody", "For example 10.0.0.0/8"),
    ],
)
def test_what_is_no_network_is_refused(network: str, remedy: str) -> None:
    problem = mistake(valid(frontend={"type": "LoadBalancer", "sourceRanges": [network]}))
    assert problem.key == "longhorn-rancher:frontend.sourceRanges[0]"
    assert problem.remedy.startswith(remedy)


def test_networks_of_both_kinds_are_accepted() -> None:
    ranges = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]
    frontend = {"type": "LoadBalancer", "sourceRanges": ranges}
    assert mistakes(valid(frontend=frontend)) == []
