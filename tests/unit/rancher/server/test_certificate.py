"""A certificate of one's own: what the stack file may say, what the container and callers get."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.rancher.server import container as rancher_container
from components.rancher.server.ca import RancherCaProvider
from configuration.problems import Problem
from lab.rancher.stand_in import kubectl
from lab.rancher.stand_in.certificates import Certificates
from tests.unit.doubles.a_rancher import running
from tests.unit.doubles.a_stack import mistake, mistakes, run, valid, with_secrets
from tests.unit.doubles.certificates import issue
from tools.offline.recording import Recording, SecretValue
from tools.offline.stack_file import StackConfig

_AUTHORITY = issue("a CA of one's own")
_ISSUED = issue("rancher", "rancher.example.com", by=_AUTHORITY)
_CERTIFICATE, _CA, _KEY = _ISSUED.pem, _AUTHORITY.pem, _ISSUED.key_pem()
_CONTAINER = "docker:index/container:Container"
_RANCHER_CA = "pulumi-python:dynamic/rancher:Ca"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Keys of the stack file and the files that they name."""
    (tmp_path / "cert.pem").write_text(_CERTIFICATE)
    (tmp_path / "ca.pem").write_text(_CA)
    return {"certificateFile": str(tmp_path / "cert.pem"), "caFile": str(tmp_path / "ca.pem")}


def _config(files: Mapping[str, str], *, key: bool = True, **changes: Any) -> StackConfig:
    rancher = {"url": "https://rancher.example.com", **files}
    secrets = {"rancherCertificateKey": _KEY} if key else {}
    return with_secrets(valid(rancher=rancher, **changes), **secrets)


def _mistake(files: Mapping[str, str], *, key: bool = True) -> Problem:
    return mistake(_config(files, key=key))


def test_certificate_ca_and_key_together_are_accepted(files: dict[str, str]) -> None:
    assert mistakes(_config(files)) == []


def test_a_certificate_needs_its_key(files: dict[str, str]) -> None:
    assert _mistake(files, key=False).key == "longhorn-rancher:rancherCertificateKey"


def test_a_key_needs_its_certificate() -> None:
    assert _mistake({}).key == "longhorn-rancher:rancher.certificateFile"


def test_a_ca_alone_is_of_no_use(files: dict[str, str]) -> None:
    problem = _mistake({"caFile": files["caFile"]}, key=False)
    assert "caFile goes with certificateFile" in problem.rule


@pytest.mark.parametrize("name", ["certificateFile", "caFile"])
def test_a_missing_file_is_told_with_its_key(files: dict[str, str], name: str) -> None:
    problem = _mistake({**files, name: "/no/such/file.pem"})
    assert problem.key == f"longhorn-rancher:rancher.{name}"
    assert "can't be read" in problem.rule


@pytest.mark.parametrize("name", ["certificateFile", "caFile"])
def test_a_private_key_in_a_file_is_refused_and_not_shown(files: dict[str, str], name: str) -> None:
    Path(files[name]).write_text(_CERTIFICATE + _KEY)
    problem = _mistake(files)
    assert problem.key == f"longhorn-rancher:rancher.{name}"
    assert "holds a private key" in problem.rule
    assert _KEY.splitlines()[1] not in str(problem)


@pytest.mark.parametrize("content", [b"", b"\x30\x82\xff\xfe", b"certificate"])
def test_a_file_without_a_pem_certificate_is_refused(files: dict[str, str], content: bytes) -> None:
    Path(files["certificateFile"]).write_bytes(content)
    assert "no certificate in PEM form" in _mistake(files).rule


def test_a_certificate_that_does_not_fit_is_refused_at_load_with_all_of_it(
    files: dict[str, str],
) -> None:
    Path(files["certificateFile"]).write_text(issue("b", "b.example.com").pem)
    found = {problem.key.rpartition(":")[2] for problem in mistakes(_config(files))}
    assert found == {"rancher.certificateFile", "rancher.caFile", "rancherCertificateKey"}


def _uploads(recording: Recording) -> dict[str, Any]:
    """What is uploaded, by file; the key makes the whole of it a secret."""
    (container,) = recording.of_type(_CONTAINER)
    uploads = container.inputs["uploads"]
    assert isinstance(uploads, SecretValue)
    return {entry["file"]: entry for entry in uploads.value}


def test_the_container_gets_the_three_files_and_the_key_is_secret(files: dict[str, str]) -> None:
    recording = run(_config(files))
    uploads = _uploads(recording)
    assert set(uploads) == {f"/etc/rancher/ssl/{each}.pem" for each in ("cert", "key", "cacerts")}
    assert uploads["/etc/rancher/ssl/cert.pem"]["content"] == _CERTIFICATE
    assert uploads["/etc/rancher/ssl/cacerts.pem"]["content"] == _CA
    assert uploads["/etc/rancher/ssl/key.pem"]["content"] == _KEY
    assert uploads["/etc/rancher/ssl/key.pem"]["permissions"] == "0600"
    (container,) = recording.of_type(_CONTAINER)
    assert "command" not in container.inputs


