"""The scripts as they lie on a host: put there, looked at, run by name and digest, taken away."""

from __future__ import annotations

import pytest

from components.common.script_text import script_text
from components.hosts.host_script import (
    LOOK,
    HostFile,
    HostScript,
    checked_command,
    digest_of,
    dropping,
    files,
    files_named,
    folder_of,
    looking,
    putting,
)
from components.hosts.script import script_input, script_line
from tests.scripts.remote import Outcome, outcome
from tests.scripts.sandbox import Sandbox

pytestmark = pytest.mark.disks

FOLDER = folder_of("project/lab")
SCRIPT = HostScript(name="node-facts", parts=("hosts/scripts/digest.sh",))
OTHER = HostScript(name="other", parts=("common/scripts/prelude.sh",))
# A script of another version of the program: it says its words.
ECHO = 'echo "{\\"said\\":\\"$*\\"}"\n'


def text_of(host: Sandbox, text: str, *words: str) -> Outcome:
    return outcome(host.call("sh", "-s", "--", *words, stdin=text))


def put(host: Sandbox, *scripts: HostScript) -> Outcome:
    return text_of(host, putting(FOLDER, files(scripts)))


def look(host: Sandbox, *scripts: HostScript) -> dict[str, object]:
    return text_of(host, script_text(*LOOK), *looking(FOLDER, scripts)).result


def by_name(host: Sandbox, script: HostScript, action: str = "ensure") -> Outcome:
    """The script, run as a resource runs it."""
    line = script_line(FOLDER, script.name, action, ["a b"])
    stdin = script_input(checked_command(FOLDER, script), ["a b", "it's"])
    return outcome(host.call("sh", "-c", line, stdin=stdin))


def write(host: Sandbox, name: str, text: str) -> None:
    host.write_text(f"{FOLDER}/{name}", text)


def test_what_was_put_there_is_all_there_and_only_root_may_write_it(host: Sandbox) -> None:
    assert look(host, SCRIPT)["missing"] == ["run", "checked", SCRIPT.file]
    assert put(host, SCRIPT).result == {"put": True}
    assert look(host, SCRIPT) == {"missing": [], "changed": [], "open": False}
    modes = host.shell(f"stat -c '%u %a' {FOLDER} {FOLDER}/*").splitlines()
    assert set(modes) == {"0 755", "0 644"}
    assert host.shell(f"cat {FOLDER}/{SCRIPT.file}") == SCRIPT.text


def test_a_script_gets_its_words_by_its_name(host: Sandbox) -> None:
    digest = digest_of(ECHO)
    text_of(host, putting(FOLDER, [*files([]), HostFile(name=f"says-{digest}", text=ECHO)]))
    line = script_line(FOLDER, "says", "ensure", ["for people only"])
    stdin = script_input(f'exec sh {FOLDER}/checked says {digest} "$@"\n', ["a b", "it's"])
    said = outcome(host.call("sh", "-c", line, stdin=stdin))
    assert said.result == {"said": "ensure a b it's"}


@pytest.mark.parametrize(
    ("fault", "told"),
    [("rm {file}", "is not there"), ("echo reboot >>{file}", "was changed")],
    ids=["cleared away", "edited"],
)
def test_a_script_that_is_gone_or_changed_is_shown_and_not_run_and_put_right(
    host: Sandbox, fault: str, told: str
) -> None:
    put(host, SCRIPT, OTHER)
    host.shell(fault.format(file=f"{FOLDER}/{SCRIPT.file}"))
    seen = look(host, SCRIPT, OTHER)
    assert seen["missing" if told == "is not there" else "changed"] == [SCRIPT.file]
    assert told in by_name(host, SCRIPT).refusal
    put(host, SCRIPT, OTHER)
    assert look(host, SCRIPT, OTHER) == {"missing": [], "changed": [], "open": False}


def test_a_folder_that_others_may_write_to_is_shown_and_put_right(host: Sandbox) -> None:
    put(host, SCRIPT)
    host.shell(f"chmod 777 {FOLDER}")
    assert look(host, SCRIPT)["open"] is True
    put(host, SCRIPT)
    assert look(host, SCRIPT)["open"] is False


def test_a_full_disk_leaves_no_half_script_and_is_told(host: Sandbox) -> None:
    host.shell(f"mkdir -p {FOLDER} && mount -t tmpfs -o size=4k tmpfs {FOLDER}")
    assert f"{FOLDER}/run can't be written" in put_large(host)
    assert host.shell(f"ls -A {FOLDER}") == ""


def put_large(host: Sandbox) -> str:
    """Why a file larger than all the room there is was not put there."""
    large = HostFile(name="run", text="# a line\n" * 2000)
    return text_of(host, putting(FOLDER, [large])).refusal


def test_a_place_that_runs_nothing_by_itself_serves_and_a_read_only_one_is_told(
    host: Sandbox,
) -> None:
    host.shell(f"mkdir -p {FOLDER} && mount -t tmpfs -o noexec tmpfs {FOLDER}")
    assert put(host, OTHER).result == {"put": True}
    assert by_name(host, OTHER).status == 0
    host.shell(f"rm {FOLDER}/run && mount -o remount,ro {FOLDER}")
    assert put(host, OTHER).status != 0


def test_a_later_version_puts_back_what_a_state_names_and_touches_nothing_that_is_there(
    host: Sandbox,
) -> None:
    put(host)
    there = f"kept-{digest_of(ECHO)}"
    text_of(host, putting(FOLDER, [HostFile(name=there, text=ECHO)]))
    gone = f"gone-{'0' * 16}"
    today = [HostFile(name=there, text="echo no\n"), HostFile(name=gone, text=ECHO)]
    assert text_of(host, putting(FOLDER, today)).result == {"put": True}
    for name in (there, gone):
        script, _, digest = name.rpartition("-")
        line = script_line(FOLDER, script, "remove")
        stdin = f"\nexec sh {FOLDER}/checked {script} {digest} remove it\n"
        assert outcome(host.call("sh", "-c", line, stdin=stdin)).result == {"said": "remove it"}


def test_names_of_a_state_lead_to_the_scripts_of_today() -> None:
    names = [f"{SCRIPT.name}-{'0' * 16}", OTHER.file, f"forgotten-{'0' * 16}"]
    found = {each.name: each.text for each in files_named(names, [SCRIPT, OTHER])}
    assert set(found) == {"run", "checked", names[0], OTHER.file}
    assert found[names[0]] == SCRIPT.text


def test_taken_away_is_the_stacks_own_and_the_folders_that_are_empty_then(host: Sandbox) -> None:
    neighbour = folder_of("project/other")
    put(host, SCRIPT)
    text_of(host, putting(neighbour, files([OTHER])))
    assert text_of(host, dropping(FOLDER)).result == {"dropped": True}
    assert host.shell(f"ls {FOLDER} 2>/dev/null || :") == ""
    assert host.shell(f"ls {neighbour}").split() == sorted(["checked", OTHER.file, "run"])
    assert text_of(host, dropping(neighbour)).result == {"dropped": True}
    assert host.shell("ls -d /var/lib/longhorn-rancher 2>/dev/null || :") == ""
    assert text_of(host, dropping(neighbour)).result == {"dropped": False}


def test_what_a_person_put_beside_the_scripts_stays(host: Sandbox) -> None:
    put(host, SCRIPT)
    write(host, "notes", "mine\n")
    text_of(host, dropping(FOLDER))
    assert host.shell(f"ls {FOLDER}").split() == ["notes"]
