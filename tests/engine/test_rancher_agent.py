"""Rancher deploys its agent again by itself, and nothing that `pulumi` does cuts it off."""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.cluster.api import ClusterApi
from components.cluster.provider import kubernetes_provider
from components.common.owner import this_stack
from components.preflight.agent import agent_finding, read_agent
from components.rancher.agent.agent import RancherAgent
from components.rancher.api.client import RancherClient
from components.rancher.registration.active import RancherClusterActive
from components.rancher.registration.registration import RancherRegistration
from configuration.cluster import ClusterSettings
from configuration.rancher import RancherImportSettings
from lab.cluster.kubernetes import ClusterHandle
from lab.common.paths import PROJECT
from lab.common.waiting import wait_until
from lab.rancher.stand_in import agent, redeployment
from lab.rancher.stand_in.options import Options
from lab.rancher.stand_in.server import StandIn
from lab.rancher.stand_in.state import Cluster
from tests.engine.conftest import Cluster as LabCluster
from tests.engine.engine import Engine, Stack
from tests.engine.kubectl import OnCluster
from tests.engine.needs import marks
from tests.unit.doubles.a_rancher import ADMIN, BOOTSTRAP, rancher_at

pytestmark = marks("kubernetes")

ACTIVE = "pulumi-python:dynamic/rancher:ClusterActive"
CONNECTION = "pulumi-python:dynamic/rancher:AgentConnection"
REGISTRATION = "pulumi-python:dynamic/rancher:Registration"
ADDITIONS = "pulumi-python:dynamic/rancher:AgentAdditions"
_SECONDS = 60.0


def program(
    url: str,
    ca_pem: str,
    kubeconfig: str,
    manifest_file: str = "",
    proxy: str = "",
    ip: str = "",
    seconds: int = 60,
) -> None:
    """The cluster looked at and imported; a given manifest takes the place of a registration.

    Args:
        proxy: what the agent has as HTTPS_PROXY; nothing if empty.
        ip: what the agent's hosts file has for rancher.example.com; nothing if empty.
        seconds: how long the agent may take to start.
    """
    given = RancherImportSettings.model_validate(
        {
            "timeoutSeconds": seconds,
            "agentEnvironment": {"HTTPS_PROXY": proxy, "NO_PROXY": "127.0.0.1"} if proxy else {},
            "hostAliases": [{"ip": ip, "hostnames": ["rancher.example.com"]}] if ip else [],
        }
    )
    cluster = ClusterSettings(name="storage", kubeconfig=kubeconfig)
    found = agent_finding(read_agent(ClusterApi(kubeconfig, None)), this_stack())
    provider = kubernetes_provider(cluster)
    on_cluster = pulumi.ResourceOptions(providers=[provider])

    def agent_of(manifest: pulumi.Input[str]) -> RancherAgent:
        return RancherAgent(
            "agent", manifest=manifest, cluster=cluster, given=given, found=found, opts=on_cluster
        )

    if manifest_file:
        agent_of(pulumi.Output.secret(Path(manifest_file).read_text()))
        return
    registration = RancherRegistration(
        "registration",
        rancher=rancher_at(url),
        given=given,
        cluster_name="storage",
        url=url,
        ca_pem=ca_pem,
        bootstrap_password=BOOTSTRAP,
        admin_password=ADMIN,
        owner="",
        # As another container's id does, it has Rancher asked again.
        server_id=ca_pem,
    )
    imported = agent_of(registration.manifest)
    RancherClusterActive(
        "active",
        url=url,
        ca_pem=ca_pem,
        cluster_id=registration.cluster_id,
        api_token=registration.api_token,
        admin_password=ADMIN,
        revision=imported.revision,
        agent_image=imported.image,
        timeout_seconds=120,
        opts=pulumi.ResourceOptions(depends_on=[imported]),
    )


@dataclass
class Imported(OnCluster):
    """A Rancher that can be restarted, its played agent, and a stack that imports the cluster."""

    cluster: ClusterHandle
    folder: Path
    port: int
    stack: Stack
    rancher: StandIn

    def start(self, version: str) -> None:
        """The same Rancher in another version, at the same address."""
        self.rancher.stop()
        self.rancher = _started(self.folder, self.port, version)

    @property
    def known(self) -> Cluster:
        """The cluster as Rancher has it."""
        (one,) = [each for each in self.rancher.context.state.clusters.values() if each.imported]
        return one

    def deployment(self) -> dict[str, Any]:
        """The agent's Deployment."""
        name = ("deployment", "cattle-cluster-agent", "-n", "cattle-system")
        return json.loads(self.kubectl("get", *name, "-o", "json"))

    def environment(self) -> dict[str, str]:
        """What the running agent was told."""
        container = self.deployment()["spec"]["template"]["spec"]["containers"][0]
        return {each["name"]: each.get("value", "") for each in container["env"]}

    def hosts(self) -> list[Any]:
        """The hosts entries of the running agent."""
        return self.deployment()["spec"]["template"]["spec"].get("hostAliases", [])

    def is_connected(self) -> bool:
        """Whether the agent, in its newest form, still serves Rancher after its next word."""
        before = self.known.last_word
        wait_until(
            lambda: self.known.last_word != before, doing="waiting for the agent", seconds=_SECONDS
        )
        return self.known.connected_since is not None and self.known.features_lost is None


