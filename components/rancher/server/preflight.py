"""A look at the Docker host before Rancher is started or changed there."""

from collections.abc import Mapping
from typing import ClassVar

import pulumi
from pulumi.dynamic import CheckFailure

from components.common.dynamic import DynamicProvider, DynamicResource, Properties, is_unknown
from components.common.versions import version_of
from components.docker.facts import ContainerFacts, DockerFacts, read_docker, read_host
from components.rancher.server.host_rules import GIB, Wanted, engine_host, host_problems, memory_of
from components.rancher.server.upgrade_rules import upgrade_problem
from configuration.rancher import RancherSettings

_ID = "rancher-preflight"


class RancherPreflightProvider(DynamicProvider):
    """Looks on create and when an input changes; a Rancher that runs unchanged is left alone."""

    outputs = ("found",)
    not_compared: ClassVar[Mapping[str, str]] = {
        "docker_host_key": "how the host is trusted is no reason to look at it again",
        "names_data": "where the data lie is the same, however the stack file says it",
    }

    def refusals(self, old: Properties, new: Properties) -> list[CheckFailure]:
        """A tag that the data can't go to, and a name that leaves the data behind."""
        left = left_data(old, new)
        return [*self._refused_tag(old, new), *([CheckFailure("data", left)] if left else [])]

    def _refused_tag(self, old: Properties, new: Properties) -> list[CheckFailure]:
        before, tag = old.get("tag"), new["tag"]
        is_known = not is_unknown(tag) and not is_unknown(new["docker_host"])
        if before is None or before == tag or not is_known or _has_other_data(new, old):
            return []
        try:
            docker = read_docker(new["docker_host"], new.get("docker_host_key"))
            current = running_version(docker, _own_names(new, old)) or str(before)
        except RuntimeError:
            # `up` will say that; a preview away from the host still compares the tags.
            current = str(before)
        problem = upgrade_problem(current, str(tag))
        return [] if problem is None else [CheckFailure("tag", problem)]

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Look. Raises RuntimeError with everything that keeps Rancher from running there."""
        return _ID, {**new, "found": _inspect(new, {})}

    def change(self, old: Properties, new: Properties) -> Properties:
        """Look again, for what is asked now; what runs already makes room for it."""
        return {**new, "found": _inspect(new, old)}


class RancherPreflight(DynamicResource, module="rancher", name="Preflight"):
    """Owns nothing: it lets Rancher's image, volume and container be made, or stops them."""

    found: pulumi.Output[str]
    """What the host had when it was looked at."""

    def __init__(
        self, name: str, *, rancher: RancherSettings, opts: pulumi.ResourceOptions
    ) -> None:
        inputs = {
            "docker_host": rancher.docker_host,
            "docker_host_key": rancher.docker_host_key,
            "container_name": rancher.container_name,
            "data": rancher.volume,
            "names_data": rancher.data_volume is not None,
            "tag": rancher.tag,
            "http_port": rancher.http_port,
            "https_port": rancher.https_port,
            "listen_address": rancher.listen_address,
            "minimum_memory_gib": rancher.minimum_memory_gib,
            "minimum_disk_gib": rancher.minimum_disk_gib,
        }
        super().__init__(RancherPreflightProvider(), name, inputs, opts)


def _inspect(props: Properties, olds: Properties) -> str:
    """What was found, in one line."""
    docker_host, key = str(props["docker_host"]), props.get("docker_host_key")
    ports = [("httpPort", int(props["http_port"])), ("httpsPort", int(props["https_port"]))]
    data = str(props["data"])
    docker = read_docker(docker_host, key)
    folder = data if data.startswith("/") else docker.root_folder
    host = read_host(docker_host, key, [port for _, port in ports], folder)
    own = _own_names(props, olds)
    wanted = Wanted(
        own_containers=own,
        ports=ports,
        listen_address=str(props["listen_address"]),
        minimum_memory_gib=int(props["minimum_memory_gib"]),
        minimum_disk_gib=int(props["minimum_disk_gib"]),
    )
    problems = host_problems(wanted, docker, host)
    current = running_version(docker, own) or str(olds.get("tag") or "")
    upgrade = upgrade_problem(current, str(props["tag"]))
    if upgrade is not None and not _has_other_data(props, olds):
        problems.append(upgrade)
    if problems:
        raise RuntimeError(
            f"Rancher can't run on the Docker host {docker_host}; nothing was started or changed "
            "there:\n" + "\n".join(f"  - {problem}" for problem in problems)
        )
    free = "unknown" if host.free_bytes is None else f"{host.free_bytes / GIB:.1f} GiB"
    return (
        f"Docker {docker.version}, {memory_of(docker, host) / GIB:.1f} GiB of memory, {free} free"
    )


def left_data(old: Properties, new: Properties) -> str | None:
    """Why Rancher would start without its data, though the stack file does not say so. Pure.

    None where the data stay, where another volume is named in as many words, and on another Docker
    host, which has none of the old one's volumes.
    """
    before, after = old.get("data"), new["data"]
    if before is None or before == after or new.get("names_data") or _is_elsewhere(old, new):
        return None
    cause = (
        "rancher.dataVolume is given no more"
        if old.get("container_name") == new["container_name"]
        else f"rancher.containerName was {old.get('container_name')} and is {new['container_name']}"
    )
    return (
        f"{cause}, so Rancher's data would be in the volume {after} and no longer in {before}: "
        "Rancher would start empty there, and every cluster would be cut off. To keep the data, "
        f"set rancher.dataVolume: {before}. If {after} is meant, set rancher.dataVolume: {after}."
    )


def _is_elsewhere(old: Properties, new: Properties) -> bool:
    """Whether it is another Docker host, and not the same with another user."""
    before, after = old.get("docker_host"), new["docker_host"]
    if before is None or is_unknown(after):
        return True
    return engine_host(str(before)) != engine_host(str(after))


def _own_names(props: Properties, olds: Properties) -> frozenset[str]:
    """The container, and the one that it takes the place of when it gets another name."""
    return frozenset(
        str(each["container_name"]) for each in (props, olds) if each.get("container_name")
    )


def _has_other_data(props: Properties, olds: Properties) -> bool:
    """Whether another volume is given: what the old one was used with then says nothing.

    So a backup can be restored beside the old data and run with the version that made it.
    """
    return bool(olds) and olds.get("data") != props["data"]


def running_version(docker: DockerFacts, own: frozenset[str]) -> str:
    """The version that the container of these names has; empty if that can't be told.

    The state may be ahead of it: an `up` that failed after the preflight changed nothing.
    """
    versions = [_version(each) for each in docker.containers if each.name in own]
    return next((version for version in versions if version), "")


def _version(container: ContainerFacts) -> str:
    tag = container.image.rpartition(":")[2]
    return container.rancher_version or (tag if version_of(tag) is not None else "")
