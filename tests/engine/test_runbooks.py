"""docs/runbooks, step by step on Pulumi's real engine: what a page says is what works.

Commands for the Docker host are taken from the pages and typed there. Rancher, its agent and the
kubelets are the lab's stand-ins. The tests share one stack and follow one another, as the years
of a Rancher would.
"""

import json
import re
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engine.engine import Outcome, Stack
from tests.engine.needs import docker_marks
from tests.engine.rancher_lab import (
    HTTPS,
    NEXT_MINOR,
    TAG,
    DockerHost,
    RancherLab,
    another_address,
    rancher_lab,
)
from tests.engine.runbook import commands

FIRST_PASSWORD, SECOND_PASSWORD = "the-first-password", "the-second-password"
pytestmark = docker_marks("docker", "kubernetes")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RancherLab]:
    with rancher_lab(tmp_path_factory.mktemp("r")) as made:
        yield made


@pytest.fixture(scope="module")
def stack(lab: RancherLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Rancher on its first host, the cluster active in it."""
    engine = lab.engine(tmp_path_factory.mktemp("books") / "engine")
    made = engine.project_stack(
        "books", config=lab.config(), secrets={"rancherAdminPassword": FIRST_PASSWORD}
    )
    made.up().or_fail()
    yield made
    made.destroy().or_fail()


@pytest.fixture(scope="module")
def new_host(lab: RancherLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerHost]:
    with lab.another_host("new-rancher-host", tmp_path_factory.mktemp("n")) as made:
        yield made


def back_up(host: DockerHost, volume: str, *, start_again: bool = True) -> Path:
    """Restore-the-data-volume, Back up. Returns the archive."""
    typed = commands("restore-the-data-volume", "Back up", {"V=rancher-data": f"V={volume}"})
    if not start_again:
        typed = typed.replace("docker start rancher", "")
    host.sh(typed)
    (archive,) = host.folder.glob("*.tar.gz")
    return archive


def restore(host: DockerHost, archive: Path, volume: str) -> None:
    """Restore-the-data-volume, Restore, as far as it is typed on the Docker host."""
    values = {"rancher-data-restored": volume, "rancher-v2.8.5-2024-05-01.tar.gz": archive.name}
    host.sh(commands("restore-the-data-volume", "Restore", values))


def check(stack: Stack, lab: RancherLab) -> None:
    """How to check, on every page."""
    stack.preview("--expect-no-changes").or_fail()
    assert stack.outputs()["rancherClusterState"] == "active"
    lab.kubectl("-n", "cattle-system", "rollout", "status", "deployment/cattle-cluster-agent")


def agent_steps(outcome: Outcome) -> dict[str, str]:
    """What an operation does to the agent's objects in the cluster."""
    return {
        step.name: step.operation
        for step in outcome.steps
        if step.name.startswith("rancher-agent-") and step.operation != "same"
    }


def can_log_in(lab: RancherLab, password: str) -> bool:
    """Whether Rancher's admin has this password."""
    said = ask(
        lab,
        "/v3-public/localProviders/local?action=login",
        {"username": "admin", "password": password},
    )
    return bool(said.get("token"))


def ask(lab: RancherLab, path: str, body: dict[str, object]) -> dict[str, object]:
    """Send something to Rancher past the program, whatever its certificate; {} for a refusal."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(  # noqa: S310  https alone
        lab.url + path, data=json.dumps(body).encode(), method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=20, context=trust) as answer:  # noqa: S310
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError:
        return {}


def test_rotate_the_password(stack: Stack, lab: RancherLab) -> None:
    assert can_log_in(lab, FIRST_PASSWORD)
    stack.configure(secrets={"rancherAdminPassword": SECOND_PASSWORD})
    previewed = stack.preview("--diff").or_fail()
    assert previewed.step("rancher-registration", "update")
    assert agent_steps(previewed) == {}
    outcome = stack.up("--diff").or_fail()
    assert agent_steps(outcome) == {}
    for password in (FIRST_PASSWORD, SECOND_PASSWORD):
        assert password not in previewed.log + outcome.log
    assert can_log_in(lab, SECOND_PASSWORD)
    assert not can_log_in(lab, FIRST_PASSWORD)
    assert stack.outputs()["rancherAdminPassword"] == SECOND_PASSWORD
    check(stack, lab)


def test_upgrade_rancher_and_restore_the_data_of_before(stack: Stack, lab: RancherLab) -> None:
    registered = stack.outputs()["rancherClusterId"]
    archive = back_up(lab.host, "rancher-data")
    stack.preview("--expect-no-changes").or_fail()
    # Upgrade.
    stack.configure(lab.config(tag=NEXT_MINOR))
    previewed = stack.preview("--diff").or_fail()
    assert previewed.step("rancher-container", "replace")
    outcome = stack.up().or_fail()
    assert agent_steps(outcome) == {"rancher-agent-connection": "update"}
    assert lab.agent_variable("CATTLE_SERVER_VERSION") == NEXT_MINOR
    assert stack.outputs()["rancherClusterId"] == registered
    check(stack, lab)
    # "Rancher is broken": the data of before, with the version that made it.
    restore(lab.host, archive, "rancher-data-restored")
    stack.configure(lab.config(tag=TAG, dataVolume="rancher-data-restored"))
    assert stack.preview().or_fail().step("rancher-container", "replace")
    stack.up().or_fail()
    assert lab.host.data_of() == "rancher-data-restored"
    assert "rancher-data" in lab.host.sh("docker volume ls --quiet").split()
    assert lab.agent_variable("CATTLE_SERVER_VERSION") == TAG
    assert stack.outputs()["rancherClusterId"] == registered
    check(stack, lab)


def test_rotate_the_ca(stack: Stack, lab: RancherLab) -> None:
    # 1. Change it in Rancher.
    ask(lab, "/lab/faults", {"swap_ca": 1})
    with suppress(ConnectionError):
        ask(lab, "/ping", {})
    assert "not signed by the pinned CA" in stack.refresh().or_fail().log
    # 2. The checksum comes from the Docker host.
    checksum = lab.host.sh(commands("rotate-the-ca", "What is seen")).split()[0]
    stack.configure(lab.config(dataVolume="rancher-data-restored", acceptCa="ab" * 32))
    refused = stack.up()
    assert not refused.succeeded
    assert f"rancher.acceptCa: {checksum}" in refused.log
    stack.configure(lab.config(dataVolume="rancher-data-restored", acceptCa=checksum))
    assert stack.preview().or_fail().step("rancher-ca", "update")
    assert "rancher-agent-connection" in agent_steps(stack.up().or_fail())
    assert lab.agent_variable("CATTLE_CA_CHECKSUM") == checksum
    check(stack, lab)
    # 5. acceptCa is of no more use.
    stack.configure(lab.config(dataVolume="rancher-data-restored"))
    stack.up().or_fail()
    check(stack, lab)


def test_replace_the_rancher_host_and_take_its_data_along(
    stack: Stack, lab: RancherLab, new_host: DockerHost
) -> None:
    registered = stack.outputs()["rancherClusterId"]
    archive = back_up(lab.host, "rancher-data-restored", start_again=False)
    shutil.copy(archive, new_host.folder)
    restore(new_host, archive, "rancher-data")
    stack.configure(lab.config(new_host))
    previewed = stack.preview().or_fail()
    for name in ("rancher-image", "rancher-container"):
        assert previewed.step(name, "replace")
    outcome = stack.up().or_fail()
    assert agent_steps(outcome) == {}
    assert new_host.data_of() == "rancher-data"
    assert stack.outputs()["rancherClusterId"] == registered
    check(stack, lab)
    # The old host was not touched: what is there is removed by hand.
    lab.host.sh(commands("replace-the-rancher-host", "The old host still runs"))
    assert lab.host.sh("docker ps --all --quiet") == ""


def test_the_address_changes_too(stack: Stack, lab: RancherLab, new_host: DockerHost) -> None:
    """The old address leads nowhere any more: the container listens on the new one alone."""
    registered = stack.outputs()["rancherClusterId"]
    with another_address() as address:
        url = f"https://{address}:{HTTPS}"
        moved = lab.config(new_host, url=url, listenAddress=address)
        stack.configure(moved)
        previewed = stack.preview().or_fail()
        for name in ("rancher-address", "rancher-registration", "rancher-cluster-active"):
            assert previewed.step(name, "update"), name
        assert "rancher-agent-connection" in agent_steps(stack.up().or_fail())
        typed = commands("replace-the-rancher-host", "The address changes too")
        assert new_host.sh(typed) == url
        assert lab.agent_variable("CATTLE_SERVER") == url
        assert stack.outputs()["rancherClusterId"] == registered
        check(stack, lab)
        # And back, while the certificate has both names.
        stack.configure(lab.config(new_host))
        stack.up().or_fail()
        assert lab.agent_variable("CATTLE_SERVER") == lab.url
        check(stack, lab)


def test_replace_the_rancher_host_without_a_backup(
    stack: Stack, lab: RancherLab, new_host: DockerHost
) -> None:
    registered = stack.outputs()["rancherClusterId"]
    new_host.sh("docker stop --time 60 rancher")
    stack.configure(lab.config(lab.host, dataVolume="rancher-anew"))
    refused = stack.up()
    assert not refused.succeeded
    said = re.search(r"rancher\.acceptCa: ([0-9a-f]{64})", refused.log)
    assert said is not None, refused.log
    assert "is not the one that was pinned" in refused.log
    stack.configure(lab.config(lab.host, dataVolume="rancher-anew", acceptCa=said[1]))
    stack.up().or_fail()
    assert stack.outputs()["rancherClusterId"] != registered
    assert lab.agent_variable("CATTLE_CA_CHECKSUM") == said[1]
    stack.configure(lab.config(lab.host, dataVolume="rancher-anew"))
    stack.up().or_fail()
    check(stack, lab)