def _started(folder: Path, port: int, version: str) -> StandIn:
    options = Options(
        data_directory=folder,
        bootstrap_password=BOOTSTRAP,
        version=version,
        token_delay_seconds=0.0,
        activation_seconds=0.0,
        agent_silence_seconds=6.0,
    )
    rancher = StandIn(options, host="127.0.0.1", https_port=port, http_port=None)
    rancher.start()
    return rancher


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _imported(tmp_path: Path, cluster: LabCluster) -> Iterator[Imported]:
    engine = Engine(tmp_path / "engine")
    engine.environment["PYTHONPATH"] = str(PROJECT)
    port = _free_port()
    rancher = _started(tmp_path / "rancher", port, "v2.8.5")
    handle = cluster.handle
    arguments = {
        "url": f"https://127.0.0.1:{port}",
        "ca_pem": rancher.ca_pem,
        "kubeconfig": str(handle.kubeconfig),
    }
    stack = engine.stack("test", program=program, arguments=arguments)
    lab = Imported(handle, tmp_path / "rancher", port, stack, rancher)
    agent.up(handle.kubeconfig)
    try:
        yield lab
    finally:
        stack.destroy()
        agent.down()
        lab.rancher.stop()


@pytest.fixture
def imported(tmp_path: Path, cluster: LabCluster) -> Iterator[Imported]:
    """After the first `up`."""
    with _imported(tmp_path, cluster) as lab:
        lab.stack.up().or_fail()
        yield lab


def test_what_rancher_changes_on_its_agent_is_neither_shown_nor_taken_back(
    imported: Imported,
) -> None:
    stack = imported.stack
    assert imported.environment()["CATTLE_FEATURES"], "Rancher deploys its agent again"
    before = imported.deployment()
    assert before["spec"]["replicas"] == 2
    for operation, flags in (
        ("preview", ()),
        ("refresh", ()),
        ("preview", ()),
        ("up", ("--refresh",)),
        ("preview", ("--refresh",)),
    ):
        outcome = stack.start(operation, *flags).wait().or_fail()
        assert outcome.operations() == {}, (operation, flags)
        assert imported.is_connected(), (operation, flags)
    assert imported.deployment()["spec"] == before["spec"]


