"""What opens new hosts: a key or the agent, and each password only once a host wants it.

Secrets stay in this process. Which of them a stack needs is remembered, so that its file can say
how to set them.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace

from components.hosts.connection import HostCredentials, agent_path
from configuration.secrets import Secret
from configuration.ssh_key import is_locked, ssh_key_problems
from tools.new.answers import key_question, private_key
from tools.new.person import Person, StoppedError
from tools.plan.nodes import ranges


class Login:
    """The credentials of a stack, completed as hosts ask for more."""

    def __init__(self, person: Person, credentials: HostCredentials) -> None:
        """Begin with what is known.

        Args:
            person: Who is asked for passwords.
            credentials: A key, the agent, or a password that was given at once.
        """
        self._person = person
        self.credentials = credentials
        """What opens the hosts, as far as it is known."""

    @property
    def needed(self) -> frozenset[Secret]:
        """The secrets that the stack has to be given, since the hosts were opened with them."""
        known = {
            Secret.SSH_PRIVATE_KEY_PASSPHRASE: self.credentials.private_key_passphrase,
            Secret.SSH_PASSWORD: self.credentials.password,
            Secret.SUDO_PASSWORD: self.credentials.sudo_password,
        }
        return frozenset(secret for secret, value in known.items() if value is not None)

    def completed(self, lacking: Mapping[str, Secret], user: str) -> bool:
        """Whether there is something new to try on the hosts that lack a secret.

        Args:
            lacking: What each of them lacks, by its name.
            user: Who logs in there.
        """
        answers = [self._asked(each, lacking, user) for each in sorted(set(lacking.values()))]
        return any(answers)

    def _asked(self, secret: Secret, lacking: Mapping[str, Secret], user: str) -> bool:
        names = ranges([name for name, lacks in lacking.items() if lacks is secret])
        password, for_sudo = self.credentials.password, self.credentials.sudo_password
        if secret is Secret.SSH_PASSWORD:
            self._person.say(f"{names}: {user} is not let in with what is known so far.")
            typed = self._typed(f"SSH password of {user}")
            self.credentials = replace(self.credentials, password=typed or password)
            return typed is not None
        # Mostly it is the same, of the same user on the same hosts.
        typed = password if for_sudo is None else None
        typed = typed or self._typed(f"Password that sudo asks {user} for on {names}")
        self.credentials = replace(self.credentials, sudo_password=typed or for_sudo)
        return typed is not None

    def _typed(self, question: str) -> str | None:
        return self._person.secret(f"{question} (not shown; empty: go on without)")


def login(options: argparse.Namespace, person: Person, user: str) -> tuple[str, Login]:
    """The key's file, empty for none, and what opens the hosts at first.

    That is the key, else a password that is to be asked for at once, else the agent. Raises
    StoppedError.
    """
    given: str | None = options.private_key_file
    password, (question, usual) = None, key_question()
    if options.ask_password:
        password = person.secret(f"SSH password of {user} (not shown)")
        given = given or ""
    file, key = person.text(question, given, usual, lambda path: (path, private_key(path)))
    credentials = HostCredentials(
        private_key=key,
        private_key_passphrase=_passphrase(key, file, person) if key else None,
        password=password,
        agent_path=None if key or password else agent_path(),
    )
    return file, Login(person, credentials)


def _passphrase(key: str, file: str, person: Person) -> str | None:
    """What unlocks the key; None for one that is not locked."""
    if not is_locked(key):
        return None
    while typed := person.secret(f"Passphrase of {file} (not shown)"):
        if not any(ssh_key_problems(key, typed, file, path=file)):
            return typed
        person.say("  It does not open the key.")
    raise StoppedError(f"the key {file} is locked with a passphrase; put it into an SSH agent")
