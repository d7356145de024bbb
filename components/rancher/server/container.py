"""Rancher's container as its dynamic resources reach it, whatever its certificate names."""

from typing import Any

from components.docker.exec import run_in_container
from configuration.rancher import RancherSettings

SETTINGS = "settings.management.cattle.io"


def container_inputs(rancher: RancherSettings) -> dict[str, Any]:
    """The inputs of a dynamic resource by which `run_in_rancher` finds the container."""
    return {
        "docker_host": rancher.docker_host,
        "docker_host_key": rancher.docker_host_key,
        "container_name": rancher.container_name,
        "timeout_seconds": rancher.start_timeout_seconds,
    }


def run_in_rancher(props: dict[str, Any], *command: str) -> str:
    """Standard output of a command in Rancher's container. Raises RuntimeError."""
    return run_in_container(
        props["docker_host"], props.get("docker_host_key"), props["container_name"], command
    )


def rancher_setting(props: dict[str, Any], name: str) -> str:
    """The value of one of Rancher's settings, as it stands there. Raises RuntimeError."""
    return run_in_rancher(props, "kubectl", "get", SETTINGS, name, "-o", "jsonpath={.value}")
