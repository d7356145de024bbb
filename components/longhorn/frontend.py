"""How Longhorn's user interface is reached from outside the cluster."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.common.answers import listed
from components.longhorn.objects import NAMESPACE
from configuration.addresses import ip_address
from configuration.longhorn import FrontendSettings

_CHART_SERVICE = "longhorn-frontend"
_NAME = "longhorn-ui"
_BASIC_AUTH_SECRET = "longhorn-ui-basic-auth"  # noqa: S105  the name of the object
# Longhorn's UI uploads backing images through the Ingress (Longhorn docs, Create an Ingress with
# Basic Authentication).
_NGINX = {
    "nginx.ingress.kubernetes.io/ssl-redirect": "true",
    "nginx.ingress.kubernetes.io/proxy-body-size": "10000m",
}
_NGINX_PASSWORD = {
    "nginx.ingress.kubernetes.io/auth-type": "basic",
    "nginx.ingress.kubernetes.io/auth-secret": _BASIC_AUTH_SECRET,
}
# Traefik's own port for HTTPS alone: then nothing is served without TLS.
_TRAEFIK = {
    "traefik.ingress.kubernetes.io/router.entrypoints": "websecure",
    "traefik.ingress.kubernetes.io/router.tls": "true",
}
_TRAEFIK_MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"


class LonghornFrontend(pulumi.ComponentResource):
    """Owns a Service or Ingress in front of Longhorn's UI, and its URL.

    Refuses to own the chart's Service `longhorn-frontend`: that stays ClusterIP, since Rancher
    and `kubectl port-forward` use it; a Service of its own shows in Pulumi's diff when
    somebody changes it, which a Helm release's objects do not.
    """

    url: pulumi.Output[str]
    """Where the interface is reached; for ClusterIP, the address inside the cluster."""

    def __init__(
        self,
        name: str,
        *,
        frontend: FrontendSettings,
        node_address: str | None,
        basic_auth: pulumi.Output[str] | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its parts' names.
            frontend: Type and its details.
            node_address: Address of a node, for the URL of a NodePort.
            basic_auth: htpasswd lines (secret) that guard the Ingress, if any.
        """
        super().__init__("longhornrancher:longhorn:Frontend", name, None, opts)
        self._name, self._frontend, self._basic_auth = name, frontend, basic_auth
        if frontend.type == "Ingress":
            self.url = self._ingress()
        elif frontend.type in ("NodePort", "LoadBalancer"):
            self.url = self._service(node_address)
        else:
            self.url = pulumi.Output.from_input(f"http://{_CHART_SERVICE}.{NAMESPACE}")
        self.register_outputs({"url": self.url})

    def _metadata(self, annotations: dict[str, str]) -> kubernetes.meta.v1.ObjectMetaArgs:
        return kubernetes.meta.v1.ObjectMetaArgs(
            name=_NAME, namespace=NAMESPACE, annotations=annotations or None
        )

    def _service(self, node_address: str | None) -> pulumi.Output[str]:
        frontend = self._frontend
        service = kubernetes.core.v1.Service(
            f"{self._name}-service",
            metadata=self._metadata(frontend.annotations),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type=frontend.type,
                selector={"app": "longhorn-ui"},
                load_balancer_source_ranges=list(frontend.source_ranges) or None,
                ports=[
                    kubernetes.core.v1.ServicePortArgs(
                        name="http",
                        port=80,
                        target_port="http",
                        node_port=frontend.node_port,
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        if frontend.type == "NodePort":
            address = in_url(node_address or "NODE")
            return service.spec.apply(lambda spec: f"http://{address}:{_node_port(spec)}")
        return service.status.apply(lambda status: f"http://{_balancer_address(status)}")

    def _ingress(self) -> pulumi.Output[str]:
        frontend = self._frontend
        guards, asking = self._guard()
        annotations = {**(_TRAEFIK if frontend.controller == "traefik" else _NGINX), **asking}
        if frontend.cluster_issuer is not None:
            annotations["cert-manager.io/cluster-issuer"] = frontend.cluster_issuer
        annotations = with_annotations(annotations, frontend.annotations)
        kubernetes.networking.v1.Ingress(
            f"{self._name}-ingress",
            metadata=self._metadata(annotations),
            spec=kubernetes.networking.v1.IngressSpecArgs(
                ingress_class_name=frontend.ingress_class,
                tls=[
                    kubernetes.networking.v1.IngressTLSArgs(
                        hosts=[str(frontend.host)], secret_name=frontend.tls_secret
                    )
                ],
                rules=[
                    kubernetes.networking.v1.IngressRuleArgs(
                        host=frontend.host,
                        http=kubernetes.networking.v1.HTTPIngressRuleValueArgs(
                            paths=[
                                kubernetes.networking.v1.HTTPIngressPathArgs(
                                    path="/",
                                    path_type="Prefix",
                                    backend=kubernetes.networking.v1.IngressBackendArgs(
                                        service=kubernetes.networking.v1.IngressServiceBackendArgs(
                                            name=_CHART_SERVICE,
                                            port=kubernetes.networking.v1.ServiceBackendPortArgs(
                                                number=80
                                            ),
                                        )
                                    ),
                                )
                            ]
                        ),
                    )
                ],
            ),
            # Nothing is open before its guard is there.
            opts=pulumi.ResourceOptions(parent=self, depends_on=guards),
        )
        return pulumi.Output.from_input(f"https://{frontend.host}")

    def _guard(self) -> tuple[list[pulumi.Resource], dict[str, str]]:
        """What asks for the password, and the annotations that make the Ingress use it."""
        if self._basic_auth is None:
            return [], {}
        is_traefik = self._frontend.controller == "traefik"
        metadata = kubernetes.meta.v1.ObjectMetaArgs(name=_BASIC_AUTH_SECRET, namespace=NAMESPACE)
        secret = kubernetes.core.v1.Secret(
            f"{self._name}-basic-auth",
            metadata=metadata,
            # nginx reads the key `auth`, Traefik the key `users`.
            string_data={"users" if is_traefik else "auth": self._basic_auth},
            opts=pulumi.ResourceOptions(parent=self),
        )
        if not is_traefik:
            return [secret], _NGINX_PASSWORD
        middleware = kubernetes.apiextensions.CustomResource(
            f"{self._name}-middleware",
            api_version="traefik.io/v1alpha1",
            kind="Middleware",
            metadata=metadata,
            spec={"basicAuth": {"secret": _BASIC_AUTH_SECRET}},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[secret]),
        )
        name = f"{NAMESPACE}-{_BASIC_AUTH_SECRET}@kubernetescrd"
        return [secret, middleware], {_TRAEFIK_MIDDLEWARES: name}


def with_annotations(own: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The program's annotations with the stack's over them; Traefik's middlewares are joined."""
    joined = {**own, **given}
    if _TRAEFIK_MIDDLEWARES in own and _TRAEFIK_MIDDLEWARES in given:
        both = f"{own[_TRAEFIK_MIDDLEWARES]},{given[_TRAEFIK_MIDDLEWARES]}"
        joined[_TRAEFIK_MIDDLEWARES] = both
    return joined


def in_url(host: str) -> str:
    """A host as a URL has it: an IPv6 address in brackets, without the name of an interface."""
    address = ip_address(host)
    is_sixth = address is not None and address.version == 6
    return f"[{str(address).partition('%')[0]}]" if is_sixth else host


def _node_port(spec: Any) -> int | str:
    ports = listed(spec.ports)
    return ports[0].node_port if ports and ports[0].node_port else "PORT"


def _balancer_address(status: Any) -> str:
    balancer = status.load_balancer if status else None
    for entry in listed(balancer.ingress if balancer else None):
        return in_url(str(entry.hostname or entry.ip))
    return "ADDRESS-PENDING"
