"""Clusters in Rancher: found, made, joined by a token, taken out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

from components.common.answers import listed
from components.common.waiting import wait_until
from components.rancher.api.accounts import Accounts, expected, unexpected
from components.rancher.api.errors import (
    BadClusterNameError,
    ClusterNameTakenError,
    NotReadyError,
    RemovalUnfinishedError,
)
from components.rancher.api.transport import Answer, Transport

OWNER = "longhorn-rancher/owner"
"""Annotation on a cluster in Rancher: which Kubernetes cluster it was made for."""
_FORCE = "io.cattle.agent.force.deploy"
_AGENT_ENVIRONMENT = "agentEnvVars"
_AGENT = "apps.deployments/cattle-system/cattle-cluster-agent"


@dataclass(frozen=True)
class Cluster:
    """A cluster as Rancher sees it. `conditions` is type → (status, reason or message)."""

    id: str
    name: str
    state: str
    owner: str
    conditions: Mapping[str, tuple[str, str]]
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    agent_environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """What Rancher gives the cluster's agents, name → value."""

    def is_true(self, condition: str) -> bool:
        """Whether Rancher reports the condition as True."""
        return self.conditions.get(condition, ("", ""))[0] == "True"

    @property
    def ever_connected(self) -> bool:
        """Whether an agent has joined it at some time."""
        return "Connected" in self.conditions


@dataclass(frozen=True)
class RegistrationToken:
    """What an agent joins with."""

    value: str = field(repr=False)


