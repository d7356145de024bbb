"""What the stand-in remembers: users, tokens, settings and clusters, in one JSON file."""

import hashlib
import hmac
import json
import os
import secrets
import string
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_ITERATIONS = 20_000
_LONGEST_TTL = 90 * 24 * 60 * 60 * 1000
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass
class User:
    """A local user; the password only as a salted hash."""

    id: str
    username: str
    salt: str = ""
    hash: str = ""

    def set_password(self, password: str) -> None:
        self.salt = secrets.token_hex(16)
        self.hash = _hash(password, self.salt)

    def has_password(self, password: str) -> bool:
        return hmac.compare_digest(self.hash, _hash(password, self.salt))


@dataclass
class Token:
    """A login or API token; of its key only a hash. Each expires, see new_token."""

    name: str
    key_hash: str
    user_id: str
    created: float
    ttl_milliseconds: int
    description: str
    is_derived: bool
    expired: bool = False

    def expires_at(self) -> float:
        return self.created + self.ttl_milliseconds / 1000

    def is_expired(self, now: float) -> bool:
        return self.expired or now >= self.expires_at()


@dataclass
class Cluster:
    """A cluster; its registration token exists from `token_from` on."""

    id: str
    name: str
    created: float
    token: str = ""
    token_from: float = 0.0
    annotations: dict[str, str] = field(default_factory=dict)
    connected_since: float | None = None
    last_word: float | None = None
    removing: bool = False
    imported: bool = True
    system_token: str = ""
    agent_deployed: bool = False
    agent_image: str = ""
    agent_environment: list[dict[str, str]] = field(default_factory=list)
    rendered_environment: list[dict[str, str]] = field(default_factory=list)
    applied_environment: list[dict[str, str]] = field(default_factory=list)
    agent_object: dict[str, Any] = field(default_factory=dict)
    features_lost: float | None = None


@dataclass
class State:
    """Everything that survives a restart; `save` writes it whole or not at all."""

    path: Path
    install_uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    clock_ahead_seconds: float = 0.0

    def save(self) -> None:
        """Replace the file in one step, so that a killed container leaves no half of it."""
        content = asdict(self)
        del content["path"]
        fresh = self.path.with_suffix(".new")
        with fresh.open("w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o600)
        fresh.replace(self.path)

    def new_token(
        self, user: User, *, ttl_milliseconds: int, description: str, is_derived: bool, now: float
    ) -> tuple[Token, str]:
        """Make a token; returns it and its value, which is told only this once.

        None lives longer than 90 days, and 0 asks for these: the setting
        auth-token-max-ttl-minutes as it comes. Source: Rancher 2.8.5, pkg/auth/tokens/manager.go,
        ClampToMaxTTL.
        """
        key = "".join(secrets.choice(_LETTERS) for _ in range(54))
        token = Token(
            name=new_id("token-", self.tokens),
            key_hash=_key_hash(key),
            user_id=user.id,
            created=now,
            ttl_milliseconds=min(ttl_milliseconds or _LONGEST_TTL, _LONGEST_TTL),
            description=description,
            is_derived=is_derived,
        )
        self.tokens[token.name] = token
        return token, f"{token.name}:{key}"

    def token_of(self, value: str, now: float) -> Token | None:
        """The token whose value this is, unless it is expired or there is none."""
        name, _, key = value.partition(":")
        token = self.tokens.get(name)
        if token is None or not hmac.compare_digest(token.key_hash, _key_hash(key)):
            return None
        return None if token.is_expired(now) else token


def load(path: Path) -> State:
    """Read the state, or begin a new one where there is no file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return State(path)
    content: dict[str, Any] = json.loads(path.read_text())
    return State(
        path=path,
        install_uuid=content["install_uuid"],
        users={key: User(**value) for key, value in content["users"].items()},
        tokens={key: Token(**value) for key, value in content["tokens"].items()},
        settings=content["settings"],
        clusters={key: Cluster(**value) for key, value in content["clusters"].items()},
        clock_ahead_seconds=content.get("clock_ahead_seconds", 0.0),
    )


def new_id(prefix: str, taken: dict[str, Any]) -> str:
    """An identifier as Rancher makes them (c-49z7b), not among those taken."""
    letters = string.ascii_lowercase + string.digits
    while True:
        candidate = prefix + "".join(secrets.choice(letters) for _ in range(5))
        if candidate not in taken:
            return candidate


def _hash(password: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ITERATIONS).hex()


def _key_hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
