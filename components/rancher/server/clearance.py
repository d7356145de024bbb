"""Room for Rancher's container where another one stands in its place."""

import asyncio
from collections.abc import Callable
from functools import partial

import pulumi

from components.common.owner import this_stack
from components.docker.facts import read_docker
from components.docker.leftovers import OwnContainer, remove_left_container
from components.rancher.server.preflight import running_version
from components.rancher.server.upgrade_rules import upgrade_problem
from configuration.rancher import RancherSettings


def clearance(name: str, rancher: RancherSettings, data_path: str) -> pulumi.ResourceHook:
    """A hook for just before the container is made, which is when the state has none.

    It removes the one that an interrupted run, or a person, has put in its place. Refuses where
    that has used the data with a version that the stack's own can't go back from.

    Args:
        name: Name of the hook.
        rancher: Which container, data and version.
        data_path: Where the container has its data.
    """
    own = OwnContainer(
        name=rancher.container_name, stack=this_stack(), data=rancher.volume, data_path=data_path
    )

    return clearing(name, own, partial(make_room, rancher, own))


def clearing(name: str, own: OwnContainer, remove: Callable[[], bool]) -> pulumi.ResourceHook:
    """A hook that removes a container, and says so.

    Args:
        name: Name of the hook.
        own: Which container.
        remove: Removes it; whether there was one.
    """

    async def clear(_args: pulumi.ResourceHookArgs) -> None:
        if await asyncio.to_thread(remove):
            pulumi.log.info(f"container {own.name}, which the state did not have, was removed")

    return pulumi.ResourceHook(name, clear)


def make_room(rancher: RancherSettings, own: OwnContainer) -> bool:
    """Remove what stands there; whether there was something. Raises RuntimeError when it can't."""
    docker = read_docker(rancher.docker_host, rancher.docker_host_key)
    current = running_version(docker, frozenset([own.name]))
    problem = upgrade_problem(current, rancher.tag)
    if problem is not None:
        raise RuntimeError(f"container {own.name} was made by somebody else: {problem}")
    return remove_left_container(rancher.docker_host, rancher.docker_host_key, own)
