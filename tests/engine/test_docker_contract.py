"""What the program relies on in Pulumi's docker plugin, held against the lab's stand-in, too.

Every test runs once with the stand-in and once with the real plugin. Both have to pass the same
tests: that is what makes a trial in the lab worth something. Both engines are real: Pulumi's, and
one of Docker's that is made for this module.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.docker import engine as docker_engine
from lab.docker.engine import DockerHandle
from lab.programs.docker_stand_in import STAND_IN
from tests.engine.docker_scenario import (
    CONTAINER,
    IMAGE,
    OTHER_SLEEPER,
    SECRET,
    SLEEPER,
    VOLUME,
    Scenario,
    like_rancher,
    make_images,
    sleeper,
)
from tests.engine.engine import Engine, installed
from tests.engine.needs import docker_marks, real_folder
from tests.engine.rancher_lab import engine_apart

# Of this process alone, so that two runs of the tests do not meet.
_NAME = f"tc{os.getpid() % 100_000}"
_SECOND, _THIRD = 20 + os.getpid() % 20, os.getpid() // 20 % 256
ADDRESS = f"10.{_SECOND ^ 128}.{_THIRD}.1"
REPLACED = {"delete-replaced": 1, "replace": 1, "create-replacement": 1}

pytestmark = docker_marks("docker")


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerHandle]:
    """A Docker engine beside any other; removed at the end."""
    folder = tmp_path_factory.mktemp("c")
    with engine_apart(folder, _NAME, f"10.{_SECOND}.{_THIRD}") as handle:
        make_images(handle)
        yield handle


@pytest.fixture(params=["stand-in", "real plugin"])
def plugin_directory(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    if request.param == "stand-in":
        return installed(STAND_IN, tmp_path_factory.mktemp("stand-in"))
    return real_folder(STAND_IN)


@pytest.fixture
def engine(tmp_path: Path, plugin_directory: Path, docker: DockerHandle) -> Iterator[Engine]:
    yield Engine(tmp_path / "engine", [plugin_directory])
    for kind in ("container", "volume"):
        _remove_all(docker, kind)


def _remove_all(docker: DockerHandle, kind: str) -> None:
    every = ["--all"] if kind == "container" else []
    if found := docker_engine.command(docker, kind, "ls", "--quiet", *every).split():
        docker_engine.command(docker, kind, "rm", "--force", *found)


def test_what_the_program_declares_is_made_and_a_second_up_and_a_refresh_change_nothing(
    engine: Engine, docker: DockerHandle
) -> None:
    scenario = Scenario(engine, docker, like_rancher(ADDRESS))
    scenario.up().or_fail()
    found = scenario.inspect("sleeper")
    assert found["State"]["Health"]["Status"] == "healthy"
    assert found["HostConfig"]["Privileged"]
    assert found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert found["Config"]["Cmd"] == ["2d"]
    assert "PASSWORD=first" in found["Config"]["Env"]
    assert found["Config"]["Labels"]["owner"] == "test"
    stat = ("exec", "sleeper", "stat", "-c", "%a %u %s", "/etc/contract/key.pem")
    assert scenario.command(*stat) == "600 0 4"
    assert scenario.up().or_fail().operations() == {}
    scenario.stack.refresh().or_fail()
    assert scenario.preview().or_fail().operations() == {}
    assert scenario.inspect("sleeper")["Id"] == found["Id"]
    assert scenario.state(CONTAINER)["id"] == found["Id"]


def test_a_preview_makes_nothing(engine: Engine, docker: DockerHandle) -> None:
    scenario = Scenario(engine, docker, like_rancher(ADDRESS))
    outcome = scenario.preview().or_fail()
    assert outcome.operations(CONTAINER) == {"create": 1}
    assert scenario.command("container", "ls", "--all", "--quiet") == ""
    assert scenario.command("volume", "ls", "--quiet") == ""


MADE_WITH: dict[str, Any] = {
    "image": SLEEPER,
    "envs": ["A=1"],
    "command": None,
    "privileged": None,
    "ports": [{"internal": 80, "external": 18080, "ip": ADDRESS}],
    "volumes": [{"volume_name": "contract-data", "container_path": "/data"}],
    "labels": [{"label": "owner", "value": "test"}],
    "uploads": [{"file": "/etc/file", "content": "text"}],
}
MAKES_IT_ANEW: list[dict[str, Any]] = [
    {"image": OTHER_SLEEPER},
    {"name": "another"},
    {"envs": ["A=2"]},
    {"command": ["3d"]},
    {"privileged": True},
    {"ports": [{"internal": 80, "external": 18081, "ip": ADDRESS}]},
    {"ports": None},
    {"volumes": [{"volume_name": "contract-other", "container_path": "/data"}]},
    {"labels": [{"label": "owner", "value": "another"}]},
    {"uploads": [{"file": "/etc/file", "content": "changed"}]},
    {"uploads": None},
]


def test_what_a_container_is_made_with_makes_it_anew(engine: Engine, docker: DockerHandle) -> None:
    inputs = {name: value for name, value in MADE_WITH.items() if value is not None}
    scenario = Scenario(engine, docker, {"it": sleeper(**inputs)})
    scenario.up().or_fail()
    before = scenario.state(CONTAINER)["id"]
    as_it_was = {**MADE_WITH, "name": "sleeper"}
    for changed in MAKES_IT_ANEW:
        found = scenario.preview("it", **{**as_it_was, **changed}).or_fail()
        assert found.operations(CONTAINER) == REPLACED, changed
    outcome = scenario.up("it", **{**as_it_was, **MAKES_IT_ANEW[2]}).or_fail()
    assert outcome.operations(CONTAINER) == REPLACED
    done = [step.operation for step in outcome.steps if step.type == CONTAINER]
    assert done.index("delete-replaced") < done.index("create-replacement")
    assert scenario.state(CONTAINER)["id"] != before
    assert scenario.preview().or_fail().operations() == {}


def test_what_can_be_changed_in_place_is(engine: Engine, docker: DockerHandle) -> None:
    scenario = Scenario(engine, docker, {"it": sleeper()})
    scenario.up().or_fail()
    before = scenario.inspect("sleeper")["Id"]
    changes: dict[str, Any] = {
        "wait_timeout": 90,
        "destroy_grace_seconds": 3,
        "must_run": False,
        "remove_volumes": False,
        "restart": "always",
    }
    for name, value in changes.items():
        outcome = scenario.up("it", **{name: value}).or_fail()
        assert outcome.operations(CONTAINER) == {"update": 1}, name
    after = scenario.inspect("sleeper")
    assert after["Id"] == before
    assert after["HostConfig"]["RestartPolicy"]["Name"] == "always"
    assert scenario.preview().or_fail().operations() == {}
    undone = dict.fromkeys(changes)
    assert scenario.up("it", **undone).or_fail().operations(CONTAINER) == {"update": 1}
    assert scenario.inspect("sleeper")["HostConfig"]["RestartPolicy"]["Name"] == "no"


def test_another_health_check_reaches_the_state_and_not_the_container(
    engine: Engine, docker: DockerHandle
) -> None:
    check = {"tests": ["CMD", "true"], "interval": "1m0s"}
    scenario = Scenario(engine, docker, {"it": sleeper(healthcheck=check)})
    scenario.up().or_fail()
    changed = {"tests": ["CMD", "true"], "interval": "2m0s"}
    assert scenario.up("it", healthcheck=changed).or_fail().operations(CONTAINER) == {"update": 1}
    assert scenario.inspect("sleeper")["Config"]["Healthcheck"]["Interval"] == 60 * 10**9
    assert scenario.preview().or_fail().operations() == {}
    scenario.stack.refresh().or_fail()
    assert scenario.preview().or_fail().operations(CONTAINER) == {"update": 1}


def test_an_input_that_the_engine_fills_in_may_be_left_out_again(
    engine: Engine, docker: DockerHandle
) -> None:
    scenario = Scenario(engine, docker, {"it": sleeper(command=["2d"], envs=["A=1"])})
    scenario.up().or_fail()
    assert scenario.preview("it", command=None, envs=None).or_fail().operations(CONTAINER) == {}


def test_another_order_is_no_change_but_in_a_command(engine: Engine, docker: DockerHandle) -> None:
    ports = [{"internal": port, "external": 18000 + port, "ip": ADDRESS} for port in (80, 443)]
    scenario = Scenario(engine, docker, {"it": sleeper(envs=["A=1", "B=2"], ports=ports)})
    scenario.up().or_fail()
    reordered = {"envs": ["B=2", "A=1"], "ports": ports[::-1]}
    assert scenario.preview("it", **reordered).or_fail().operations(CONTAINER) == {}


def test_a_stopped_container_shows_after_a_refresh_and_up_starts_it(
    engine: Engine, docker: DockerHandle
) -> None:
    scenario = Scenario(engine, docker, {"it": sleeper()})
    scenario.up().or_fail()
    before = scenario.inspect("sleeper")["Id"]
    scenario.command("stop", "--time=0", "sleeper")
    assert scenario.preview().or_fail().operations() == {}
    scenario.stack.refresh().or_fail()
    assert scenario.up().or_fail().operations(CONTAINER) == {"update": 1}
    found = scenario.inspect("sleeper")
    assert (found["Id"], found["State"]["Running"]) == (before, True)


def test_a_stopped_container_with_ports_is_made_anew(engine: Engine, docker: DockerHandle) -> None:
    ports = [{"internal": 80, "external": 18080, "ip": ADDRESS}]
    scenario = Scenario(engine, docker, {"it": sleeper(ports=ports)})
    scenario.up().or_fail()
    scenario.command("stop", "--time=0", "sleeper")
    scenario.stack.refresh().or_fail()
    assert scenario.up().or_fail().operations(CONTAINER) == REPLACED
    assert scenario.inspect("sleeper")["State"]["Running"]


def test_what_is_gone_is_made_again_after_a_refresh(engine: Engine, docker: DockerHandle) -> None:
    volume = {"kind": "volume", "name": "contract-data"}
    scenario = Scenario(engine, docker, {"data": volume, "it": sleeper()})
    scenario.up().or_fail()
    scenario.command("rm", "--force", "sleeper")
    scenario.command("volume", "rm", "contract-data")
    scenario.stack.refresh().or_fail()
    assert scenario.stack.resources(CONTAINER) == scenario.stack.resources(VOLUME) == []
    outcome = scenario.up().or_fail()
    assert outcome.operations(CONTAINER) == outcome.operations(VOLUME) == {"create": 1}


def test_destroy_removes_what_is_there_and_minds_nothing_that_is_gone(
    engine: Engine, docker: DockerHandle
) -> None:
    volume = {"kind": "volume", "name": "contract-data"}
    gone = sleeper(name="gone")
    scenario = Scenario(engine, docker, {"data": volume, "it": sleeper(), "gone": gone})
    scenario.up().or_fail()
    scenario.command("rm", "--force", "--volumes", "gone")
    scenario.stack.destroy().or_fail()
    assert scenario.command("container", "ls", "--all", "--quiet") == ""
    assert scenario.command("volume", "ls", "--quiet") == ""


def test_a_volume_that_is_there_is_taken_with_its_data(
    engine: Engine, docker: DockerHandle
) -> None:
    volume = {"kind": "volume", "name": "contract-data"}
    mount = {"volume_name": "contract-data", "container_path": "/data"}
    scenario = Scenario(engine, docker, {"data": volume, "it": sleeper(volumes=[mount])})
    scenario.command("volume", "create", "contract-data")
    fill = ("sh", SLEEPER, "-c", "echo kept >/data/file")
    scenario.command("run", "--rm", "--volume=contract-data:/data", "--entrypoint", *fill)
    scenario.up().or_fail()
    assert scenario.command("exec", "sleeper", "cat", "/data/file") == "kept"
    assert scenario.state(VOLUME)["id"] == "contract-data"


def test_an_image_is_kept_or_removed_as_the_program_says(
    engine: Engine, docker: DockerHandle
) -> None:
    image = {"kind": "image", "name": "lab/copy:1", "keep_locally": True}
    scenario = Scenario(engine, docker, {"image": image})
    scenario.command("tag", SLEEPER, "lab/copy:1")
    scenario.up().or_fail()
    there = ("image", "ls", "--quiet", "lab/copy:1")
    assert scenario.up("image", keep_locally=False).or_fail().operations(IMAGE) == {"update": 1}
    scenario.stack.destroy().or_fail()
    assert scenario.command(*there) == ""
    scenario.command("tag", SLEEPER, "lab/copy:1")
    scenario.up("image", keep_locally=True).or_fail()
    scenario.stack.destroy().or_fail()
    assert scenario.command(*there) != ""


def test_another_image_shows_in_the_preview_as_another_container(
    engine: Engine, docker: DockerHandle
) -> None:
    image = {"kind": "image", "name": SLEEPER, "keep_locally": True}
    it = {name: value for name, value in sleeper(image_from="image").items() if name != "image"}
    scenario = Scenario(engine, docker, {"image": image, "it": it})
    scenario.up().or_fail()
    outcome = scenario.preview("image", name=OTHER_SLEEPER).or_fail()
    assert outcome.operations(IMAGE) == REPLACED
    assert outcome.operations(CONTAINER) == REPLACED


def test_an_image_that_can_not_be_had_is_named(engine: Engine, docker: DockerHandle) -> None:
    missing = "registry.invalid/none:1"
    image = {"kind": "image", "name": missing}
    outcome = Scenario(engine, docker, {"image": image, "it": sleeper(image=missing)}).up()
    assert not outcome.succeeded
    said = outcome.errors()
    assert f"Unable to create container with image {missing}: unable to pull image" in said
    assert f"Unable to read Docker image into resource: unable to pull image {missing}" in said
    assert "Error response from daemon" in said


def test_a_name_that_is_taken_fails_and_leaves_no_resource(
    engine: Engine, docker: DockerHandle
) -> None:
    scenario = Scenario(engine, docker, {"it": sleeper()})
    scenario.command("run", "--detach", "--name=sleeper", SLEEPER)
    outcome = scenario.up()
    assert not outcome.succeeded
    assert "Unable to create container: Error response from daemon: Conflict" in outcome.errors()
    assert scenario.stack.resources(CONTAINER) == []


def test_a_container_that_can_not_start_is_kept_and_made_anew_by_the_next_up(
    engine: Engine, docker: DockerHandle
) -> None:
    ports = [{"internal": 80, "external": 18080, "ip": ADDRESS}]
    scenario = Scenario(engine, docker, {"it": sleeper(ports=ports)})
    with socket.create_server((ADDRESS, 18080)):
        outcome = scenario.up()
    assert not outcome.succeeded
    assert "Unable to start container: Error response from daemon" in outcome.errors()
    kept = scenario.state(CONTAINER)
    assert kept["id"] == scenario.inspect("sleeper")["Id"]
    assert kept["initErrors"]
    assert scenario.up().or_fail().operations(CONTAINER) == REPLACED
    assert scenario.inspect("sleeper")["State"]["Running"]
    assert not scenario.state(CONTAINER).get("initErrors")


def test_a_container_that_does_not_become_healthy_fails_and_is_kept(
    engine: Engine, docker: DockerHandle
) -> None:
    check = {"tests": ["CMD", "false"], "interval": "1s", "retries": 1}
    it = sleeper(healthcheck=check, wait=True, wait_timeout=3)
    scenario = Scenario(engine, docker, {"it": it})
    outcome = scenario.up()
    assert not outcome.succeeded
    assert "container failed to be in healthy state" in outcome.errors()
    assert scenario.state(CONTAINER)["id"] == scenario.inspect("sleeper")["Id"]


def test_waiting_for_a_container_without_a_health_check_is_an_error(
    engine: Engine, docker: DockerHandle
) -> None:
    outcome = Scenario(engine, docker, {"it": sleeper(wait=True)}).up()
    assert not outcome.succeeded
    assert "does not have a healthcheck defined" in outcome.errors()


def test_a_secret_input_is_nowhere_in_plain_text(engine: Engine, docker: DockerHandle) -> None:
    uploads = [{"file": "/etc/key", "content": SECRET}]
    it = sleeper(envs=[f"A={SECRET}", "B=2"], uploads=uploads, secret=["envs", "uploads"])
    scenario = Scenario(engine, docker, {"it": it})
    preview = scenario.run("preview", "it", "--diff").or_fail()
    up = scenario.run("up", "it", "--diff").or_fail()
    scenario.stack.refresh().or_fail()
    changed = scenario.run("up", "it", "--diff", envs=[f"A={SECRET}", "B=3"]).or_fail()
    for text in (preview.log, up.log, changed.log, str(scenario.stack.export())):
        assert SECRET not in text
    assert SECRET in str(scenario.stack.export(show_secrets=True))


def test_a_docker_engine_that_does_not_answer_stops_the_preview(
    engine: Engine, docker: DockerHandle, tmp_path: Path
) -> None:
    host = f"unix://{tmp_path}/none.sock"
    outcome = Scenario(engine, docker, {"it": sleeper()}, host=host).preview()
    assert not outcome.succeeded
    assert "failed to connect to any docker daemon" in outcome.log


def _ssh(folder: Path, docker: DockerHandle, script: str) -> Path:
    """A folder with an `ssh` that notes its words and then runs a script."""
    folder.mkdir()
    ssh = folder / "ssh"
    ssh.write_text(
        f'#!/bin/sh\necho "$@" >>{folder}/words\nPATH={docker.client.parent}:$PATH\n'
        f"export DOCKER_HOST={docker.host}\n{script}\n"
    )
    ssh.chmod(0o755)
    return folder


def test_an_ssh_host_is_reached_by_ssh_with_the_program_s_options(
    engine: Engine, docker: DockerHandle, tmp_path: Path
) -> None:
    folder = _ssh(tmp_path / "ssh", docker, "exec docker system dial-stdio")
    engine.environment["PATH"] = f"{folder}:{engine.environment['PATH']}"
    host, options = "ssh://operator@192.0.2.1:2222", ["-o", "BatchMode=yes"]
    resources = like_rancher(ADDRESS)
    scenario = Scenario(engine, docker, resources, host=host, ssh_opts=options)
    scenario.up().or_fail()
    assert scenario.preview().or_fail().operations() == {}
    scenario.stack.refresh().or_fail()
    scenario.stack.destroy().or_fail()
    assert set((folder / "words").read_text().splitlines()) == {
        "-l operator -p 2222 -o BatchMode=yes -o ConnectTimeout=30 -T -- 192.0.2.1 "
        "docker system dial-stdio"
    }


def test_an_ssh_host_that_is_refused_gets_nothing_and_says_why(
    engine: Engine, docker: DockerHandle, tmp_path: Path
) -> None:
    folder = _ssh(tmp_path / "ssh", docker, "echo Host key verification failed. >&2; exit 255")
    engine.environment["PATH"] = f"{folder}:{engine.environment['PATH']}"
    host = "ssh://operator@192.0.2.1"
    outcome = Scenario(engine, docker, {"it": sleeper()}, host=host).up()
    assert not outcome.succeeded
    assert "has exited with exit status 255" in outcome.errors()
    assert "stderr=Host key verification failed." in outcome.errors()


def test_a_missing_input_is_named_before_anything_runs(
    engine: Engine, docker: DockerHandle
) -> None:
    volume = {"kind": "volume", "name": "contract-data", "labels": [{"label": "a"}]}
    outcome = Scenario(engine, docker, {"data": volume}).preview()
    assert not outcome.succeeded
    assert "value" in outcome.errors()


def test_a_stack_made_with_one_plugin_is_unchanged_under_the_other(
    engine: Engine, docker: DockerHandle, tmp_path: Path, plugin_directory: Path
) -> None:
    other = real_folder(STAND_IN)
    scenario = Scenario(engine, docker, like_rancher(ADDRESS))
    scenario.up().or_fail()
    if plugin_directory == other:
        other = installed(STAND_IN, tmp_path / "other")
    engine.environment["PATH"] = f"{other}{os.pathsep}{engine.environment['PATH']}"
    assert scenario.preview().or_fail().operations() == {}
    scenario.stack.refresh().or_fail()
    assert scenario.preview().or_fail().operations() == {}
    scenario.stack.destroy().or_fail()
    assert scenario.command("container", "ls", "--all", "--quiet") == ""


def test_both_plugins_keep_the_same_of_a_container(docker: DockerHandle, tmp_path: Path) -> None:
    real, kept = real_folder(STAND_IN), []
    for name, folder in (("real", real), ("other", installed(STAND_IN, tmp_path / "s"))):
        scenario = Scenario(Engine(tmp_path / name, [folder]), docker, like_rancher(ADDRESS))
        scenario.up().or_fail()
        outputs = dict(scenario.state(CONTAINER)["outputs"])
        kept.append({key: value for key, value in outputs.items() if _tells_something(value)})
        scenario.stack.destroy().or_fail()
    first, second = kept
    alike = {"hostname", "id", "envs", "volumes", "uploads", "__meta", "__pulumi_raw_state_delta"}
    assert {key: first[key] for key in first.keys() - alike} == {
        key: second[key] for key in second.keys() - alike
    }
    assert sorted(first["envs"]) == sorted(second["envs"])


def _tells_something(value: Any) -> bool:
    """Whether it is more than what the real plugin fills in everywhere."""
    return value not in (None, "", 0, [], {})
