"""What this machine can run of the lab, started, and the stack that fits it."""

import os

from configuration.rancher import RancherSettings
from lab.cluster import kubernetes
from lab.common.paths import STATE
from lab.docker import engine as docker_engine
from lab.docker.packages import docker_programs
from lab.hosts import hosts
from lab.hosts.base_image import base_image
from lab.longhorn import chart
from lab.programs import plugins, toolchain
from lab.rancher.stand_in import agent, image
from lab.stack import LabParts, stack_config, write_project

FOLDER = STATE / "stack"
"""Where the project is with which Pulumi's engine runs the stack."""


ENGINES = f"{STATE}/engines"
"""The mark of the processes of Pulumi's engine that work on this lab."""


def build() -> None:
    """Make or fetch everything that the lab lacks on this machine, and start nothing."""
    for program in toolchain.unbuilt():
        if program is not toolchain.KUBERNETES_PLUGIN:
            toolchain.binary(program.name)
    available_plugins()
    if os.geteuid() == 0:
        base_image()
        docker_programs()


def up() -> LabParts:
    """Start what this machine can run of the lab, and write the stack that fits it."""
    return start(available_plugins())


def available_plugins() -> plugins.Plugins:
    """Pulumi's plugins that the lab's CLI would find here."""
    return plugins.available(toolchain.binary("pulumi"))


def start(found: plugins.Plugins) -> LabParts:
    """Start what these plugins can use of the lab, and write the stack that fits it."""
    started = hosts.up()
    cluster = kubernetes.up([host.name for host in started]) if found.has_kubernetes else None
    engine = docker_engine.up() if found.has_docker else None
    if engine is not None:
        image.build(engine, RancherSettings.model_fields["tag"].default)
    if cluster is not None and engine is not None:
        agent.up(cluster.kubeconfig)
    parts = LabParts(
        hosts=started,
        kubeconfig=cluster.kubeconfig if cluster else None,
        docker_host=engine.host if engine else None,
        chart=chart.local_chart(),
    )
    write_project(FOLDER, stack_config(parts))
    return parts
