"""`make up` on Pulumi's real engine: what fails or is broken off ends as with `pulumi up`."""

from lab.hosts.hosts import HostHandle
from tests.engine.engine import Engine
from tests.engine.needs import needs_hosts
from tests.engine.program_lab import hosts_only, mounts, on_host
from tests.engine.slow_formatting import SlowFormatting
from tests.engine.up_screen import UpScreen

pytestmark = needs_hosts

_FAILING = "#!/bin/sh\necho 'the words of a program that failed' >&2\nexit 1\n"
_MKFS = "/usr/local/sbin/mkfs.ext4"


def test_an_error_of_a_failing_node_is_shown_whole_and_the_exit_status_says_so(
    engine: Engine, host: HostHandle
) -> None:
    on_host(host, f"cat >{_MKFS} && chmod +x {_MKFS}", _FAILING)
    stack = engine.project_stack("failing", config=hosts_only([host]))
    status, printed = UpScreen(stack, "failing").wait()
    assert status == 1
    assert f"error   {host.name}-mnt-longhorn-sdb-mount: Process exited with status 1" in printed
    assert "the words of a program that failed" in printed
    assert "The disk holds nothing yet; run again once the cause is gone" in printed
    assert f"failed  Node {host.name}" in printed
    assert "# Ready" not in printed


def test_a_ctrl_c_lets_the_disks_in_hand_be_done_and_gives_the_lock_back(
    engine: Engine, host: HostHandle
) -> None:
    formatting = SlowFormatting(host)
    stack = engine.project_stack("interrupted", config=hosts_only([host]))
    running = UpScreen(stack, "interrupted")
    formatting.wait_until_held(disks=2, seconds=180)  # after a preview, and a second start
    running.interrupt()
    formatting.release()
    status, printed = running.wait()
    assert status != 0
    assert printed.count("^C received; cancelling") == 1
    assert len(mounts(host)) == 2
    status, printed = UpScreen(stack, "interrupted").wait()
    assert status == 0, printed
    assert stack.preview().or_fail().operations() == {}
