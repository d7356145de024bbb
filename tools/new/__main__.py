"""`python -m tools.new STACK`: writes a stack file from the cluster. Touches nothing else.

It reads the kubeconfig, the nodes, their SSH host keys and their disks. A host key that known_hosts
does not have is shown for confirmation, and no disk is taken unless a person says so.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pulumi
from rich.console import Console

import settings
from components.cluster.api import ClusterApi
from components.hosts.address import HostAddress
from components.hosts.asking import ReadingPlan
from components.hosts.connection import HostCredentials, agent_path
from configuration.problems import SettingsError
from tools.new.choosing import choose, remarks
from tools.new.disks import Disk, HostDisks, read_disks
from tools.new.host_keys import HostKey, host_keys
from tools.new.nodes import ClusterNode, cluster_nodes
from tools.new.person import Person, StoppedError
from tools.new.stack_file import MOST_NODES, NewStack, nodes_file, stack_file
from tools.offline.stack_file import PROJECT, read_stack_config

_DEADLINE_SECONDS = 60.0


def main(words: Sequence[str] | None = None) -> int:
    """Ask, look, write; 1 when nothing was written or the file has mistakes."""
    options = _parser().parse_args(words)
    person = Person(
        Console(highlight=False, markup=False, emoji=False, soft_wrap=True), batch=options.batch
    )
    folder: Path = options.folder
    path = folder / f"Pulumi.{options.stack}.yaml"
    try:
        for taken in (path, PROJECT / _nodes_path(path)):
            if taken.exists():
                raise StoppedError(f"{taken} is there already. Choose another name, or remove it.")
        stack = _found(options, person)
    except (StoppedError, RuntimeError, EOFError) as error:
        print(f"{error or 'no answer'}; nothing was written", file=sys.stderr)
        return 1
    nodes_path = _nodes_path(path) if len(stack.nodes) > MOST_NODES else None
    if nodes_path is not None:
        (PROJECT / nodes_path).write_text(nodes_file(stack))
    path.write_text(stack_file(stack, nodes_path))
    wrote = " and ".join(str(each) for each in (path, nodes_path) if each)
    person.say(f"Wrote {wrote}. Nothing else was touched.")
    return _checked(path, options.stack, person)


def _nodes_path(stack_path: Path) -> Path:
    """Beside the stack file, and as that names it: from the project's folder on."""
    path = stack_path.with_name(f"{stack_path.stem.removeprefix('Pulumi.')}-nodes.yaml").absolute()
    return path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path


def _found(options: argparse.Namespace, person: Person) -> NewStack:
    kubeconfig = person.text("Kubeconfig of the cluster", options.kubeconfig, "~/.kube/config")
    nodes = _nodes(kubeconfig, options.context)
    person.say(f"The cluster has {len(nodes)} node{'s' if len(nodes) != 1 else ''}.")
    user = person.text("SSH user on the nodes", options.user, "root")
    key_file = person.text(
        "File of the SSH private key (empty: the SSH agent)", options.private_key_file, ""
    )
    rancher = person.text(
        "Address of a new Rancher server, https://… (empty: no Rancher)",
        options.rancher_url,
        "",
    )
    docker = None
    if rancher:
        docker = person.text(
            "Docker host for Rancher, such as ssh://root@192.0.2.30",
            options.docker_host,
            "unix:///var/run/docker.sock",
        )
    of_docker = _docker_address(docker)
    wanted = [(node.host, options.port) for node in nodes] + ([of_docker] if of_docker else [])
    keys = _confirmed(host_keys(wanted, options.known_hosts), options, person)
    trusted = {node.name: keys[node.host, options.port] for node in nodes}
    addresses = [
        HostAddress(
            name=node.name,
            host=node.host,
            port=options.port,
            user=user,
            host_key=trusted[node.name].key,
        )
        for node in nodes
        if trusted[node.name].key is not None
    ]
    hosts = _disks(addresses, key_file, person.sudo_password(user))
    for name, host in hosts.items():
        if host.problem is not None:
            person.say(f"{name}: {host.problem}")
    chosen = choose(
        hosts, lambda question: person.confirm(question, options.all_blank_disks), person.say
    )
    return NewStack(
        cluster=options.stack,
        kubeconfig=kubeconfig,
        context=options.context,
        nodes=nodes,
        host_keys={name: found.key for name, found in trusted.items() if found.key is not None},
        disks=chosen,
        remarks=_remarks(nodes, trusted, hosts, chosen),
        user=user,
        port=options.port,
        private_key_file=key_file or None,
        rancher_url=rancher or None,
        docker_host=docker,
        docker_host_key=keys[of_docker].key if of_docker else None,
    )