def test_a_patch_version_of_rancher_brings_its_agent_along_and_up_waits_for_it(
    imported: Imported,
) -> None:
    imported.start("v2.8.6")
    # As another container's id does.
    imported.stack.arguments = {
        **imported.stack.arguments,
        "ca_pem": f"{imported.rancher.ca_pem}\n",
    }
    imported.stack.up().or_fail()
    container = imported.deployment()["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "rancher/rancher-agent:v2.8.6"
    assert imported.is_connected()
    assert imported.stack.preview("--refresh").or_fail().operations() == {}


def test_environment_and_hosts_entries_survive_what_rancher_deploys_and_go_with_their_keys(
    imported: Imported,
) -> None:
    stack, plain = imported.stack, imported.stack.arguments
    entry = {"ip": "192.0.2.10", "hostnames": ["rancher.example.com"]}
    stack.arguments = {**plain, "proxy": "http://proxy.example.com:3128", "ip": entry["ip"]}
    shown = stack.preview().or_fail()
    assert {kind: shown.operations(kind) for kind in (REGISTRATION, CONNECTION, ACTIVE)} == {
        kind: {"update": 1} for kind in (REGISTRATION, CONNECTION, ACTIVE)
    }
    assert shown.operations() == {"update": 3}
    assert stack.up().or_fail().operations() == shown.operations()
    assert [each["name"] for each in imported.known.agent_environment] == [
        "HTTPS_PROXY",
        "NO_PROXY",
    ]

    def has_both() -> bool:
        proxy = imported.environment().get("HTTPS_PROXY")
        return proxy == "http://proxy.example.com:3128" and imported.hosts() == [entry]

    assert has_both()
    assert stack.start("preview", "--refresh").wait().or_fail().operations() == {}
    imported.known.annotations[redeployment.FORCE] = "true"
    wait_until(
        lambda: imported.known.annotations[redeployment.FORCE] == "false",
        doing="waiting for Rancher to deploy its agent",
        seconds=_SECONDS,
    )
    assert has_both()
    name = ("deployment", "cattle-cluster-agent", "-n", "cattle-system")
    imported.kubectl("patch", *name, "-p", '{"spec":{"template":{"spec":{"hostAliases":null}}}}')
    imported.known.agent_environment = []
    wait_until(
        lambda: "HTTPS_PROXY" not in imported.environment(),
        doing="waiting for Rancher to deploy its agent without the environment",
        seconds=_SECONDS,
    )
    shown = stack.start("preview", "--refresh").wait().or_fail()
    assert shown.operations(CONNECTION) == {"update": 1}
    assert shown.operations(REGISTRATION) == {"update": 1}
    stack.up("--refresh").or_fail()
    assert has_both()
    assert imported.is_connected()
    assert stack.start("preview", "--refresh").wait().or_fail().operations() == {}
    stack.arguments = plain
    stack.up().or_fail()
    assert "HTTPS_PROXY" not in imported.environment()
    assert imported.hosts() == []
    assert imported.known.agent_environment == []
    assert imported.environment()["CATTLE_FEATURES"]
    assert stack.start("preview", "--refresh").wait().or_fail().operations() == {}


def test_another_ca_reaches_the_agent_and_leaves_it_its_features(imported: Imported) -> None:
    imported.rancher.swap_ca()
    imported.stack.arguments = {
        **imported.stack.arguments,
        "ca_pem": imported.rancher.ca_pem,
    }
    shown = imported.stack.preview().or_fail()
    assert shown.operations(CONNECTION) == {"update": 1}
    imported.stack.up().or_fail()
    environment = imported.environment()
    assert environment["CATTLE_FEATURES"]
    assert imported.is_connected()
    assert imported.stack.preview("--refresh").or_fail().operations() == {}


def test_an_agent_that_lost_its_features_is_shown_and_up_has_rancher_deploy_it_again(
    imported: Imported,
) -> None:
    name = ("deployment/cattle-cluster-agent", "-n", "cattle-system")
    imported.kubectl("set", "env", *name, "CATTLE_FEATURES-")
    wait_until(
        lambda: imported.known.features_lost is not None,
        doing="waiting for the agent without features",
        seconds=_SECONDS,
    )
    shown = imported.stack.preview("--refresh").or_fail()
    assert shown.operations(ACTIVE) == {"update": 1}
    imported.stack.up("--refresh").or_fail()
    assert imported.environment()["CATTLE_FEATURES"]
    assert imported.is_connected()
    assert imported.stack.preview("--refresh").or_fail().operations() == {}


def test_an_agent_that_somebody_deleted_comes_back_connected(imported: Imported) -> None:
    imported.kubectl("delete", "deployment", "cattle-cluster-agent", "-n", "cattle-system")
    imported.stack.up("--refresh").or_fail()
    assert imported.environment()["CATTLE_FEATURES"]
    assert imported.is_connected()


def test_an_agent_that_somebody_scaled_to_0_shows_without_a_refresh_and_up_runs_it_again(
    imported: Imported,
) -> None:
    _scale_to_0(imported)
    shown = imported.stack.preview("--diff").or_fail()
    assert shown.operations(CONNECTION) == {"update": 1}
    assert "Deployment cattle-cluster-agent is scaled to 0" in shown.log
    imported.stack.up().or_fail()
    assert imported.is_connected()
    assert imported.environment()["CATTLE_FEATURES"]
    assert imported.stack.preview().or_fail().operations() == {}


def test_the_agent_of_a_given_manifest_is_run_again_too_and_one_that_is_gone_is_no_success(
    tmp_path: Path, cluster: LabCluster
) -> None:
    """No resource of the stack calls Rancher, so that nothing else would show."""
    with _imported(tmp_path, cluster) as lab:
        file, stack = tmp_path / "manifest.yaml", lab.stack
        file.write_text(_manifest_by_hand(lab))
        stack.arguments = {**stack.arguments, "manifest_file": str(file)}
        stack.up().or_fail()
        assert stack.preview().or_fail().operations() == {}
        _scale_to_0(lab)
        assert stack.preview().or_fail().operations() == {"update": 1}
        assert stack.up().or_fail().operations(CONNECTION) == {"update": 1}
        assert lab.is_connected()
        assert stack.preview().or_fail().operations() == {}
        lab.kubectl("delete", "deployment", "cattle-cluster-agent", "-n", "cattle-system")
        assert stack.preview().or_fail().operations(CONNECTION) == {"update": 1}
        failed = stack.up()
        assert not failed.succeeded
        assert "there is no Deployment cattle-cluster-agent" in failed.errors()
        stack.up("--refresh").or_fail()
        assert lab.deployment()["status"]["availableReplicas"] == 1
        assert stack.preview().or_fail().operations() == {}


def _scale_to_0(lab: Imported) -> None:
    name = ("deployment", "cattle-cluster-agent", "-n", "cattle-system")
    lab.kubectl("scale", *name, "--replicas=0")
    wait_until(
        lambda: not lab.deployment()["status"].get("replicas"),
        doing="waiting for the agent's pods to go",
        seconds=_SECONDS,
    )


def test_a_given_manifest_is_held_to_the_same_and_brings_its_registry_along(
    tmp_path: Path, cluster: LabCluster
) -> None:
    """No resource of the stack calls Rancher: its agent is brought along in the cluster."""
    with _imported(tmp_path, cluster) as lab:
        plain = _manifest_by_hand(lab)
        login = base64.b64encode(b'{"auths": {"registry.example.com": {"auth": "YTpi"}}}').decode()
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "cattle-private-registry", "namespace": "cattle-system"},
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": login},
        }
        file, stack = tmp_path / "manifest.yaml", lab.stack
        stack.arguments = {**stack.arguments, "manifest_file": str(file)}
        file.write_text(f"{plain}---\n{yaml.safe_dump(secret)}")
        stack.up().or_fail()
        wait_until(
            lambda: lab.known.connected_since is not None,
            doing="waiting for Rancher to deploy its agent",
            seconds=_SECONDS,
        )
        assert "cattle-private-registry" in lab.kubectl("get", "secrets", "-n", "cattle-system")
        assert login not in json.dumps(stack.export())
        assert stack.up("--refresh").or_fail().operations() == {}
        file.write_text(plain)
        assert stack.preview().or_fail().operations() == {"update": 1}
        assert stack.up("--refresh").or_fail().operations(ADDITIONS) == {"update": 1}
        assert "cattle-private-registry" not in lab.kubectl("get", "secrets", "-n", "cattle-system")
        lab.rancher.swap_ca()
        file.write_text(_manifest_by_hand(lab))
        stack.arguments = {**stack.arguments, "proxy": "http://proxy", "ip": "192.0.2.10"}
        stack.up().or_fail()
        assert lab.environment()["HTTPS_PROXY"] == "http://proxy"
        assert lab.hosts() == [{"ip": "192.0.2.10", "hostnames": ["rancher.example.com"]}]
        assert lab.known.agent_environment == []
        assert lab.is_connected()
        assert lab.environment()["CATTLE_FEATURES"]


