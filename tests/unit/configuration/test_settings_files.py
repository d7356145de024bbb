"""Files that the stack file names: there and readable before anything is touched."""

import gzip
import io
import os
import tarfile
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.unit.doubles.a_stack import mistake, mistakes, valid, with_secrets

_CHART = "name: longhorn\nversion: 1.5.3\n"
_ABSENT = "/nowhere/absent"
_RANCHER = {"url": "https://rancher.example.com"}
_BACKUP = {"target": "s3://bucket@region/", "user": "key"}


def _archive(path: Path, member: str, text: str) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo(member)
        info.size = len(text.encode())
        archive.addfile(info, io.BytesIO(text.encode()))
    return path


def test_a_missing_key_file_is_told_with_its_path(tmp_path: Path) -> None:
    path = str(tmp_path / "id_ed25519")
    problem = mistake(valid(ssh={"privateKeyFile": path}))
    assert problem.key == "longhorn-rancher:ssh.privateKeyFile"
    assert "No such file" in problem.rule


def test_a_folder_is_no_key_file(tmp_path: Path) -> None:
    assert "directory" in mistake(valid(ssh={"privateKeyFile": str(tmp_path)})).rule


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_key_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("key")
    path.chmod(0)
    assert "Permission denied" in mistake(valid(ssh={"privateKeyFile": str(path)})).rule


def test_the_contents_of_a_key_file_are_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("correct horse")
    ssh = {"privateKeyFile": str(path), "port": 0}
    assert "correct horse" not in "".join(map(str, mistakes(valid(ssh=ssh))))


