"""The scripts on the hosts: put there before anything runs, and put back before anything is undone.

One resource for all hosts of a stack, so that the state holds what opens them once. It never fails
for a host that can't be reached: that host's own commands do, and the other nodes go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pulumi

from components.common.answers import listed
from components.common.dynamic import FINDING, DynamicProvider, DynamicResource, Properties
from components.common.owner import this_stack
from components.common.progress import tell
from components.hosts.address import HostAddress, jump_address, node_address
from components.hosts.host import SshSecrets
from components.hosts.host_script import dropping, files, files_named, folder_of, putting
from components.nodes.script_parts import ON_HOSTS
from configuration.hosts import NodeSettings, SshSettings

if TYPE_CHECKING:
    from components.hosts.asking import Said

_SECRETS = ("private_key", "private_key_passphrase", "password", "sudo_password")
_DEADLINE_SECONDS = 600.0

Host = dict[str, Any]


class NodeScriptsProvider(DynamicProvider):
    """Puts the scripts on every host, and takes them off when the stack goes.

    A host that has left the stack file keeps them until then, since what is undone there in the
    same run needs them.
    """

    outputs = ("missing", "left")

    def differences(self, old: Properties, new: Properties) -> set[str]:
        """A host that could not be reached is tried again."""
        return super().differences(old, new) | ({"missing"} if old.get("missing") else set())

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Put them there; a host that can't be reached is reported and remembered."""
        script = putting(new["folder"], files(ON_HOSTS))
        missing = _told(
            _everywhere(new, new["hosts"], script), "its scripts could not be put there"
        )
        return "node-scripts", {**new, "missing": missing, "left": []}

    def change(self, old: Properties, new: Properties) -> Properties:
        """The same, and which hosts have left."""
        return {**self.make(new)[1], "left": gone_hosts(old, new)}

    def remove(self, state: Properties) -> None:
        """Take them off; what can't be reached any more keeps them."""
        hosts = [*state["hosts"], *listed(state.get("left"))]
        _told(_everywhere(state, hosts, dropping(state["folder"])), "its scripts stay there")


class NodeScriptsForRemovalProvider(DynamicProvider):
    """Deleted before every command that undoes something: puts back the scripts that these need.

    Somebody may have cleared the folder since the last run, and `pulumi destroy` runs no program
    that would notice.
    """

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Nothing to do yet."""
        return "node-scripts-for-removal", new

    def change(self, old: Properties, new: Properties) -> Properties:
        """What leaves the stack in this run is undone with the scripts of the last one.

        They are put there by what opens the hosts now: what did so before may be revoked.
        """
        given_up = set(listed(new.get("given_up")))
        now = {(host["host"], host["port"]): host for host in new["hosts"]}
        hosts = [host for host in old["hosts"] if host["name"] not in given_up]
        opened = {key: new.get(key) for key in (*_SECRETS, "jump", "connect_seconds")}
        _put_back(
            {**old, **opened}, [now.get((host["host"], host["port"]), host) for host in hosts]
        )
        return new

    def remove(self, state: Properties) -> None:
        """Put back what is not there."""
        _put_back(state, state["hosts"])


def _put_back(state: Properties, hosts: Sequence[Host]) -> None:
    script = putting(state["folder"], files_named(state["scripts"], ON_HOSTS))
    _told(_everywhere(state, hosts, script), "its scripts could not be looked after")


def gone_hosts(old: Properties, new: Properties) -> list[Host]:
    """The hosts that have left the stack file, now or before, but for those given up. Pure."""
    present = [(host["host"], host["port"]) for host in new["hosts"]]
    given_up = set(listed(new.get("given_up")))
    return [
        host
        for host in [*listed(old["hosts"]), *listed(old.get("left"))]
        if (host["host"], host["port"]) not in present and host["name"] not in given_up
    ]


def apart(hosts: Sequence[Host]) -> list[Host]:
    """Each host under a name of its own: a node may have left one address for another. Pure."""
    named: dict[str, Host] = {}
    for host in hosts:
        name = str(host["name"])
        if name in named:
            name = f"{name} at {host['host']}:{int(host['port'])}"
        named[name] = {**host, "name": name}
    return list(named.values())


def _everywhere(props: Properties, hosts: Sequence[Host], script: str) -> "Mapping[str, Said]":
    # What a preview compares with needs no SSH library.
    from components.hosts.asking import Ask, ReadingPlan, ask_hosts
    from components.hosts.connection import HostCredentials, agent_path

    credentials = HostCredentials(
        **{key: props.get(key) for key in _SECRETS}, agent_path=agent_path()
    )
    plan = ReadingPlan(
        credentials=credentials,
        jump=_address(props["jump"]) if props.get("jump") else None,
        connect_seconds=float(props["connect_seconds"]),
        deadline_seconds=_DEADLINE_SECONDS,
    )
    asks = [Ask(address=_address(host), script=script) for host in apart(hosts)]
    return ask_hosts(asks, plan)


def _address(host: Host) -> HostAddress:
    return HostAddress(
        name=host["name"],
        host=host["host"],
        port=int(host["port"]),
        user=host["user"],
        host_key=host.get("host_key"),
    )


def _told(said: "Mapping[str, Said]", what: str) -> list[str]:
    """The hosts that did not do it, each reported with its reason."""
    failed = {name: each.problem or "" for name, each in said.items() if each.output is None}
    failed |= {
        name: "it answered nothing"
        for name, each in said.items()
        if each.output is not None and not each.output.strip()
    }
    for name, problem in sorted(failed.items()):
        tell(f"node {name}: {what}: {problem}")
    return sorted(failed)


class NodeScripts(DynamicResource, module="node", name="Scripts"):
    """Owns the scripts of this stack on its hosts."""

    def __init__(
        self,
        name: str,
        inputs: Mapping[str, Any],
        *,
        found: str | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare it.

        Args:
            inputs: What `script_inputs` gives.
            found: On which hosts they are not as they should be, for Pulumi's diff.
            opts: The resource's options.
        """
        super().__init__(
            NodeScriptsProvider(), name, {**inputs, FINDING: found}, opts, secrets=_SECRETS
        )


class NodeScriptsForRemoval(DynamicResource, module="node", name="ScriptsForRemoval"):
    """Owns nothing: what it puts back belongs to NodeScripts. Depends on all that is undone."""

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(NodeScriptsForRemovalProvider(), name, inputs, opts, secrets=_SECRETS)


def script_inputs(
    nodes: Sequence[NodeSettings], given_up: Sequence[str], ssh: SshSettings, secrets: SshSecrets
) -> dict[str, Any]:
    """The inputs of both resources.

    Args:
        nodes: The nodes on which scripts run.
        given_up: The names of those whose hosts are gone for good.
        ssh: How they are reached.
        secrets: What opens them.
    """
    jump = jump_address(ssh)
    return {
        "folder": folder_of(this_stack()),
        "scripts": [each.file for each in ON_HOSTS],
        "hosts": [asdict(node_address(node, ssh)) for node in nodes],
        "jump": jump and asdict(jump),
        "given_up": list(given_up),
        "connect_seconds": ssh.connect_timeout_seconds,
        **{key: getattr(secrets, key) for key in _SECRETS},
    }
