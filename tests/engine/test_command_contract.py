"""What the program relies on in Pulumi's command plugin, held against the lab's stand-in, too.

Every test runs once with the stand-in and once with the real plugin. Both have to pass the same
tests: that is what makes a trial in the lab worth something. The engine, SSH and the commands are
real; the hosts are SSH servers inside the test process that run commands on this machine.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from lab.common.waiting import wait_until
from lab.programs.command_stand_in import STAND_IN
from tests.engine.command_scenario import (
    COMMAND,
    SECRET,
    Scenario,
    program,
    shows_unknown,
    waits_for,
)
from tests.engine.engine import Engine, installed
from tests.engine.needs import real_folder
from tests.engine.ssh_host import SshHost, ssh_host

pytestmark = pytest.mark.engine


@pytest.fixture(params=["stand-in", "real plugin"])
def plugin_directory(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    if request.param == "stand-in":
        return installed(STAND_IN, tmp_path_factory.mktemp("stand-in"))
    return real_folder(STAND_IN)


@pytest.fixture
def engine(tmp_path: Path, plugin_directory: Path) -> Engine:
    return Engine(tmp_path / "engine", [plugin_directory])


@pytest.fixture
def host() -> Iterator[SshHost]:
    with ssh_host() as running:
        yield running


@contextmanager
def ssh_agent(socket: Path, private_key: str) -> Iterator[None]:
    """OpenSSH's agent with one key in it."""
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        wait_until(socket.exists, doing="starting ssh-agent", seconds=10)
        subprocess.run(
            ["ssh-add", "-q", "-"],
            input=private_key,
            text=True,
            check=True,
            env={**os.environ, "SSH_AUTH_SOCK": str(socket)},
        )
        yield
    finally:
        agent.terminate()
        agent.wait()


def test_create_runs_once_and_a_second_up_changes_nothing(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host, create="cat; echo warning >&2", stdin="from stdin\n")
    assert scenario.up().or_fail().operations(COMMAND) == {"create": 1}
    assert scenario.stack.outputs() == {"it-stdout": "from stdin", "it-stderr": "warning"}
    assert scenario.up().or_fail().operations(COMMAND) == {}
    assert host.commands == ["cat; echo warning >&2"]


def test_a_preview_runs_nothing_and_leaves_outputs_unknown(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host)
    outcome = scenario.preview().or_fail()
    assert outcome.operations(COMMAND) == {"create": 1}
    assert shows_unknown(outcome, "it-stdout")
    assert host.commands == []


def test_outputs_lose_one_line_end_and_no_more(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host, create="printf '  two\\n\\n'; printf none >&2")
    scenario.up().or_fail()
    assert scenario.stack.outputs() == {"it-stdout": "  two\n", "it-stderr": "none"}


def test_a_changed_stdin_runs_update_in_place(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host, update="echo updated by $(cat)", stdin="old")
    scenario.up().or_fail()
    identifier = scenario.state()["id"]
    outcome = scenario.up(stdin="new").or_fail()
    assert outcome.operations(COMMAND) == {"update": 1}
    assert outcome.step("it").detail == {"stdin": "update"}
    assert host.commands == ["echo created", "echo updated by $(cat)"]
    assert scenario.state()["id"] == identifier
    assert scenario.stack.outputs()["it-stdout"] == "updated by new"


def test_without_an_update_text_a_change_runs_create_again(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host, stdin="old")
    scenario.up().or_fail()
    assert scenario.up(stdin="new").or_fail().operations(COMMAND) == {"update": 1}
    assert host.commands == ["echo created", "echo created"]


def test_any_changed_input_is_an_update_that_runs_something(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host)
    scenario.up().or_fail()
    changes: dict[str, dict[str, Any]] = {
        "connection": {"connection": host.connection(per_dial_timeout=11)},
        "delete": {"delete": "true"},
        "logging": {"logging": "none"},
    }
    for count, (path, changed) in enumerate(changes.items(), start=2):
        outcome = scenario.up(**changed).or_fail()
        assert outcome.operations(COMMAND) == {"update": 1}
        assert list(outcome.step("it").detail) == [path]
        assert host.commands == ["echo created"] * count


