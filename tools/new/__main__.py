"""`python -m tools.new STACK`: writes a stack file from the cluster. Touches nothing else.

It reads the kubeconfig, the nodes, their SSH host keys and their disks. A host key that known_hosts
does not have is shown for confirmation, and no disk is taken unless a person says so. A jump host
and passwords are asked for only where hosts are not reached or opened without; passwords are
written nowhere.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
from rich.console import Console

from components.cluster.api import ClusterApi
from components.hosts.address import HostAddress
from components.hosts.asking import ReadingPlan
from configuration import settings
from configuration.hosts import SshSettings
from configuration.problems import SettingsError
from tools.new.answers import docker_host, docker_place, fitting, rancher_url
from tools.new.choosing import choose, remarks
from tools.new.disks import Disk, HostDisks, read_disks
from tools.new.host_keys import HostKey
from tools.new.login import Login, login
from tools.new.nodes import ClusterNode, cluster_nodes
from tools.new.options import parser
from tools.new.person import Person, StoppedError
from tools.new.stack_file import MOST_NODES, NewStack, nodes_file, stack_file
from tools.new.way import Way, WayFinder
from tools.new.writing import write_all
from tools.offline.stack_file import PROJECT, read_stack_config
from tools.plan.plan import without_credentials

_DEADLINE_SECONDS = 60.0
_INTERRUPTED = 130


def main(words: Sequence[str] | None = None) -> int:
    """Ask, look, write; 1 when nothing was written or the file has mistakes."""
    options = parser().parse_args(words)
    person = Person(
        Console(highlight=False, markup=False, emoji=False, soft_wrap=True), batch=options.batch
    )
    folder: Path = options.folder
    path = folder / f"Pulumi.{options.stack}.yaml"
    try:
        for taken in (path, PROJECT / _nodes_path(path)):
            if taken.exists():
                raise StoppedError(f"{taken} is there already. Choose another name, or remove it.")
        if options.ask_password and not person.asks:
            raise StoppedError("--ask-password needs a terminal to ask at")
        stack = _found(options, person)
        nodes_path = _nodes_path(path) if len(stack.nodes) > MOST_NODES else None
        texts = {path: stack_file(stack, nodes_path)}
        if nodes_path is not None:
            texts[PROJECT / nodes_path] = nodes_file(stack)
        write_all(texts)
    except (StoppedError, RuntimeError) as error:
        print(f"{str(error).rstrip('.')}; nothing was written", file=sys.stderr)
        return 1
    except EOFError:
        print("\nno answer; nothing was written", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; nothing was written", file=sys.stderr)
        return _INTERRUPTED
    wrote = " and ".join(str(each) for each in (path, nodes_path) if each)
    person.say(f"Wrote {wrote}. Nothing else was touched.")
    return _checked(path, stack, person)


def _nodes_path(stack_path: Path) -> Path:
    """Beside the stack file, and as that names it: from the project's folder on."""
    path = stack_path.with_name(f"{stack_path.stem.removeprefix('Pulumi.')}-nodes.yaml").absolute()
    return path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path


def _found(options: argparse.Namespace, person: Person) -> NewStack:
    kubeconfig, nodes = person.text(
        "Kubeconfig of the cluster",
        options.kubeconfig,
        "~/.kube/config",
        lambda path: (path, _nodes(path, options.context)),
    )
    person.say(f"The cluster has {len(nodes)} node{'s' if len(nodes) != 1 else ''}.")
    user = person.text("SSH user on the nodes", options.user, "root", _user)
    key_file, opening = login(options, person, user)
    rancher = person.text(
        "Address of a new Rancher server, https://… (empty: no Rancher)",
        options.rancher_url,
        "",
        rancher_url,
    )
    docker = None
    if rancher:
        docker = person.text(
            "Docker host for Rancher, such as ssh://root@192.0.2.30",
            options.docker_host,
            "unix:///var/run/docker.sock",
            docker_host,
        )
    of_docker = docker_place(docker)
    places = {node.name: (node.host, options.port) for node in nodes}
    way = WayFinder(options, person, opening).way_to(list(places.values()), of_docker, user)
    trusted = {name: way.keys[place] for name, place in places.items()}
    addresses = [
        HostAddress(name=name, host=host, port=port, user=user, host_key=trusted[name].key)
        for name, (host, port) in places.items()
        if trusted[name].key is not None
    ]
    person.say("Reading the nodes' disks …")
    hosts = _disks(addresses, way, opening)
    for name, host in hosts.items():
        if host.problem is not None:
            person.say(f"{name}: {host.problem}")
    if not any(host.free for host in hosts.values()):
        person.say(
            "No disk was found that can be taken; the file says at each node why, and has a place "
            "for its disks."
        )
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
        jump=way.jump,
        secrets=opening.needed,
        rancher_url=rancher,
        docker_host=docker,
        docker_host_key=way.keys[of_docker].key if of_docker else None,
    )


def _nodes(kubeconfig: str, context: str | None) -> Sequence[ClusterNode]:
    try:
        return cluster_nodes(ClusterApi(kubeconfig, context).core)
    except RuntimeError as error:
        raise StoppedError(str(error)) from None
    except Exception as error:  # whatever a cluster answers is told in one line
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise StoppedError(f"the cluster of {kubeconfig} could not be read: {said}") from None


def _user(name: str) -> str:
    fitting(SshSettings, user=name)
    return name


def _disks(addresses: Sequence[HostAddress], way: Way, opening: Login) -> Mapping[str, HostDisks]:
    """The disks of each host; those that want a password are read again once it is typed."""
    found: dict[str, HostDisks] = {}
    wanted = list(addresses)
    while wanted:
        plan = ReadingPlan(
            credentials=opening.credentials,
            jump=way.jump_address,
            deadline_seconds=_DEADLINE_SECONDS,
        )
        found.update(read_disks(wanted, plan))
        lacking = {name: host.lacks for name, host in found.items() if host.lacks is not None}
        tried_again = lacking and opening.completed(lacking, wanted[0].user)
        wanted = [each for each in addresses if each.name in lacking] if tried_again else []
    return {each.name: found[each.name] for each in addresses}


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


def _checked(path: Path, stack: NewStack, person: Person) -> int:
    """Whether the program takes the file, once the secrets are set that it asks for."""
    config = without_credentials(read_stack_config(path))
    pulumi.runtime.set_all_config(dict(config.values), sorted(config.secret_keys))
    try:
        settings.load(path)
    except SettingsError as error:
        person.say(f"To complete it: {error}")
        return 1
    name = stack.cluster
    person.say(f"Next: make plan STACK={name}, then pulumi stack init {name} && pulumi preview")
    for secret in sorted(stack.secrets):
        person.say(f"Before the preview: pulumi config set --secret {settings.NAMESPACE}:{secret}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
