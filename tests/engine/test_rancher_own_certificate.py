"""Rancher behind a certificate of one's own: nothing → Active, renewed, under another CA.

The tests share one stack and follow one another.
"""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.rancher.api.ca import ca_checksum
from lab.rancher.stand_in import agent
from tests.engine.certificates import make_authority, make_certificate
from tests.engine.engine import Stack
from tests.engine.needs import docker_marks
from tests.engine.rancher_lab import HTTPS, RancherLab, rancher_lab

KEY = "rancherCertificateKey"
pytestmark = docker_marks("docker", "kubernetes")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RancherLab]:
    with rancher_lab(tmp_path_factory.mktemp("r")) as made:
        yield made


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA, and what it signs."""
    folder = tmp_path_factory.mktemp("own")
    make_authority(folder)
    return folder


@pytest.fixture(scope="module")
def stack(lab: RancherLab, own: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Not brought up yet."""
    key = make_certificate(own, lab.address)
    made = lab.engine(tmp_path_factory.mktemp("stack") / "engine").project_stack(
        "own", config=config(lab, own), secrets={KEY: key}
    )
    yield made
    made.destroy().or_fail()


def config(lab: RancherLab, folder: Path, *, with_ca: bool = True) -> dict[str, Any]:
    files: dict[str, Any] = {"certificateFile": str(folder / "cert.pem")}
    if with_ca:
        files["caFile"] = str(folder / "ca.pem")
    return lab.config(lab.host, **files)


def is_served(lab: RancherLab, folder: Path) -> bool:
    """Whether Rancher serves with the folder's certificate."""
    served = ssl.get_server_certificate((lab.address, HTTPS))
    return served.strip() == (folder / "cert.pem").read_text().strip()


def assert_converged(stack: Stack) -> None:
    assert stack.outputs()["rancherClusterState"] == "active"
    assert stack.preview("--refresh").or_fail().operations() == {}


def test_one_up_leads_to_an_active_cluster_whose_agents_trust_the_ca(
    stack: Stack, lab: RancherLab, own: Path
) -> None:
    log = stack.up("--diff").or_fail().log
    assert is_served(lab, own)
    assert lab.agent_variable("CATTLE_CA_CHECKSUM") == ca_checksum((own / "ca.pem").read_text())
    assert_converged(stack)
    secret = (own / "key.pem").read_text().splitlines()[1]
    assert secret not in log
    assert secret not in json.dumps(stack.export())


def test_a_certificate_renewed_under_the_same_ca_is_no_news_for_the_agents(
    stack: Stack, lab: RancherLab, own: Path
) -> None:
    stack.configure(secrets={KEY: make_certificate(own, lab.address)})
    assert stack.preview().or_fail().step("rancher-container", "replace")
    outcome = stack.up().or_fail()
    touched = {step.name for step in outcome.steps if step.operation != "same"}
    assert not {name for name in touched if name.startswith("rancher-agent-")}
    assert is_served(lab, own)
    assert_converged(stack)


def test_another_ca_in_the_stack_file_reaches_the_agents(
    stack: Stack, lab: RancherLab, tmp_path: Path
) -> None:
    make_authority(tmp_path)
    stack.configure(config(lab, tmp_path), secrets={KEY: make_certificate(tmp_path, lab.address)})
    stack.up().or_fail()
    assert is_served(lab, tmp_path)
    expected = ca_checksum((tmp_path / "ca.pem").read_text())
    assert lab.agent_variable("CATTLE_CA_CHECKSUM") == expected
    assert_converged(stack)


def test_a_certificate_that_every_machine_trusts_leaves_the_agents_without_a_checksum(
    stack: Stack, lab: RancherLab, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # "Every machine": the one that runs Pulumi, and the one that plays the agent.
    stack.environment["SSL_CERT_FILE"] = str(own / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(own / "ca.pem"))
    agent.down()
    agent.up(lab.cluster.kubeconfig)
    stack.configure(
        config(lab, own, with_ca=False), secrets={KEY: make_certificate(own, lab.address)}
    )
    stack.up().or_fail()
    assert lab.agent_variable("CATTLE_CA_CHECKSUM") == ""
    assert_converged(stack)
