"""Rancher and the cluster's import, declared from a stack's settings."""

from collections.abc import Sequence
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from components.preflight.findings import Findings
from components.rancher.agent.agent import RancherAgent
from components.rancher.agent.given_manifest import RancherManifest
from components.rancher.registration.active import RancherClusterActive
from components.rancher.registration.by_token import RancherTokenRegistration
from components.rancher.registration.cleanup import RancherCleanup
from components.rancher.registration.registration import RancherRegistration
from components.rancher.server.address import RancherAddress
from components.rancher.server.ca import RancherCa
from components.rancher.server.host_rules import node_warning
from components.rancher.server.password import GeneratedPassword
from components.rancher.server.server import RancherCertificate, RancherServer
from components.stack.parts import RancherParts
from configuration.rancher import RancherSettings
from configuration.secrets import Secret
from configuration.settings import Settings


def declare_rancher(
    settings: Settings,
    docker: pulumi.ProviderResource | None,
    cluster: pulumi.ProviderResource | None,
    before_import: Sequence[pulumi.Resource],
    findings: Findings,
    parent: pulumi.Resource | None = None,
    ca_pem: pulumi.Input[str] | None = None,
) -> RancherParts:
    """Server, registration and agent.

    Args:
        docker: Provider of the Docker engine; None where the stack runs no server.
        cluster: Provider of the cluster; None where no stage uses it.
        before_import: What must be done before the cluster is imported.
        findings: What is wrong right now with Rancher's containers, and with the agent.
        parent: What the import is a part of; the stack itself if None.
        ca_pem: The CA of a Rancher that is there already, where no file of the settings has it.
    """
    server, found = None, findings.agent
    if docker is not None and settings.rancher is not None:
        _warn_of_a_shared_host(settings, settings.rancher)
        server = RancherServer(
            "rancher",
            rancher=settings.rancher,
            bootstrap_password=settings.secret(Secret.RANCHER_BOOTSTRAP_PASSWORD),
            certificate=_certificate(settings, settings.rancher),
            finding=findings.rancher,
            opts=pulumi.ResourceOptions(providers=[docker]),
        )
    # Whether or not the cluster is imported right now: Rancher keeps the password that an import
    # gave it, and without it there is no way back in.
    password = _admin_password(settings) if server else None
    if not settings.stages.rancher_import or cluster is None:
        return RancherParts(server=server, admin_password=_secret(password))
    # The uid of kube-system names the cluster for good: a Rancher that knows another cluster by
    # the same name must not get this one under it, and nothing is removed from another one.
    system = kubernetes.core.v1.Namespace.get(
        "kube-system",
        "kube-system",
        opts=pulumi.ResourceOptions(parent=parent, provider=cluster),
    )
    cleanup = RancherCleanup(
        "rancher-cleanup",
        cluster=settings.cluster,
        owner=system.metadata.uid,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    after = pulumi.ResourceOptions(
        parent=parent, providers=[cluster], depends_on=[*before_import, cleanup]
    )

    if settings.rancher_import.url is not None:
        return _registered_elsewhere(settings, system.metadata.uid, after, found, ca_pem)
    own = None if settings.has_given_manifest else settings.rancher
    if own is None or password is None or server is None:
        agent = _agent(settings, _given_manifest(settings), after, found)
        return RancherParts(server=server, agent=agent, admin_password=_secret(password))
    return _registered(settings, own, server, password, system.metadata.uid, after, found)


def _secret(value: pulumi.Output[str] | None) -> pulumi.Output[str] | None:
    return None if value is None else pulumi.Output.secret(value)


def _admin_password(settings: Settings) -> pulumi.Output[str]:
    given = settings.secret(Secret.RANCHER_ADMIN_PASSWORD)
    return given if given is not None else GeneratedPassword("rancher-admin-password").value


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
    password: pulumi.Output[str],
    owner: pulumi.Output[str],
    after: pulumi.ResourceOptions,
    found: str | None,
) -> RancherParts:
    ca_pem = _ca(rancher, server)
    address = RancherAddress(
        "rancher-address", rancher=rancher, container_id=server.container_id, url=server.url
    )
    registration = RancherRegistration(
        "rancher-registration",
        rancher=rancher,
        given=settings.rancher_import,
        cluster_name=settings.cluster.name,
        url=address.url,
        ca_pem=ca_pem,
        bootstrap_password=server.bootstrap_password,
        admin_password=password,
        owner=owner,
        server_id=server.container_id,
    )
    agent = _agent(settings, registration.manifest, after, found)
    active = RancherClusterActive(
        "rancher-cluster-active",
        url=address.url,
        ca_pem=ca_pem,
        cluster_id=registration.cluster_id,
        api_token=registration.api_token,
        admin_password=password,
        revision=pulumi.Output.concat(agent.revision, " ", server.container_id),
        agent_image=agent.image,
        timeout_seconds=settings.rancher_import.timeout_seconds,
        opts=_after_agent(agent, after),
    )
    return RancherParts(
        server=server,
        registration=registration,
        agent=agent,
        admin_password=_secret(password),
        active=active,
    )