def test_an_input_that_becomes_secret_is_a_change(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host, stdin="text")
    scenario.up().or_fail()
    outcome = scenario.up(secret=["stdin"]).or_fail()
    assert outcome.step("it").detail == {"stdin": "update"}
    assert scenario.up().or_fail().operations(COMMAND) == {}


def test_changed_triggers_create_anew_and_then_run_the_old_delete(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host, create="echo new", delete="echo old", triggers=["a"])
    scenario.up().or_fail()
    identifier = scenario.state()["id"]
    outcome = scenario.up(triggers=["b"], delete="echo later").or_fail()
    assert outcome.operations(COMMAND) == {
        "create-replacement": 1,
        "replace": 1,
        "delete-replaced": 1,
    }
    assert host.commands == ["echo new", "echo new", "echo old"]
    assert scenario.state()["id"] != identifier


def test_added_triggers_replace(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host)
    scenario.up().or_fail()
    outcome = scenario.up(triggers=["a"]).or_fail()
    assert outcome.operations(COMMAND)["create-replacement"] == 1


def test_destroy_runs_the_stored_delete_text_with_the_stored_stdin(
    engine: Engine, host: SshHost, tmp_path: Path
):
    witness = tmp_path / "witness"
    scenario = Scenario(engine, host, delete=f"cat > {witness}", stdin="as stored")
    scenario.up().or_fail()
    outcome = scenario.run("destroy", delete="echo never", stdin="never").or_fail()
    assert outcome.operations(COMMAND) == {"delete": 1}
    assert host.commands == ["echo created", f"cat > {witness}"]
    assert witness.read_text() == "as stored"
    assert scenario.stack.resources(COMMAND) == []


def test_destroy_without_a_delete_text_needs_no_host(engine: Engine):
    with ssh_host() as gone:
        scenario = Scenario(engine, gone)
        scenario.up().or_fail()
    scenario.destroy().or_fail()
    assert scenario.stack.resources(COMMAND) == []


def test_a_failing_delete_keeps_the_resource(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host, delete="echo busy >&2; exit 3")
    scenario.up().or_fail()
    outcome = scenario.destroy()
    assert not outcome.succeeded
    assert "busy" in outcome.errors()
    assert scenario.state()["inputs"]["delete"] == "echo busy >&2; exit 3"


def test_a_failing_create_shows_everything_and_leaves_no_state(engine: Engine, host: SshHost):
    command = "echo \"to\tout\"; echo 'disk is gone' >&2; exit 7"
    scenario = Scenario(engine, host, create=command)
    outcome = scenario.up()
    assert not outcome.succeeded
    assert (
        "Process exited with status 7: running "
        '"echo \\"to\\tout\\"; echo \'disk is gone\' >&2; exit 7":\n'
    ) in outcome.errors()
    assert "to\tout\n" in outcome.errors()
    assert "disk is gone\n" in outcome.errors()
    assert scenario.stack.resources(COMMAND) == []
    assert scenario.up(create="echo better").or_fail().operations(COMMAND) == {"create": 1}
    assert host.commands == [command, "echo better"]


def test_a_failing_update_keeps_the_old_inputs_and_runs_again(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host, stdin="old", update="exit 1")
    scenario.up().or_fail()
    assert not scenario.up(stdin="new").succeeded
    assert scenario.state()["inputs"]["stdin"] == "old"
    assert not scenario.up().succeeded
    assert host.commands == ["echo created", "exit 1", "exit 1"]


def test_a_command_ended_by_a_signal_fails(engine: Engine, host: SshHost):
    outcome = Scenario(engine, host, create="kill -KILL $$").up()
    assert not outcome.succeeded
    assert "from signal KILL" in outcome.errors()


def test_a_wrong_host_key_is_refused(engine: Engine, host: SshHost):
    wrong = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    outcome = Scenario(engine, host, connection=host.connection(host_key=wrong)).up()
    assert not outcome.succeeded
    assert "host key mismatch" in outcome.errors()
    assert host.commands == []


