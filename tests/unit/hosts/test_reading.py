"""Reading hosts over SSH: what is asked, what is understood, and what a host may do to it."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.common.script_text import script_text
from components.hosts.address import HostAddress
from components.hosts.asking import ReadingPlan
from components.hosts.connection import HostCredentials, agent_path
from components.hosts.facts import (
    MAXIMUM_BYTES,
    FactsError,
    HostAnswer,
    Refusal,
    parse_answer,
)
from components.hosts.question import NODE_FACTS, Part, host_question
from components.hosts.reading import Question, Reading, read_hosts
from components.hosts.script import command_line
from components.nodes.script_parts import CONTROL_PLANE_LOOK, DISK_LOOK, questions
from components.nodes.verdicts import CONTROL_PLANE, ControlPlaneVerdict, Verdict
from tests.unit.doubles.a_host import HEALTHY, SDB, SDC, disk_facts, refused, said
from tests.unit.doubles.an_ssh_server import (
    PASSWORD,
    Server,
    needs_ssh_agent,
    ssh_server,
    trusted_agent,
)

SESAME, SUDO = "opens-the-key", "tr0ub4dor"
MOUNT_POINTS = [SDB.mount_point]
PARTS = questions([SDB])
MODELS = {SDB.mount_point: Verdict}
WELL = said([disk_facts()], [HEALTHY])


@pytest.fixture
def server() -> Iterator[Server]:
    with ssh_server(answer=WELL) as running:
        yield running


def _address(server: Server, name: str = "node-1", **changes: Any) -> HostAddress:
    given_ = {"host": "127.0.0.1", "port": server.port, "user": "root"}
    return HostAddress(name=name, **{**given_, "host_key": server.host_key, **changes})


def _plan(server: Server, **changes: Any) -> ReadingPlan:
    credentials = HostCredentials(private_key=server.client_key)
    given_ = {"credentials": credentials, "connect_seconds": 10.0, "deadline_seconds": 20.0}
    return ReadingPlan(**{**given_, **changes})


def _read(server: Server, plan: ReadingPlan | None = None, **changes: Any) -> Reading:
    question = Question(address=_address(server, **changes), disks=[SDB], parts=PARTS)
    (reading,) = read_hosts([question], plan or _plan(server)).values()
    return reading


def test_a_host_is_read_with_the_key_and_its_answer_is_understood(server: Server) -> None:
    answer = _read(server).answer
    assert answer is not None
    assert answer.facts.hostname == "node-1"
    assert answer.verdicts == {
        SDB.mount_point: Verdict.model_validate(
            {"content": "own", "mounted": True, "inFstab": True}
        )
    }
    (asked,) = server.asked
    assert (asked.user, asked.command) == ("root", command_line("facts"))
    assert asked.stdin == f'\nset -- "$1" \n{host_question([SDB], PARTS)}'


def test_a_password_opens_a_host_too(server: Server) -> None:
    assert _read(server, _plan(server, credentials=HostCredentials(password=PASSWORD))).answer


def test_a_key_with_a_passphrase_is_unlocked(server: Server) -> None:
    key = asyncssh.import_private_key(server.client_key)
    locked = key.export_private_key("pkcs8-pem", passphrase=SESAME).decode()
    credentials = HostCredentials(private_key=locked, private_key_passphrase=SESAME)
    assert _read(server, _plan(server, credentials=credentials)).answer
    wrong = HostCredentials(private_key=locked, private_key_passphrase=SUDO)
    problem = _read(server, _plan(server, credentials=wrong)).problem
    assert problem is not None
    assert "private key can't be used" in problem


def test_the_password_for_sudo_comes_first_on_standard_input_and_nowhere_else(
    server: Server,
) -> None:
    credentials = HostCredentials(private_key=server.client_key, sudo_password=SUDO)
    reading = _read(server, _plan(server, credentials=credentials), user="ops")
    (asked,) = server.asked
    assert asked.stdin == f'{SUDO}\nset -- "$1" \n{host_question([SDB], PARTS)}'
    assert "sudo -S" in asked.command
    assert SUDO not in asked.command + repr(reading) + repr(credentials)


def test_another_host_key_than_the_pinned_one_gets_no_question(server: Server) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    problem = _read(server, host_key=other).problem
    assert problem == "it shows another host key than the stack file pins"
    assert server.asked == []


def test_a_host_key_that_is_none_is_told(server: Server) -> None:
    assert _read(server, host_key="ssh-ed25519 AAAA").problem is not None


def test_a_wrong_key_is_told(server: Server) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    plan = _plan(server, credentials=HostCredentials(private_key=other))
    assert _read(server, plan).problem == "it lets nobody in with the stack's user and keys"


@needs_ssh_agent
def test_the_agent_opens_a_host_where_no_key_is_given_as_for_remote_commands(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    with trusted_agent(server, tmp_path / "agent", monkeypatch):
        agent = HostCredentials(agent_path=agent_path())
        assert _read(server, _plan(server, credentials=agent)).answer
        both = HostCredentials(private_key=other, agent_path=agent_path())
        problem = _read(server, _plan(server, credentials=both)).problem
    assert problem == "it lets nobody in with the stack's user and keys"


@pytest.mark.parametrize("left", ["nothing", "a socket"])
def test_a_socket_without_an_agent_is_told_though_there_is_a_key(
    server: Server, tmp_path: Path, left: str
) -> None:
    path = tmp_path / "agent"
    if left == "a socket":
        with socket.socket(socket.AF_UNIX) as unused:
            unused.bind(str(path))
    credentials = HostCredentials(private_key=server.client_key, agent_path=str(path))
    problem = _read(server, _plan(server, credentials=credentials)).problem
    assert str(problem).startswith(f"no SSH agent answers at {path}")
    assert "unset SSH_AUTH_SOCK, or start the agent" in str(problem)
    assert server.connections == 0


def test_a_closed_port_is_told(server: Server) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        problem = _read(server, port=unused.getsockname()[1]).problem
    assert problem is not None
    assert "can't be reached" in problem


def test_all_hosts_are_read_through_one_connection_to_the_jump_host(server: Server) -> None:
    with ssh_server() as jump:
        # One key opens both: the stack file has one for all.
        jump.client_key = server.client_key
        credentials = HostCredentials(password=PASSWORD)
        plan = _plan(server, credentials=credentials, jump=_address(jump, "jump host bastion"))
        questions = [
            Question(address=_address(server, f"node-{n}"), disks=[SDB], parts=PARTS)
            for n in range(3)
        ]
        readings = read_hosts(questions, plan)
        assert [bool(r.answer) for r in readings.values()] == [True] * 3
        assert jump.connections == 1
        assert jump.tunnels == [("127.0.0.1", server.port)] * 3


def test_a_jump_host_that_fails_is_named_for_every_host(server: Server) -> None:
    with ssh_server() as jump:
        plan = _plan(server, jump=_address(jump, "jump host bastion"))
        problem = _read(server, plan).problem
    assert problem == "jump host bastion: it lets nobody in with the stack's user and keys"
    assert server.connections == 0


def test_many_hosts_are_read_at_the_same_time_but_not_all_at_once(server: Server) -> None:
    server.answer = None  # so that whoever got in stays in
    questions = [
        Question(address=_address(server, f"n{n}"), disks=[SDB], parts=PARTS) for n in range(70)
    ]
    readings = read_hosts(questions, _plan(server, deadline_seconds=2.0))
    assert all(reading.problem for reading in readings.values())
    assert 1 < server.connections <= 64


def test_a_host_that_hangs_costs_the_deadline_once_and_not_the_others(server: Server) -> None:
    with ssh_server(answer=None) as hanging:
        hanging.client_key = server.client_key
        plan = _plan(server, credentials=HostCredentials(password=PASSWORD), deadline_seconds=3.0)
        questions = [
            Question(address=_address(server, "well"), disks=[SDB], parts=PARTS),
            Question(address=_address(hanging, "hangs"), disks=[SDB], parts=PARTS),
            Question(address=_address(hanging, "hangs-too"), disks=[SDB], parts=PARTS),
        ]
        readings = read_hosts(questions, plan)
    assert readings["well"].answer
    assert readings["hangs"].problem == "no answer within 3 s"
    assert readings["hangs-too"].problem == "no answer within 3 s"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "answered nothing"),
        (b"Welcome!\n", "not complete"),
        (WELL.replace(b'"kernel"', b'"colonel"'), "kernel: Field required"),
        (said([disk_facts(SDC)], [HEALTHY]), "other disks"),
        (WELL.replace(b'"own"', b'"perhaps"'), "content: Input should be"),
        (said([disk_facts()], ["[]"]), "not a JSON object"),
        (b"x" * (MAXIMUM_BYTES + 1), "more than"),
        (b"[" * 100_000 + b"\n{}\n", "is not JSON"),
    ],
    ids=["nothing", "banner", "key missing", "other disk", "other word", "list", "flood", "nested"],
)
def test_an_answer_that_does_not_fit_is_told_and_nothing_is_concluded(
    server: Server, answer: bytes, told: str
) -> None:
    server.answer = answer
    reading = _read(server)
    assert reading.answer is None
    assert reading.problem is not None
    assert told in reading.problem


def test_a_script_that_fails_is_told_with_its_last_line(server: Server) -> None:
    server.answer, server.complaint, server.status = b"", b"first\nsudo: no\x1b[31m tty\n", 1
    assert _read(server).problem == "reading it failed: sudo: no?[31m tty"


def test_what_a_login_shell_says_first_does_no_harm() -> None:
    assert (
        parse_answer(b"Welcome to node-1\n" + WELL, MOUNT_POINTS, MODELS).facts.hostname == "node-1"
    )


def test_a_refusal_is_data() -> None:
    text = said([disk_facts()], [refused("/dev/sdb is a partition", "Name the whole disk")])
    (refusal,) = parse_answer(text, MOUNT_POINTS, MODELS).verdicts.values()
    assert isinstance(refusal, Refusal)
    assert (refusal.found, refusal.remedy) == ("/dev/sdb is a partition", "Name the whole disk")
    assert refusal.missing_command is None


@pytest.mark.parametrize(
    ("complaint", "remedy"),
    [
        (b"sudo: sorry, you must have a tty to run sudo", "`Defaults:ops !requiretty`"),
        (b"sudo: a password is required", "secret sudoPassword"),
        (b"sudo: 1 incorrect password attempt", "not the password of ops"),
        (b"sudo: interactive authentication is required", "secret sudoPassword"),
        (b"sudo: maximum 3 incorrect authentication attempts", "not the password of ops"),
        (b"sudo: Authentication required but not attempted", "not the password of ops"),
        (b"ops is not in the sudoers file.", "`ops ALL=(ALL) NOPASSWD: ALL`"),
        (b"sh: 1: exec: sudo: not found", "Install sudo"),
        (b"sh: line 1: exec: sudo: not found", "Install sudo"),
    ],
)
def test_what_sudo_wants_is_told_with_its_remedy(
    server: Server, complaint: bytes, remedy: str
) -> None:
    server.answer, server.complaint, server.status = b"", complaint, 1
    assert remedy in str(_read(server, user="ops").problem)


@pytest.mark.parametrize(
    ("printed", "remedy"),
    [
        (
            b'Please login as the user "ubuntu" rather than the user "root".\n\n',
            "Set ssh.user (or nodes[].user) to that user",
        ),
        (b"This account is currently not available.\n", "chsh -s /bin/sh ops"),
    ],
)
def test_a_login_that_is_refused_by_a_command_of_its_own_is_told_with_its_words(
    server: Server, printed: bytes, remedy: str
) -> None:
    server.answer, server.complaint, server.status = printed, b"", 142
    problem = str(_read(server, user="ops").problem)
    assert printed.decode().strip() in problem
    assert remedy in problem


def test_what_watches_over_a_session_may_print_behind_the_answer() -> None:
    answer = parse_answer(WELL + b"Session 7 was recorded\n", MOUNT_POINTS, MODELS)
    assert answer.facts.hostname == "node-1"


def test_a_login_that_ends_well_and_says_nothing_ran_nothing(server: Server) -> None:
    server.answer = b"\n"
    assert _read(server).nothing_ran
    server.answer = b"Welcome!\n"
    assert not _read(server).nothing_ran


def test_a_shell_that_is_gone_before_it_is_given_anything_still_said_what_it_said(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = asyncssh.SSHClientConnection.create_process

    async def too_late(*given_: Any, **named: Any) -> asyncssh.SSHClientProcess[bytes]:
        process = await create(*given_, **named)
        await process.wait_closed()
        return process

    monkeypatch.setattr(asyncssh.SSHClientConnection, "create_process", too_late)
    server.reads, server.answer = False, b""
    assert _read(server).nothing_ran
    server.answer, server.status = b"This account is currently not available.\n", 1
    assert "account is currently not available" in str(_read(server).problem)


def _understood(answer: bytes) -> bool:
    """Whether it was understood; anything but FactsError would fail the test."""
    try:
        assert isinstance(parse_answer(answer, MOUNT_POINTS, MODELS), HostAnswer)
    except FactsError:
        return False
    return True


@given(st.binary(max_size=400))
def test_garbage_is_never_understood(garbage: bytes) -> None:
    assert not _understood(garbage)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_KEYS = st.sampled_from(["hostname", "kernel", "os", "packages", "iscsid", "tools", "disks"])


@given(_KEYS, _JSON)
def test_facts_with_any_value_in_any_place_end_in_an_answer_or_a_reason(
    key: str, value: Any
) -> None:
    facts = {**json.loads(WELL.splitlines()[0]), key: value}
    _understood(f"{json.dumps(facts)}\n{HEALTHY}\n".encode())


@given(st.sampled_from(["is", "uuid", "writable", "fstabLine", "immutable"]), _JSON)
def test_a_disk_with_any_value_in_any_place_ends_in_an_answer_or_a_reason(
    key: str, value: Any
) -> None:
    _understood(said([disk_facts(**{key: value})], [HEALTHY]))


@given(_JSON | st.text())
def test_any_line_about_a_disk_ends_in_an_answer_or_a_reason(value: Any) -> None:
    _understood(said([disk_facts()], [value if isinstance(value, str) else json.dumps(value)]))


@given(st.integers(0, len(WELL) - 2))
def test_an_answer_that_broke_off_is_never_understood(length: int) -> None:
    assert not _understood(WELL[:length])


def test_the_question_is_one_script_that_a_shell_can_read_with_its_parts_unchanged() -> None:
    question = host_question([SDB, SDC], questions([SDB, SDC], control_plane=True))
    for parts in (NODE_FACTS, DISK_LOOK, CONTROL_PLANE_LOOK):
        assert question.count(script_text(*parts)) == 1
    assert question.endswith("check\n")
    subprocess.run(["sh", "-n"], input=question, text=True, check=True)


def test_every_script_gets_its_own_words_and_answers_under_its_own_key() -> None:
    echo = 'printf \'{"kubernetes":"%s","closed":[]}\\n\' "$*"'
    part = Part(key="a", text=echo, words=("it's", "b"), model=ControlPlaneVerdict)
    question = host_question([], [part])
    assert question.splitlines()[-1] == "script_1 'it'\"'\"'s' b"
    facts = said([], ['{"kubernetes": "1", "closed": []}'])
    answer = parse_answer(facts, [], {part.key: part.model})
    assert isinstance(answer.verdicts["a"], ControlPlaneVerdict)


@given(_JSON | st.text())
def test_any_line_about_a_control_plane_ends_in_an_answer_or_a_reason(value: Any) -> None:
    line = value if isinstance(value, str) else json.dumps(value)
    models = {SDB.mount_point: Verdict, CONTROL_PLANE: ControlPlaneVerdict}
    with suppress(FactsError):
        parsed = parse_answer(said([disk_facts()], [HEALTHY, line]), MOUNT_POINTS, models)
        assert CONTROL_PLANE in parsed.verdicts
