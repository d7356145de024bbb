"""The calls that this program makes to Rancher, in order, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call.

    Args:
        path, body: may name what earlier answers gave, as {cluster}.
        token: which of the kept values it is made with; empty for none.
        said: the keys of the answer whose values count, and not only their kind.
        kept: name → key of the answer that later calls name so.
        until: the answer is asked for again until it has this status, and these values.
    """

    name: str
    method: str
    path: str
    body: Any = None
    token: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    said: tuple[str, ...] = ("type", "code", "message", "fieldName")
    kept: Mapping[str, str] = field(default_factory=dict[str, str])
    until: tuple[int, Mapping[str, Any]] | None = None


_ADMIN = "an-admin-" + "password-1"
_LOGIN = "/v3-public/localProviders/local?action=login"
_CHANGE = "/v3/users?action=changepassword"
_NONCE = {"X-Cattle-Nonce": "a-nonce"}


def _session(name: str, method: str, path: str, body: Any = None, **more: Any) -> Call:
    return Call(name, method, path, body, **{"token": "session", **more})


CALLS = (
    Call("ping", "GET", "/ping"),
    Call("version", "GET", "/rancherversion"),
    Call("first-login", "GET", "/v3/settings/first-login"),
    Call("cacerts", "GET", "/v3/settings/cacerts"),
    Call("the CA as text", "GET", "/cacerts"),
    Call("a setting without a login", "GET", "/v3/settings/server-url"),
    Call("clusters without a login", "GET", "/v3/clusters"),
    Call("clusters with an unknown token", "GET", "/v3/clusters", token="unknown"),  # noqa: S106
    Call("a wrong password", "POST", _LOGIN, {"username": "admin", "password": "wrong"}),
    Call("the login of 2.13", "POST", "/v1-public/login",
         {"username": "admin", "password": "{bootstrap}", "type": "localProvider"}),
    Call("the login", "POST", _LOGIN, {"username": "admin", "password": "{bootstrap}"},
         kept={"session": "token"}),
    _session("a wrong current password", "POST", _CHANGE,
             {"currentPassword": "wrong", "newPassword": _ADMIN}),
    _session("a short password", "POST", _CHANGE,
             {"currentPassword": "{bootstrap}", "newPassword": "short"}),
    _session("another password", "POST", _CHANGE,
             {"currentPassword": "{bootstrap}", "newPassword": _ADMIN}),
    _session("the same password", "POST", _CHANGE,
             {"currentPassword": _ADMIN, "newPassword": _ADMIN}),
    _session("the own user", "GET", "/v3/users?me=true", kept={"user": "data.0.id"}),
    _session("the same password set", "POST", "/v3/users/{user}?action=setpassword",
             {"newPassword": _ADMIN}),
    _session("server-url", "PUT", "/v3/settings/server-url",
             {"name": "server-url", "value": "{url}"}),
    _session("an API token", "POST", "/v3/tokens",
             {"type": "token", "description": "contract", "ttl": 0},
             said=("type", "ttl", "expiresAt")),
    _session("no cluster of the name", "GET", "/v3/clusters?name=contract"),
    _session("a cluster", "POST", "/v3/clusters", {"type": "cluster", "name": "contract"},
             kept={"cluster": "id"}),
    _session("a name that is taken", "POST", "/v3/clusters",
             {"type": "cluster", "name": "contract"}),
    _session("a name that is none", "POST", "/v3/clusters",
             {"type": "cluster", "name": "Not_A_Name"}),
    _session("the cluster that waits for its agent", "GET", "/v3/clusters/{cluster}",
             said=("type", "state", "conditions"), until=(200, {"state": "pending"})),
    _session("its registration token", "GET",
             "/v3/clusterregistrationtokens/{cluster}:default-token",
             until=(200, {"state": "active"}), kept={"registration": "token"}),
    _session("its registration token again", "POST", "/v3/clusterregistrationtokens",
             {"type": "clusterRegistrationToken", "clusterId": "{cluster}",
              "name": "default-token"}),
    _session("a registration token of no cluster", "GET",
             "/v3/clusterregistrationtokens/c-zzzzz:default-token"),
    Call("the proof of the CA", "GET", "/cacerts", token="proof", headers=_NONCE),  # noqa: S106
    Call("no proof for an unknown token", "GET", "/cacerts", token="no-proof",  # noqa: S106
         headers=_NONCE),
    Call("the manifest", "GET", "/v3/import/{registration}_{cluster}.yaml"),
    Call("the manifest for a wrong token", "GET", "/v3/import/wrong_{cluster}.yaml"),
    Call("the manifest of no cluster", "GET", "/v3/import/{registration}_c-zzzzz.yaml"),
    _session("the cluster deleted", "DELETE", "/v3/clusters/{cluster}"),
    _session("the cluster afterwards", "GET", "/v3/clusters/{cluster}", until=(404, {})),
)  # fmt: skip
