"""The engine helper itself: what the other engine tests take for granted."""

import time
from pathlib import Path

import pulumi
import pytest

from tests.engine.engine import Engine, EngineTimeoutError

pytestmark = pytest.mark.engine


def program(text: str = "", gate: str | None = None) -> None:
    """Exports its argument and its configuration; waits for a file, if asked."""
    print("a program may print")
    pulumi.ComponentResource("test:index:Thing", "thing")
    if gate is not None:
        pulumi.log.info("waiting")
        while not Path(gate).exists():
            time.sleep(0.1)
    config = pulumi.Config()
    pulumi.export("text", text)
    pulumi.export("numbers", config.get_object("numbers"))
    pulumi.export("password", config.get_secret("password"))


def failing_program() -> None:
    """Fails the way a program with a mistake does."""
    raise ValueError("a mistake in the program")


def processes_of(engine: Engine) -> list[str]:
    """Command lines of all processes that have this engine's home."""
    mark = f"PULUMI_HOME={engine.environment['PULUMI_HOME']}".encode()
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def test_arguments_and_configuration_reach_the_program(engine: Engine):
    stack = engine.stack(
        "test",
        program=program,
        arguments={"text": "hello"},
        config={"numbers": [1, 2]},
        secrets={"password": "hidden"},
    )
    outcome = stack.up().or_fail()
    assert outcome.operations() == {"create": 2}
    assert outcome.changes == {"create": 2}
    assert outcome.step("thing").type == "test:index:Thing"
    assert stack.outputs() == {"text": "hello", "numbers": [1, 2], "password": "hidden"}
    assert "hidden" not in (stack.work_dir / "Pulumi.test.yaml").read_text()
    assert "hidden" not in outcome.log
    stack.configure({"numbers": []})
    stack.arguments = {"text": "changed"}
    assert stack.up().or_fail().operations() == {}
    assert stack.outputs() == {"text": "changed", "numbers": [], "password": "hidden"}


def test_a_mistake_in_the_program_is_in_the_outcome(engine: Engine):
    outcome = engine.stack("test", program=failing_program).up()
    assert outcome.succeeded is False
    assert "a mistake in the program" in outcome.errors()
    with pytest.raises(AssertionError, match="up failed"):
        outcome.or_fail()


def test_an_operation_past_its_deadline_is_ended_with_all_its_processes(
    engine: Engine, tmp_path: Path
):
    arguments = {"gate": str(tmp_path / "never")}
    stack = engine.stack("test", program=program, arguments=arguments)
    running = stack.start("up", seconds=30)
    running.wait_for(lambda outcome: "waiting" in outcome.log)
    with pytest.raises(EngineTimeoutError):
        running.wait_for(lambda _: False, seconds=0.5)
    assert processes_of(engine) == []


def test_a_killed_engine_leaves_its_lock_until_it_is_removed(engine: Engine, tmp_path: Path):
    gate = tmp_path / "gate"
    stack = engine.stack("test", program=program, arguments={"gate": str(gate)})
    running = stack.start("up")
    running.wait_for(lambda outcome: "waiting" in outcome.log)
    running.kill()
    assert running.wait().succeeded is False
    assert processes_of(engine) == []
    gate.touch()
    assert "locked" in stack.up().log
    stack.unlock()
    stack.up().or_fail()


def test_a_second_operation_leaves_the_first_alone(engine: Engine, tmp_path: Path):
    gate = tmp_path / "gate"
    stack = engine.stack("test", program=program, arguments={"gate": str(gate)})
    running = stack.start("up")
    running.wait_for(lambda outcome: "waiting" in outcome.log)
    assert "locked" in stack.destroy().log
    gate.touch()
    running.wait().or_fail()


def test_two_engines_share_nothing(tmp_path: Path):
    first, second = (Engine(tmp_path / name) for name in ("first", "second"))
    first.stack("test", program=program).up().or_fail()
    stack = second.stack("test", program=program)
    assert stack.preview().or_fail().operations() == {"create": 2}


def test_a_program_that_no_other_process_can_find_is_refused(engine: Engine):
    with pytest.raises(ValueError, match="top of a module"):
        engine.stack("test", program=lambda: None)
