"""Whether what stands in front of Longhorn's interface is guarded as the stack file believes.

`check_frontend` is pure; `read_ingress_classes` is the only look at the API, and reads only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from components.cluster.api import ClusterApi, unless_missing
from components.common.answers import listed, mapped
from components.preflight.report import CheckResult, of_cluster
from configuration.longhorn import FrontendSettings

_ANSWER_SECONDS = 10
_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
# IngressClass.spec.controller, as ingress-nginx and Traefik name themselves.
_CONTROLLERS: Mapping[str, str] = {
    "k8s.io/ingress-nginx": "nginx",
    "traefik.io/ingress-controller": "traefik",
}
# What an annotation of the stack may be called that lets not everybody in, and by whom it is read.
_GUARDS = ("auth-", "whitelist-source-range", "allowlist-source-range", "router.middlewares")
_READ_BY = {"nginx.ingress.kubernetes.io/": "nginx", "traefik.ingress.kubernetes.io/": "traefik"}
_MIDDLEWARES = "middlewares.traefik.io"


@dataclass(frozen=True, kw_only=True)
class IngressClass:
    """An ingress class of the cluster."""

    name: str
    controller: str
    """Who serves it, such as k8s.io/ingress-nginx."""
    is_default: bool
    """Whether an Ingress without a class gets it."""


def read_ingress_classes(api: ClusterApi) -> list[IngressClass]:
    """Ask the cluster. Raises whatever the client raises when it does not answer."""
    found: Any = api.custom.list_cluster_custom_object(
        "networking.k8s.io", "v1", "ingressclasses", _request_timeout=_ANSWER_SECONDS
    )
    return [
        IngressClass(
            name=item["metadata"]["name"],
            controller=str(mapped(item.get("spec")).get("controller", "")),
            is_default=mapped(item["metadata"].get("annotations")).get(_DEFAULT) == "true",
        )
        for item in listed(found["items"])
    ]


def check_ingress_class(
    frontend: FrontendSettings, classes: Sequence[IngressClass], *, has_password: bool
) -> Iterator[CheckResult]:
    """A class that the cluster does not have, or whose controller asks nobody for the password."""
    name = frontend.ingress_class
    found = next((c for c in classes if (c.name == name if name else c.is_default)), None)
    known = ", ".join(f"{c.name} ({c.controller})" for c in classes) or "none"
    if found is None:
        yield of_cluster(
            "ingressClass",
            "error",
            f"the cluster has no ingress class {name}"
            if name
            else "the cluster has no default ingress class, and the stack names none",
            f"Set frontend.ingressClass to one of its classes: {known}.",
        )
        return
    controller = _CONTROLLERS.get(found.controller)
    if has_password and controller != frontend.controller:
        yield of_cluster(
            "frontendGuard",
            "error",
            f"the ingress class {found.name} is served by {found.controller}, which would "
            "let everybody in without the password in the secret frontendBasicAuth",
            f"Set frontend.ingressController: {controller}."
            if controller
            else "Take a class of ingress-nginx or Traefik, or remove the secret and guard the "
            "Ingress by annotations of that controller.",
        )


def _everybody(networks: Sequence[str]) -> bool:
    """Whether the networks together are all addresses, such as 0.0.0.0/1 with 128.0.0.0/1."""
    parsed = [ip_network(network, strict=False) for network in networks]
    fourth = [network for network in parsed if isinstance(network, IPv4Network)]
    sixth = [network for network in parsed if isinstance(network, IPv6Network)]
    return any(
        network.prefixlen == 0
        for network in (*collapse_addresses(fourth), *collapse_addresses(sixth))
    )


def _guards(frontend: FrontendSettings, annotation: str, value: str) -> bool:
    """Whether an annotation keeps somebody out, and the controller of this Ingress reads it."""
    reader = next((who for mark, who in _READ_BY.items() if annotation.startswith(mark)), None)
    if reader not in (None, frontend.controller) or not any(g in annotation for g in _GUARDS):
        return False
    if not annotation.endswith("source-range"):
        return bool(value.strip())
    try:
        networks = [each.strip() for each in value.split(",") if each.strip()]
        return bool(networks) and not _everybody(networks)
    except ValueError:
        # What it makes of that is the controller's own.
        return True


def read_has_middlewares(api: ClusterApi) -> bool:
    """Whether the cluster knows Traefik's Middleware as Traefik 2.10 and later define it."""
    read = api.extensions.read_custom_resource_definition
    return unless_missing(read, _MIDDLEWARES, _request_timeout=_ANSWER_SECONDS) is not None


def check_middlewares(*, has_middlewares: bool) -> Iterator[CheckResult]:
    """A Traefik that can't be told to ask for the password."""
    if not has_middlewares:
        yield of_cluster(
            "frontendGuard",
            "error",
            f"the cluster has no definition {_MIDDLEWARES}, by which Traefik is told to ask for "
            "the password in the secret frontendBasicAuth",
            "Install Traefik 2.10 or later with its definitions, or take a class of ingress-nginx.",
        )


def check_guard(frontend: FrontendSettings, *, has_password: bool) -> Iterator[CheckResult]:
    """An interface that everybody who reaches it may use: it has no login of its own.

    The networks of a LoadBalancer hold for its own address. Kubernetes gives it a port on every
    node, too, and lets everybody in there (Service.spec.loadBalancerSourceRanges).
    """
    guarded = {
        "ClusterIP": True,
        "NodePort": False,
        "LoadBalancer": False,
        "Ingress": has_password
        or any(_guards(frontend, key, value) for key, value in frontend.annotations.items()),
    }
    if guarded[frontend.type]:
        return
    ranges = frontend.source_ranges
    has_ranges = bool(ranges) and not _everybody(ranges)
    reached = (
        "a node at the NodePort of Longhorn's LoadBalancer, for which frontend.sourceRanges do "
        "not hold,"
        if has_ranges
        else f"Longhorn's {frontend.type}"
    )
    balancer = (
        "Close that port to others by a firewall in front of the nodes, and accept frontendGuard; "
        "or use an Ingress with the secret frontendBasicAuth."
        if has_ranges
        else "Set frontend.sourceRanges to the networks that may reach its address, and close its "
        "NodePort to others by a firewall in front of the nodes; or use an Ingress with the secret "
        "frontendBasicAuth."
    )
    remedies = {
        "NodePort": "Use ClusterIP (Rancher and kubectl port-forward reach it), or an Ingress with "
        "the secret frontendBasicAuth.",
        "LoadBalancer": balancer,
        "Ingress": "Set the secret frontendBasicAuth.",
    }
    yield of_cluster(
        "frontendGuard",
        "warning",
        f"whoever reaches {reached} can delete every volume, since the interface has no login",
        remedies[frontend.type],
    )
