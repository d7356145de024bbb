"""Rancher's API, as much of it as it takes to register a cluster and take it out again."""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

from components.rancher_accounts import Accounts, unexpected
from components.rancher_errors import (
    BadClusterNameError,
    CertificateMismatchError,
    ClusterNameTakenError,
    ManifestMismatchError,
    NotReadyError,
    RemovalUnfinishedError,
    UnexpectedAnswerError,
)
from components.rancher_transport import Answer, Say, Transport
from components.rancher_trust import cacerts_authorization, is_proof, read_manifest_url

OWNER = "longhorn-rancher/owner"
"""Annotation on a cluster in Rancher: which Kubernetes cluster it was made for."""


_PROOF_SECONDS = 20.0


@dataclass(frozen=True)
class Cluster:
    """A cluster as Rancher sees it. `conditions` is type → (status, reason or message)."""

    id: str
    name: str
    state: str
    owner: str
    conditions: Mapping[str, tuple[str, str]]

    def is_true(self, condition: str) -> bool:
        """Whether Rancher reports the condition as True."""
        return self.conditions.get(condition, ("", ""))[0] == "True"

    @property
    def ever_connected(self) -> bool:
        """Whether an agent has joined it at some time."""
        return "Connected" in self.conditions


@dataclass(frozen=True)
class RegistrationToken:
    """What an agent joins with; the address of the manifest holds the token too."""

    value: str = field(repr=False)
    manifest_url: str = field(repr=False)


