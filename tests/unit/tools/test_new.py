"""`make new`: a stack file from a cluster, and nothing taken that nobody said yes to."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest
import yaml

from components.hosts.address import HostAddress
from components.hosts.asking import ReadingPlan, Said
from components.hosts.connection import HostCredentials
from configuration.problems import SettingsError
from tests.unit.doubles.a_host import refused, said, usable
from tests.unit.doubles.a_stack import HOST_KEY, load
from tests.unit.doubles.an_editor import complaints_of_file
from tests.unit.doubles.an_ssh_server import PASSWORD, Server, ssh_server
from tools.new import __main__ as new
from tools.new import disks
from tools.new.choosing import choose, remarks
from tools.new.disks import Disk, HostDisks, listed, read_disks
from tools.new.host_keys import host_keys
from tools.new.nodes import ClusterNode, cluster_nodes
from tools.new.stack_file import MOST_NODES, NewStack, nodes_file, stack_file
from tools.new.writing import write_all
from tools.offline.recording import run_program
from tools.offline.stack_file import read_stack_config
from tools.plan.plan import without_credentials

_GIB = 2**30
_BLANK = Disk("/dev/sdb", "/dev/disk/by-id/wwn-0x1", 100 * _GIB, "Model #1", "/mnt/longhorn-2")
_SMALL = Disk("/dev/sdc", "/dev/sdc", 10 * _GIB, "", "/mnt/longhorn-3")
_USED = Disk(
    "/dev/sda",
    "/dev/disk/by-id/wwn-0x0",
    100 * _GIB,
    "Model #1",
    "/mnt/longhorn-1",
    "/dev/sda has partitions",
)


def _stack(count: int, **changes: Any) -> NewStack:
    listed = [ClusterNode(f"node-{n}", f"192.0.2.{n}") for n in range(1, count + 1)]
    given: dict[str, Any] = {
        "cluster": "mine",
        "kubeconfig": "~/.kube/config",
        "context": None,
        "nodes": listed,
        "host_keys": {node.name: HOST_KEY for node in listed},
        "disks": {node.name: [_BLANK, _SMALL] for node in listed},
    }
    return NewStack(**{**given, **changes})


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"disks": {}},
        {"user": "ops", "port": 2222, "private_key_file": "~/key"},
        {"rancher_url": "https://rancher.example.com", "docker_host": "unix:///run/docker.sock"},
        {
            "rancher_url": "https://rancher.example.com",
            "docker_host": "ssh://root@rancher",
            "docker_host_key": HOST_KEY,
        },
        {"context": "here", "remarks": {"node-1": "It has no blank disk."}},
    ],
    ids=range(6),
)
def test_the_file_passes_the_program_and_the_editor(
    tmp_path: Path, count: int, changes: Mapping[str, Any]
) -> None:
    path = tmp_path / "Pulumi.mine.yaml"
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key()
    Path("~/key").expanduser().write_bytes(key)
    path.write_text(stack_file(_stack(count, **changes)))
    assert complaints_of_file(yaml.safe_load(path.read_text())) == []
    config = read_stack_config(path)
    assert len(load(config).nodes) == count
    assert run_program(config, stack="mine", preview=True).resources


def test_nodes_in_a_file_of_their_own_are_the_same(tmp_path: Path) -> None:
    stack = _stack(2, remarks={"node-2": "It has no blank disk."})
    path, nodes_path = tmp_path / "Pulumi.mine.yaml", tmp_path / "mine-nodes.yaml"
    path.write_text(stack_file(stack, nodes_path))
    nodes_path.write_text(nodes_file(stack))
    assert complaints_of_file(yaml.safe_load(path.read_text())) == []
    assert "# It has no blank disk." in nodes_path.read_text()
    apart = load(read_stack_config(path)).nodes
    path.write_text(stack_file(stack))
    assert apart == load(read_stack_config(path)).nodes


def test_a_tainted_control_plane_node_gets_no_disk_without_letting_longhorn_onto_it() -> None:
    node = ClusterNode("node-1", "192.0.2.1", control_plane=True, tainted=True)
    with_disk = yaml.safe_load(stack_file(_stack(1, nodes=[node])))["config"]
    assert with_disk["longhorn-rancher:controlPlane"] == {"scheduling": "tolerate"}
    without = yaml.safe_load(stack_file(_stack(1, nodes=[node], disks={})))["config"]
    assert "longhorn-rancher:controlPlane" not in without
    assert without["longhorn-rancher:nodes"][0]["controlPlane"] is True


@pytest.mark.parametrize("text", ["007", "yes", "a: b", "#1", "1.5", "-x", "a#b"])
def test_a_text_that_yaml_would_take_for_something_else_stays_text(text: str) -> None:
    node = ClusterNode(text, text)
    written = yaml.safe_load(stack_file(_stack(1, nodes=[node])))["config"]
    assert written["longhorn-rancher:nodes"][0]["name"] == text


def test_a_disk_is_mounted_where_it_was_judged() -> None:
    written = yaml.safe_load(stack_file(_stack(1, disks={"node-1": [_SMALL]})))["config"]
    (disk,) = written["longhorn-rancher:nodes"][0]["disks"]
    assert disk["mountPoint"] == "/mnt/longhorn-3"


def test_what_a_host_says_stays_within_its_comment() -> None:
    stack = _stack(1, remarks={"node-1": "no answer\nhost: elsewhere"})
    assert "# no answer host: elsewhere\n" in stack_file(stack)


def test_a_node_without_a_free_disk_says_why_of_each() -> None:
    hidden = replace(_SMALL, refused="mount point /mnt/longhorn-3 is not empty")
    hosts = {"node-1": HostDisks([_USED, hidden]), "node-2": HostDisks()}
    assert remarks(["node-1", "node-2"], hosts, {}) == {
        "node-1": "It has no disk that can be taken; /dev/sda has partitions; "
        "/dev/sdc: mount point /mnt/longhorn-3 is not empty.",
        "node-2": "It has no disk that can be taken.",
    }


def test_hosts_that_are_alike_are_asked_about_once_and_others_apart() -> None:
    hosts = {f"node-{n}": HostDisks([_USED, _BLANK]) for n in range(1, 101)}
    hosts["node-101"] = HostDisks([_SMALL])
    hosts["node-102"] = HostDisks([_USED])
    hosts["node-103"] = HostDisks(problem="no answer in time")
    asked: list[str] = []

    def confirm(question: str) -> bool:
        asked.append(question)
        return "100 nodes" in question

    said: list[str] = []
    chosen = choose(hosts, confirm, said.append)
    assert len(said) < 10
    assert any("97 more" in line for line in said)
    assert len(asked) == 2
    assert "100 GiB Model #1" in asked[0]
    assert set(chosen) == {f"node-{n}" for n in range(1, 101)}
    assert chosen["node-7"] == [_BLANK]


def test_a_disk_that_is_not_blank_is_never_asked_about() -> None:
    asked: list[str] = []
    choose({"node-1": HostDisks([_USED])}, lambda q: not asked.append(q), lambda _line: None)
    assert asked == []


def _node(name: str, taints: list[Any] | None = None, **labels: str) -> Any:
    return SimpleNamespace(
        metadata=SimpleNamespace(
            name=name, labels={key.replace("_", "-"): "" for key in labels} or None
        ),
        status=SimpleNamespace(
            addresses=[
                SimpleNamespace(type="InternalIP", address="127.0.0.1"),
                SimpleNamespace(type="InternalIP", address="2001:db8::1"),
                SimpleNamespace(type="Hostname", address=name),
            ]
        ),
        spec=SimpleNamespace(taints=taints),
    )


class _Core:
    def __init__(self, *nodes: Any) -> None:
        self._nodes = nodes

    def list_node(self, **_options: Any) -> Any:
        return SimpleNamespace(items=list(self._nodes))


def test_the_nodes_come_in_the_order_of_their_numbers_with_their_first_address() -> None:
    control = _node("control-1", [SimpleNamespace(key="node-role.kubernetes.io/control-plane")])
    control.metadata.labels = {"node-role.kubernetes.io/control-plane": ""}
    found = cluster_nodes(_Core(_node("node-10"), _node("node-9"), control))
    assert [node.name for node in found] == ["control-1", "node-9", "node-10"]
    assert found[0] == ClusterNode("control-1", "127.0.0.1", control_plane=True, tainted=True)
    assert not found[1].control_plane


@pytest.fixture
def server() -> Iterator[Server]:
    with ssh_server() as running:
        yield running


def _known(server: Server, path: Path, key: str | None = None) -> Path:
    path.write_text(f"[127.0.0.1]:{server.port} {key or server.host_key}\n")
    return path


def test_a_host_key_is_trusted_only_if_known_hosts_has_it(server: Server, tmp_path: Path) -> None:
    where = ("127.0.0.1", server.port)
    unknown = host_keys([where, where], tmp_path / "absent")[where]
    assert unknown.key == " ".join(server.host_key.split()[:2])
    assert unknown.fingerprint.startswith("SHA256:")
    assert not unknown.trusted
    known = host_keys([where], _known(server, tmp_path / "known"))[where]
    assert known.trusted
    assert known.key == unknown.key


def test_a_host_that_shows_another_key_than_known_hosts_has_gets_none(
    server: Server, tmp_path: Path
) -> None:
    where = ("127.0.0.1", server.port)
    found = host_keys([where], _known(server, tmp_path / "known", HOST_KEY))[where]
    assert found.key is None
    assert "another host key" in str(found.problem)


def test_a_host_that_known_hosts_has_by_its_rsa_key_is_asked_for_another_and_shown(
    tmp_path: Path,
) -> None:
    with ssh_server(host_key_types=("ssh-rsa", "ssh-ed25519")) as server:
        where = ("127.0.0.1", server.port)
        found = host_keys([where], _known(server, tmp_path / "known"))[where]
    assert found.problem is None
    assert str(found.key).startswith("ssh-ed25519 ")
    assert not found.trusted


def test_a_host_that_has_an_rsa_key_alone_is_told_how_to_make_another(tmp_path: Path) -> None:
    with ssh_server(host_key_types=("ssh-rsa",)) as server:
        where = ("127.0.0.1", server.port)
        found = host_keys([where], tmp_path / "absent")[where]
    assert not found.unreachable
    assert "ssh-keygen -A" in str(found.problem)


def test_a_host_that_does_not_answer_is_told(server: Server, tmp_path: Path) -> None:
    silent = ("127.0.0.1", 1)
    assert "could be read" in str(host_keys([silent], tmp_path)[silent].problem)
    assert server.connections == 0


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A cluster of one node at 127.0.0.1 with a blank disk and a used one; what was read there."""
    read: list[Any] = []

    def read_disks(addresses: Any, _plan: Any) -> dict[str, HostDisks]:
        read.extend(addresses)
        return {each.name: HostDisks([_USED, _BLANK]) for each in addresses}

    core = _Core(_node("node-1"))
    monkeypatch.setattr(new, "ClusterApi", lambda *_words: SimpleNamespace(core=core))
    monkeypatch.setattr(new, "read_disks", read_disks)
    return read


