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
    now: Callable[[], float] = time.time

    def server_url(self) -> str:
        """The setting server-url, wherever it comes from."""
        return self.options.server_url or self.state.settings.get("server-url", "")


def not_found(kind: str, name: str) -> Answer:
    """No such resource."""
    return answers.error(404, "NotFound", f'{kind}.management.cattle.io "{name}" not found')


def not_allowed(request: Request) -> Answer:
    """No such method on this resource."""
    return answers.error(405, "MethodNotAllowed", f"{request.method} is not supported here")
