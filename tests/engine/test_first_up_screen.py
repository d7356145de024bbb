"""A first `make up` of the whole stack on the whole lab: all that a person reads of it."""

from collections.abc import Iterator

import pytest

from tests.engine.engine import Engine
from tests.engine.needs import needs_whole_lab
from tests.engine.up_screen import UpScreen
from tests.engine.whole_lab import whole_config, whole_lab

_LINES = 60
_PARTS = (
    *("Scripts on the hosts", "Node node-1", "Node node-2", "Node node-3"),
    *("Longhorn", "Longhorn's interface", "Volume check", "Rancher", "Import"),
)

pytestmark = needs_whole_lab


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What it prints."""
    with whole_lab() as lab:
        engine = Engine(tmp_path_factory.mktemp("screen") / "engine")
        stack = engine.project_stack("screen", config=whole_config(lab))
        status, printed = UpScreen(stack, "screen").wait()
        assert status == 0, printed
        assert stack.outputs()["rancherClusterState"] == "active"
        yield printed
        stack.destroy(seconds=900).or_fail()


def test_it_prints_sixty_lines_at_most(printed: str) -> None:
    assert len(printed.splitlines()) <= _LINES, printed


def test_equal_nodes_are_previewed_once(printed: str) -> None:
    words = "node-1 to node-3: create labels, mnt-longhorn-sdb, mnt-longhorn-sdc, packages"
    assert printed.count(f"\n3 nodes               {words}\n") == 1, printed


@pytest.mark.parametrize("part", _PARTS)
def test_each_part_says_when_it_starts_and_when_it_is_done(printed: str, part: str) -> None:
    starts, done = f"\nstarts  {part}\n", f"\ndone    {part} ("
    assert (printed.count(starts), printed.count(done)) == (1, 1), printed
    assert printed.index(starts) < printed.index(done)


def test_it_ends_with_the_stacks_own_summary(printed: str) -> None:
    _, summary = printed.split("# Ready in stack screen\n")
    assert "starts " not in summary
    assert "* the cluster lab in Rancher" in summary
    assert summary.count("# Next") == 1