def test_a_certificate_that_everybody_trusts_comes_without_a_ca(files: dict[str, str]) -> None:
    config = _config({"certificateFile": files["certificateFile"]}, stages={"rancherImport": True})
    recording = run(config)
    assert set(_uploads(recording)) == {"/etc/rancher/ssl/cert.pem", "/etc/rancher/ssl/key.pem"}
    (container,) = recording.of_type(_CONTAINER)
    assert container.inputs["command"] == ["--no-cacerts"]
    assert recording.of_type(_RANCHER_CA) == []
    assert recording.named("rancher-registration").inputs["ca_pem"] == ""


def test_without_a_certificate_nothing_is_uploaded() -> None:
    (container,) = run(valid()).of_type(_CONTAINER)
    assert not {"uploads", "command"} & set(container.inputs)


def test_the_ca_of_the_stack_file_is_compared_with_rancher_s_own(files: dict[str, str]) -> None:
    recording = run(_config(files, stages={"rancherImport": True}))
    (ca,) = recording.of_type(_RANCHER_CA)
    assert ca.inputs["expected"] == _CA


def test_behind_a_proxy_that_every_machine_trusts_rancher_tells_agents_no_ca() -> None:
    config = _config({"tlsTermination": "external"}, key=False, stages={"rancherImport": True})
    recording = run(config)
    (container,) = recording.of_type(_CONTAINER)
    assert container.inputs["command"] == ["--no-cacerts"]
    assert not container.inputs.get("uploads")
    assert recording.of_type(_RANCHER_CA) == []
    assert recording.named("rancher-registration").inputs["ca_pem"] == ""


def test_behind_a_proxy_rancher_gets_the_proxy_s_ca_and_no_certificate(
    files: dict[str, str],
) -> None:
    config = _config(
        {"tlsTermination": "external", "caFile": files["caFile"]},
        key=False,
        stages={"rancherImport": True},
    )
    recording = run(config)
    (container,) = recording.of_type(_CONTAINER)
    (upload,) = container.inputs["uploads"]
    assert (upload["file"], upload["content"]) == ("/etc/rancher/ssl/cacerts.pem", _CA)
    assert "command" not in container.inputs
    (ca,) = recording.of_type(_RANCHER_CA)
    assert ca.inputs["expected"] == _CA


def test_a_certificate_beside_a_proxy_that_ends_tls_is_refused(files: dict[str, str]) -> None:
    problem = mistake(_config({"tlsTermination": "external", **files}))
    assert problem.key == "longhorn-rancher:rancher.certificateFile"
    assert "the proxy has the certificate" in problem.rule


_ASKED = {"docker_host": "unix:///x", "container_name": "rancher", "timeout_seconds": 0}


def test_another_ca_than_the_stack_file_s_stops_with_both_checksums(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rancher_container, "run_in_container", lambda *_: _CERTIFICATE)
    with pytest.raises(RuntimeError, match="caFile holds one with"):
        RancherCaProvider().create({**_ASKED, "expected": _CA})


def test_a_stack_file_s_ca_may_take_the_place_of_the_pinned_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rancher_container, "run_in_container", lambda *_: _CA)
    olds = {**_ASKED, "pem": _CERTIFICATE}
    outs = RancherCaProvider().update("id", olds, {**_ASKED, "expected": _CA}).outs
    assert outs is not None
    assert outs["pem"] == _CA
    with pytest.raises(RuntimeError, match="not the one that was pinned"):
        RancherCaProvider().update("id", olds, _ASKED)


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder as /etc/rancher/ssl, with a certificate that is its own CA."""
    folder = tmp_path / "ssl"
    folder.mkdir()
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [
            *["openssl", "req", "-x509", *curve, "-subj", "/CN=x"],
            *["-keyout", "key.pem", "-out", "cert.pem"],
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


def test_the_stand_in_serves_a_given_certificate_and_says_its_ca(
    given: Path, tmp_path: Path
) -> None:
    pem = (given / "cert.pem").read_text()
    (given / "cacerts.pem").write_text(pem)
    certificates = Certificates(tmp_path / "tls", given=given)
    assert certificates.ca_pem == pem.strip()
    assert certificates.add_name("rancher.example.com") is False
    question = ["get", "settings.management.cattle.io", "cacerts", "-o", "jsonpath={.value}"]
    with running(tmp_path, certificate_directory=given):
        assert kubectl.answer(question, tmp_path) == pem.strip()


def test_the_stand_in_has_no_ca_beside_a_certificate_that_everybody_trusts(
    given: Path, tmp_path: Path
) -> None:
    assert Certificates(tmp_path / "tls", given=given, no_cacerts=True).ca_pem == ""


@pytest.mark.parametrize("no_cacerts", [False, True])
def test_the_stand_in_starts_no_more_than_rancher_with_files_that_do_not_go_together(
    given: Path, tmp_path: Path, no_cacerts: bool
) -> None:
    if no_cacerts:
        (given / "cacerts.pem").write_text("x")
    with pytest.raises(ValueError, match="one of them"):
        Certificates(tmp_path / "tls", given=given, no_cacerts=no_cacerts)


def test_the_stand_in_says_a_proxy_s_ca_and_serves_with_a_certificate_of_its_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "cacerts.pem").write_text(_CA)
    certificates = Certificates(tmp_path / "tls", given=tmp_path)
    assert certificates.ca_pem == _CA.strip()
    assert certificates.add_name("rancher.example.com") is True