@pytest.mark.parametrize("path", ["~no-such-user-here/key", "a\0b"])
@pytest.mark.parametrize("key", ["privateKeyFile"])
def test_a_path_that_can_not_be_one_is_a_mistake_and_no_traceback(key: str, path: str) -> None:
    assert mistake(valid(ssh={key: path})).key == f"longhorn-rancher:ssh.{key}"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("rancherImport.manifestFile", {"rancherImport": {"manifestFile": _ABSENT}}),
        ("rancherImport.caFile", {"rancherImport": {"caFile": _ABSENT}}),
        ("rancher.certificateFile", {"rancher": {**_RANCHER, "certificateFile": _ABSENT}}),
        ("rancher.caFile", {"rancher": {**_RANCHER, "caFile": _ABSENT}}),
        ("longhorn.backup.caFile", {"longhorn": {"backup": {**_BACKUP, "caFile": _ABSENT}}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_named_and_not_there_is_told(key: str, said: dict[str, Any]) -> None:
    told = {problem.key: problem.rule for problem in mistakes(valid(**said))}
    assert "No such file" in told[f"longhorn-rancher:{key}"]


def test_a_certificate_file_with_its_key_in_it_is_told_of_once(tmp_path: Path) -> None:
    path = tmp_path / "both.pem"
    path.write_text(f"{_a_key()}-----BEGIN CERTIFICATE-----\n")
    rancher = {**_RANCHER, "tlsTermination": "external", "caFile": str(path)}
    assert "holds a private key" in mistake(valid(rancher=rancher)).rule


def test_a_home_folder_may_be_written_as_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = {"name": "test", "kubeconfig": str(Path("~/.kube/config").expanduser())}
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key").write_text(_a_key())
    assert mistakes(valid(ssh={"privateKeyFile": "~/key"}, cluster=cluster)) == []


def _a_key(passphrase: str | None = None, form: str = "openssh", kind: str = "ssh-ed25519") -> str:
    made = asyncssh.generate_private_key(kind)
    return made.export_private_key(form, passphrase=passphrase, rounds=1).decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKH1 ops@example.com", "is the public key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", "is a key of PuTTY's"),
        ("/home/ops/.ssh/id_ed25519", "is no private key"),
        (_a_key()[:200], "is cut off"),
        (_a_key("correct horse"), "is locked with a passphrase"),
        (_a_key("correct horse", "pkcs8-pem"), "is locked in PKCS#8"),
    ],
    ids=["public", "putty", "path", "cut off", "locked", "locked in PKCS#8"],
)
def test_what_opens_no_host_is_told_before_any_host_is_asked(
    text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    in_file = mistake(valid(ssh={"privateKeyFile": str(path)}))
    assert in_file.key == "longhorn-rancher:ssh.privateKeyFile"
    in_secret = mistake(with_secrets(valid(), sshPrivateKey=text))
    assert in_secret.key == "longhorn-rancher:sshPrivateKey"
    for problem in (in_file, in_secret):
        assert said in problem.rule
        assert text not in str(problem)


def test_a_locked_key_is_opened_by_its_passphrase_and_no_other() -> None:
    key = _a_key("correct horse")
    config = with_secrets(valid(), sshPrivateKey=key, sshPrivateKeyPassphrase="correct horse")
    assert mistakes(config) == []
    config = with_secrets(valid(), sshPrivateKey=key, sshPrivateKeyPassphrase="wrong horse")
    problem = mistake(config)
    assert "is not opened by the secret sshPrivateKeyPassphrase" in problem.rule
    assert "wrong horse" not in str(problem)


@pytest.mark.parametrize("form", ["openssh", "pkcs1-pem"])
def test_a_key_that_is_locked_in_a_form_that_go_opens_is_taken(form: str) -> None:
    key = _a_key("correct horse", form, "ecdsa-sha2-nistp256")
    config = with_secrets(valid(), sshPrivateKey=key, sshPrivateKeyPassphrase="correct horse")
    assert mistakes(config) == []


@pytest.mark.parametrize(
    ("key", "said", "remedy"),
    [
        (_a_key(), "is not locked", "pulumi config rm"),
        (_a_key(form="pkcs8-pem"), "is not locked", "pulumi config rm"),
        (_a_key("correct horse", "pkcs8-pem"), "is locked in PKCS#8", "ssh-keygen -p -f KEY"),
    ],
    ids=["openssh", "pkcs8", "locked pkcs8"],
)
def test_a_key_and_a_passphrase_that_go_does_not_take_together_are_refused(
    key: str, said: str, remedy: str
) -> None:
    config = with_secrets(valid(), sshPrivateKey=key, sshPrivateKeyPassphrase="correct horse")
    problem = mistake(config)
    assert said in problem.rule
    assert remedy in problem.remedy
    assert "correct horse" not in str(problem)


def test_a_chart_folder_of_the_right_version_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text(_CHART)
    assert mistakes(valid(longhorn={"chartPath": str(tmp_path)})) == []


def test_a_chart_archive_of_the_right_version_is_accepted(tmp_path: Path) -> None:
    path = _archive(tmp_path / "chart.tgz", "longhorn/Chart.yaml", _CHART)
    assert mistakes(valid(longhorn={"chartPath": str(path)})) == []


def test_a_chart_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text(_CHART.replace("1.5.3", "1.6.0"))
    problem = mistake(valid(longhorn={"chartPath": str(tmp_path)}))
    assert "holds the chart longhorn 1.6.0, and longhorn.version is 1.5.3" in problem.rule


def test_a_chart_of_the_version_to_upgrade_to_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text(_CHART.replace("1.5.3", "1.6.4"))
    longhorn = {"chartPath": str(tmp_path), "version": "1.6.4"}
    assert mistakes(valid(longhorn=longhorn)) == []


def test_another_chart_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: rook\nversion: 1.5.3\n")
    assert "rook" in mistake(valid(longhorn={"chartPath": str(tmp_path)})).rule


def _absent(path: Path) -> None:
    del path


def _an_empty_folder(path: Path) -> None:
    path.mkdir()


def _a_text_file(path: Path) -> None:
    path.write_text("this is no archive")


def _a_cut_off_archive(path: Path) -> None:
    whole = _archive(path, "longhorn/Chart.yaml", _CHART + "#" * 5000).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _a_damaged_archive(path: Path) -> None:
    whole = bytearray(gzip.compress(os.urandom(4096)))
    whole[20:60] = bytes(40)
    path.write_bytes(bytes(whole))


def _an_archive_without_chart(path: Path) -> None:
    _archive(path, "other/README.md", "nothing")


def _a_chart_that_is_not_yaml(path: Path) -> None:
    path.mkdir()
    (path / "Chart.yaml").write_text("a: [")


def _a_chart_that_is_not_text(path: Path) -> None:
    path.mkdir()
    (path / "Chart.yaml").write_bytes(b"\xff\xfe\x00name")


def _a_chart_that_is_no_map(path: Path) -> None:
    path.mkdir()
    (path / "Chart.yaml").write_text("- longhorn\n")


@pytest.mark.parametrize(
    "make",
    [
        _absent,
        _an_empty_folder,
        _a_text_file,
        _a_cut_off_archive,
        _a_damaged_archive,
        _an_archive_without_chart,
        _a_chart_that_is_not_yaml,
        _a_chart_that_is_not_text,
        _a_chart_that_is_no_map,
    ],
    ids=lambda make: make.__name__.strip("_"),
)
def test_a_broken_chart_is_a_mistake_and_no_traceback(make: object, tmp_path: Path) -> None:
    path = tmp_path / "chart"
    assert callable(make)
    make(path)
    problem = mistake(valid(longhorn={"chartPath": str(path)}))
    assert problem.key == "longhorn-rancher:longhorn.chartPath"
    assert problem.remedy
