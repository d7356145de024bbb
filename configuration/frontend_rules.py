"""Rules for what stands in front of Longhorn's interface: nothing may seem guarded and not be.

Pure. That the cluster's own ingress class fits is looked at later (components/preflight).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from configuration.base import is_qualified
from configuration.problems import Problem
from configuration.secrets import Secret
from configuration.stack_file import StackFile

_NGINX = "nginx.ingress.kubernetes.io/"
# Of ingress-nginx, by itself or by what it holds.
UNDOES = (
    rf"^{re.escape(_NGINX)}("
    r"(auth-(?!realm=)|enable-global-auth|satisfy)[^=]*=|"
    r"(configuration|server)-snippet=[\s\S]*\b(auth_basic|satisfy|allow)\b)"
)
"""What may let people in without the password, as a pattern of `key=value`."""
_LEGACY_CLASS = "kubernetes.io/ingress.class"


def _ingress_needs(file: StackFile) -> Iterator[Problem]:
    frontend = file.frontend
    if frontend.type == "Ingress" and (frontend.host is None or frontend.tls_secret is None):
        missing = "host" if frontend.host is None else "tlsSecret"
        yield Problem(
            f"frontend.{missing}",
            "an Ingress needs host and tlsSecret",
            "Add both; without TLS nothing is exposed.",
        )


def _for_ingress_only(file: StackFile) -> Iterator[Problem]:
    frontend = file.frontend
    if frontend.type == "Ingress":
        return
    for key, value in (
        ("host", frontend.host),
        ("tlsSecret", frontend.tls_secret),
        ("clusterIssuer", frontend.cluster_issuer),
        ("ingressClass", frontend.ingress_class),
        ("ingressController", frontend.ingress_controller),
    ):
        if value is not None:
            yield Problem(
                f"frontend.{key}",
                f"goes with type Ingress, and the type is {frontend.type}",
                "Set frontend.type: Ingress, or remove the key.",
            )


def _for_node_port_only(file: StackFile) -> Iterator[Problem]:
    frontend = file.frontend
    if frontend.node_port is not None and frontend.type != "NodePort":
        yield Problem(
            "frontend.nodePort",
            f"goes with type NodePort, and the type is {frontend.type}",
            "Set the type or remove nodePort.",
            frontend.node_port,
        )


def _node_port_in_range(file: StackFile) -> Iterator[Problem]:
    frontend = file.frontend
    low, high = (int(bound) for bound in frontend.node_port_range.split("-"))
    if frontend.node_port is not None and not low <= frontend.node_port <= high:
        yield Problem(
            "frontend.nodePort",
            f"is outside the allowed range {frontend.node_port_range}",
            "Choose a port within it; nodePortRange says what the API server allows.",
            frontend.node_port,
        )


def _networks(file: StackFile) -> Iterator[Problem]:
    frontend = file.frontend
    if frontend.source_ranges and frontend.type != "LoadBalancer":
        yield Problem(
            "frontend.sourceRanges",
            f"limits a LoadBalancer only; with type {frontend.type} it would let everybody in",
            "Remove it, set the type, or limit the networks with the annotations of your ingress "
            "controller.",
        )


def _password_without_ingress(file: StackFile) -> Iterator[Problem]:
    frontend = file.frontend
    if file.has(Secret.FRONTEND_BASIC_AUTH) and file.stages.frontend and frontend.type != "Ingress":
        yield Problem(
            "frontend.type",
            f"is {frontend.type}, which asks nobody for the password in the secret "
            "frontendBasicAuth",
            "Set frontend.type: Ingress, or remove the secret.",
        )


def _password_without_controller(file: StackFile) -> Iterator[Problem]:
    frontend = file.frontend
    if (
        file.has(Secret.FRONTEND_BASIC_AUTH)
        and frontend.type == "Ingress"
        and frontend.ingress_class is not None
        and frontend.controller is None
    ):
        yield Problem(
            "frontend.ingressController",
            f"is needed, since the class {frontend.ingress_class} does not say whether nginx or "
            "Traefik is to ask for the password in the secret frontendBasicAuth",
            "Say nginx or traefik (see `kubectl get ingressclass`); no other controller asks for "
            "it: then remove the secret and guard the Ingress by annotations.",
        )


def _password_undone(file: StackFile) -> Iterator[Problem]:
    frontend = file.frontend
    if not file.has(Secret.FRONTEND_BASIC_AUTH) or frontend.type != "Ingress":
        return
    for key, value in frontend.annotations.items():
        if re.search(UNDOES, f"{key}={value}"):
            yield Problem(
                f"frontend.annotations.{key}",
                "changes how the password in the secret frontendBasicAuth is asked for",
                "Remove the annotation, or the secret.",
            )


def _annotation_names(file: StackFile) -> Iterator[Problem]:
    for key in file.frontend.annotations:
        if not is_qualified(key):
            yield Problem(
                f"frontend.annotations.{key}",
                "is no name that an annotation can have",
                "Use letters, digits and . _ - behind an optional domain and /, as in "
                "example.com/name; nested maps are not read.",
            )


def _legacy_class(file: StackFile) -> Iterator[Problem]:
    """Kubernetes takes no Ingress that names a class twice, and who serves it would be a guess."""
    if _LEGACY_CLASS in file.frontend.annotations:
        yield Problem(
            f"frontend.annotations.{_LEGACY_CLASS}",
            "names an ingress class where this program does not see it",
            "Remove it, and set frontend.ingressClass.",
        )


FRONTEND_RULES: Sequence[Callable[[StackFile], Iterable[Problem]]] = (
    _ingress_needs,
    _for_ingress_only,
    _for_node_port_only,
    _node_port_in_range,
    _networks,
    _password_without_ingress,
    _password_without_controller,
    _password_undone,
    _annotation_names,
    _legacy_class,
)
