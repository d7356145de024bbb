"""The kubeconfig that the stack file names: looked at before anything asks the cluster."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
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
            f"{_named_elsewhere()}{_HOW}",
            path,
            shows_value=True,
        )
        return
    config = _map_of(text)
    if config is None or not any(key in config for key in ("clusters", "contexts", "users")):
        yield Problem(_KEY, "is no kubeconfig (a YAML map)", _HOW, path, shows_value=True)
        return
    yield from _context_problems(cluster, config)


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
            shows_value=True,
        )
        return
    for kind in ("cluster", "user"):
        name = _inner(context, "context").get(kind)
        entry = _named(config.get(f"{kind}s"), str(name))
        if entry is None:
            found = f"has the context {wanted}, whose {kind} {name} is not in it"
            yield Problem(_KEY, found, _HOW, cluster.kubeconfig, shows_value=True)
            continue
        folder = Path(cluster.kubeconfig).expanduser().parent
        inner = _inner(entry, kind)
        unfit = [*_file_problems(inner, folder), *(_server(inner) if kind == "cluster" else ())]
        for found, remedy in unfit:
            yield Problem(
                _KEY,
                f"has the {kind} {name}, {found}",
                remedy,
                cluster.kubeconfig,
                shows_value=True,
            )


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
    command = _inner(entry, "exec").get("command")
    # One with a / in it is relative to the kubeconfig.
    path = folder / str(command) if "/" in str(command) else str(command)
    if command and shutil.which(path) is None:
        yield (
            f"who logs in by the command {command}, which is not there",
            "Install it on this machine, or use a kubeconfig with a certificate or a token.",
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
