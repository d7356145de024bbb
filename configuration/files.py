"""Files that the stack file names: they must be there before anything is touched."""

import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from configuration.chart_keys import keys_of_values
from configuration.kubeconfig import kubeconfig_problems, variable_hint
from configuration.longhorn_rules import keys_problems
from configuration.problems import Problem
from configuration.secrets import Secret
from configuration.stack_file import StackFile

_UNREADABLE = (OSError, RuntimeError, ValueError, EOFError, zlib.error)
"""What opening a path can end in: ~nobody is a RuntimeError, a NUL byte a ValueError."""


def _kubeconfig(file: StackFile) -> Iterator[Problem]:
    # A run that is not to look at the cluster (`make plan`) is not held up by its file either.
    if file.checks.read_cluster and file.uses_cluster:
        yield from kubeconfig_problems(file.cluster)


def _key_file(file: StackFile) -> Iterator[Problem]:
    if not file.has(Secret.SSH_PRIVATE_KEY):
        yield from _unreadable("ssh.privateKeyFile", file.ssh.private_key_file)


def _readable(
    key: str, path_in: Callable[[StackFile], str | None]
) -> Callable[[StackFile], Iterator[Problem]]:
    """The rule that the file under this key can be read, if there is one."""
    return lambda file: _unreadable(key, path_in(file))


def _unreadable(key: str, path: str | None) -> Iterator[Problem]:
    if path is None:
        return
    try:
        Path(path).expanduser().read_bytes()
    except _UNREADABLE as error:
        yield Problem(
            key,
            f"can't be read: {getattr(error, 'strerror', None) or error}",
            variable_hint(path) or "Give the path of a file that you can read.",
            path,
        )


def text_of(path: str) -> str | None:
    """The text of a file that the stack file names; None where it can't be read."""
    try:
        return Path(path).expanduser().read_text()
    except UnicodeDecodeError:
        return ""
    except _UNREADABLE:
        return None


def _chart(file: StackFile) -> Iterator[Problem]:
    key, path, version = "longhorn.chartPath", file.longhorn.chart_path, file.longhorn.version
    if path is None:
        return
    try:
        found = _chart_file(Path(path).expanduser(), "Chart.yaml")
    except (*_UNREADABLE, KeyError, tarfile.TarError, yaml.YAMLError) as error:
        yield Problem(
            key,
            f"holds no Helm chart that can be read ({error})",
            "Give the folder with Chart.yaml, or the .tgz that `helm pull longhorn/longhorn "
            f"--version {version}` saves.",
            path,
        )
        return
    if found.get("name") != "longhorn" or str(found.get("version")).removeprefix("v") != version:
        yield Problem(
            key,
            f"holds the chart {found.get('name')} {found.get('version')}, "
            f"and longhorn.version is {version}",
            "Use the chart of that version.",
            path,
        )


def _chart_values(file: StackFile) -> Iterator[Problem]:
    """Values that this very chart does not have."""
    path, values = file.longhorn.chart_path, file.longhorn.values
    if path is None or not values:
        return
    try:
        found = _chart_file(Path(path).expanduser(), "values.yaml")
    except (*_UNREADABLE, KeyError, tarfile.TarError, yaml.YAMLError):
        return  # _chart says so, or it has no values of its own
    if found:
        yield from keys_problems(values, keys_of_values(found))


def _chart_file(path: Path, name: str) -> dict[str, Any]:
    if path.is_dir():
        text = (path / name).read_text()
    else:
        with tarfile.open(path) as archive:
            member = archive.extractfile(f"longhorn/{name}")
            text = member.read().decode() if member else ""
    parsed = yaml.safe_load(text)
    return parsed if isinstance(parsed, dict) else {}


FILE_RULES: Sequence[Callable[[StackFile], Iterable[Problem]]] = (
    _kubeconfig,
    _key_file,
    _readable("rancherImport.manifestFile", lambda file: file.rancher_import.manifest_file),
    _readable("rancherImport.caFile", lambda file: file.rancher_import.ca_file),
    _readable(
        "rancher.certificateFile", lambda file: file.rancher and file.rancher.certificate_file
    ),
    _readable("rancher.caFile", lambda file: file.rancher and file.rancher.ca_file),
    _readable(
        "longhorn.backup.caFile", lambda file: file.longhorn.backup and file.longhorn.backup.ca_file
    ),
    _chart,
    _chart_values,
)
