"""The text of a new stack file, with comments. Pure."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from configuration.hosts import JumpHostSettings
from configuration.secrets import Secret
from configuration.settings import NAMESPACE
from tools.new.disks import Disk
from tools.new.nodes import ClusterNode
from tools.pages.schema import MODELINE


@dataclass(frozen=True, kw_only=True)
class NewStack:
    """Everything that was found and chosen."""

    cluster: str
    kubeconfig: str
    context: str | None
    nodes: Sequence[ClusterNode]
    host_keys: Mapping[str, str]
    """By node."""
    disks: Mapping[str, Sequence[Disk]] = field(default_factory=dict[str, Sequence[Disk]])
    """Those chosen, by node."""
    remarks: Mapping[str, str] = field(default_factory=dict[str, str])
    """What a person should know of a node, by node, in one line."""
    user: str = "root"
    port: int = 22
    private_key_file: str | None = None
    """None where an agent has the key, or a password takes its place."""
    jump: JumpHostSettings | None = None
    """The host through which the nodes are reached, with its key."""
    secrets: frozenset[Secret] = frozenset()
    """Those that opened the hosts, and that the stack still has to be given."""
    rancher_url: str | None = None
    docker_host: str | None = None
    docker_host_key: str | None = None


MOST_NODES = 150
"""How many nodes may stand in the stack file itself; many more would not fit into what Pulumi hands
to the program (configuration/nodes_file.py)."""


def stack_file(stack: NewStack, nodes_path: Path | None = None) -> str:
    """The whole file.

    Args:
        stack: What was found and chosen.
        nodes_path: Where the nodes stand instead, see nodes_file.
    """
    return "\n".join([MODELINE, *_lines(stack, nodes_path)]) + "\n"


def nodes_file(stack: NewStack) -> str:
    """The nodes alone."""
    lines = (line for node in stack.nodes for line in _node(stack, node))
    return textwrap.dedent("\n".join(lines)) + "\n"


def _lines(stack: NewStack, nodes_path: Path | None) -> Iterator[str]:
    yield "# Every key is described in docs/stack-file.md. What this file would do: make plan."
    yield "config:"
    yield f"  {NAMESPACE}:cluster:"
    yield f"    name: {_text(stack.cluster)}"
    yield f"    kubeconfig: {_text(stack.kubeconfig)}"
    if stack.context:
        yield f"    context: {_text(stack.context)}"
    if nodes_path is not None:
        yield "    # The nodes and their disks; too many for this file."
        yield f"    nodesFile: {_text(str(nodes_path))}"
    yield from _ssh(stack)
    if nodes_path is None:
        yield f"  {NAMESPACE}:nodes:"
        for node in stack.nodes:
            yield from _node(stack, node)
    if any(node.tainted and stack.disks.get(node.name) for node in stack.nodes):
        yield f"  {NAMESPACE}:controlPlane:"
        yield "    # Longhorn's own pods run on tainted nodes, since disks of theirs are listed."
        yield "    scheduling: tolerate"
    yield f"  {NAMESPACE}:stages:"
    if any(stack.disks.values()):
        yield "    # The proof that volumes work, after Longhorn is there."
        yield "    volumeCheck: true"
    if stack.rancher_url:
        yield "    rancherImport: true"
        yield f"  {NAMESPACE}:rancher:"
        yield f"    url: {_text(stack.rancher_url)}"
        if stack.docker_host:
            yield f"    dockerHost: {_text(stack.docker_host)}"
        if stack.docker_host_key:
            yield f"    dockerHostKey: {stack.docker_host_key}"
    else:
        yield "    # No Rancher. With rancher.url, these two may be true."
        yield "    rancher: false"
        yield "    rancherImport: false"


def _ssh(stack: NewStack) -> Iterator[str]:
    yield f"  {NAMESPACE}:ssh:"
    yield f"    user: {_text(stack.user)}"
    if stack.port != 22:
        yield f"    port: {stack.port}"
    if stack.private_key_file:
        yield f"    privateKeyFile: {_text(stack.private_key_file)}"
    elif Secret.SSH_PASSWORD not in stack.secrets:
        yield "    useAgent: true"
    if stack.jump is not None:
        yield "    jumpHost:"
        yield f"      host: {_text(stack.jump.host)}"
        if stack.jump.port != 22:
            yield f"      port: {stack.jump.port}"
        if stack.jump.user:
            yield f"      user: {_text(stack.jump.user)}"
        yield f"      hostKey: {stack.jump.host_key}"
    if stack.secrets:
        yield "  # What was typed to open the hosts is kept nowhere. Set it, encrypted:"
        for secret in sorted(stack.secrets):
            yield f"  #   pulumi config set --secret {NAMESPACE}:{secret}"
    if stack.user != "root" and Secret.SUDO_PASSWORD not in stack.secrets:
        yield "  # If sudo asks for a password:"
        yield f"  #   pulumi config set --secret {NAMESPACE}:{Secret.SUDO_PASSWORD}"


def _node(stack: NewStack, node: ClusterNode) -> Iterator[str]:
    remark = stack.remarks.get(node.name)
    if remark:
        # A host may have said some of it.
        yield f"    # {' '.join(remark.split())}"
    yield f"    - name: {_text(node.name)}"
    yield f"      host: {_text(node.host)}"
    if node.name in stack.host_keys:
        yield f"      hostKey: {stack.host_keys[node.name]}"
    if node.control_plane:
        yield "      controlPlane: true"
    chosen = stack.disks.get(node.name, ())
    if not chosen:
        yield "      disks: []"
        return
    yield "      disks:"
    for disk in chosen:
        words = filter(None, [size_words(disk.size), disk.model, f"now {disk.device}"])
        yield f"        # {', '.join(words)}"
        yield f"        - device: {_text(disk.name)}"
        yield f"          mountPoint: {disk.mount_point}"


def size_words(size: int) -> str:
    """A size as people say it, such as 1.8 TiB."""
    value, units = float(size), ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while value >= 1024 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return f"{value:.4g} {units[0]}"


def _text(value: str) -> str:
    """Quoted where YAML might take it for something else than text."""
    plain = value[:1].isalpha() or value[:1] in "/~."
    safe = plain and not any(c in value for c in "#{}[],&*!|>'\"%@`\n") and ": " not in value
    words = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"}
    return value if safe and value.lower() not in words else json.dumps(value)
