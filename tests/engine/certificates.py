"""Certificates as a person brings them along, made by openssl."""

import subprocess
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def make_authority(folder: Path) -> None:
    """A CA of one's own: ca.pem and ca.key."""
    folder.mkdir(parents=True, exist_ok=True)
    _openssl(folder, "-subj", "/CN=a CA of one's own", "-keyout", "ca.key", "-out", "ca.pem")


def make_certificate(folder: Path, address: str) -> str:
    """A certificate of the folder's CA for an IP address: cert.pem. Returns its key."""
    names = ["-addext", f"subjectAltName=IP:{address},DNS:localhost"]
    authority = ["-CA", "ca.pem", "-CAkey", "ca.key"]
    files = ["-keyout", "key.pem", "-out", "cert.pem"]
    _openssl(folder, *authority, *names, "-subj", "/CN=rancher", *files)
    return (folder / "key.pem").read_text()


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", *_KEY, *words], cwd=folder, check=True, capture_output=True
    )
