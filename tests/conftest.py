"""What every tier shares: a lab of the tests' own, and LAB_REQUIRE=1.

A test that needs what this machine lacks is skipped with the reason, and the reasons stand at the
end of the run. With LAB_REQUIRE=1 everything must be there, and the same reason is a failure.
"""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from typing import Any

import pytest

# Before any module of the lab is imported: it must not touch a lab that a person has running.
_STATE = tempfile.mkdtemp(prefix="longhorn-rancher-tests-")
# Names of this run alone, so that two runs on one machine do not meet.
os.environ.update(
    LAB_STATE=_STATE,
    LAB_NAME=f"t{os.getpid() % 10_000_000}",
    LAB_SUBNET=f"10.{90 + os.getpid() // 250 % 100}.{os.getpid() % 250}",
)
# One for all processes that run a part of the tests, which are started from the first.
os.environ.setdefault("LAB_TESTS_FOLDER", _STATE)
os.environ.setdefault("LAB_TESTS_RUN", str(os.getpid()))
# The same on every machine; tests/engine/test_longhorn_manager.py asks for the real one.
os.environ.setdefault("LAB_LONGHORN", "stand-in")
gc.set_threshold(50_000, 20, 20)
_freeze = gc.freeze
# The program freezes what there is when it starts, since its process runs it once. Here it runs
# hundreds of times in one process, and no task or resource of an earlier run would ever go.
gc.freeze = lambda: None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001  the hook's signature
    call: pytest.CallInfo[None],  # noqa: ARG001
) -> Generator[None, Any, None]:
    """Fail what would be skipped, where LAB_REQUIRE says so."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("LAB_REQUIRE") == "1":
        report.outcome = "failed"
        report.longrepr = f"LAB_REQUIRE=1, but this test was skipped: {report.longrepr}"


def pytest_collection_finish() -> None:
    """Thousands of tests are no garbage: not to look at them again and again saves time."""
    gc.collect()
    _freeze()


_told: list[str] = []
"""What the processes that ran tests beside each other have told, see pytest_testnodedown."""


def _played() -> list[str]:
    """What was played in the labs of this process, and by whom."""
    kubernetes, stack = map(sys.modules.get, ("lab.cluster.kubernetes", "tests.engine.stack"))
    managers = [f"longhorn-manager: {who}" for who in kubernetes.played] if kubernetes else []
    if stack is None or not stack.pulumi_cli.cache_info().currsize:
        return managers
    from lab.played import played  # not before the environment above is set

    return [*managers, *(f"{each.part}: {each.by}" for each in played(stack.pulumi_cli()))]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a process has told that ran a part of the tests."""
    _told.extend(getattr(node, "workeroutput", {}).get("played", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was played in this run's labs."""
    for line in dict.fromkeys([*_played(), *_told]):
        terminalreporter.line(f"in this run's labs: {line}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The fixtures have ended what runs; the files go here."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["played"] = _played()
    shutil.rmtree(_STATE, ignore_errors=True)
