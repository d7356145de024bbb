"""Rancher and the cluster's import, declared from a stack's settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from components.rancher.agent.agent import RancherAgent, RancherAgentArgs
from components.rancher.agent.given_manifest import RancherManifest, RancherManifestArgs
from components.rancher.agent.settings import AgentSettings
from components.rancher.registration.active import RancherClusterActive, RancherClusterActiveArgs
from components.rancher.registration.cleanup import RancherCleanup, RancherCleanupArgs
from components.rancher.registration.registration import (
    RancherRegistration,
    RancherRegistrationArgs,
)
from components.rancher.server.address import RancherAddress, RancherAddressArgs
from components.rancher.server.ca import RancherCa, RancherCaArgs
from components.rancher.server.host_rules import node_warning
from components.rancher.server.password import GeneratedPassword
from components.rancher.server.server import RancherCertificate, RancherServer, RancherServerArgs
from configuration.rancher import RancherImportSettings, RancherSettings
from configuration.secrets import Secret
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class RancherParts:
    """What of Rancher the stack has; None for a stage that is off."""

    server: RancherServer | None = None
    registration: RancherRegistration | None = None
    agent: RancherAgent | None = None
    admin_password: pulumi.Output[str] | None = None
    active: RancherClusterActive | None = None


def declare_rancher(
    settings: Settings,
    engine: pulumi.ProviderResource | None,
    cluster: pulumi.ProviderResource | None,
    before_import: Sequence[pulumi.Resource],
) -> RancherParts:
    """Server, registration and agent.

    Args:
        settings: The stack's settings.
        engine: Provider of the Docker engine; None where the stack runs no server.
        cluster: Provider of the cluster; None where no stage uses it.
        before_import: What must be done before the cluster is imported.
    """
    server = None
    if engine is not None and settings.rancher is not None:
        _warn_of_a_shared_host(settings, settings.rancher)
        server = RancherServer(
            "rancher",
            RancherServerArgs(
                rancher=settings.rancher,
                bootstrap_password=settings.secret(Secret.RANCHER_BOOTSTRAP_PASSWORD),
                certificate=_certificate(settings, settings.rancher),
            ),
            pulumi.ResourceOptions(providers=[engine]),
        )
    if not settings.stages.rancher_import or cluster is None:
        return RancherParts(server=server)
    # The uid of kube-system names the cluster for good: a Rancher that knows another cluster by
    # the same name must not get this one under it, and nothing is removed from another one.
    system = kubernetes.core.v1.Namespace.get(
        "kube-system", "kube-system", opts=pulumi.ResourceOptions(provider=cluster)
    )
    cleanup = RancherCleanup(
        "rancher-cleanup",
        RancherCleanupArgs(cluster=settings.cluster, owner=system.metadata.uid),
    )
    after = pulumi.ResourceOptions(providers=[cluster], depends_on=[*before_import, cleanup])
    if settings.has_given_manifest or server is None or settings.rancher is None:
        agent = _agent(settings, _given_manifest(settings), after)
        return RancherParts(server=server, agent=agent)
    return _registered(settings, settings.rancher, server, system.metadata.uid, after)


def _warn_of_a_shared_host(settings: Settings, rancher: RancherSettings) -> None:
    nodes = [node.host for node in settings.present_nodes]
    ports = (rancher.http_port, rancher.https_port)
    warning = node_warning(rancher.docker_host, nodes, ports)
    if warning:
        pulumi.log.warn(warning)


def _registered(
    settings: Settings,
    rancher: RancherSettings,
    server: RancherServer,
    owner: pulumi.Output[str],
    after: pulumi.ResourceOptions,
) -> RancherParts:
    ca_pem = _ca(rancher, server)
    password = settings.secret(Secret.RANCHER_ADMIN_PASSWORD)
    if password is None:
        password = GeneratedPassword("rancher-admin-password").value
    address = RancherAddress(
        "rancher-address",
        RancherAddressArgs(
            docker_host=rancher.docker_host,
            docker_host_key=rancher.docker_host_key,
            container_name=rancher.container_name,
            container_id=server.container_id,
            url=server.url,
            timeout_seconds=rancher.start_timeout_seconds,
        ),
    )
    registration = RancherRegistration(
        "rancher-registration",
        RancherRegistrationArgs(
            url=address.url,
            ca_pem=ca_pem,
            bootstrap_password=server.bootstrap_password,
            admin_password=password,
            cluster_name=settings.cluster.name,
            server_url=rancher.url,
            owner=owner,
            server_id=server.container_id,
            agent_environment=settings.rancher_import.agent_environment,
            ready_timeout_seconds=rancher.start_timeout_seconds,
        ),
    )
    agent = _agent(settings, registration.manifest, after)
    active = RancherClusterActive(
        "rancher-cluster-active",
        RancherClusterActiveArgs(
            url=address.url,
            ca_pem=ca_pem,
            cluster_id=registration.cluster_id,
            api_token=registration.api_token,
            admin_password=password,
            revision=pulumi.Output.concat(agent.revision, " ", server.container_id),
            agent_image=agent.image,
            timeout_seconds=settings.rancher_import.timeout_seconds,
        ),
        # Deleted before the agent's objects: Rancher cleans up through the agent.
        pulumi.ResourceOptions(depends_on=[agent]),
    )
    return RancherParts(
        server=server,
        registration=registration,
        agent=agent,
        admin_password=pulumi.Output.secret(password),
        active=active,
    )


def _ca(rancher: RancherSettings, server: RancherServer) -> pulumi.Input[str]:
    """The CA that every call to Rancher trusts, and no other; empty for this machine's own CAs."""
    if rancher.certificate_file is not None and rancher.ca_file is None:
        return ""
    return RancherCa(
        "rancher-ca",
        RancherCaArgs(
            docker_host=rancher.docker_host,
            docker_host_key=rancher.docker_host_key,
            container_name=rancher.container_name,
            container_id=server.container_id,
            accept=rancher.accept_ca,
            expected=None if rancher.ca_file is None else _text(rancher.ca_file),
            timeout_seconds=rancher.start_timeout_seconds,
        ),
    ).pem


