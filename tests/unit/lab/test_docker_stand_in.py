"""The parts of the lab's docker stand-in that decide without an engine of either kind."""

import asyncio
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.programs.docker_stand_in import attributes, container_attributes, remote_image, volume
from lab.programs.docker_stand_in.container_request import archive, request
from lab.programs.docker_stand_in.container_state import read_back
from lab.programs.docker_stand_in.durations import duration, nanoseconds
from lab.programs.docker_stand_in.engine import Engine, said
from lab.programs.docker_stand_in.ssh_transport import ssh_command
from lab.programs.docker_stand_in.volume import Volume
from lab.programs.plugin_base.changes import Change
from lab.programs.plugin_base.kind import Call, PluginError
from lab.programs.plugin_base.values import UNKNOWN, Properties

GIVEN: Properties = {
    "name": "rancher",
    "image": "sha256:1",
    "envs": ["A=1", "B=2"],
    "ports": [{"internal": 80.0, "external": 8080.0, "ip": "10.0.0.1"}],
    "volumes": [{"volumeName": "data", "containerPath": "/data"}],
    "labels": [{"label": "owner", "value": "me"}],
    "uploads": [{"file": "/etc/one", "content": "text", "permissions": "0600"}],
    "healthcheck": {"tests": ["CMD", "true"], "interval": "5s"},
}


def _checked(**changes: Any) -> Properties:
    merged = {**GIVEN, **changes}
    present: Properties = {name: value for name, value in merged.items() if value is not None}
    inputs, failures = attributes.check(present, container_attributes.INPUTS)
    assert failures == []
    return inputs


def _difference(state: Properties, **changes: Any) -> dict[str, Change]:
    found = attributes.diff(state, _checked(**changes), container_attributes.INPUTS)
    return dict(found.changes)


def _state(**changes: Any) -> Properties:
    """What the state holds of the container after it was made, drift laid over it."""
    planned = attributes.planned(_checked(), {}, container_attributes.INPUTS)
    return {**planned, "hostname": "1234", "command": ["serve"], "entrypoints": [], **changes}


def test_the_check_adds_the_plugin_s_defaults_and_names_them() -> None:
    inputs = cast(dict[str, Any], _checked(volumes=None))
    assert inputs["mustRun"] is True
    assert inputs["networkMode"] == "bridge"
    assert "mustRun" in inputs["__defaults"]
    assert "attach" not in inputs, "what is off by default is not said"
    assert inputs["ports"][0]["protocol"] == "tcp"
    assert inputs["ports"][0]["__defaults"] == ["protocol"]
    assert inputs["healthcheck"]["startPeriod"] == "0s"


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"image": "a"}, "name"),
        ({"name": "a", "image": 1.0}, "image"),
        ({"name": "a", "image": "a", "gpus": "all"}, "gpus"),
        ({"name": "a", "image": "a", "attach": True}, "attach"),
        ({"name": "a", "image": "a", "ports": [{"external": 1.0}]}, "ports.internal"),
    ],
)
def test_the_check_names_what_the_stand_in_can_not_do(inputs: Properties, path: str) -> None:
    _, failures = attributes.check(inputs, container_attributes.INPUTS)
    assert [failure.path for failure in failures] == [path]


def test_what_the_docker_engine_fills_in_is_no_change() -> None:
    assert _difference(_state()) == {}


@pytest.mark.parametrize(
    ("name", "value", "replaces"),
    [
        ("image", "sha256:2", True),
        ("envs", ["A=1"], True),
        ("envs", ["A=1", UNKNOWN], True),
        ("image", UNKNOWN, True),
        ("ports", [{"internal": 443.0, "external": 8080.0, "ip": "10.0.0.1"}], True),
        ("privileged", True, True),
        ("uploads", None, True),
        ("command", ["serve", "--more"], True),
        ("restart", "always", False),
        ("healthcheck", {"tests": ["CMD", "true"], "interval": "9s"}, False),
        ("waitTimeout", 90.0, False),
        ("destroyGraceSeconds", 60.0, False),
    ],
)
def test_a_change_is_made_in_place_or_by_a_new_container(
    name: str, value: Any, replaces: bool
) -> None:
    found = attributes.diff(_state(), _checked(**{name: value}), container_attributes.INPUTS)
    assert list(found.changes) == [name]
    assert (name in found.replacing) == replaces


def test_the_order_counts_in_a_command_and_nowhere_else() -> None:
    assert _difference(_state(), envs=["B=2", "A=1"]) == {}
    assert _difference(_state(command=["a", "b"]), command=["b", "a"]) == {
        "command": Change.UPDATED
    }


@pytest.mark.parametrize("name", ["envs", "labels", "command", "healthcheck"])
def test_what_the_program_no_longer_says_stays_as_it_is_where_the_engine_has_its_own(
    name: str,
) -> None:
    assert _difference(_state(), **{name: None}) == {}


def test_what_was_read_back_differs_from_the_program() -> None:
    assert _difference(_state(mustRun=False, ports=[])) == {
        "mustRun": Change.UPDATED,
        "ports": Change.UPDATED,
    }


def test_ignored_inputs_do_not_count() -> None:
    inputs = _checked(restart="always", image="sha256:2")
    found = attributes.diff(_state(), inputs, container_attributes.INPUTS, ("restart",))
    assert list(found.changes) == ["image"]


def test_a_container_that_was_never_looked_at_is_made_anew() -> None:
    half_made = {**_state()}
    del half_made["command"]
    found = attributes.diff(half_made, _checked(), container_attributes.INPUTS)
    assert found.replacing == {"command"}


def test_an_image_that_is_kept_or_not_is_a_change_in_place() -> None:
    state: Properties = {"name": "a", "platform": "", "keepLocally": True}
    found = attributes.diff(state, {"name": "a", "platform": ""}, remote_image.INPUTS)
    assert found.changes == {"keepLocally": Change.DELETED}
    assert not found.replacing


