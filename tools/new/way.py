"""The way to new hosts, directly or through a jump host, with host keys that a person trusts."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.hosts.address import HostAddress, jump_address
from configuration.hosts import JumpHostSettings, SshSettings
from tools.new.answers import jump_host
from tools.new.host_keys import HostKey, Place, host_keys, host_keys_behind
from tools.new.login import Login
from tools.new.person import Person, StoppedError


@dataclass(frozen=True, kw_only=True)
class Way:
    """How the hosts are reached."""

    keys: Mapping[Place, HostKey]
    """What every host shows, confirmed."""
    jump: JumpHostSettings | None
    """The jump host with its confirmed key, if there is one."""
    jump_address: HostAddress | None
    """The same, and who logs in there."""


class WayFinder:
    """Looks for the hosts; nothing is opened whose key nobody confirmed."""

    def __init__(self, options: argparse.Namespace, person: Person, login: Login) -> None:
        """Take the command line, whoever answers, and what opens the hosts."""
        self._options = options
        self._person = person
        self._login = login

    def way_to(self, nodes: Sequence[Place], docker: Place | None, user: str) -> Way:
        """The way to the nodes, and the key of the Docker host, which is never behind a jump host.

        Args:
            nodes: Address and port of each.
            docker: Those of a Docker host that is reached by SSH.
            user: Who logs in on the nodes.

        Raises StoppedError.
        """
        given: str | None = self._options.jump_host
        others = [docker] if docker else []
        known = self._options.known_hosts
        shown = dict(host_keys([*others, *([] if given else nodes)], known))
        silent = [node for node in nodes if node in shown and shown[node].unreachable]
        jump = self._jump(given, silent)
        if jump is None:
            return Way(keys=self._confirmed(shown), jump=None, jump_address=None)
        settings, key = jump
        place = (settings.host, settings.port)
        self._confirmed({**{other: shown[other] for other in others}, place: key})
        pinned = settings.model_copy(update={"host_key": key.key})
        address = jump_address(SshSettings.model_validate({"user": user, "jumpHost": pinned}))
        assert address is not None
        behind = self._confirmed(self._behind(address, nodes))
        return Way(keys={**shown, **behind}, jump=pinned, jump_address=address)

    def _jump(
        self, given: str | None, silent: Sequence[Place]
    ) -> tuple[JumpHostSettings, HostKey] | None:
        """The jump host that was given, or that a person names since hosts are silent."""
        if given is None and not silent:
            return None
        if given is None and self._person.asks:
            names = ", ".join(host for host, _ in silent[:3]) + (" …" if len(silent) > 3 else "")
            self._person.say(
                f"No SSH server answers from here at {len(silent)} of the nodes: {names}"
            )
        return self._person.text(
            "Jump host through which the nodes are reached, [USER@]HOST[:PORT] (empty: none)",
            given,
            "",
            self._shown_jump,
        )

    def _shown_jump(self, answer: str) -> tuple[JumpHostSettings, HostKey] | None:
        jump = jump_host(answer)
        if jump is None:
            return None
        place = (jump.host, jump.port)
        key = host_keys([place], self._options.known_hosts)[place]
        if key.key is None:
            raise StoppedError(f"jump host {jump.host}: {key.problem}")
        return jump, key

    def _behind(self, jump: HostAddress, nodes: Sequence[Place]) -> Mapping[Place, HostKey]:
        while True:
            found = host_keys_behind(
                jump, self._login.credentials, nodes, self._options.known_hosts
            )
            if found.problem is None:
                return found.keys
            lacking = {jump.name: found.lacks} if found.lacks else {}
            if not self._login.completed(lacking, jump.user):
                raise StoppedError(f"{jump.name}: {found.problem}")

    def _confirmed(self, shown: Mapping[Place, HostKey]) -> Mapping[Place, HostKey]:
        """The same, once a person takes the keys that known_hosts does not have."""
        new = {where: found for where, found in shown.items() if found.key and not found.trusted}
        if not new:
            return shown
        self._person.say("Host keys that your known_hosts does not have:")
        for (host, port), found in new.items():
            self._person.say(
                f"  {host}{'' if port == 22 else f' port {port}'}  {found.fingerprint}"
            )
        self._person.say("On a host itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
        if self._person.confirm("Are these the hosts' own", self._options.accept_host_keys):
            return shown
        raise StoppedError("the host keys were not confirmed (--accept-host-keys does so)")
