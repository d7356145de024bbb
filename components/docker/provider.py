"""Pulumi's provider for the Docker host."""

import pulumi_docker as docker

from components.docker.host import ssh_options
from configuration.rancher import RancherSettings


def docker_provider(rancher: RancherSettings) -> docker.Provider:
    """The provider for the Docker engine that runs Rancher."""
    return docker.Provider(
        "docker-engine",
        host=rancher.docker_host,
        ssh_opts=ssh_options(rancher.docker_host, rancher.docker_host_key) or None,
    )