def _new(server: Server, folder: Path, *words: str) -> int:
    common = ["mine", "--batch", "--folder", str(folder), "--port", str(server.port)]
    return new.main([*common, "--known-hosts", str(folder / "known"), *words])


def _written(folder: Path) -> Any:
    return yaml.safe_load((folder / "Pulumi.mine.yaml").read_text())["config"]


def test_without_a_word_about_host_keys_nothing_is_written_and_no_host_is_opened(
    server: Server, tmp_path: Path, cluster: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _new(server, tmp_path) == 1
    assert not (tmp_path / "Pulumi.mine.yaml").exists()
    said = capsys.readouterr()
    assert "SHA256:" in said.out
    assert "not confirmed" in said.err
    assert cluster == []


def test_a_trusted_host_key_is_not_asked_about_and_no_disk_is_taken_unasked(
    server: Server, tmp_path: Path, cluster: list[Any]
) -> None:
    _known(server, tmp_path / "known")
    assert _new(server, tmp_path) == 0
    (node,) = _written(tmp_path)["longhorn-rancher:nodes"]
    assert node["hostKey"] == " ".join(server.host_key.split()[:2])
    assert node["disks"] == []
    assert [address.host_key for address in cluster] == [node["hostKey"]]


def test_blank_disks_are_taken_by_the_option_that_says_so(
    server: Server, tmp_path: Path, cluster: list[Any]
) -> None:
    assert _new(server, tmp_path, "--accept-host-keys", "--all-blank-disks") == 0
    assert cluster
    (node,) = _written(tmp_path)["longhorn-rancher:nodes"]
    assert [disk["device"] for disk in node["disks"]] == [_BLANK.name]


def test_many_nodes_are_written_into_a_file_of_their_own(
    server: Server, tmp_path: Path, cluster: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    core = _Core(*(_node(f"node-{number}") for number in range(MOST_NODES + 1)))
    monkeypatch.setattr(new, "ClusterApi", lambda *_words: SimpleNamespace(core=core))
    # All at one address: which host is whose is another rule.
    assert _new(server, tmp_path, "--accept-host-keys") == 1
    assert "longhorn-rancher:nodes" not in _written(tmp_path)
    path = tmp_path / "mine-nodes.yaml"
    assert _written(tmp_path)["longhorn-rancher:cluster"]["nodesFile"] == str(path)
    assert len(yaml.safe_load(path.read_text())) == len(cluster) == MOST_NODES + 1


def test_the_docker_hosts_key_is_looked_for_too(
    server: Server, tmp_path: Path, cluster: list[Any]
) -> None:
    _known(server, tmp_path / "known")
    docker = f"ssh://root@127.0.0.1:{server.port}"
    rancher = ("--rancher-url", "https://rancher.example.com", "--docker-host", docker)
    assert _new(server, tmp_path, *rancher) == 0
    written = _written(tmp_path)["longhorn-rancher:rancher"]
    assert written["dockerHostKey"] == " ".join(server.host_key.split()[:2])
    assert cluster


@pytest.mark.parametrize("name", ["Pulumi.mine.yaml", "mine-nodes.yaml"])
def test_a_file_that_is_there_is_left_alone(
    server: Server, tmp_path: Path, cluster: list[Any], name: str
) -> None:
    (tmp_path / name).write_text("mine")
    assert _new(server, tmp_path, "--accept-host-keys") == 1
    assert (tmp_path / name).read_text() == "mine"
    assert cluster == []


_LSBLK = (
    'Welcome!\n{"blockdevices": [{"name":"/dev/sdb", "type":"disk", "size":"107374182400",'
    ' "model":"Model   ", "ro":false},{"name":"/dev/sr0", "type":"rom", "size":1, "model":null,'
    ' "ro":true},{"name":"/dev/sdc", "type":"disk", "size":0, "model":null, "ro":"0"}]}\n'
    "/dev/disk/by-id/ata-Model_1 /dev/sdb\n/dev/disk/by-id/wwn-0x1 /dev/sdb\n"
    "/dev/disk/by-id/a-1 /dev/sdc\n"
)


def test_of_what_lsblk_lists_only_disks_count_by_the_name_that_lasts() -> None:
    host = listed(Said(output=_LSBLK.encode()))
    assert host.disks == [
        Disk("/dev/sdb", "/dev/disk/by-id/wwn-0x1", 100 * _GIB, "Model", "/mnt/longhorn-1")
    ]


@pytest.mark.parametrize("output", [b"", b"\xff\n", b"{}", b'{"blockdevices": [{}]}', b"{}\na b c"])
def test_an_answer_that_is_no_list_of_disks_is_a_problem_and_no_disk(output: bytes) -> None:
    host = listed(Said(output=output))
    assert host.problem is not None
    assert not host.disks


def test_a_host_that_is_not_there_is_a_problem_in_one_line() -> None:
    address = HostAddress(name="node-1", host="127.0.0.1", port=1, user="root", host_key=HOST_KEY)
    found = read_disks([address], ReadingPlan(credentials=HostCredentials()))
    assert "reached" in str(found["node-1"].problem)


def _judged(server: Server, monkeypatch: pytest.MonkeyPatch, *verdicts: str) -> HostDisks:
    """What `make new` makes of a host with sda and sdb that says this of them."""
    listed = [
        {"name": f"/dev/sd{letter}", "type": "disk", "size": _GIB, "model": None, "ro": False}
        for letter in "ab"
    ]
    lists = f"{json.dumps({'blockdevices': listed})}\n".encode()
    monkeypatch.setattr(disks, "ask_hosts", lambda *_: {"node-1": Said(output=lists)})
    server.answer = said((), verdicts)
    address = HostAddress(
        name="node-1", host="127.0.0.1", port=server.port, user="root", host_key=server.host_key
    )
    credentials = HostCredentials(private_key=server.client_key)
    return read_disks([address], ReadingPlan(credentials=credentials))["node-1"]


def test_each_disk_is_judged_at_a_mount_point_of_its_own(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank = usable(content="blank", mounted=False, inFstab=False)
    host = _judged(server, monkeypatch, refused("/dev/sda has partitions"), blank)
    assert [disk.refused for disk in host.disks] == ["/dev/sda has partitions", None]
    assert [disk.mount_point for disk in host.free] == ["/mnt/longhorn-2"]
    assert "check /dev/sdb /mnt/longhorn-2" in server.asked[0].stdin


def test_where_a_command_is_missing_no_disk_is_called_used_and_the_command_is_named(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    unable = refused("the command chattr is missing", "Install e2fsprogs", "chattr")
    host = _judged(server, monkeypatch, unable, unable)
    assert host == HostDisks(problem="the command chattr is missing. Install e2fsprogs")


class _Terminal:
    """Answers what `make new` asks, by words in the question; what was asked stays here."""

    def __init__(self, **answers: list[str]) -> None:
        self._answers = {words.replace("_", " "): typed for words, typed in answers.items()}
        self.asked: list[str] = []

    def __call__(self, question: str) -> str:
        self.asked.append(question)
        for words, typed in self._answers.items():
            if words in question and typed:
                return typed.pop(0)
        return ""

    def questions(self, words: str) -> list[str]:
        return [question for question in self.asked if words in question]


@pytest.fixture
def sit_down(monkeypatch: pytest.MonkeyPatch) -> Callable[..., _Terminal]:
    """Puts somebody in front of a terminal, who knows the given answers."""

    def seated(**answers: list[str]) -> _Terminal:
        terminal = _Terminal(**answers)
        monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
        monkeypatch.setattr("builtins.input", terminal)
        monkeypatch.setattr("getpass.getpass", terminal)
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        return terminal

    return seated


_LIST = b'{"blockdevices": []}\n'


def _typed(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """`make new` with a person for a cluster of one node at 127.0.0.1."""
    core = _Core(_node("node-1"))
    monkeypatch.setattr(new, "ClusterApi", lambda *_words: SimpleNamespace(core=core))
    _known(server, folder / "known")
    common = ["mine", "--folder", str(folder), "--port", str(server.port)]
    return new.main([*common, "--known-hosts", str(folder / "known"), *words])


def _key_file(
    server: Server, folder: Path, passphrase: str | None = None, form: str = "openssh"
) -> str:
    key = asyncssh.import_private_key(server.client_key)
    (folder / "key").write_bytes(key.export_private_key(form, passphrase=passphrase, rounds=1))
    return str(folder / "key")


def test_where_a_key_opens_the_hosts_nobody_is_asked_for_a_password_or_a_jump_host(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
) -> None:
    server.answer, terminal = _LIST, sit_down()
    assert _typed(server, tmp_path, monkeypatch, *_with_key(server, tmp_path)) == 0
    assert server.asked
    assert terminal.questions("assword") == terminal.questions("Jump host") == []
    assert "jumpHost" not in _written(tmp_path)["longhorn-rancher:ssh"]


def _with_key(server: Server, folder: Path) -> list[str]:
    return ["--private-key-file", _key_file(server, folder)]


def test_where_nobody_is_let_in_a_password_is_asked_for_until_it_opens(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
) -> None:
    server.answer, terminal = _LIST, sit_down(SSH_password=["wrong", PASSWORD])
    assert _typed(server, tmp_path, monkeypatch) == 0
    assert len(terminal.questions("SSH password of root")) == 2
    assert [asked.user for asked in server.asked] == ["root"]


def test_a_password_is_asked_for_at_once_where_that_is_wanted(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
) -> None:
    server.answer, terminal = _LIST, sit_down(SSH_password=[PASSWORD])
    assert _typed(server, tmp_path, monkeypatch, "--ask-password") == 0
    assert terminal.questions("private key") == []
    assert len(terminal.questions("SSH password of root")) == 1


def test_a_password_is_nowhere_but_the_file_says_how_to_set_it_and_can_be_planned(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.answer = _LIST
    sit_down(SSH_password=[PASSWORD])
    assert _typed(server, tmp_path, monkeypatch, "--ask-password") == 0
    said = capsys.readouterr()
    path = tmp_path / "Pulumi.mine.yaml"
    assert PASSWORD not in path.read_text() + said.out + said.err
    command = "pulumi config set --secret longhorn-rancher:sshPassword"
    assert command in path.read_text()
    assert command in said.out
    assert "useAgent" not in _written(tmp_path)["longhorn-rancher:ssh"]
    config = without_credentials(read_stack_config(path))
    assert run_program(config, stack="mine", preview=True).resources
    with pytest.raises(SettingsError, match="nothing that opens the hosts"):
        load(read_stack_config(path))


def test_sudo_gets_the_ssh_password_first_and_then_another_one_is_asked_for(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
) -> None:
    server.status, server.complaint = 1, b"sudo: a password is required\n"
    terminal = sit_down(SSH_password=[PASSWORD], sudo_asks=["of-sudo"])
    words = ["--ask-password", "--user", "ops"]
    assert _typed(server, tmp_path, monkeypatch, *words) == 0
    sent = [asked.stdin.partition("\n")[0] for asked in server.asked]
    assert sent == ["", PASSWORD, "of-sudo"]
    assert len(terminal.questions("sudo asks ops")) == 2
    text = (tmp_path / "Pulumi.mine.yaml").read_text()
    assert "pulumi config set --secret longhorn-rancher:sudoPassword" in text
    assert "of-sudo" not in text


def test_a_locked_key_is_opened_with_its_passphrase_which_the_stack_is_to_be_given(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
) -> None:
    server.answer, terminal = _LIST, sit_down(Passphrase=["wrong", "right"])
    words = ["--private-key-file", _key_file(server, tmp_path, "right")]
    assert _typed(server, tmp_path, monkeypatch, *words) == 0
    assert len(terminal.questions("Passphrase")) == 2
    assert server.asked
    text = (tmp_path / "Pulumi.mine.yaml").read_text()
    assert "pulumi config set --secret longhorn-rancher:sshPrivateKeyPassphrase" in text


def test_a_key_that_is_locked_in_a_form_of_its_own_is_told_before_its_passphrase_is_asked_for(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = sit_down(Passphrase=["right"])
    words = ["--private-key-file", _key_file(server, tmp_path, "right", "pkcs8-pem")]
    assert _typed(server, tmp_path, monkeypatch, *words) == 1
    assert terminal.questions("Passphrase") == []
    assert "ssh-keygen -p -f KEY" in capsys.readouterr().err


def test_hosts_behind_a_jump_host_are_asked_through_it_alone(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
) -> None:
    server.answer = _LIST
    sit_down()
    jump = f"ops@127.0.0.1:{server.port}"
    words = [*_with_key(server, tmp_path), "--jump-host", jump]
    assert _typed(server, tmp_path, monkeypatch, *words) == 0
    # Once for its host key, twice more for its disks.
    assert set(server.tunnels) == {("127.0.0.1", server.port)}
    written = _written(tmp_path)["longhorn-rancher:ssh"]["jumpHost"]
    assert written == {
        "host": "127.0.0.1",
        "port": server.port,
        "user": "ops",
        "hostKey": " ".join(server.host_key.split()[:2]),
    }
    assert load(read_stack_config(tmp_path / "Pulumi.mine.yaml")).ssh.jump_host


def test_a_jump_host_is_asked_for_where_a_node_does_not_answer_until_one_is_reached(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
) -> None:
    reached = f"127.0.0.1:{server.port}"
    terminal = sit_down(Jump_host=["127.0.0.1:1", "a@b@c", reached], own=["y"])
    core = _Core(_node("node-1"))
    core.list_node().items[0].status.addresses[0].address = "127.0.0.77"
    monkeypatch.setattr(new, "ClusterApi", lambda *_words: SimpleNamespace(core=core))
    words = ["mine", "--folder", str(tmp_path), *_with_key(server, tmp_path)]
    # At its port nobody listens on this address: the way behind the jump host fails, too.
    words += ["--port", str(server.port), "--known-hosts", str(tmp_path / "absent")]
    assert new.main(words) == 1
    assert len(terminal.questions("Jump host")) == 3
    assert server.tunnels == [("127.0.0.77", server.port)]
    text = (tmp_path / "Pulumi.mine.yaml").read_text()
    assert "Its host key is missing" in text


def test_a_jump_host_whose_key_nobody_confirms_is_not_opened(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
) -> None:
    sit_down(own=["n"])
    jump = f"127.0.0.1:{server.port}"
    words = ["--jump-host", jump, "--known-hosts", str(tmp_path / "absent")]
    assert _typed(server, tmp_path, monkeypatch, *words) == 1
    assert server.tunnels == []
    assert not (tmp_path / "Pulumi.mine.yaml").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--jump-host", "a@b@c"], "no [USER@]HOST[:PORT]"),
        (["--jump-host", "bastion:0"], "0 must be"),
        (["--user=-x"], "begins with a hyphen"),
        (["--rancher-url", "http://rancher"], "must be https://"),
        (["--private-key-file", "/absent"], "can't be read"),
        (["--ask-password"], "needs a terminal"),
    ],
)
def test_an_option_that_can_not_be_stops_it_before_a_host_is_opened(
    server: Server,
    tmp_path: Path,
    cluster: list[Any],
    words: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    common = ["mine", "--folder", str(tmp_path), "--port", str(server.port)]
    assert new.main([*common, *words]) == 1
    assert told in capsys.readouterr().err
    assert cluster == []
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_answer_is_asked_again_with_what_is_wrong(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.answer = _LIST
    terminal = sit_down(
        SSH_user=["-x", "ops"], private_key=["/absent", _key_file(server, tmp_path)]
    )
    assert _typed(server, tmp_path, monkeypatch) == 0
    assert len(terminal.questions("SSH user")) == len(terminal.questions("private key")) == 2
    assert "'-x' begins with a hyphen" in capsys.readouterr().out
    assert _written(tmp_path)["longhorn-rancher:ssh"]["user"] == "ops"


def test_an_answer_that_is_neither_yes_nor_no_is_asked_again(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
) -> None:
    server.answer, terminal = _LIST, sit_down(own=["perhaps", "y"])
    words = [*_with_key(server, tmp_path), "--known-hosts", str(tmp_path / "absent")]
    assert _typed(server, tmp_path, monkeypatch, *words) == 0
    assert len(terminal.questions("own")) == 2


@pytest.mark.parametrize("stop", [KeyboardInterrupt, EOFError])
def test_whoever_breaks_it_off_finds_nothing_written(
    tmp_path: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    sit_down: Callable[..., _Terminal],
    stop: type[BaseException],
    capsys: pytest.CaptureFixture[str],
) -> None:
    sit_down()

    def stopped(_texts: Any) -> None:
        raise stop

    monkeypatch.setattr(new, "choose", lambda *_words: stopped(None))
    assert _typed(server, tmp_path, monkeypatch, *_with_key(server, tmp_path)) != 0
    assert "nothing was written" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.yaml*"))


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(RuntimeError, match="taken"):
        write_all({tmp_path / "first": "1", tmp_path / "taken": "2"})
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert (tmp_path / "taken").read_text() == "mine"
    write_all({tmp_path / "first": "1", tmp_path / "second": "2"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "first": "1",
        "second": "2",
        "taken": "mine",
    }
