"""Rancher's containers, started again where somebody has stopped them.

Pulumi's plugin for Docker compares the stack file with the state alone, and sees what happened on
the Docker host with --refresh only.
"""

from collections.abc import Mapping
from typing import ClassVar

import pulumi

from components.common.dynamic import FINDING, DynamicProvider, DynamicResource, Properties
from components.common.owner import this_stack
from components.common.progress import tell
from components.common.waiting import wait_until
from components.docker.api import docker_api
from components.rancher.server.container import container_inputs
from components.rancher.server.reading import read_containers
from components.rancher.server.running_rules import Start, lost_finding, not_yet, starts
from configuration.rancher import RancherSettings

# A start of Docker's ends only when the container's first process runs.
_PATIENCE = 120.0


class RancherRunningProvider(DynamicProvider):
    """Starts what is stopped, and waits until Rancher answers. Makes and removes no container."""

    not_compared: ClassVar[Mapping[str, str]] = {
        "docker_host_key": "how the host is trusted is no reason to look at it again",
        "timeout_seconds": "a longer patience is no reason to wait again",
    }

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Start what is stopped, and wait for it.

        Raises RuntimeError, once the others are started, where a container is gone or another
        one, and at once where one can't be started or ends again; TimeoutError where Rancher is not
        healthy in time.
        """
        host, name = str(new["docker_host"]), str(new["container_name"])
        done: set[Start] = set()
        with docker_api(
            host,
            new.get("docker_host_key"),
            f"container {name} could not be made to run",
            "See why on the Docker host; `pulumi up --refresh` makes a container anew.",
            patience=_PATIENCE,
        ) as api:

            def missing() -> list[str]:
                makes_backups = bool(new["makes_backups"])
                owner = str(new["owner"])
                found = read_containers(api, host, name, owner, makes_backups=makes_backups)
                for start in starts(found):
                    if start in done:
                        raise RuntimeError(
                            f"Docker host {host}: container {start.name} was started, and does not "
                            f"run any more. See why there: docker logs --tail 20 {start.name}."
                        )
                    api.post(f"/containers/{start.name}/{start.verb}")
                    done.add(start)
                    tell(f"container {start.name}, which did not run, is started")
                lost = lost_finding(found, host)
                if lost is not None:
                    raise RuntimeError(lost)
                return not_yet(found)

            wait_until(
                f"Rancher's containers on Docker host {host}",
                missing,
                timeout_seconds=float(new["timeout_seconds"]),
            )
        return "rancher-running", new


class RancherRunning(DynamicResource, module="rancher", name="Running"):
    """Sees to it that Rancher and the container that backs it up run, and owns neither."""

    def __init__(
        self,
        name: str,
        *,
        rancher: RancherSettings,
        finding: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name.
            rancher: Which containers, and for how long Rancher is waited for.
            finding: Which of them do not run right now.
            opts: Behind the resources of all of them.
        """
        inputs: Properties = {
            **container_inputs(rancher),
            "makes_backups": rancher.backup is not None,
            "owner": this_stack(),
            FINDING: finding,
        }
        super().__init__(RancherRunningProvider(), name, inputs, opts)