class RancherClient:
    """One conversation with a Rancher; use it in a `with`, which ends the session.

    Args:
        url, ca_pem, retry_seconds, say: see Transport.
    """

    def __init__(
        self,
        url: str,
        ca_pem: str,
        *,
        retry_seconds: float = 120.0,
        say: Say = lambda _: None,
    ) -> None:
        self._transport = Transport(url, ca_pem, retry_seconds=retry_seconds, say=say)
        self.accounts = Accounts(self._transport)

    def __repr__(self) -> str:
        return f"RancherClient({self._transport.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.accounts.logout()
        self._transport.close()

    def wait_until_ready(self, timeout_seconds: float) -> None:
        """Wait until Rancher answers /ping with pong.

        Raises NotReadyError at the deadline, CertificateMismatchError at once.
        """
        answer = self._open("/ping", "waiting for it to start", retry_seconds=timeout_seconds)
        if answer.status != 200 or answer.text.strip() != "pong":
            raise NotReadyError(
                f"What answers at {self._transport.url}/ping is no Rancher (HTTP {answer.status}). "
                "Check the address.",
                "starting",
            )

    def version(self) -> str:
        """Rancher's version, such as v2.8.5; needs no login."""
        return str(self._open("/rancherversion", "reading its version").body.get("Version", ""))

    def is_first_login(self) -> bool:
        """Whether nobody has set a password yet; needs no login."""
        answer = self._open("/v3/settings/first-login", "reading first-login")
        return answer.body.get("value") == "true"

    def prove_ca(self, ca_pem: str, token: str) -> None:
        """Have the server prove that it knows the registration token and hands out this CA.

        Raises CertificateMismatchError when it can't.
        """
        nonce = secrets.token_urlsafe(24)
        proof = ""
        # Rancher 2.8 breaks the connection when it does not know the token.
        with contextlib.suppress(NotReadyError):
            answer = self._transport.call(
                "GET",
                "/cacerts",
                what="proving its CA",
                token=cacerts_authorization(token),
                headers={"X-Cattle-Nonce": nonce},
                retry_seconds=min(self._transport.retry_seconds, _PROOF_SECONDS),
            )
            proof = answer.headers.get("X-Cattle-Hash", "")
        if not is_proof(proof, token=token, nonce=nonce, pem=ca_pem):
            raise CertificateMismatchError(
                f"Rancher at {self._transport.url} does not prove that it knows the registration "
                "token and that the pinned CA is the one its agents will be given. Read the CA "
                "again on the Rancher host, take the manifest's address from Rancher again, and "
                "compare."
            )

    def server_url(self) -> str:
        """The setting server-url: where agents look for Rancher; empty until it is set."""
        answer = self.accounts.call("GET", "/v3/settings/server-url", what="reading server-url")
        return str(self._expect(answer, "reading server-url", 200).get("value") or "")

    def set_server_url(self, url: str) -> None:
        """Set server-url unless it is that already."""
        if self.server_url().rstrip("/") == url.rstrip("/"):
            return
        answer = self.accounts.call(
            "PUT",
            "/v3/settings/server-url",
            what="setting server-url",
            body={"name": "server-url", "value": url.rstrip("/")},
        )
        if answer.status == 405:
            raise UnexpectedAnswerError(
                f"Rancher at {self._transport.url} has server-url fixed by CATTLE_SERVER_URL on "
                f"its container, and not to {url}. Take that variable away or configure its value.",
                answer.status,
            )
        self._expect(answer, "setting server-url", 200)

    def cluster(self, cluster_id: str) -> Cluster | None:
        """The cluster with this id; None when Rancher has none (or hides one being deleted)."""
        answer = self.accounts.call(
            "GET", f"/v3/clusters/{quote(cluster_id, safe='')}", what="reading the cluster"
        )
        if answer.status in (403, 404):
            return None
        return _cluster(self._expect(answer, "reading the cluster", 200))

    def find_cluster(self, name: str) -> Cluster | None:
        """The cluster with this name, or None."""
        answer = self.accounts.call(
            "GET", f"/v3/clusters?name={quote(name, safe='')}", what="looking for the cluster"
        )
        data = self._expect(answer, "looking for the cluster", 200).get("data")
        for body in cast("list[dict[str, Any]]", data or []):
            if body.get("name") == name:
                return _cluster(body)
        return None

    def find_or_create_cluster(self, name: str, owner: str) -> Cluster:
        """The cluster of this name, made if there is none.

        A cluster found is taken only while no agent has joined it, or if `owner` (whatever
        names the Kubernetes cluster for good, such as the uid of its namespace kube-system)
        says that it was made for the same one. Raises ClusterNameTakenError, BadClusterNameError.
        """
        found = self.find_cluster(name)
        if found is not None:
            return self._claimed(found, owner)
        answer = self.accounts.call(
            "POST",
            "/v3/clusters",
            what="making the cluster",
            body={"type": "cluster", "name": name, "annotations": {OWNER: owner}},
        )
        if answer.code == "NotUnique":
            # An earlier attempt may have gone through without its answer.
            found = self.find_cluster(name)
            if found is None:
                raise _taken(name, "which this user does not see")
            return self._claimed(found, owner)
        if answer.code == "InvalidFormat":
            raise BadClusterNameError(
                f"Rancher does not take {name!r} as the name of a cluster ({answer.message}): "
                "lowercase letters, digits and dashes, at most 63 of them."
            )
        return _cluster(self._expect(answer, "making the cluster", 201))

    def registration_token(self, cluster_id: str, timeout_seconds: float) -> RegistrationToken:
        """The token that the cluster's agent joins with; Rancher makes it a moment after it.

        Raises NotReadyError when it has none, or no address for the manifest, before the deadline.
        """
        path = f"/v3/clusterregistrationtokens/{quote(cluster_id, safe='')}:default-token"
        what = "reading the registration token"
        missing = "it has not made the token"
        for tell in self._transport.pauses(timeout_seconds, f"Cluster {cluster_id}"):
            answer = self.accounts.call("GET", path, what=what)
            if answer.status != 404:
                body = self._expect(answer, what, 200)
                if body.get("token") and body.get("manifestUrl"):
                    return RegistrationToken(str(body["token"]), str(body["manifestUrl"]))
                missing = "the token has no manifest address (is server-url set?)"
            else:
                self._ask_for_token(cluster_id)
            tell(missing)
        raise NotReadyError(
            f"Rancher at {self._transport.url} gives no registration token for cluster "
            f"{cluster_id} within {timeout_seconds:.0f} s: {missing}. See `docker logs` on the "
            "Rancher host.",
            "starting",
        )

    def import_manifest(self, cluster_id: str, token: str) -> str:
        """The text of the import manifest, secret because of its token. Not yet checked."""
        path = f"/v3/import/{quote(token, safe='')}_{quote(cluster_id, safe='')}.yaml"
        answer = self._open(path, "fetching the import manifest")
        if answer.status != 200:
            raise ManifestMismatchError(
                f"Rancher at {self._transport.url} has no import manifest for cluster {cluster_id} "
                f"with this token (HTTP {answer.status}): take a new address from Rancher."
            )
        return answer.text

    def delete_cluster(self, cluster_id: str, timeout_seconds: float) -> bool:
        """Take the cluster out and wait until Rancher has none; False if it had none before.

        Rancher cleans up inside the cluster through its agent, which must still run. Raises
        RemovalUnfinishedError at the deadline.
        """
        path = f"/v3/clusters/{quote(cluster_id, safe='')}"
        answer = self.accounts.call("DELETE", path, what="deleting the cluster")
        if answer.status in (403, 404):
            return False
        if answer.status not in (200, 202, 204):
            raise unexpected(answer, "deleting the cluster")
        for tell in self._transport.pauses(timeout_seconds, f"Deleting cluster {cluster_id}"):
            left = self.cluster(cluster_id)
            if left is None:
                return True
            tell(f"Rancher still has it ({left.state})")
        raise RemovalUnfinishedError(
            f"Rancher at {self._transport.url} still has cluster {cluster_id} "
            f"{timeout_seconds:.0f} s after its deletion."
        )

    def _claimed(self, found: Cluster, owner: str) -> Cluster:
        if found.id == "local":
            raise _taken(found.name, "which is the one that Rancher itself runs in")
        if found.ever_connected and (not owner or found.owner != owner):
            raise _taken(found.name, f"{found.id}, which an agent has already joined")
        return found

    def _ask_for_token(self, cluster_id: str) -> None:
        answer = self.accounts.call(
            "POST",
            "/v3/clusterregistrationtokens",
            what="asking for a registration token",
            body={
                "type": "clusterRegistrationToken",
                "clusterId": cluster_id,
                "name": "default-token",
            },
        )
        if answer.status not in (200, 201, 409):
            raise unexpected(answer, "asking for a registration token")

    def _open(self, path: str, what: str, *, retry_seconds: float | None = None) -> Answer:
        return self._transport.call("GET", path, what=what, retry_seconds=retry_seconds)

    def _expect(self, answer: Answer, what: str, status: int) -> dict[str, Any]:
        if answer.status != status:
            raise unexpected(answer, what)
        return answer.body


