"""The shapes of what Rancher answers: errors, settings, tokens, clusters, collections."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .options import Options
from .state import Cluster, Token

Body = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    content: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


NONE = Answer(0)
"""No answer at all: the connection closes."""


def of(body: Body, status: int = 200) -> Answer:
    """A JSON answer."""
    return Answer(status, json.dumps(body).encode())


def text(content: str, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """A plain text answer."""
    return Answer(status, content.encode(), "text/plain", headers or {})


def error(status: int, code: str, message: str, field_name: str | None = None) -> Answer:
    """An error as Rancher's API words it."""
    body: Body = {"baseType": "error", "code": code, "message": message, "status": status}
    if field_name is not None:
        body["fieldName"] = field_name
    return of({**body, "type": "error"}, status)


def must_authenticate() -> Answer:
    """The answer to no token, a wrong one and an expired one alike; it has no `code`."""
    return of({"type": "error", "status": "401", "message": "must authenticate"}, 401)


def no_such_path() -> Answer:
    """The router's own answer."""
    return text("404 page not found\n", 404)


def collection(kind: str, data: Sequence[Body]) -> Answer:
    """A list of resources."""
    return of({"type": "collection", "resourceType": kind, "data": list(data)})


def setting(name: str, value: str, default: str, source: str) -> Body:
    """A setting; `source` is `default`, `db` or `env`."""
    return {
        "id": name, "type": "setting", "baseType": "setting", "name": name, "value": value,
        "default": default, "customized": value != default, "source": source,
    }  # fmt: skip


def token(made: Token, now: float, value: str | None = None) -> Body:
    """A token; its value is only in the answer that made it, which does not say its end yet."""
    end = _date(made.expires_at()) if value is None else ""
    body: Body = {
        "id": made.name, "name": made.name, "type": "token", "baseType": "token",
        "authProvider": "local", "clusterId": None, "creatorId": None,
        "created": _date(made.created), "createdTS": int(made.created * 1000),
        "current": False, "description": made.description, "enabled": True,
        "expired": made.is_expired(now), "expiresAt": end,
        "isDerived": made.is_derived, "labels": {}, "lastUpdateTime": "", "links": {},
        "ttl": made.ttl_milliseconds, "userId": made.user_id, "userPrincipal": "map[]",
        "uuid": made.name,
    }  # fmt: skip
    return body if value is None else {**body, "token": value}


def login_token(made: Token, value: str) -> Body:
    """What `/v1-public/login` tells: less than the older path."""
    return {
        "token": value, "expiresAt": _date(made.expires_at()),
        "id": made.name, "baseType": "token", "type": "token",
    }  # fmt: skip


def cluster(known: Cluster, now: float, options: Options, *, flapping: bool = False) -> Body:
    """A cluster with its state and conditions at the time `now`."""
    state, transitioning = _cluster_state(known, now, options)
    if flapping and state == "active":
        state = "unavailable"
    conditions = _conditions(known, state)
    return {
        "id": known.id, "type": "cluster", "baseType": "cluster", "name": known.name,
        "state": state, "transitioning": transitioning, "transitioningMessage": "",
        "created": _date(known.created), "createdTS": int(known.created * 1000),
        "annotations": known.annotations, "labels": {}, "internal": not known.imported,
        "driver": "imported" if known.connected_since else "", "conditions": conditions,
        "agentImage": known.agent_image, "agentEnvVars": known.agent_environment or None,
    }  # fmt: skip


def registration_token(of_cluster: Cluster, server_url: str) -> Body:
    """The cluster's default registration token; the addresses stay empty without server-url."""
    url = f"{server_url}/v3/import/{of_cluster.token}_{of_cluster.id}.yaml" if server_url else ""
    return {
        "id": f"{of_cluster.id}:default-token", "name": "default-token",
        "type": "clusterRegistrationToken", "baseType": "clusterRegistrationToken",
        "namespaceId": None, "clusterId": of_cluster.id, "state": "active",
        "created": _date(of_cluster.token_from), "token": of_cluster.token, "manifestUrl": url,
        "command": f"kubectl apply -f {url}" if url else "",
        "insecureCommand": f"curl --insecure -sfL {url} | kubectl apply -f -" if url else "",
    }  # fmt: skip


def _cluster_state(known: Cluster, now: float, options: Options) -> tuple[str, str]:
    if known.removing:
        return "removing", "yes"
    if not known.imported:
        return "active", "no"
    if known.connected_since is None:
        return "pending", "yes"
    if known.last_word is None or now - known.last_word > options.agent_silence_seconds:
        return "unavailable", "error"
    lost = known.features_lost
    if lost is not None and now - lost >= options.check_seconds:
        return "unavailable", "error"
    if now - known.connected_since < options.activation_seconds:
        return "waiting", "yes"
    return "active", "no"


def _conditions(known: Cluster, state: str) -> list[Body]:
    open_until_connected = "Unknown" if state == "pending" else "True"
    statuses = {
        "Pending": open_until_connected,
        "Provisioned": open_until_connected,
        "Waiting": open_until_connected,
        "BackingNamespaceCreated": "True",
        "DefaultProjectCreated": "True",
        "SystemProjectCreated": "True",
        "InitialRolesPopulated": "True",
        "CreatorMadeOwner": "True",
    }
    if known.connected_since is not None or not known.imported:
        statuses["Connected"] = "False" if state == "unavailable" else "True"
        statuses["Ready"] = "True" if state == "active" else "False"
        statuses["Updated"] = statuses["Ready"]
    if known.agent_deployed:
        statuses["AgentDeployed"] = "True"
    bodies: list[Body] = [{"type": kind, "status": value} for kind, value in statuses.items()]
    for body in bodies:
        if body["type"] == "Ready" and body["status"] == "False":
            body["reason"] = "Disconnected" if state == "unavailable" else "Waiting"
            body["message"] = "Cluster agent is not connected" if state == "unavailable" else ""
    return bodies


def _date(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
