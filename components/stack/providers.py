"""Which providers and secrets a stack needs, made once."""

from dataclasses import dataclass

import pulumi

from components.hosts.host import SshSecrets, private_key_from_file
from configuration.secrets import Secret
from configuration.settings import Settings


@dataclass(frozen=True, kw_only=True)
class StackProviders:
    """The providers of one stack; None where no stage uses them."""

    kubernetes: pulumi.ProviderResource | None
    docker: pulumi.ProviderResource | None


def stack_providers(settings: Settings, parent: pulumi.Resource | None = None) -> StackProviders:
    """Declare the providers that the stack's stages use, and import no other.

    Args:
        settings: The stack's settings.
        parent: What that of the cluster is a part of; the stack itself if None.
    """
    kubernetes, docker = None, None
    if settings.uses_cluster:
        from components.cluster.provider import kubernetes_provider

        kubernetes = kubernetes_provider(settings.cluster, parent)
    if settings.stages.rancher and settings.rancher:
        from components.docker.provider import docker_provider

        docker = docker_provider(settings.rancher)
    return StackProviders(kubernetes=kubernetes, docker=docker)


def ssh_secrets(settings: Settings) -> SshSecrets:
    """The secrets that open the hosts; a key given as a secret wins over a key file."""
    key_file = settings.ssh.private_key_file
    key = settings.secret(Secret.SSH_PRIVATE_KEY)
    if key is None and key_file is not None:
        key = private_key_from_file(key_file)
    return SshSecrets(
        private_key=key,
        private_key_passphrase=settings.secret(Secret.SSH_PRIVATE_KEY_PASSPHRASE),
        password=settings.secret(Secret.SSH_PASSWORD),
        sudo_password=settings.secret(Secret.SUDO_PASSWORD),
    )