class Clusters:
    """The calls about clusters, made as whoever `accounts` is."""

    def __init__(self, transport: Transport, accounts: Accounts) -> None:
        self._transport = transport
        self._accounts = accounts

    def get(self, cluster_id: str) -> Cluster | None:
        """The cluster with this id; None when Rancher has none (or hides one being deleted)."""
        answer = self._accounts.call(
            "GET", f"/v3/clusters/{quote(cluster_id, safe='')}", what="reading the cluster"
        )
        if answer.status in (403, 404):
            return None
        return _cluster(expected(answer, "reading the cluster", 200))

    def find(self, name: str) -> Cluster | None:
        """The cluster with this name, or None."""
        answer = self._accounts.call(
            "GET", f"/v3/clusters?name={quote(name, safe='')}", what="looking for the cluster"
        )
        data = expected(answer, "looking for the cluster", 200).get("data")
        for body in cast("list[dict[str, Any]]", data or []):
            if body.get("name") == name:
                return _cluster(body)
        return None

    def find_or_create(self, name: str, owner: str, known_id: str = "") -> Cluster:
        """The cluster of this name, made if there is none.

        The one that was registered before gets the name if it has another: id, token and agent
        stay as they are. A cluster found is taken if it has the id that was registered before, if
        `owner` (whatever names the Kubernetes cluster for good, such as the uid of its namespace
        kube-system) says that it was made for the same one, or if it was made for nobody that is
        known and no agent has joined it.

        Raises ClusterNameTakenError, BadClusterNameError.
        """
        known = self.get(known_id) if known_id else None
        if known is not None and known.name != name:
            return self._renamed(_staying(known), name)
        found = self.find(name)
        if found is not None:
            return self._claimed(found, owner, known_id)
        answer = self._accounts.call(
            "POST",
            "/v3/clusters",
            what="making the cluster",
            body={"type": "cluster", "name": name, "annotations": {OWNER: owner}},
        )
        if answer.code == "NotUnique":
            # An earlier attempt may have gone through without its answer.
            found = self.find(name)
            if found is None:
                raise _taken(name, "which this user does not see")
            return self._claimed(found, owner, known_id)
        if answer.code == "InvalidFormat":
            raise _bad_name(name, answer)
        return _cluster(expected(answer, "making the cluster", 201))

    def registration_token(self, cluster_id: str, timeout_seconds: float) -> RegistrationToken:
        """The token that the cluster's agent joins with; Rancher makes it a moment after it.

        Raises NotReadyError when it has none, or no address for the manifest, before the deadline.
        """
        path = f"/v3/clusterregistrationtokens/{quote(cluster_id, safe='')}:default-token"
        what = "reading the registration token"
        body: Mapping[str, Any] = {}

        def missing() -> list[str]:
            nonlocal body
            answer = self._accounts.call("GET", path, what=what)
            if answer.status == 404:
                self._ask_for_token(cluster_id)
                return ["it has not made the token"]
            body = expected(answer, what, 200)
            is_whole = body.get("token") and body.get("manifestUrl")
            return [] if is_whole else ["the token has no manifest address (is server-url set?)"]

        try:
            self._wait("the registration token", cluster_id, missing, timeout_seconds)
        except TimeoutError as error:
            raise NotReadyError(f"{error}. See `docker logs` on its host.", "starting") from None
        return RegistrationToken(str(body["token"]))

    def delete(self, cluster_id: str, timeout_seconds: float) -> bool:
        """Take the cluster out and wait until Rancher has none; False if it had none before.

        Rancher cleans up inside the cluster through its agent, which must still run. Raises
        RemovalUnfinishedError at the deadline.
        """
        path = f"/v3/clusters/{quote(cluster_id, safe='')}"
        answer = self._accounts.call("DELETE", path, what="deleting the cluster")
        if answer.status in (403, 404):
            return False
        if answer.status not in (200, 202, 204):
            raise unexpected(answer, "deleting the cluster")

        def missing() -> list[str]:
            left = self.get(cluster_id)
            return [] if left is None else [f"Rancher still has it ({left.state})"]

        try:
            self._wait("the removal", cluster_id, missing, timeout_seconds)
        except TimeoutError as error:
            raise RemovalUnfinishedError(str(error)) from None
        return True

    def agent_deployment(
        self, cluster_id: str, *, retry_seconds: float = 0.0
    ) -> Mapping[str, Any] | None:
        """The agent's Deployment, asked for through the agent itself; None if it doesn't answer.

        Rancher's own word for a cluster that lost its agent is some 15 s old; this one is not.
        Source: Rancher 2.8.5, pkg/api/steve/proxy/proxy.go; without an agent it answers 500.
        """
        path = f"/k8s/clusters/{quote(cluster_id, safe='')}/v1/{_AGENT}"
        try:
            answer = self._accounts.call(
                "GET", path, what="asking through the agent", retry_seconds=retry_seconds
            )
        except NotReadyError:
            return None
        return answer.body if answer.status == 200 else None

    def deploy_agent_again(self, cluster: Cluster) -> None:
        """Have Rancher apply its own Deployment of the agent once more, over the agent's tunnel.

        Source: Rancher 2.8.5, pkg/controllers/management/clusterdeploy/clusterdeploy.go.
        """
        what = "having its agent deployed again"
        answer = self._put(cluster, what, annotations={**cluster.annotations, _FORCE: "true"})
        expected(answer, what, 200)

    def set_agent_environment(self, cluster: Cluster, environment: Mapping[str, str]) -> None:
        """Have Rancher give the cluster's agents this environment and no more of its own.

        It is in the import manifest from then on, and Rancher deploys its agent again with it.
        Source: Rancher 2.8.5, pkg/systemtemplate/import.go and clusterdeploy.go.
        """
        variables = [{"name": name, "value": value} for name, value in sorted(environment.items())]
        what = "setting its agent's environment"
        expected(self._put(cluster, what, **{_AGENT_ENVIRONMENT: variables}), what, 200)

    def _put(self, cluster: Cluster, what: str, **changed: Any) -> Answer:
        """Write these fields of it; what is not written stays, but for the name."""
        return self._accounts.call(
            "PUT",
            f"/v3/clusters/{quote(cluster.id, safe='')}",
            what=what,
            body={"type": "cluster", "name": cluster.name, **changed},
        )

    def _wait(
        self, what: str, cluster_id: str, missing: Callable[[], list[str]], seconds: float
    ) -> None:
        wait_until(
            f"Rancher at {self._transport.url}, {what} of cluster {cluster_id}",
            missing,
            timeout_seconds=seconds,
            say=self._transport.say,
        )

    def _renamed(self, known: Cluster, name: str) -> Cluster:
        # Source: Rancher 2.8.5 and 2.13.1, pkg/api/norman/store/cluster/cluster_store.go, Update.
        answer = self._put(known, "renaming the cluster", name=name)
        if answer.code == "NotUnique":
            raise _taken(name, "another one")
        if answer.code == "InvalidFormat":
            raise _bad_name(name, answer)
        return _cluster(expected(answer, "renaming the cluster", 200))

    def _claimed(self, found: Cluster, owner: str, known_id: str) -> Cluster:
        if found.id == "local":
            raise _taken(found.name, "which is the one that Rancher itself runs in")
        is_ours = found.id == known_id or (owner != "" and found.owner == owner)
        if found.ever_connected and not is_ours:
            raise _taken(found.name, f"{found.id}, which an agent has already joined")
        if found.owner and not is_ours:
            raise _taken(found.name, f"{found.id}, which was made for another Kubernetes cluster")
        return _staying(found)

    def _ask_for_token(self, cluster_id: str) -> None:
        answer = self._accounts.call(
            "POST",
            "/v3/clusterregistrationtokens",
            what="asking for a registration token",
            body={
                "type": "clusterRegistrationToken",
                "clusterId": cluster_id,
                "name": "default-token",
            },
        )
        # 404: the cluster's own namespace is not made yet, which takes a busy Rancher some seconds.
        if answer.status not in (200, 201, 404, 409):
            raise unexpected(answer, "asking for a registration token")


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
        annotations=annotations,
        agent_environment={
            str(variable.get("name")): str(variable.get("value") or "")
            for variable in listed(body.get(_AGENT_ENVIRONMENT))
        },
    )


def _staying(found: Cluster) -> Cluster:
    """The cluster itself, unless Rancher is about to have it no more."""
    if found.state == "removing":
        raise ClusterNameTakenError(
            f"Rancher is still removing its cluster {found.name!r} ({found.id}). Wait until it is "
            "gone there, and run it again."
        )
    return found


def _bad_name(name: str, answer: Answer) -> BadClusterNameError:
    return BadClusterNameError(
        f"Rancher does not take {name!r} as the name of a cluster ({answer.message}): "
        "lowercase letters, digits and dashes, at most 63 of them."
    )


def _taken(name: str, by: str) -> ClusterNameTakenError:
    return ClusterNameTakenError(
        f"The name {name!r} belongs to a cluster in Rancher already: {by}. Choose another "
        "cluster name, or delete that cluster in Rancher if it is a leftover of this one."
    )
