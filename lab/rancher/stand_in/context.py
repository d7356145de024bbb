"""What every call of the stand-in works on, and the request itself."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import answers
from .answers import Answer
from .certificates import Certificates
from .faults import Faults
from .options import Options
from .state import State, Token, User

SETTING_DEFAULTS = {"first-login": "true", "server-url": "", "cacerts": "", "install-uuid": ""}
"""Every setting there is, and what it is until somebody changes it; `value` is empty then."""


@dataclass(frozen=True)
class Request:
    """One HTTP request, read to its end. `query` holds the first value of each parameter."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes = b""

    def body(self) -> dict[str, Any]:
        """The JSON object sent; empty where there is none."""
        try:
            read = json.loads(self.content or b"{}")
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}

    def bearer(self) -> str:
        """The value of the token in the Authorization header."""
        return self.headers.get("authorization", "").removeprefix("Bearer ").strip()


@dataclass(frozen=True)
class Caller:
    """Who asks, and with which token."""

    user: User
    token: Token


@dataclass(frozen=True)
class Context:
    """The parts of one stand-in. Only one call at a time works on them."""

    state: State
    certificates: Certificates
    options: Options
    faults: Faults
    clock: Callable[[], float] = time.time

    def now(self) -> float:
        """The time, as far ahead as a test has moved it."""
        return self.clock() + self.state.clock_ahead_seconds

    def server_url(self) -> str:
        """The setting server-url, wherever it comes from."""
        return self.options.server_url or self.state.settings.get("server-url", "")


def not_found(kind: str, name: str) -> Answer:
    """No such resource."""
    return answers.error(404, "NotFound", f'{kind}.management.cattle.io "{name}" not found')


def not_allowed(request: Request) -> Answer:
    """No such method on this resource."""
    return answers.error(405, "MethodNotAllowed", f"{request.method} is not supported here")