def fetch_manifest(manifest_url: str, ca_pem: str, *, retry_seconds: float = 120.0) -> str:
    """The text of the import manifest at an address that a person gave; needs no login.

    The server must prove that it knows the token in the address. Raises ValueError for an
    address that is none, CertificateMismatchError, NotReadyError.
    """
    parts = read_manifest_url(manifest_url)
    with RancherClient(parts.server_url, ca_pem, retry_seconds=retry_seconds) as rancher:
        rancher.prove_ca(ca_pem, parts.token)
        return rancher.import_manifest(parts.cluster_id, parts.token)


def _cluster(body: Mapping[str, Any]) -> Cluster:
    annotations = cast("Mapping[str, str]", body.get("annotations") or {})
    return Cluster(
        id=str(body["id"]),
        name=str(body.get("name", "")),
        state=str(body.get("state", "")),
        owner=annotations.get(OWNER, ""),
        conditions={
            str(condition.get("type")): (
                str(condition.get("status", "")),
                str(condition.get("message") or condition.get("reason") or ""),
            )
            for condition in cast("list[dict[str, Any]]", body.get("conditions") or [])
        },
    )


def _taken(name: str, by: str) -> ClusterNameTakenError:
    return ClusterNameTakenError(
        f"The name {name!r} belongs to a cluster in Rancher already: {by}. Choose another "
        "cluster name, or delete that cluster in Rancher if it is a leftover of this one."
    )