def test_an_agent_that_could_not_start_gets_the_corrected_manifest(
    tmp_path: Path, cluster: LabCluster
) -> None:
    with _imported(tmp_path, cluster) as lab:
        plain = _manifest_by_hand(lab)
        file, stack = tmp_path / "manifest.yaml", lab.stack
        stack.arguments = {**stack.arguments, "manifest_file": str(file), "seconds": 5}
        # The pods stay where they are, as with an image that is nowhere.
        file.write_text(_for_nodes(plain, "none"))
        failed = stack.up()
        assert not failed.succeeded
        assert "Deployment cattle-cluster-agent" in failed.errors()
        assert "didn't match Pod's node affinity/selector" in failed.errors()
        file.write_text(_for_nodes(plain, "linux"))
        stack.arguments = {**stack.arguments, "seconds": 60}
        stack.up().or_fail()
        assert lab.is_connected()
        assert stack.up("--refresh").or_fail().operations() == {}


def _for_nodes(manifest: str, system: str) -> str:
    """The manifest with an agent that runs on nodes with that system alone."""
    documents = [each for each in yaml.safe_load_all(manifest) if each]
    (found,) = [each for each in documents if each["kind"] == "Deployment"]
    found["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/os": system}
    return yaml.safe_dump_all(documents)


def _manifest_by_hand(lab: Imported) -> str:
    url = f"https://127.0.0.1:{lab.port}"
    with RancherClient(url, lab.rancher.ca_pem) as rancher:
        rancher.accounts.login(BOOTSTRAP)
        rancher.set_server_url(url)
        cluster = rancher.clusters.find_or_create("storage", "uid")
        token = rancher.clusters.registration_token(cluster.id, 10.0)
        return rancher.import_manifest(cluster.id, token.value)