def test_a_host_key_of_another_kind_is_refused(engine: Engine, host: SshHost):
    wrong = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key().decode()
    outcome = Scenario(engine, host, connection=host.connection(host_key=wrong)).up()
    assert not outcome.succeeded
    assert "ssh: handshake failed" in outcome.errors()
    assert host.commands == []


def test_a_host_key_that_is_none_is_named(engine: Engine, host: SshHost):
    outcome = Scenario(engine, host, connection=host.connection(host_key="rubbish")).up()
    assert "failed to parse host key" in outcome.errors()


def test_without_a_host_key_any_host_is_trusted(engine: Engine, host: SshHost):
    connection = host.connection()
    del connection["host_key"]
    Scenario(engine, host, connection=connection).up().or_fail()
    assert host.commands == ["echo created"]


def test_a_wrong_login_key_is_refused(engine: Engine, host: SshHost):
    wrong = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    outcome = Scenario(engine, host, connection=host.connection(private_key=wrong)).up()
    assert not outcome.succeeded
    assert "unable to authenticate" in outcome.errors()


def test_an_encrypted_login_key_needs_its_password(engine: Engine):
    with ssh_host(login_key_type="ssh-rsa") as host:
        key = asyncssh.import_private_key(host.private_key)
        encrypted = key.export_private_key("pkcs1-pem", passphrase=SECRET).decode()
        scenario = Scenario(engine, host, connection=host.connection(private_key=encrypted))
        assert not scenario.up().succeeded
        connection = host.connection(private_key=encrypted, private_key_password=SECRET)
        scenario.up(connection=connection).or_fail()


@pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="needs OpenSSH's ssh-agent")
def test_an_agent_can_hold_the_login_key(engine: Engine, host: SshHost, tmp_path: Path):
    connection = host.connection(agent_socket_path=str(tmp_path / "agent"))
    del connection["private_key"]
    with ssh_agent(tmp_path / "agent", host.private_key):
        Scenario(engine, host, connection=connection).up().or_fail()
    assert host.commands == ["echo created"]


def test_an_agent_that_is_not_there_is_an_error(engine: Engine, host: SshHost, tmp_path: Path):
    nowhere = str(tmp_path / "agent")
    outcome = Scenario(engine, host, connection=host.connection(agent_socket_path=nowhere)).up()
    assert f"dial unix {nowhere}: connect: no such file or directory" in outcome.errors()


def test_an_unreachable_host_fails_after_its_dial_limit(engine: Engine, host: SshHost):
    with ssh_host() as gone:
        connection = gone.connection(dial_error_limit=2)
    scenario = Scenario(engine, host, connection=connection)
    started = time.monotonic()
    outcome = scenario.up()
    assert not outcome.succeeded
    assert "after 2 failed attempts" in outcome.errors()
    assert "connection refused" in outcome.errors()
    dials = [d.message.strip() for d in outcome.diagnostics if d.message.startswith("Dial ")]
    assert dials == ["Dial 1/2 failed: retrying", "Dial 2/2 failed: retrying"]
    assert time.monotonic() - started < 60
    assert scenario.stack.resources(COMMAND) == []


def test_a_jump_host_carries_the_connection(engine: Engine, host: SshHost):
    with ssh_host() as jump:
        connection = host.connection(proxy=jump.connection())
        scenario = Scenario(engine, host, connection=connection)
        scenario.up().or_fail()
        assert host.commands == ["echo created"]
        assert jump.commands == []
        assert jump.forwarded == [("127.0.0.1", host.port)]


def test_both_host_keys_are_checked_through_a_jump_host(engine: Engine, host: SshHost):
    with ssh_host() as jump:
        wrong_jump = host.connection(proxy=jump.connection(host_key=host.host_key))
        scenario = Scenario(engine, host, connection=wrong_jump)
        outcome = scenario.up()
        assert "proxy: " in outcome.errors()
        assert "host key mismatch" in outcome.errors()
        assert jump.forwarded == []
        wrong_host = host.connection(host_key=jump.host_key, proxy=jump.connection())
        assert "host key mismatch" in scenario.up(connection=wrong_host).errors()
        assert host.commands == []


