"""How Longhorn's user interface is reached from outside the cluster."""

import json
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.kept import KeptObjects
from components.common.answers import listed
from components.longhorn.frontend_objects import (
    CHART_SERVICE,
    MIDDLEWARE,
    frontend_documents,
    guard_metadata,
    ingress_metadata,
    ingress_spec,
    middleware_spec,
    password_entry,
    service_metadata,
    service_spec,
)
from components.longhorn.objects import NAMESPACE
from configuration.addresses import ip_address
from configuration.cluster import ClusterSettings
from configuration.longhorn import FrontendSettings


class LonghornFrontend(pulumi.ComponentResource):
    """Owns a Service or Ingress in front of Longhorn's UI, its guard, and its URL.

    Refuses to own the chart's Service `longhorn-frontend`: that stays ClusterIP, since Rancher
    and `kubectl port-forward` use it.
    """

    url: pulumi.Output[str]
    """Where the interface is reached; for ClusterIP, the address inside the cluster."""

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        frontend: FrontendSettings,
        node_address: str | None,
        basic_auth: pulumi.Output[str] | None,
        found: str | None = None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its parts' names.
            cluster: How the cluster is reached.
            frontend: Type and its details.
            node_address: Address of a node, for the URL of a NodePort.
            basic_auth: htpasswd lines (secret) that guard the Ingress, if any.
            found: Which of its objects are gone or changed right now.
        """
        super().__init__("longhornrancher:longhorn:Frontend", name, None, opts)
        self._name, self._frontend, self._basic_auth = name, frontend, basic_auth
        owned: list[pulumi.Resource] = []
        node_port: pulumi.Input[int | None] = None
        if frontend.type == "Ingress":
            owned = self._ingress()
            self.url = pulumi.Output.from_input(f"https://{frontend.host}")
        elif frontend.type in ("NodePort", "LoadBalancer"):
            service = self._service()
            owned = [service]
            if frontend.type == "NodePort":
                node_port = service.spec.apply(_node_port)
            self.url = self._service_url(service, node_address)
        else:
            self.url = pulumi.Output.from_input(f"http://{CHART_SERVICE}.{NAMESPACE}")
        if owned:
            KeptObjects(
                f"{name}-kept",
                cluster=cluster,
                objects=self._documents(node_port),
                finding=found,
                opts=pulumi.ResourceOptions(parent=self, depends_on=owned),
            )
        self.register_outputs({"url": self.url})

    def _documents(self, node_port: pulumi.Input[int | None]) -> pulumi.Input[str]:
        frontend, password = self._frontend, self._basic_auth
        secret = None if password is None else pulumi.Output.secret(password)
        return pulumi.Output.all(secret, node_port).apply(
            lambda given: json.dumps(frontend_documents(frontend, *given))
        )

    def _service(self) -> kubernetes.core.v1.Service:
        return kubernetes.core.v1.Service(
            f"{self._name}-service",
            metadata=cast(Any, service_metadata(self._frontend)),
            spec=cast(Any, service_spec(self._frontend)),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _service_url(
        self, service: kubernetes.core.v1.Service, node_address: str | None
    ) -> pulumi.Output[str]:
        if self._frontend.type == "NodePort":
            address = in_url(node_address or "NODE")
            return service.spec.apply(lambda spec: f"http://{address}:{_node_port(spec) or 'PORT'}")
        return service.status.apply(lambda status: f"http://{_balancer_address(status)}")

    def _ingress(self) -> list[pulumi.Resource]:
        guards = self._guards()
        metadata = ingress_metadata(self._frontend, has_password=self._basic_auth is not None)
        ingress = kubernetes.networking.v1.Ingress(
            f"{self._name}-ingress",
            metadata=cast(Any, metadata),
            spec=cast(Any, ingress_spec(self._frontend)),
            # Nothing is open before its guard is there.
            opts=pulumi.ResourceOptions(parent=self, depends_on=guards),
        )
        return [*guards, ingress]

    def _guards(self) -> list[pulumi.Resource]:
        """What asks for the password."""
        if self._basic_auth is None:
            return []
        metadata = cast(Any, guard_metadata())
        secret = kubernetes.core.v1.Secret(
            f"{self._name}-basic-auth",
            metadata=metadata,
            string_data={password_entry(self._frontend): self._basic_auth},
            opts=pulumi.ResourceOptions(parent=self),
        )
        if self._frontend.controller != "traefik":
            return [secret]
        api_version, kind = MIDDLEWARE
        middleware = kubernetes.apiextensions.CustomResource(
            f"{self._name}-middleware",
            api_version=api_version,
            kind=kind,
            metadata=metadata,
            spec=middleware_spec(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[secret]),
        )
        return [secret, middleware]


def in_url(host: str) -> str:
    """A host as a URL has it: an IPv6 address in brackets, without the name of an interface."""
    address = ip_address(host)
    is_sixth = address is not None and address.version == 6
    return f"[{str(address).partition('%')[0]}]" if is_sixth else host


def _node_port(spec: Any) -> int | None:
    ports = listed(spec.ports)
    return ports[0].node_port if ports and ports[0].node_port else None


def _balancer_address(status: Any) -> str:
    balancer = status.load_balancer if status else None
    for entry in listed(balancer.ingress if balancer else None):
        return in_url(str(entry.hostname or entry.ip))
    return "ADDRESS-PENDING"
