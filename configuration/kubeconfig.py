"""The kubeconfig that the stack file names: looked at before anything asks the cluster."""

import base64
import binascii
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import yaml

from configuration.cluster import ClusterSettings
from configuration.problems import Problem, nearest

_KEY = "cluster.kubeconfig"
_HOW = (
    "Copy it from a control-plane node (/etc/kubernetes/admin.conf, /etc/rancher/k3s/k3s.yaml or "
    "/etc/rancher/rke2/rke2.yaml) and name it in cluster.kubeconfig."
)
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_DATA = ("certificate-authority-data", "client-certificate-data", "client-key-data", "token")
# What `kubectl config view` writes in their place.
_LEFT_OUT = ("REDACTED", "DATA+OMITTED")
_RAW = "Make it with kubectl config view --raw --flatten."
# client-go has them no more since Kubernetes 1.26.
_GONE_LOGINS = {"gcp": "gke-gcloud-auth-plugin", "azure": "kubelogin"}
_UNREADABLE = (OSError, RuntimeError, ValueError)


def kubeconfig_problems(cluster: ClusterSettings) -> Iterator[Problem]:
    """What is wrong with the file and the context; nothing of the file's contents is shown."""
    path = cluster.kubeconfig
    try:
        text = Path(path).expanduser().read_text()
    except _UNREADABLE as error:
        yield Problem(
            _KEY,
            f"can't be read: {getattr(error, 'strerror', None) or 'it is no path of a text file'}",
            variable_hint(path) or f"{_named_elsewhere()}{_HOW}",
            path,
        )
        return
    config = _map_of(text)
    if config is None or not any(key in config for key in ("clusters", "contexts", "users")):
        yield Problem(_KEY, "is no kubeconfig (a YAML map)", _HOW, path)
        return
    yield from _context_problems(cluster, config)


def variable_hint(path: str) -> str:
    """What to do about a path with an environment variable in it; empty for any other."""
    return "No variables are read here: write ~ or the whole path." if "$" in path else ""


def loopback_server(cluster: ClusterSettings) -> str | None:
    """The server that the kubeconfig names, if that is the machine itself; else None."""
    try:
        config = _map_of(Path(cluster.kubeconfig).expanduser().read_text()) or {}
    except _UNREADABLE:
        return None
    context = _named(config.get("contexts"), cluster.context or str(config.get("current-context")))
    name = _inner(context, "context").get("cluster")
    server = str(_inner(_named(config.get("clusters"), str(name)), "cluster").get("server", ""))
    try:
        host = urlsplit(server).hostname or ""
    except ValueError:
        return None
    is_loopback = host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")  # noqa: S104
    return server if is_loopback else None


def _named_elsewhere() -> str:
    elsewhere = os.environ.get("KUBECONFIG")
    return f"$KUBECONFIG names {elsewhere}, which this program does not read. " * bool(elsewhere)


def _context_problems(cluster: ClusterSettings, config: Mapping[str, Any]) -> Iterator[Problem]:
    wanted = cluster.context or config.get("current-context")
    key = "cluster.context"
    names = [str(entry.get("name")) for entry in _entries(config.get("contexts"))]
    if not wanted:
        yield Problem(
            key,
            f"is not given, and {cluster.kubeconfig} has no current-context",
            f"Name one of its contexts: {_list(names)}.",
        )
        return
    context = _named(config.get("contexts"), str(wanted))
    if context is None:
        close = nearest(str(wanted), names)
        yield Problem(
            key,
            f"names no context of {cluster.kubeconfig}",
            f"Did you mean {close}?" if close else f"It has: {_list(names)}.",
            wanted,
        )
        return
    for kind in ("cluster", "user"):
        name = _inner(context, "context").get(kind)
        entry = _named(config.get(f"{kind}s"), str(name))
        if entry is None:
            found = f"has the context {wanted}, whose {kind} {name} is not in it"
            yield Problem(_KEY, found, _HOW, cluster.kubeconfig)
            continue
        folder = Path(cluster.kubeconfig).expanduser().parent
        inner = _inner(entry, kind)
        unfit = [*_file_problems(inner, folder), *(_server(inner) if kind == "cluster" else ())]
        for found, remedy in unfit:
            yield Problem(_KEY, f"has the {kind} {name}, {found}", remedy, cluster.kubeconfig)


def _server(cluster: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    try:
        parts = urlsplit(str(cluster.get("server") or ""))
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        yield "whose server is no address", "Write it as in https://192.0.2.10:6443."


def _file_problems(entry: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    """What a cluster or user of the kubeconfig needs on this machine and does not find."""
    for key in _FILES:
        path = entry.get(key)
        if path and not entry.get(f"{key}-data") and not (folder / str(path)).is_file():
            yield (
                f"whose {key} {path} is no file here",
                "Copy that file too, or make a kubeconfig that holds it: kubectl config view --raw "
                "--flatten.",
            )
    yield from _data_problems(entry)
    yield from _end_of(entry, folder)
    login = _inner(entry, "auth-provider").get("name")
    if login in _GONE_LOGINS:
        yield (
            f"who logs in by the auth-provider {login}, which Kubernetes' clients have no more",
            f"Install {_GONE_LOGINS[login]} and make the kubeconfig again.",
        )
    command = _inner(entry, "exec").get("command")
    # One with a / in it is relative to the kubeconfig.
    path = folder / str(command) if "/" in str(command) else str(command)
    if command and shutil.which(path) is None:
        yield (
            f"who logs in by the command {command}, which is not there",
            "Install it on this machine, or use a kubeconfig with a certificate or a token.",
        )


def _data_problems(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What should hold a certificate, a key or a token, and does not; no value is shown."""
    for key in _DATA:
        value = str(entry.get(key) or "")
        if value in _LEFT_OUT:
            yield f"whose {key} was left out when the file was written", _RAW
        elif key != "token":
            try:
                base64.b64decode("".join(value.split()), validate=True)
            except (binascii.Error, ValueError):
                yield f"whose {key} is cut off or changed: it is no base64", _RAW


def _end_of(entry: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    """A client's certificate that has ended, as those of K3s, RKE2 and kubeadm do in a year."""
    from cryptography import x509

    try:
        data = entry.get("client-certificate-data")
        path = entry.get("client-certificate")
        if not data and not path:
            return
        pem = base64.b64decode(str(data)) if data else (folder / str(path)).read_bytes()
        ends = x509.load_pem_x509_certificate(pem).not_valid_after_utc
    except (OSError, ValueError):
        return
    if ends < datetime.now(UTC):
        yield (
            f"whose certificate ended on {ends:%Y-%m-%d}",
            "Copy the file again from a control-plane node; where it has ended there, too: kubeadm "
            "certs renew admin.conf, or restart K3s or RKE2 on its servers.",
        )


def _map_of(text: str) -> Mapping[str, Any] | None:
    try:
        parsed: object = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return cast(Mapping[str, Any], parsed) if isinstance(parsed, Mapping) else None


def _entries(value: object) -> Iterable[Mapping[str, Any]]:
    entries = cast(list[object], value) if isinstance(value, list) else []
    return [cast(Mapping[str, Any], entry) for entry in entries if isinstance(entry, Mapping)]


def _named(value: object, name: str) -> Mapping[str, Any] | None:
    return next((entry for entry in _entries(value) if str(entry.get("name")) == name), None)


def _inner(entry: Mapping[str, Any] | None, key: str) -> Mapping[str, Any]:
    inner: object = (entry or {}).get(key)
    return cast(Mapping[str, Any], inner) if isinstance(inner, Mapping) else {}


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
