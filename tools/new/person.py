"""Whoever types at the terminal. Without one, nothing is ever taken for a yes."""

import getpass
import sys

from rich.console import Console


class StoppedError(Exception):
    """Nothing was written; the message says why."""


class Person:
    """Answers questions, unless an option has answered them."""

    def __init__(self, console: Console, *, batch: bool) -> None:
        self._asks = sys.stdin.isatty() and not batch
        self._console = console

    def say(self, line: str) -> None:
        """Show a line."""
        self._console.print(line)

    def text(self, question: str, option: str | None, default: str) -> str:
        """The option, else what is typed, else the default."""
        if option is not None or not self._asks:
            return default if option is None else option
        return input(f"{question} [{default or 'none'}]: ").strip() or default

    def confirm(self, question: str, option: bool) -> bool:
        """Whether the option or a typed yes says so; no otherwise."""
        if option or not self._asks:
            return option
        return input(f"{question} [y/N]: ").strip().lower() in ("y", "yes")

    def sudo_password(self, user: str) -> str | None:
        """What sudo asks this user for, kept nowhere; None where it asks nothing."""
        if user == "root" or not self._asks:
            return None
        return getpass.getpass(f"Password that sudo asks {user} for (empty: none): ") or None
