"""`make up`: what a person is told of a preview and an `up`, from events of Pulumi's engine.

The files in events/ were recorded on the lab, and cut to what the tests are about.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import EngineEvent
from rich.console import Console

from lab.common.waiting import wait_until
from tests.unit.doubles.a_program import executable
from tools.offline.recording import run_program
from tools.offline.stack_file import PROJECT, read_stack_config, stack_path
from tools.up import __main__ as command
from tools.up.news import Line, News, duration
from tools.up.operation import run_operation
from tools.up.parts import Parts
from tools.up.preview import preview_rows, preview_screen
from tools.up.steps import step_of

_EVENTS = Path(__file__).parent / "events"
_SECONDS = 60.0


def _recorded(name: str) -> list[EngineEvent]:
    lines = (_EVENTS / f"{name}.jsonl").read_text().splitlines()
    return [EngineEvent.from_json(json.loads(line)) for line in lines]


def _previewed(name: str) -> tuple[News, list[Line]]:
    news = News()
    return news, [line for event in _recorded(name) for line in news.of_preview(event)]


def _up(news: News, events: Sequence[EngineEvent]) -> list[Line]:
    return [line for event in events for line in news.of_up(event)]


def _said(text: str, severity: str = "info", **more: Any) -> EngineEvent:
    said = {"message": text, "color": "never", "severity": severity, **more}
    return EngineEvent.from_json({"timestamp": 1, "diagnosticEvent": said})


_TOP = "longhornrancher:longhorn:Release"
_STATE = {"urn": f"urn:pulumi:s::p::{_TOP}::longhorn", "type": _TOP, "parent": ""}


def _step(
    kind: str, operation: str, name: str = "longhorn-ready", at: int = 0, **more: Any
) -> EngineEvent:
    urn = f"urn:pulumi:s::p::{_TOP}$x:y:Ready::{name}"
    state = {"urn": urn, "type": "x:y:Ready", "parent": _STATE["urn"], "custom": True}
    told = {"op": operation, "urn": urn, "type": "x:y:Ready", "new": state, **more}
    return EngineEvent.from_json({"timestamp": at, kind: {"metadata": told}})


def _component() -> EngineEvent:
    told = {"op": "create", **_STATE, "new": _STATE}
    return EngineEvent.from_json({"timestamp": 0, "resourcePreEvent": {"metadata": told}})


def _top(kind: str, name: str) -> EngineEvent:
    return _created(kind, name, "", is_custom=True)


def _created(kind: str, name: str, parent: str, *, is_custom: bool) -> EngineEvent:
    urn = f"urn:pulumi:s::p::{kind}::{name}"
    state = {"urn": urn, "type": kind, "parent": parent, "custom": is_custom}
    told = {"op": "create", "urn": urn, "type": kind, "new": state}
    return EngineEvent.from_json({"timestamp": 0, "resourcePreEvent": {"metadata": told}})


def _begun(operation: str, **more: Any) -> EngineEvent:
    return _step("resourcePreEvent", operation, **more)


def _done(operation: str, **more: Any) -> EngineEvent:
    return _step("resOutputsEvent", operation, **more)


def test_equal_nodes_are_one_row_of_a_preview() -> None:
    news, _ = _previewed("first-preview")
    assert preview_rows(news.steps, news.parts)[0] == (
        "3 nodes",
        ["node-1 to node-3: create mnt-longhorn-sdb, packages"],
    )


def test_the_parts_of_a_preview_are_in_the_order_in_which_a_person_thinks_of_them() -> None:
    news, _ = _previewed("first-preview")
    assert [title for title, _ in preview_rows(news.steps, news.parts)] == [
        *("3 nodes", "Scripts on the hosts", "Longhorn", "Longhorn's interface"),
        *("Volume check", "Rancher", "Import"),
    ]


def test_what_a_preview_found_on_a_host_is_told_in_its_own_words() -> None:
    news, _ = _previewed("preview-of-a-lost-mount")
    ((title, lines),) = preview_rows(news.steps, news.parts)
    assert title == "Node node-3"
    assert lines[0].startswith("update mnt-longhorn-sdb-mount: /dev/sdb is not mounted on")


def test_a_failing_node_is_named_and_its_error_is_told_whole_and_once() -> None:
    news, _ = _previewed("first-preview")
    lines = _up(news, _recorded("failed-up"))
    error, end = (line.text for line in lines if line.kind == "error")
    assert end == "update failed"
    assert error.startswith("node-2-mnt-longhorn-sdb-mount: ")
    assert "no space" in error
    assert lines.count(Line("failed", "Node node-2")) == 1


def test_each_part_starts_and_is_done_once_with_its_time() -> None:
    news, _ = _previewed("first-preview")
    lines = [line for line in _up(news, _recorded("first-up")) if line.kind in ("starts", "done")]
    starts = [line.text for line in lines if line.kind == "starts"]
    done = [line.text.partition(" (")[0] for line in lines if line.kind == "done"]
    assert sorted(starts) == sorted(done)
    assert len(set(starts)) == len(starts)
    assert {"Scripts on the hosts", "Node node-1", "Longhorn", "Rancher", "Import"} <= set(starts)


def test_the_stacks_summary_is_kept_for_the_end() -> None:
    news, _ = _previewed("first-preview")
    lines = _up(news, _recorded("first-up"))
    assert news.readme is not None
    assert news.readme.startswith("# Ready in stack mine")
    assert not [line for line in lines if "Ready in stack" in line.text]


def test_a_warning_of_the_preview_is_not_told_again_by_the_up_after_it() -> None:
    news, warning = News(), _said("preflight:\n  one\n  two", "warning")
    assert list(news.of_preview(warning)) == [Line("warning", "preflight:\n  one\n  two")]
    assert list(news.of_up(warning)) == []


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (_said("Longhorn: no manager; 9 s left", ephemeral=True), "waits"),
        (_said("node-1: warning: /mnt/a is not empty", ephemeral=True, urn="a::b"), "warning"),
        (_said("node-1: mounting on /mnt/a", ephemeral=True, urn="a::b"), None),
        (_said("the host may go down", "info#err"), "says"),
        (_said("[Unready] no pod yet", "warning", ephemeral=True, urn="a::b"), None),
        (_said("registering", "debug"), None),
    ],
)
def test_messages_are_told_as_what_they_are(event: EngineEvent, told: str | None) -> None:
    assert [line.kind for line in News().of_up(event)] == ([told] if told else [])


def test_a_part_is_done_with_the_last_step_that_the_preview_expected() -> None:
    news = News()
    for event in (_component(), _begun("create", name="a"), _begun("create", name="b")):
        list(news.of_preview(event))
    first = [_begun("create", name="a"), _done("create", name="a", at=5)]
    assert _up(news, first) == [Line("starts", "Longhorn")]
    last = [_begun("create", name="b", at=5), _done("create", name="b", at=65)]
    assert _up(news, last) == [Line("done", "Longhorn (1 min 5 s)")]


@pytest.mark.parametrize("is_deleted_first", [False, True])
def test_a_replacement_is_done_when_both_its_halves_are(is_deleted_first: bool) -> None:
    news = News()
    halves = ["create-replacement", "delete-replaced"]
    first, last = reversed(halves) if is_deleted_first else halves
    for event in (_component(), _begun(first), _begun("replace"), _begun(last)):
        list(news.of_preview(event))
    between = [_begun("replace"), _done("replace")]
    assert _up(news, [_begun(first), _done(first), *between]) == [Line("starts", "Longhorn")]
    assert _up(news, [_begun(last), _done(last)]) == [Line("done", "Longhorn (0 s)")]


def test_what_turns_out_to_be_as_it_was_keeps_no_part_from_being_done() -> None:
    news = News()
    for event in (_component(), _begun("update", name="a"), _begun("create", name="b")):
        list(news.of_preview(event))
    rest = [_begun("create", name="b"), _done("create", name="b"), _done("same", name="a")]
    assert [line.kind for line in _up(news, rest)] == ["starts", "done"]


def test_without_a_finding_an_update_names_the_inputs_that_changed() -> None:
    parts, steps = Parts(), []
    for event in (_component(), _begun("update", diffs=["version", "owner"])):
        assert event.resource_pre_event
        steps.append(step_of(event.resource_pre_event.metadata))
    parts.learn(steps)
    assert preview_rows(steps, parts) == [("Longhorn", ("update longhorn-ready: owner, version",))]


def test_nodes_are_told_in_the_order_of_their_numbers() -> None:
    news, kind = News(), "longhornrancher:node:LonghornNode"
    for name in ("node-10", "node-2", "node-9"):
        node = f"urn:pulumi:s::p::{kind}::{name}"
        for event in (
            _created(kind, name, "", is_custom=False),
            _created("x:y:Packages", f"{name}-packages", node, is_custom=True),
        ):
            list(news.of_preview(event))
    assert preview_rows(news.steps, news.parts) == [
        ("3 nodes", ["node-2, node-9, node-10: create packages"])
    ]


def test_what_is_only_noted_before_a_part_begins_does_not_start_it() -> None:
    event = _top("pulumi-python:dynamic/longhorn:Upgrade", "longhorn-upgrade")
    assert _up(News(), [event]) == []


def test_a_preview_without_a_change_says_so() -> None:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(preview_screen("mine", [], Parts()))
    assert capture.get() == "Stack mine: nothing to do.\n"


@pytest.mark.parametrize("stack", ["production", "three-nodes"])
def test_everything_at_the_top_of_a_stack_belongs_to_a_part_with_a_title(stack: str) -> None:
    recording = run_program(read_stack_config(stack_path(stack)), stack=stack, preview=True)
    for resource in recording.resources:
        state = {"urn": resource.urn, "type": resource.type, "parent": ""}
        told = {"op": "create", **state, "new": {**state, "custom": resource.custom}}
        event = EngineEvent.from_json({"resourcePreEvent": {"metadata": told}})
        is_read = resource.type.startswith("kubernetes:")
        if not (resource.parent or is_read) and event.resource_pre_event:
            part = Parts().part_of(step_of(event.resource_pre_event.metadata))
            assert part is None or part.title != resource.name, resource.type


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (59, "59 s"), (125, "2 min 5 s")])
def test_a_duration_is_told_in_minutes_and_seconds(seconds: int, words: str) -> None:
    assert duration(seconds) == words


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a `pulumi` that prints the files preview and up, and notes its words."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PLAYED", str(tmp_path))
    monkeypatch.delenv("PULUMI_SKIP_CONFIRMATIONS", raising=False)
    executable(
        tmp_path / "pulumi",
        '#!/bin/sh\necho "$*" >>"$PLAYED/words"\ncat "$PLAYED/$1" 2>/dev/null\n'
        'exit "$(cat "$PLAYED/$1.status" 2>/dev/null || echo 0)"\n',
    )
    return tmp_path


def _words(played: Path) -> list[str]:
    return [line.partition(" ")[0] for line in (played / "words").read_text().splitlines()]


def _main(played: Path, *words: str) -> int:
    return command.main(["mine", "--cwd", str(played), *words])


def test_a_first_up_ends_with_the_stacks_summary(
    played: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (played / "preview").write_text((_EVENTS / "first-preview.jsonl").read_text())
    (played / "up").write_text((_EVENTS / "first-up.jsonl").read_text())
    assert _main(played, "--yes") == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "3 nodes" in said
    assert said.index("done    Node node-1") < said.index("# Ready in stack mine")
    assert len(said.splitlines()) <= 60


def test_what_a_preview_refuses_is_not_run_and_its_exit_status_is_pulumis(played: Path) -> None:
    (played / "preview.status").write_text("6")
    assert _main(played, "--yes") == 6
    assert _words(played) == ["preview"]


def test_an_up_that_fails_has_pulumis_exit_status_and_no_summary(
    played: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The summary is that of an earlier run then.
    (played / "up").write_text((_EVENTS / "first-up.jsonl").read_text())
    (played / "up.status").write_text("4")
    assert _main(played, "--yes") == 4
    assert "# Ready" not in capsys.readouterr().out


def _terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)


@pytest.mark.parametrize(
    ("answer", "status", "runs"),
    [("", 1, ["preview"]), ("n", 1, ["preview"]), ("y", 0, ["preview", "up"])],
)
def test_only_a_yes_lets_it_begin(
    played: Path, monkeypatch: pytest.MonkeyPatch, answer: str, status: int, runs: list[str]
) -> None:
    _terminal(monkeypatch, answer)
    assert _main(played) == status
    assert _words(played) == runs


@pytest.mark.parametrize("stop", [EOFError, KeyboardInterrupt])
def test_who_breaks_off_the_question_has_said_no(
    played: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    def break_off(_: str) -> str:
        raise stop

    _terminal(monkeypatch, "")
    monkeypatch.setattr("builtins.input", break_off)
    assert _main(played) == 1
    assert _words(played) == ["preview"]


def test_where_nobody_can_be_asked_nothing_is_run(
    played: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert _main(played) == 1
    assert "Say yes beforehand: YES=1" in capsys.readouterr().err
    assert not (played / "words").exists()


@pytest.mark.parametrize("value", ["1", "true", "TRUE"])
def test_a_yes_that_pulumi_takes_from_the_environment_counts_and_all_of_it_is_shown(
    played: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    monkeypatch.setenv("PULUMI_SKIP_CONFIRMATIONS", value)
    (played / "preview").write_text((_EVENTS / "first-preview.jsonl").read_text())
    assert _main(played) == 0
    assert _words(played) == ["preview", "up"]
    assert "3 nodes" in capsys.readouterr().out


def test_without_pulumi_on_path_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _main(tmp_path, "--yes") == 127
    assert "no pulumi on PATH" in capsys.readouterr().err


def test_with_all_it_becomes_pulumi_up(played: Path) -> None:
    words = [sys.executable, "-m", "tools.up", "mine", "--all", "--yes", "--cwd", str(played)]
    (played / "up.status").write_text("4")
    assert subprocess.run(words, cwd=PROJECT, check=False, timeout=_SECONDS).returncode == 4
    assert (played / "words").read_text() == "up --stack mine --yes\n"


def test_events_that_this_sdk_does_not_know_are_passed_over(played: Path) -> None:
    unknown = {"resourcePreEvent": {"metadata": {"op": "a later one", "urn": "a", "type": "b"}}}
    known = {"diagnosticEvent": {"message": "x", "color": "never", "severity": "info"}}
    lines: list[Mapping[str, Any]] = [unknown, known]
    (played / "up").write_text("\n".join(["not JSON", *map(json.dumps, lines)]))
    taken: list[EngineEvent] = []
    assert run_operation(["up"], played, taken.append) == 0
    assert [event.diagnostic_event.message for event in taken if event.diagnostic_event] == ["x"]


def test_a_ctrl_c_reaches_pulumi_once_and_its_exit_status_is_returned(
    played: Path, tmp_path: Path
) -> None:
    executable(
        tmp_path / "pulumi",
        "#!/bin/sh\ntrap 'echo INT >>\"$PLAYED/signals\"; kill $!; exit 8' INT\n"
        'sleep 600 &\ncut -d" " -f5 "/proc/$$/stat" >"$PLAYED/group"\nmv "$PLAYED/group" '
        '"$PLAYED/runs"\nwhile :; do wait; done\n',
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "tools.up", "mine", "--yes", "--cwd", str(played)],
        cwd=PROJECT,
        start_new_session=True,
        # A run of the tests in the background may have been told to ignore it, and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_until((tmp_path / "runs").exists, doing="pulumi runs", seconds=_SECONDS)
    # As a terminal does: to everything in the foreground, of which Pulumi is no part.
    assert int((tmp_path / "runs").read_text()) != running.pid
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(_SECONDS) == 8
    assert (tmp_path / "signals").read_text() == "INT\n"
