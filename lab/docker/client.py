"""Talking to a Docker engine by its own command line client."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.common import paths
from lab.common.progress import LabError


@dataclass(frozen=True)
class DockerHandle:
    """How to reach the Docker engine. host: for DOCKER_HOST. client: the docker command to use."""

    host: str
    socket: Path
    client: Path
    is_machines_own: bool


def command(engine: DockerHandle, *words: str | Path, stdin: bytes | None = None) -> str:
    """Run the docker command against it; return its output without the last newline.

    Raises LabError with Docker's own message.
    """
    done = subprocess.run(
        [engine.client, "--host", engine.host, *words],
        check=False,
        capture_output=True,
        input=stdin,
        env=_client_environment(),
    )
    if done.returncode != 0:
        raise LabError(f"docker {words[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="replace").rstrip("\n")


def import_image(engine: DockerHandle, tree: Path, name: str, changes: Sequence[str] = ()) -> str:
    """Make an image of a directory, since no registry need be reachable; return its id.

    changes: Dockerfile lines for the image's configuration, such as 'CMD ["sleep", "1d"]'.
    """
    words = [word for change in changes for word in ("--change", change)]
    with subprocess.Popen(
        ["tar", "--create", f"--directory={tree}", "."], stdout=subprocess.PIPE
    ) as archive:
        done = subprocess.run(
            [engine.client, "--host", engine.host, "import", *words, "-", name],
            check=False,
            stdin=archive.stdout,
            capture_output=True,
            text=True,
            env=_client_environment(),
        )
    if done.returncode != 0 or archive.returncode != 0:
        raise LabError(f"docker import of {tree}: {done.stderr.strip()}")
    return done.stdout.strip()


def _client_environment() -> dict[str, str]:
    # The person's contexts and credentials are theirs; the lab's client reads none of them.
    return {**os.environ, "DOCKER_CONFIG": str(paths.STATE / "docker-client")}
