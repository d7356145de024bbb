"""Resources on a Docker engine, for the docker plugin's contract: the program and its steps."""

import json
from typing import Any

import pulumi
import pulumi_docker as docker

from lab.docker import engine as docker_engine
from lab.docker.engine import DockerHandle
from lab.rancher.stand_in import image
from tests.engine.engine import Engine, Outcome, Stack

CONTAINER = "docker:index/container:Container"
IMAGE = "docker:index/remoteImage:RemoteImage"
VOLUME = "docker:index/volume:Volume"
SLEEPER, OTHER_SLEEPER = "lab/sleeper:1", "lab/sleeper:2"
SECRET = "an-unmistakable-secret"  # noqa: S105

_KINDS = {"container": docker.Container, "image": docker.RemoteImage, "volume": docker.Volume}


def program(host: str, ssh_opts: list[str] | None, resources: dict[str, dict[str, Any]]) -> None:
    """The resources in order, on one Docker engine.

    An entry has the resource's inputs, and besides: `kind`; `secret`, the names of inputs to mark
    secret; `image_from`, an earlier image whose id becomes the image; `options`.
    """
    provider = docker.Provider("docker", host=host, ssh_opts=ssh_opts)
    made: dict[str, Any] = {}
    for name, entry in resources.items():
        inputs = dict(entry)
        kind = inputs.pop("kind")
        for key in inputs.pop("secret", []):
            inputs[key] = pulumi.Output.secret(inputs[key])
        if "image_from" in inputs:
            inputs["image"] = made[inputs.pop("image_from")].image_id
        options = pulumi.ResourceOptions(provider=provider, **inputs.pop("options", {}))
        made[name] = _KINDS[kind](name, opts=options, **inputs)
        pulumi.export(f"{name}-id", made[name].id)


def make_images(handle: DockerHandle) -> None:
    """Two images that do nothing; no registry need be reachable."""
    image.build(handle, "v2.8.5")
    made = docker_engine.command(handle, "create", f"{image.NAME}:v2.8.5")
    for name in (SLEEPER, OTHER_SLEEPER):
        changes = ('ENTRYPOINT ["sleep"]', 'CMD ["1d"]', f"ENV SLEEPER={name}")
        words = [word for change in changes for word in ("--change", change)]
        docker_engine.command(handle, "commit", *words, made, name)
    docker_engine.command(handle, "rm", "--volumes", made)


class Scenario:
    """A stack of resources on one Docker engine; each step states the inputs that change."""

    def __init__(
        self,
        engine: Engine,
        docker: DockerHandle,
        resources: dict[str, dict[str, Any]],
        *,
        host: str | None = None,
        ssh_opts: list[str] | None = None,
    ) -> None:
        self.docker = docker
        self.resources = resources
        arguments = {"host": host or docker.host, "ssh_opts": ssh_opts, "resources": resources}
        self.stack: Stack = engine.stack("test", program=program, arguments=arguments)

    def up(self, name: str = "", /, **changed: Any) -> Outcome:
        return self.run("up", name, **changed)

    def preview(self, name: str = "", /, **changed: Any) -> Outcome:
        return self.run("preview", name, **changed)

    def run(self, operation: str, name: str = "", /, *flags: str, **changed: Any) -> Outcome:
        """Change inputs of one resource for good (None removes one) and run an operation."""
        if name:
            merged = {**self.resources[name], **changed}
            self.resources[name] = {key: each for key, each in merged.items() if each is not None}
        return self.stack.start(operation, *flags).wait()

    def command(self, *words: str) -> str:
        """What Docker's own command line answers."""
        return docker_engine.command(self.docker, *words)

    def inspect(self, name: str) -> dict[str, Any]:
        """The Docker engine's own description of a container."""
        return json.loads(self.command("container", "inspect", name))[0]

    def state(self, kind: str) -> dict[str, Any]:
        """The only resource of a kind in the state, secrets encrypted."""
        (resource,) = self.stack.resources(kind)
        return resource


def sleeper(**inputs: Any) -> dict[str, Any]:
    """A container that sleeps."""
    return {"kind": "container", "name": "sleeper", "image": SLEEPER, **inputs}


def like_rancher(address: str) -> dict[str, dict[str, Any]]:
    """Everything that the program declares, with every input that it uses."""
    return {
        "image": {"kind": "image", "name": SLEEPER, "keep_locally": True},
        "data": {"kind": "volume", "name": "contract-data"},
        "it": sleeper(
            image_from="image",
            privileged=True,
            restart="unless-stopped",
            network_mode="bridge",
            envs=["PASSWORD=first", "CATTLE_FEATURES=none"],
            ports=[
                {"internal": 80, "external": 18080, "ip": address},
                {"internal": 443, "external": 18443, "ip": address},
            ],
            volumes=[
                {"volume_name": "contract-data", "container_path": "/var/lib/rancher"},
                {"host_path": "/tmp", "container_path": "/extra", "read_only": True},  # noqa: S108
            ],
            labels=[{"label": "owner", "value": "test"}],
            uploads=[{"file": "/etc/contract/key.pem", "content": "text", "permissions": "0600"}],
            command=["2d"],
            healthcheck={
                "tests": ["CMD-SHELL", "true"],
                "interval": "1s",
                "timeout": "20s",
                "start_period": "1m0s",
                "retries": 3,
            },
            wait=True,
            wait_timeout=60,
            destroy_grace_seconds=1,
            options={"delete_before_replace": True},
        ),
    }
