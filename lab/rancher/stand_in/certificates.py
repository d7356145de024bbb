"""The stand-in's own CA and the certificate it serves with, made by the `openssl` command.

As in Rancher, the certificate starts with a few names and gains more as clients use them: the
address that a connection came in at and the name of its TLS greeting at once, an IP address that
was a request's Host after that request. Once server-url is set, each of these adds the host of
server-url and nothing else ever. What the certificate has once it keeps.
Source: Rancher 2.8.5, pkg/tls/tls.go, filterCN; dynamiclistener 0.4.0, listener.go.

A certificate given in a folder, as Rancher takes it in /etc/rancher/ssl, is served as it is. A CA
alone is a proxy's: Rancher says it to its agents, and serves with a certificate of its own.
"""

import ipaddress
import secrets
import ssl
import subprocess
import time
from pathlib import Path

_FIRST_NAMES = ("localhost", "127.0.0.1", "rancher.cattle-system")
_CERTIFICATE = "cert.pem"
_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Certificates:
    """Owns the PEM files under `directory`; they survive a restart like the rest of the state."""

    def __init__(
        self,
        directory: Path,
        extra_names: tuple[str, ...] = (),
        given: Path | None = None,
        *,
        no_cacerts: bool = False,
    ) -> None:
        """Load or make the certificate; `given` may hold one to serve with instead.

        Raises ValueError for a choice of files that Rancher does not start with.
        """
        self._directory = directory
        self._told_ca = _told_ca(given, no_cacerts=no_cacerts)
        self._given = given if given is not None and (given / _CERTIFICATE).exists() else None
        directory.mkdir(parents=True, exist_ok=True)
        if self._given is not None:
            self.names: list[str] = []
            self.context = _context(self._given / _CERTIFICATE, self._given / "key.pem")
            return
        if not self._ca.exists():
            self._make_ca()
        listed = self._names_file.read_text().split() if self._names_file.exists() else []
        self.names = list(dict.fromkeys([*listed, *_FIRST_NAMES, *extra_names]))
        self.context = self._load() if self.names == listed else self._serve()

    @property
    def _ca(self) -> Path:
        return self._directory / "ca.pem"

    @property
    def _names_file(self) -> Path:
        return self._directory / "names"

    @property
    def ca_pem(self) -> str:
        """The CA as the setting `cacerts` has it: without a trailing newline."""
        return self._ca.read_text().strip() if self._told_ca is None else self._told_ca

    def add_name(self, name: str) -> bool:
        """Make the certificate valid for `name` too; False if it was already."""
        if self._given is not None or name in self.names:
            return False
        self.names.append(name)
        self.context = self._serve()
        return True

    def swap_ca(self) -> None:
        """Forget the CA and make another, as a lost data volume does; not for a given one."""
        if self._given is not None:
            return
        self._make_ca()
        self.context = self._serve()

    def _make_ca(self) -> None:
        subject = f"/O=dynamiclistener-org/CN=dynamiclistener-ca@{int(time.time())}"
        self._openssl(
            "req", "-x509", *_CURVE, "-days", "3650", "-subj", subject,
            "-keyout", "ca.key", "-out", "ca.pem",
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign",
        )  # fmt: skip

    def _serve(self) -> ssl.SSLContext:
        (self._directory / "extensions").write_text(
            "basicConstraints=critical,CA:FALSE\n"
            "keyUsage=critical,digitalSignature,keyEncipherment\n"
            "extendedKeyUsage=serverAuth\n"
            "authorityKeyIdentifier=keyid\n"
            f"subjectAltName={','.join(_alternative_name(name) for name in self.names)}\n"
        )
        self._openssl(
            "req", "-new", *_CURVE, "-subj", "/O=dynamic/CN=dynamic",
            "-keyout", "serving.key", "-out", "serving.csr",
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", "serving.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-set_serial", f"0x{secrets.token_hex(16)}", "-days", "365",
            "-extfile", "extensions", "-out", "serving.pem",
        )  # fmt: skip
        self._names_file.write_text("\n".join(self.names) + "\n")
        return self._load()

    def _load(self) -> ssl.SSLContext:
        return _context(self._directory / "serving.pem", self._directory / "serving.key")

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(
            ["openssl", *arguments], cwd=self._directory, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")


def _told_ca(folder: Path | None, *, no_cacerts: bool) -> str | None:
    """The CA that agents are told of: given, empty for one that all know, None for its own.

    Source: Rancher 2.8.5, pkg/tls/tls.go, readConfig.
    """
    file = None if folder is None else folder / "cacerts.pem"
    has_ca = file is not None and file.exists()
    has_certificate = folder is not None and (folder / _CERTIFICATE).exists()
    if has_ca == no_cacerts and (has_ca or has_certificate):
        raise ValueError("invalid SSL configuration found: cacerts or --no-cacerts, one of them")
    if no_cacerts:
        return ""
    return file.read_text().strip() if file is not None and has_ca else None


def is_address(name: str) -> bool:
    """Whether `name` is an IP address rather than a host name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _alternative_name(name: str) -> str:
    return f"IP:{name}" if is_address(name) else f"DNS:{name}"
