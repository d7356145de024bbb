"""examples/import-into-rancher: a program of its own, and a Rancher that was there before."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.rancher.stand_in import agent
from lab.rancher.stand_in.server import StandIn
from tests.engine.conftest import Cluster
from tests.engine.engine import Engine, Stack
from tests.engine.installed import copied, environment
from tests.engine.kubectl import kubectl
from tests.engine.needs import marks
from tests.unit.doubles.a_rancher import BOOTSTRAP, client, logged_in, running, url_of

pytestmark = marks("kubernetes")

_SECONDS = 600.0


@dataclass(frozen=True)
class Fleet:
    """A Rancher with a token of a person's, and the program's stack."""

    rancher: StandIn
    stack: Stack
    token: str

    def clusters(self) -> dict[str, str]:
        """The imported clusters in Rancher: id → name."""
        known = self.rancher.context.state.clusters.values()
        return {each.id: each.name for each in known if each.imported}

    def new_token(self, description: str) -> str:
        """One more API token that a person makes."""
        with logged_in(self.rancher) as rancher:
            return rancher.accounts.replace_api_token(description).value


@contextmanager
def _fleet(folder: Path, cluster: Cluster, rancher: StandIn) -> Iterator[Fleet]:
    with logged_in(rancher) as session:
        token = session.accounts.replace_api_token("of a person").value
    stack = Engine(folder / "engine").folder_stack(
        "test",
        copied("import-into-rancher", folder),
        environment(),
        config={
            "kubeconfig": str(cluster.handle.kubeconfig),
            "rancherUrl": url_of(rancher),
            "rancherCa": rancher.ca_pem,
        },
        secrets={"rancherToken": token},
    )
    agent.up(cluster.handle.kubeconfig)
    try:
        yield Fleet(rancher, stack, token)
    finally:
        stack.destroy(seconds=_SECONDS)
        agent.down()


@pytest.fixture
def fleet(tmp_path: Path, cluster: Cluster) -> Iterator[Fleet]:
    """Before the first `up`."""
    with running(tmp_path / "rancher") as rancher, _fleet(tmp_path, cluster, rancher) as made:
        yield made


def test_the_cluster_is_imported_and_nothing_else_of_that_rancher_is_changed(
    fleet: Fleet, tmp_path: Path
) -> None:
    tokens = set(fleet.rancher.context.state.tokens)
    fleet.stack.up(seconds=_SECONDS).or_fail()
    outputs = fleet.stack.outputs()
    assert fleet.clusters() == {outputs["clusterId"]: "shop"}
    assert outputs["state"] == "active"
    assert fleet.stack.preview("--refresh", seconds=_SECONDS).or_fail().operations() == {}
    assert set(fleet.rancher.context.state.tokens) == tokens
    client(fleet.rancher).accounts.login(BOOTSTRAP)
    kept = (tmp_path / "engine" / "backend").rglob("*.json")
    assert not any(fleet.token in path.read_text() for path in kept)

    known = fleet.rancher.context.state.tokens
    for gone in [key for key, each in known.items() if "of a person" in str(each)]:
        del known[gone]
    refused = fleet.stack.up(seconds=_SECONDS)
    assert not refused.succeeded
    assert "Make another one there" in refused.errors()

    fleet.stack.configure(secrets={"rancherToken": fleet.new_token("another")})
    assert fleet.stack.up(seconds=_SECONDS).or_fail().operations().get("replace") is None
    assert fleet.clusters() == {outputs["clusterId"]: "shop"}

    fleet.stack.destroy(seconds=_SECONDS).or_fail()
    assert fleet.clusters() == {}
    assert fleet.stack.resources() == []


def test_a_cluster_of_another_rancher_is_refused_before_anything_is_made(
    fleet: Fleet, cluster: Cluster
) -> None:
    handle = cluster.handle
    kubectl(handle, "create", "namespace", "cattle-system")
    try:
        kubectl(
            handle,
            *("create", "deployment", "cattle-cluster-agent", "-n", "cattle-system"),
            *("--image=other", "--replicas=0"),
        )
        kubectl(
            handle,
            *("set", "env", "deployment/cattle-cluster-agent", "-n", "cattle-system"),
            "CATTLE_SERVER=https://other.example.com",
        )
        outcome = fleet.stack.preview(seconds=_SECONDS)
        assert not outcome.succeeded
        assert "https://other.example.com already" in outcome.errors()
        assert fleet.clusters() == {}
    finally:
        kubectl(handle, "delete", "namespace", "cattle-system", "--wait=false")
