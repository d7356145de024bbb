"""Whoever types at the terminal. Without one, nothing is ever taken for a yes."""

import getpass
import sys
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console

T = TypeVar("T")


class StoppedError(Exception):
    """Nothing was written; the message says why."""


class Person:
    """Answers questions, unless an option has answered them."""

    def __init__(self, console: Console, *, batch: bool) -> None:
        self.asks = sys.stdin.isatty() and not batch
        """Whether there is anybody to ask."""
        self._console = console

    def say(self, line: str) -> None:
        """Show a line."""
        self._console.print(line)

    def text(self, question: str, option: str | None, default: str, take: Callable[[str], T]) -> T:
        """What `take` makes of the option, else of what is typed, else of the default.

        Args:
            question: What is asked.
            option: The answer, where one was given beforehand.
            default: The answer of whoever types none.
            take: Raises StoppedError at an answer that can't be; who typed it is asked again.
        """
        if option is not None or not self.asks:
            return take(default if option is None else option)
        while True:
            shown = f" [{default}]" if default else ""
            try:
                return take(input(f"{question}{shown}: ").strip() or default)
            except StoppedError as error:
                self.say(f"  {error}")

    def confirm(self, question: str, option: bool) -> bool:
        """Whether the option or a typed yes says so; no otherwise."""
        if option or not self.asks:
            return option
        while True:
            answer = input(f"{question} [y/N]: ").strip().lower()
            if answer in ("y", "yes"):
                return True
            if answer in ("", "n", "no"):
                return False
            self.say("  Type y or n.")

    def secret(self, question: str) -> str | None:
        """What is typed without being shown, kept nowhere; None for nothing, or without anybody."""
        return (getpass.getpass(f"{question}: ") or None) if self.asks else None
