"""What is kept of Rancher's answers to the calls of the table in rancher_calls.py.

The same calls go to the lab's stand-in and to a real server. What is compared is status and
shape: which keys there are, of which kind, and the values that this program decides by.
"""

import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from typing import Any

import yaml

from components.rancher.api.ca import cacerts_authorization
from tests.unit.doubles.rancher_calls import CALLS, Call

Answered = dict[str, Any]
_AWAITED_SECONDS = 120.0
_INTERVAL_SECONDS = 0.5
_HASH = re.compile(r"(?<=cattle-credentials)-[0-9a-f]+$")


@dataclass(frozen=True)
class Server:
    """A Rancher that nobody has logged in to yet.

    Args:
        url: where it answers; it may serve more names.
        ca_pem: what verifies it.
        bootstrap: its bootstrap password.
    """

    url: str
    ca_pem: str
    bootstrap: str = field(repr=False)


def ask(server: Server) -> dict[str, Answered]:
    """Make every call, in order; what is kept of each answer by the call's name."""
    known = {
        "bootstrap": server.bootstrap,
        "url": server.url,
        "unknown": "token-zzzzz:wrong",
        "no-proof": cacerts_authorization("wrong"),
    }
    return {call.name: _ask(server, call, known) for call in CALLS}


def _ask(server: Server, call: Call, known: dict[str, str]) -> Answered:
    deadline = time.monotonic() + _AWAITED_SECONDS
    while True:
        status, headers, text = _send(server, call, known)
        body = _parsed(text)
        if call.until is None or time.monotonic() > deadline:
            break
        wanted, values = call.until
        if status == wanted and all(body.get(key) == value for key, value in values.items()):
            break
        time.sleep(_INTERVAL_SECONDS)
    for name, key in call.kept.items():
        known[name] = str(_within(body, key))
    if "registration" in call.kept:
        known["proof"] = cacerts_authorization(known["registration"])
    own = sorted(name.lower() for name in headers if name.lower() == "x-cattle-hash")
    kept: Answered = {"status": status, **({"headers": own} if own else {})}
    if status == 0:
        return kept
    if not body:
        return {**kept, "text": _text(text)}
    shown = {key: _kind(call, key, value) for key, value in body.items()}
    return {**kept, "keys": sorted(body), "body": shown}


def _send(
    server: Server, call: Call, known: Mapping[str, str]
) -> tuple[int, Mapping[str, str], str]:
    """Status, headers and text; status 0 where the connection is broken off."""
    address = server.url.removeprefix("https://")
    context = ssl.create_default_context(cadata=server.ca_pem)
    connection = HTTPSConnection(address, timeout=30, context=context)
    headers = {"Accept": "application/json", **call.headers}
    if call.token:
        headers["Authorization"] = f"Bearer {known[call.token]}"
    body = None if call.body is None else json.dumps(_filled(call.body, known)).encode()
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(call.method, _filled(call.path, known), body, headers)
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read().decode()
    except (HTTPException, ConnectionError, ssl.SSLError):
        return 0, {}, ""
    finally:
        connection.close()


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\{([\w-]+)\}", lambda found: known[found.group(1)], value)
    if isinstance(value, Mapping):
        return {key: _filled(each, known) for key, each in value.items()}
    return value


def _parsed(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _within(body: Any, key: str) -> Any:
    for part in key.split("."):
        body = body[int(part)] if part.isdigit() else body[part]
    return body


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "flag"), (int, "number"), (float, "number"), (str, "text"), (list, "list"),
    (dict, "mapping"),
)  # fmt: skip


def _kind(call: Call, key: str, value: Any) -> Any:
    if key in call.said:
        said = _conditions(value) if key == "conditions" else value
        return {"is": said}
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "nothing")


def _conditions(value: list[dict[str, str]]) -> dict[str, str]:
    return {each["type"]: each["status"] for each in sorted(value, key=lambda each: each["type"])}


def _text(text: str) -> Any:
    """A text as it is; of certificates and manifests what they consist of."""
    if text.startswith("-----BEGIN CERTIFICATE"):
        return {"certificates": text.count("BEGIN CERTIFICATE")}
    if "apiVersion:" not in text:
        return text.strip()
    documents = [document for document in yaml.safe_load_all(text) if document]
    return {"objects": [_named(document) for document in documents], **_agent(documents)}


def _named(document: Mapping[str, Any]) -> str:
    return f"{document['kind']} {_HASH.sub('-HASH', document['metadata']['name'])}"


def _agent(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """The agent's Deployment, without what each server has of its own."""
    (deployment,) = [each for each in documents if each["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return {
        "environment": sorted(each["name"] for each in container["env"]),
        "volumes": [each["name"] for each in pod["volumes"]],
    }


Recorded = dict[str, Answered]


def differences(found: Recorded, recorded: Recorded) -> list[str]:
    """One line for each call that was answered otherwise than recorded.

    Only what the record has of an answer counts; in the place of one value it may list several.
    """
    return [
        f"{name}: {json.dumps(found[name])} is not {json.dumps(answer)}"
        for name, answer in recorded.items()
        if not _agrees(found[name], answer)
    ]


def _agrees(found: Any, recorded: Any) -> bool:
    if isinstance(recorded, dict) and isinstance(found, dict):
        return all(key in found and _agrees(found[key], value) for key, value in recorded.items())
    if isinstance(recorded, list) and not isinstance(found, list):
        return found in recorded
    return bool(found == recorded)