def test_a_secret_input_is_nowhere_in_plain_text(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host, create="cat >/dev/null", stdin="old", secret=["stdin"])
    scenario.up().or_fail()
    preview = scenario.preview(stdin=SECRET, diff=True).or_fail()
    up = scenario.up(diff=True).or_fail()
    assert "[secret]" in preview.log
    for text in (preview.log, up.log, str(scenario.stack.export())):
        assert SECRET not in text
    plain = scenario.stack.export(show_secrets=True)
    assert SECRET in str(plain)


def test_the_connection_is_secret_and_outputs_are_not(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host)
    outcome = scenario.up(diff=True).or_fail()
    state = scenario.state()
    assert "ciphertext" in state["inputs"]["connection"]
    assert "ciphertext" in state["outputs"]["connection"]
    assert state["outputs"]["stdout"] == "created"
    assert host.private_key.splitlines()[1] not in outcome.log + str(scenario.stack.export())


def test_additional_secret_outputs_stay_secret_through_updates(engine: Engine, host: SshHost):
    options = {"additional_secret_outputs": ["stdout"]}
    scenario = Scenario(engine, host, create="cat", stdin=SECRET, options=options, logging="none")
    scenario.up(secret=["stdin"]).or_fail()
    outcome = scenario.up(stdin=f"{SECRET}-2").or_fail()
    assert SECRET not in outcome.log + str(scenario.stack.export())
    assert scenario.stack.outputs()["it-stdout"] == f"{SECRET}-2"


def test_logging_shows_only_the_streams_it_names(engine: Engine, host: SshHost):
    expected = {None: ["out", "err"], "stdout": ["out"], "stderr": ["err"], "none": []}
    scenario = Scenario(engine, host)
    for logging, lines in expected.items():
        # stdout first, so that both come in a known order.
        command = f"echo out; sleep 0.2; echo err >&2 # {logging}"
        outcome = scenario.up(create=command, logging=logging).or_fail()
        shown = [d.message.strip() for d in outcome.diagnostics if d.severity == "info"]
        assert shown == lines
        assert scenario.stack.outputs() == {"it-stdout": "out", "it-stderr": "err"}


def test_a_variable_that_the_host_does_not_accept_is_an_error(engine: Engine, host: SshHost):
    outcome = Scenario(engine, host, environment={"NAME": "value"}).up()
    assert not outcome.succeeded
    assert 'could not set environment variable "NAME": ssh: setenv failed' in outcome.errors()
    assert "AcceptEnv" in outcome.errors()
    assert host.commands == []


def test_a_variable_that_the_host_accepts_reaches_the_command(engine: Engine):
    with ssh_host(accepted_variables=frozenset({"NAME"})) as host:
        scenario = Scenario(engine, host, environment={"NAME": "value"}, create="echo $NAME")
        scenario.up().or_fail()
        assert scenario.stack.outputs()["it-stdout"] == "value"


def test_previous_output_reaches_later_runs_where_the_host_accepts_it(engine: Engine):
    accepted = frozenset({"PULUMI_COMMAND_STDOUT", "PULUMI_COMMAND_STDERR"})
    with ssh_host(accepted_variables=accepted) as host:
        scenario = Scenario(
            engine,
            host,
            update="echo after $PULUMI_COMMAND_STDOUT",
            add_previous_output_in_env=True,
        )
        scenario.up().or_fail()
        scenario.up(stdin="changed").or_fail()
        assert scenario.stack.outputs()["it-stdout"] == "after created"


def test_previous_output_that_the_host_refuses_is_only_a_warning(engine: Engine, host: SshHost):
    scenario = Scenario(engine, host, add_previous_output_in_env=True)
    scenario.up().or_fail()
    outcome = scenario.up(stdin="changed").or_fail()
    warnings = [d.message for d in outcome.diagnostics if d.severity == "warning" and d.urn]
    assert len(warnings) == 1
    assert "PULUMI_COMMAND_STDOUT" in warnings[0]