def _certificate(settings: Settings, rancher: RancherSettings) -> RancherCertificate | None:
    key = settings.secret(Secret.RANCHER_CERTIFICATE_KEY)
    if rancher.certificate_file is None or key is None:
        return None
    return RancherCertificate(
        chain_pem=_text(rancher.certificate_file),
        key_pem=key,
        ca_pem=None if rancher.ca_file is None else _text(rancher.ca_file),
    )


def _text(path: str) -> str:
    return Path(path).expanduser().read_text()


def _agent(
    settings: Settings, manifest: pulumi.Input[str], after: pulumi.ResourceOptions
) -> RancherAgent:
    return RancherAgent(
        "rancher-agent",
        RancherAgentArgs(
            manifest=manifest,
            timeout_seconds=settings.rancher_import.timeout_seconds,
            kubeconfig=str(Path(settings.cluster.kubeconfig).expanduser()),
            context=settings.cluster.context,
            settings=_agent_settings(settings.rancher_import),
        ),
        after,
    )


def _agent_settings(given: RancherImportSettings) -> AgentSettings:
    return AgentSettings(
        environment=given.agent_environment,
        host_aliases={alias.ip: alias.hostnames for alias in given.host_aliases},
    )


def _given_manifest(settings: Settings) -> pulumi.Output[str]:
    """The manifest that a person gave, as a file or by its address."""
    given = settings.rancher_import
    if given.manifest_file is not None:
        return pulumi.Output.secret(_text(given.manifest_file))
    url = settings.secret(Secret.RANCHER_MANIFEST_URL)
    if url is None:
        raise ValueError("the settings let an import without a manifest pass")
    ca_pem = None if given.ca_file is None else _text(given.ca_file)
    return RancherManifest(
        "rancher-manifest",
        RancherManifestArgs(url=url, ca_pem=ca_pem, ca_fingerprint=given.ca_fingerprint),
    ).text
