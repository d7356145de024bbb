"""Files that the stack file names: they must be there before anything is touched."""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import yaml

from configuration.hosts import SshSettings
from configuration.longhorn import LonghornSettings
from configuration.problems import Problem
from configuration.rancher import RancherImportSettings, RancherSettings

_UNREADABLE = (OSError, RuntimeError, ValueError, EOFError, zlib.error)
"""What opening a path can end in: ~nobody is a RuntimeError, a NUL byte a ValueError."""


def file_problems(
    ssh: SshSettings | None,
    longhorn: LonghornSettings | None,
    manual_import: RancherImportSettings | None,
    rancher: RancherSettings | None,
    prefix: str,
    *,
    key_is_secret: bool = False,
) -> Iterator[Problem]:
    """What is wrong with the files named in the settings; parts with other mistakes are None.

    With key_is_secret the SSH key is given as a secret, and the file with it does not count.
    """
    named: list[tuple[str, str | None]] = []
    if ssh is not None and not key_is_secret:
        named.append(("ssh.privateKeyFile", ssh.private_key_file))
    if manual_import is not None:
        named.append(("rancherImport.manifestFile", manual_import.manifest_file))
        named.append(("rancherImport.caFile", manual_import.ca_file))
    if rancher is not None:
        named.append(("rancher.certificateFile", rancher.certificate_file))
        named.append(("rancher.caFile", rancher.ca_file))
    for key, path in named:
        if path is not None:
            yield from _unreadable(prefix + key, path)
    if longhorn is not None and longhorn.chart_path is not None:
        yield from _chart_problems(
            f"{prefix}longhorn.chartPath", longhorn.chart_path, longhorn.version
        )


def _unreadable(key: str, path: str) -> Iterator[Problem]:
    try:
        Path(path).expanduser().read_bytes()
    except _UNREADABLE as error:
        yield Problem(
            key,
            f"can't be read: {getattr(error, 'strerror', None) or error}",
            "Give the path of a file that you can read.",
            path,
            shows_value=True,
        )


def _chart_problems(key: str, path: str, version: str) -> Iterator[Problem]:
    try:
        found = _chart_description(Path(path).expanduser())
    except (*_UNREADABLE, KeyError, tarfile.TarError, yaml.YAMLError) as error:
        yield Problem(
            key,
            f"holds no Helm chart that can be read ({error})",
            "Give the folder with Chart.yaml, or the .tgz that `helm pull longhorn/longhorn "
            f"--version {version}` saves.",
            path,
            shows_value=True,
        )
        return
    if found.get("name") != "longhorn" or str(found.get("version")).removeprefix("v") != version:
        yield Problem(
            key,
            f"holds the chart {found.get('name')} {found.get('version')}, "
            f"and longhorn.version is {version}",
            "Use the chart of that version.",
            path,
            shows_value=True,
        )


def _chart_description(path: Path) -> dict[str, object]:
    if path.is_dir():
        text = (path / "Chart.yaml").read_text()
    else:
        with tarfile.open(path) as archive:
            member = archive.extractfile("longhorn/Chart.yaml")
            text = member.read().decode() if member else ""
    parsed = yaml.safe_load(text)
    return parsed if isinstance(parsed, dict) else {}