def test_a_volume_s_driver_is_the_engine_s_and_another_label_is_another_volume() -> None:
    state: Properties = {"name": "a", "driver": "local", "mountpoint": "/x"}
    assert not attributes.diff(state, {"name": "a"}, volume.INPUTS).changes
    labelled: Properties = {"name": "a", "labels": [{"label": "x", "value": "y"}]}
    assert attributes.diff(state, labelled, volume.INPUTS).replacing == {"labels"}


def test_the_request_says_what_the_program_says() -> None:
    body = request(cast(dict[str, Any], _state()))
    assert body["Image"] == "sha256:1"
    assert body["Env"] == ["A=1", "B=2"]
    assert body["ExposedPorts"] == {"80/tcp": {}}
    assert body["Healthcheck"]["Interval"] == 5 * 10**9
    host = body["HostConfig"]
    assert host["Binds"] == ["data:/data:rw"]
    assert host["PortBindings"] == {"80/tcp": [{"HostIp": "10.0.0.1", "HostPort": "8080"}]}
    assert host["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}
    assert host["NetworkMode"] == "bridge"


def test_a_host_s_path_goes_before_a_volume_s_name() -> None:
    mount = {"hostPath": "/host", "volumeName": "data", "containerPath": "/in", "readOnly": True}
    body = request(cast(dict[str, Any], _state(volumes=[mount])))
    assert body["HostConfig"]["Binds"] == ["/host:/in:ro"]


def test_an_upload_keeps_its_place_its_mode_and_its_bytes() -> None:
    with tarfile.open(fileobj=BytesIO(archive(cast(Any, GIVEN)["uploads"][0]))) as tar:
        (member,) = tar.getmembers()
        assert (member.name.lstrip("/"), member.mode) == ("etc/one", 0o600)
        file = tar.extractfile(member)
        assert file is not None
        assert file.read() == b"text"


@pytest.mark.parametrize(
    "upload", [{"file": "a"}, {"file": "a", "content": "x", "contentBase64": "eA=="}]
)
def test_an_upload_without_one_content_is_refused(upload: dict[str, str]) -> None:
    with pytest.raises(PluginError, match="'content', 'content_base64', or 'source'"):
        archive(upload)


FOUND: dict[str, Any] = {
    "Name": "/rancher",
    "Image": "sha256:1",
    "Platform": "linux",
    "State": {"Running": True, "ExitCode": 0},
    "Config": {
        "Image": "rancher/rancher:v2.8.5",
        "Cmd": None,
        "Entrypoint": ["entrypoint.sh"],
        "Hostname": "1234",
        "Domainname": "",
        "User": "",
        "WorkingDir": "/var/lib/rancher",
        "Tty": False,
        "OpenStdin": False,
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5 * 10**9},
    },
    "HostConfig": {
        "IpcMode": "private",
        "Init": False,
        "LogConfig": {"Type": "json-file"},
        "NetworkMode": "bridge",
        "Privileged": False,
        "PublishAllPorts": False,
        "ReadonlyRootfs": False,
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "Runtime": "runc",
        "SecurityOpt": None,
        "ShmSize": 64 * 1024**2,
    },
    "NetworkSettings": {
        "Networks": {},
        "Ports": {"80/tcp": [{"HostIp": "10.0.0.1", "HostPort": "8080"}], "443/tcp": None},
    },
}


def test_a_container_as_the_program_says_it_reads_back_without_a_change() -> None:
    assert _difference(read_back(FOUND, _state())) == {}


def test_a_stopped_container_reads_back_as_one_that_must_run_again() -> None:
    stopped = {
        **FOUND,
        "State": {"Running": False, "ExitCode": 137},
        "NetworkSettings": {"Networks": {}, "Ports": {}},
    }
    state = read_back(stopped, _state())
    assert state["exitCode"] == 137
    assert _difference(state).keys() == {"mustRun", "ports"}


@settings(deadline=None)
@given(st.integers(0, 10**15))
def test_durations_survive_their_text(total: int) -> None:
    assert nanoseconds(duration(total).replace("µ", "u")) == total


@pytest.mark.parametrize(
    ("text", "canonical"), [("90s", "1m30s"), ("1h", "1h0m0s"), ("1.5s", "1.5s"), ("0s", "0s")]
)
def test_durations_are_written_as_the_docker_engine_writes_them(text: str, canonical: str) -> None:
    assert duration(nanoseconds(text)) == canonical


def test_an_ssh_host_is_reached_with_the_program_s_options() -> None:
    command = ssh_command("ssh://operator@10.0.0.1:2222", ["-o", "BatchMode=yes"])
    assert " ".join(command) == (
        "ssh -l operator -p 2222 -o BatchMode=yes -o ConnectTimeout=30 -T -- 10.0.0.1 "
        "docker system dial-stdio"
    )


def _create_a_volume(host: str, **more: str) -> None:
    engine = Engine()
    engine.configure({"host": host, **more})
    creating = Volume(engine).create(Call("urn"), {"name": "data"})
    asyncio.get_event_loop().run_until_complete(creating)


def test_an_engine_that_is_not_there_is_named(tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/socket"
    with pytest.raises(PluginError, match=f"make sure that {host} is reachable.*Cannot connect"):
        _create_a_volume(host)


def test_an_ssh_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\necho Host key verification failed. >&2\nexit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(PluginError, match=r"exit status 255.*\n*.*Host key verification failed"):
        _create_a_volume("ssh://operator@10.0.0.1", sshOpts='["-T"]')


def test_an_error_without_an_answer_is_told_as_it_is() -> None:
    assert said(ValueError("why")) == "why"
