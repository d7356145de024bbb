"""Rancher behind a proxy that ends TLS: nothing → Active, from there to a certificate of its own.

The tests share one stack and follow one another.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.rancher.api.ca import ca_checksum
from lab.rancher.tls_proxy import tls_proxy
from tests.engine.certificates import make_authority, make_certificate
from tests.engine.engine import Stack
from tests.engine.needs import docker_marks
from tests.engine.rancher_lab import HTTP, RancherLab, rancher_lab

PROXY = 9443
pytestmark = docker_marks("docker", "kubernetes")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RancherLab]:
    with rancher_lab(tmp_path_factory.mktemp("r")) as made:
        yield made


@pytest.fixture(scope="module")
def proxy(lab: RancherLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with the CA of a proxy that runs."""
    folder = tmp_path_factory.mktemp("proxy")
    make_authority(folder)
    make_certificate(folder, lab.address)
    with tls_proxy((lab.address, PROXY), (lab.address, HTTP), folder):
        yield folder


@pytest.fixture(scope="module")
def stack(
    lab: RancherLab, proxy: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Not brought up yet."""
    made = lab.engine(tmp_path_factory.mktemp("stack") / "engine").project_stack(
        "behind", config=config(lab, proxy)
    )
    yield made
    made.destroy().or_fail()


def config(lab: RancherLab, folder: Path) -> dict[str, Any]:
    given = {"tlsTermination": "external", "caFile": str(folder / "ca.pem")}
    return lab.config(lab.host, url=f"https://{lab.address}:{PROXY}", **given)


def assert_converged(stack: Stack) -> None:
    assert stack.outputs()["rancherClusterState"] == "active"
    assert stack.preview("--refresh").or_fail().operations() == {}


def test_one_up_leads_to_an_active_cluster_whose_agents_trust_the_proxy_s_ca(
    stack: Stack, lab: RancherLab, proxy: Path
) -> None:
    stack.up().or_fail()
    expected = ca_checksum((proxy / "ca.pem").read_text())
    assert lab.agent_variable("CATTLE_CA_CHECKSUM") == expected
    assert lab.agent_variable("CATTLE_SERVER") == f"https://{lab.address}:{PROXY}"
    assert_converged(stack)


def test_rancher_gets_a_certificate_of_its_own_and_the_proxy_goes(
    stack: Stack, lab: RancherLab, tmp_path: Path
) -> None:
    make_authority(tmp_path)
    key = make_certificate(tmp_path, lab.address)
    files = {"certificateFile": str(tmp_path / "cert.pem"), "caFile": str(tmp_path / "ca.pem")}
    stack.configure(lab.config(lab.host, **files), secrets={"rancherCertificateKey": key})
    stack.up().or_fail()
    assert lab.agent_variable("CATTLE_SERVER") == lab.url
    expected = ca_checksum((tmp_path / "ca.pem").read_text())
    assert lab.agent_variable("CATTLE_CA_CHECKSUM") == expected
    assert_converged(stack)
