"""The objects in front of Longhorn's user interface, as Kubernetes has them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.cluster.kept_rules import FOREIGN, secret_document
from components.longhorn.objects import NAMESPACE
from configuration.frontend_rules import UNDOES
from configuration.longhorn import FrontendSettings

Document = dict[str, Any]

CHART_SERVICE = "longhorn-frontend"
MIDDLEWARE = ("traefik.io/v1alpha1", "Middleware")
_NAME = "longhorn-ui"
_GUARD = "longhorn-ui-basic-auth"
# Longhorn's UI uploads backing images through the Ingress (Longhorn docs, Create an Ingress with
# Basic Authentication).
_NGINX = {
    "nginx.ingress.kubernetes.io/ssl-redirect": "true",
    "nginx.ingress.kubernetes.io/proxy-body-size": "10000m",
}
_NGINX_PASSWORD = {
    "nginx.ingress.kubernetes.io/auth-type": "basic",
    "nginx.ingress.kubernetes.io/auth-secret": _GUARD,
}
# Traefik's own port for HTTPS alone: then nothing is served without TLS.
_TRAEFIK = {
    "traefik.ingress.kubernetes.io/router.entrypoints": "websecure",
    "traefik.ingress.kubernetes.io/router.tls": "true",
}
_TRAEFIK_MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"
_TRAEFIK_PASSWORD = {_TRAEFIK_MIDDLEWARES: f"{NAMESPACE}-{_GUARD}@kubernetescrd"}


def frontend_documents(
    frontend: FrontendSettings, basic_auth: str | None, node_port: int | None = None
) -> Sequence[Document]:
    """All of them; none for an interface that stays inside the cluster.

    Args:
        frontend: Type and its details.
        basic_auth: htpasswd lines that guard the Ingress, if any.
        node_port: What Kubernetes has chosen for a NodePort where the stack file names none, so
            that one that is made again has it, too.
    """
    if frontend.type == "ClusterIP":
        return []
    if frontend.type != "Ingress":
        metadata, spec = service_metadata(frontend), service_spec(frontend)
        if node_port is not None:
            spec["ports"][0]["nodePort"] = node_port
        return [{"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}]
    has_password = basic_auth is not None
    ingress: Document = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": ingress_metadata(frontend, has_password=has_password),
        "spec": ingress_spec(frontend),
    }
    if has_password and frontend.controller != "traefik":
        ingress[FOREIGN] = UNDOES
    return [*_guards(frontend, basic_auth), ingress]


def _guards(frontend: FrontendSettings, basic_auth: str | None) -> Sequence[Document]:
    if basic_auth is None:
        return []
    secret = secret_document(guard_metadata(), {password_entry(frontend): basic_auth})
    if frontend.controller != "traefik":
        return [secret]
    version, kind = MIDDLEWARE
    spec = middleware_spec()
    return [
        secret,
        {"apiVersion": version, "kind": kind, "metadata": guard_metadata(), "spec": spec},
    ]


def service_metadata(frontend: FrontendSettings) -> Document:
    """Of a Service for a NodePort or LoadBalancer."""
    return _metadata(_NAME, frontend.annotations)


def service_spec(frontend: FrontendSettings) -> Document:
    """Of a Service for a NodePort or LoadBalancer."""
    port: Document = {"name": "http", "port": 80, "targetPort": "http"}
    if frontend.node_port is not None:
        port["nodePort"] = frontend.node_port
    spec = {"type": frontend.type, "selector": {"app": "longhorn-ui"}, "ports": [port]}
    ranges = list(frontend.source_ranges)
    return {**spec, "loadBalancerSourceRanges": ranges} if ranges else spec


def ingress_metadata(frontend: FrontendSettings, *, has_password: bool) -> Document:
    """With the annotations that its controller goes by."""
    is_traefik = frontend.controller == "traefik"
    annotations = dict(_TRAEFIK if is_traefik else _NGINX)
    if has_password:
        annotations |= _TRAEFIK_PASSWORD if is_traefik else _NGINX_PASSWORD
    if frontend.cluster_issuer is not None:
        annotations["cert-manager.io/cluster-issuer"] = frontend.cluster_issuer
    return _metadata(_NAME, with_annotations(annotations, frontend.annotations))


def ingress_spec(frontend: FrontendSettings) -> Document:
    """To the chart's own Service, with TLS."""
    backend = {"service": {"name": CHART_SERVICE, "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    spec: Document = {
        "tls": [{"hosts": [str(frontend.host)], "secretName": frontend.tls_secret}],
        "rules": [{"host": frontend.host, "http": {"paths": [path]}}],
    }
    named = frontend.ingress_class
    return spec if named is None else {**spec, "ingressClassName": named}


def guard_metadata() -> Document:
    """Of the Secret with the password, and of Traefik's Middleware."""
    return _metadata(_GUARD, {})


def password_entry(frontend: FrontendSettings) -> str:
    """Where in the Secret the controller looks: nginx reads the key `auth`, Traefik `users`."""
    return "users" if frontend.controller == "traefik" else "auth"


def middleware_spec() -> Document:
    """Of Traefik's Middleware."""
    return {"basicAuth": {"secret": _GUARD}}


def with_annotations(own: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The program's annotations with the stack's over them; Traefik's middlewares are joined."""
    joined = {**own, **given}
    if _TRAEFIK_MIDDLEWARES in own and _TRAEFIK_MIDDLEWARES in given:
        both = f"{own[_TRAEFIK_MIDDLEWARES]},{given[_TRAEFIK_MIDDLEWARES]}"
        joined[_TRAEFIK_MIDDLEWARES] = both
    return joined


def _metadata(name: str, annotations: Mapping[str, str]) -> Document:
    metadata: Document = {"name": name, "namespace": NAMESPACE}
    return {**metadata, "annotations": dict(annotations)} if annotations else metadata