def test_a_refresh_changes_nothing_and_reaches_no_host(engine: Engine):
    with ssh_host() as gone:
        scenario = Scenario(engine, gone)
        scenario.up().or_fail()

    def decrypted() -> tuple[object, object]:
        resources = scenario.stack.export(show_secrets=True)["deployment"]["resources"]
        (it,) = [resource for resource in resources if resource["type"] == COMMAND]
        return it["inputs"], it["outputs"]

    before = decrypted()
    scenario.stack.refresh().or_fail()
    assert decrypted() == before


def test_a_command_fed_by_another_previews_and_follows_its_change(engine: Engine, host: SshHost):
    first: dict[str, Any] = {"connection": host.connection(), "create": "echo one"}
    second: dict[str, Any] = {
        "connection": host.connection(),
        "create": "cat",
        "stdin_from": "first",
        "add_previous_output_in_env": False,
    }
    stack = engine.stack(
        "test", program=program, arguments={"commands": {"first": first, "second": second}}
    )
    assert stack.preview().or_fail().operations(COMMAND) == {"create": 2}
    stack.up().or_fail()
    assert stack.outputs()["second-stdout"] == "one"
    first["create"] = "echo two"
    assert stack.preview().or_fail().operations(COMMAND) == {"update": 2}
    stack.up().or_fail()
    assert stack.outputs()["second-stdout"] == "two"


def test_an_interrupted_up_lets_the_command_end_and_starts_no_other(
    engine: Engine, host: SshHost, tmp_path: Path
):
    gate = tmp_path / "gate"
    first = {"connection": host.connection(), "create": waits_for(gate)}
    second = {"connection": host.connection(), "stdin_from": "first", "create": "cat"}
    commands = {"first": first, "second": second}
    stack = engine.stack("test", program=program, arguments={"commands": commands})
    running = stack.start("up")
    running.wait_for(lambda outcome: any("waiting" in d.message for d in outcome.diagnostics))
    running.interrupt()
    running.wait_for(lambda outcome: "cancelling" in outcome.log)
    gate.touch()
    assert running.wait().succeeded is False
    assert host.commands == [first["create"]]
    (kept,) = stack.resources(COMMAND)
    assert kept["outputs"]["stdout"] == "waiting\ndone"
    assert stack.up().or_fail().operations(COMMAND) == {"create": 1}


def test_after_a_power_cut_the_next_up_creates_again(engine: Engine, host: SshHost, tmp_path: Path):
    gate = tmp_path / "gate"
    scenario = Scenario(engine, host, create=waits_for(gate))
    running = scenario.stack.start("up")
    running.wait_for(lambda outcome: any("waiting" in d.message for d in outcome.diagnostics))
    running.kill()
    assert running.wait().succeeded is False
    gate.touch()
    locked = scenario.up()
    assert "locked" in locked.log
    scenario.stack.unlock()
    assert scenario.up().or_fail().operations(COMMAND) == {"create": 1}
    assert host.commands == [waits_for(gate)] * 2


def test_a_stack_made_with_one_plugin_is_unchanged_under_the_other(
    engine: Engine, host: SshHost, tmp_path: Path, plugin_directory: Path
):
    other = real_folder(STAND_IN)
    scenario = Scenario(engine, host, stdin="text", secret=["stdin"], delete="true", triggers=[1])
    scenario.up().or_fail()
    if plugin_directory == other:
        other = installed(STAND_IN, tmp_path / "other")
    engine.environment["PATH"] = f"{other}{os.pathsep}{engine.environment['PATH']}"
    outcome = scenario.preview().or_fail()
    # The plugin's own entry in the state may change: the real one notes its framework's version.
    assert outcome.operations(COMMAND) == {}
    assert set(outcome.operations()) <= {"update"}


def test_a_missing_input_is_named_before_anything_runs(engine: Engine, host: SshHost):
    outcome = Scenario(engine, host, create=5).preview()
    assert not outcome.succeeded
    assert "create" in outcome.errors()