def _registered_elsewhere(
    settings: Settings,
    owner: pulumi.Output[str],
    after: pulumi.ResourceOptions,
    found: str | None,
    ca_pem: pulumi.Input[str] | None,
) -> RancherParts:
    """The same in a Rancher that is there already, of which nothing else is touched."""
    given, token = settings.rancher_import, settings.secret(Secret.RANCHER_TOKEN)
    if given.url is None or token is None:
        raise ValueError("the settings let an import without address or token pass")
    if ca_pem is None:
        ca_pem = "" if given.ca_file is None else _text(given.ca_file)
    registration = RancherTokenRegistration(
        "rancher-registration",
        given=given,
        cluster_name=settings.cluster.name,
        ca_pem=ca_pem,
        api_token=token,
        owner=owner,
        opts=pulumi.ResourceOptions(parent=after.parent),
    )
    agent = _agent(settings, registration.manifest, after, found)
    active = RancherClusterActive(
        "rancher-cluster-active",
        url=given.url,
        ca_pem=ca_pem,
        cluster_id=registration.cluster_id,
        api_token=token,
        admin_password="",
        revision=agent.revision,
        agent_image=agent.image,
        timeout_seconds=given.timeout_seconds,
        opts=_after_agent(agent, after),
    )
    return RancherParts(registration=registration, agent=agent, active=active)


def _after_agent(agent: RancherAgent, after: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Deleted before the agent's objects: Rancher cleans up through the agent."""
    return pulumi.ResourceOptions(parent=after.parent, depends_on=[agent])


def _ca(rancher: RancherSettings, server: RancherServer) -> pulumi.Input[str]:
    """The CA that every call to Rancher trusts, and no other; empty for this machine's own CAs."""
    if rancher.is_trusted_everywhere:
        return ""
    return RancherCa(
        "rancher-ca",
        rancher=rancher,
        container_id=server.container_id,
        expected=None if rancher.ca_file is None else _text(rancher.ca_file),
    ).pem


def _certificate(settings: Settings, rancher: RancherSettings) -> RancherCertificate | None:
    ca_pem = None if rancher.ca_file is None else _text(rancher.ca_file)
    if rancher.tls_termination == "external":
        return RancherCertificate(ca_pem=ca_pem)
    key = settings.secret(Secret.RANCHER_CERTIFICATE_KEY)
    if rancher.certificate_file is None or key is None:
        return None
    return RancherCertificate(ca_pem=ca_pem, chain_pem=_text(rancher.certificate_file), key_pem=key)


def _text(path: str) -> str:
    return Path(path).expanduser().read_text()


def _agent(
    settings: Settings,
    manifest: pulumi.Input[str],
    after: pulumi.ResourceOptions,
    found: str | None,
) -> RancherAgent:
    return RancherAgent(
        "rancher-agent",
        manifest=manifest,
        cluster=settings.cluster,
        given=settings.rancher_import,
        found=found,
        opts=after,
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
    return RancherManifest("rancher-manifest", url=url, ca_pem=ca_pem).text