def _nodes(kubeconfig: str, context: str | None) -> Sequence[ClusterNode]:
    try:
        return cluster_nodes(ClusterApi(kubeconfig, context).core)
    except RuntimeError:
        raise
    except Exception as error:  # whatever a cluster answers is told in one line
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise StoppedError(f"the cluster of {kubeconfig} could not be read: {said}") from None


def _docker_address(docker: str | None) -> tuple[str, int] | None:
    if docker is None or not docker.startswith("ssh://"):
        return None
    parts = urlsplit(docker)
    return (parts.hostname or "", parts.port or 22)


def _confirmed(
    shown: Mapping[tuple[str, int], HostKey], options: argparse.Namespace, person: Person
) -> Mapping[tuple[str, int], HostKey]:
    """Every host with its key, once a person takes those that known_hosts does not have."""
    new = {where: found for where, found in shown.items() if found.key and not found.trusted}
    if not new:
        return shown
    person.say("Host keys that your known_hosts does not have:")
    for (host, port), found in new.items():
        person.say(f"  {host}{'' if port == 22 else f' port {port}'}  {found.fingerprint}")
    person.say("On a host itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    if person.confirm("Are these the hosts' own", options.accept_host_keys):
        return shown
    raise StoppedError("the host keys were not confirmed (--accept-host-keys does so)")


def _disks(
    addresses: Sequence[HostAddress], key_file: str, sudo_password: str | None
) -> Mapping[str, HostDisks]:
    key = None
    if key_file:
        try:
            key = Path(key_file).expanduser().read_text()
        except (OSError, RuntimeError, ValueError) as error:
            raise StoppedError(f"the key file {key_file} can't be read: {error}") from None
    credentials = HostCredentials(
        private_key=key, sudo_password=sudo_password, agent_path=None if key else agent_path()
    )
    plan = ReadingPlan(credentials=credentials, deadline_seconds=_DEADLINE_SECONDS)
    return read_disks(addresses, plan)


def _remarks(
    nodes: Sequence[ClusterNode],
    trusted: Mapping[str, HostKey],
    hosts: Mapping[str, HostDisks],
    chosen: Mapping[str, Sequence[Disk]],
) -> dict[str, str]:
    keyless = {
        name: f"Its host key is missing: {found.problem}"
        for name, found in trusted.items()
        if found.key is None
    }
    return {**remarks([node.name for node in nodes], hosts, chosen), **keyless}


def _checked(path: Path, stack: str, person: Person) -> int:
    """Whether the program takes the file."""
    config = read_stack_config(path)
    pulumi.runtime.set_all_config(dict(config.values), sorted(config.secret_keys))
    try:
        settings.load(path)
    except SettingsError as error:
        person.say(f"To complete it: {error}")
        return 1
    person.say(f"Next: make plan STACK={stack}, then pulumi stack init {stack} && pulumi preview")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser: Any = argparse.ArgumentParser(
        "python -m tools.new", description="Write a stack file from the cluster; touch nothing."
    )
    parser.add_argument("stack", help="name of the new stack, also the cluster's name in Rancher")
    parser.add_argument("--kubeconfig", help="file with access to the cluster")
    parser.add_argument("--context", help="context in that file; the current one if not given")
    parser.add_argument("--user", help="SSH user on the nodes")
    parser.add_argument("--port", type=int, default=22, help="SSH port of the nodes")
    parser.add_argument("--private-key-file", help="SSH private key; empty: the SSH agent")
    parser.add_argument("--rancher-url", help="address of a new Rancher server; empty: none")
    parser.add_argument("--docker-host", help="where Rancher runs: unix:// or ssh://")
    parser.add_argument(
        "--known-hosts",
        type=Path,
        default=Path("~/.ssh/known_hosts").expanduser(),
        help="host keys that you trust already",
    )
    parser.add_argument(
        "--accept-host-keys", action="store_true", help="take host keys that are not known yet"
    )
    parser.add_argument(
        "--all-blank-disks", action="store_true", help="list every blank disk; `up` formats them"
    )
    parser.add_argument("--batch", action="store_true", help="ask nothing")
    parser.add_argument(
        "--folder", type=Path, default=PROJECT / "stacks", help="where the file is written"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
