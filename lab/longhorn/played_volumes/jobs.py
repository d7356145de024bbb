"""Runs the Job pods that mount a claim of Longhorn's, and says how they ended."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, CoreV1Api
from kubernetes.utils.quantity import parse_quantity

from lab.common import played_pods
from lab.common.claims import PROVISIONER
from lab.common.progress import say
from lab.longhorn.played_volumes import content

_SCRIPT = Path(__file__).parent / "in-volume.sh"
_TERMINATION_LOG = "/dev/termination-log"
_SECONDS = 300
_MOST_CHARACTERS = 2048


def reconcile(
    client: ApiClient, is_attachable: Callable[[str], bool] = lambda _volume: True
) -> None:
    """Run every such pod that waits for it, one after the other.

    Args:
        client: the cluster.
        is_attachable: whether a volume, by its name in Longhorn, can be used yet.
    """
    core = CoreV1Api(client)
    for pod in played_pods.listed(core, "job-name"):
        volume = _volume_of(core, pod)
        if volume is not None and is_attachable(volume.spec.csi.volume_handle):
            code, said = _run(core, pod, volume)
            say(f"pod {pod.metadata.name} ended with exit status {code}")
            played_pods.end(core, pod, code, said)


def _volume_of(core: CoreV1Api, pod: Any) -> Any:
    """The PersistentVolume of Longhorn's that the pod mounts; None without one."""
    for each in pod.spec.volumes or []:
        if each.persistent_volume_claim is not None:
            claim: Any = core.read_namespaced_persistent_volume_claim(
                each.persistent_volume_claim.claim_name, pod.metadata.namespace
            )
            if claim.spec.volume_name:
                volume: Any = core.read_persistent_volume(claim.spec.volume_name)
                csi = volume.spec.csi
                return volume if csi is not None and csi.driver == PROVISIONER else None
    return None


def _run(core: CoreV1Api, pod: Any, volume: Any) -> tuple[int, str]:
    """Exit status and last words of the pod's one container."""
    (container,) = pod.spec.containers
    size = int(parse_quantity(volume.spec.capacity["storage"]))
    image = content.ensure(volume.spec.csi.volume_handle, size)
    folder = Path(tempfile.mkdtemp(prefix="lab-pod-"))
    try:
        places = {_TERMINATION_LOG: folder / "termination-log"}
        for mount in container.volume_mounts or []:
            places[mount.mount_path] = folder / mount.name
        for each in pod.spec.volumes:
            if each.config_map is not None:
                _write_config_map(core, pod.metadata.namespace, each, folder / each.name)
        (mounted,) = (each.name for each in pod.spec.volumes if each.persistent_volume_claim)
        command = [placed(word, places) for word in container.command]
        done = subprocess.run(
            [
                *("unshare", "--mount", "sh", _SCRIPT),
                *(image, volume.spec.csi.fs_type or "ext4", folder / mounted, *command),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        print(done.stderr, end="", file=sys.stderr, flush=True)
        message = places[_TERMINATION_LOG]
        said = message.read_text() if message.exists() else ""
        # As terminationMessagePolicy FallbackToLogsOnError.
        return done.returncode, said or (done.stderr[-_MOST_CHARACTERS:] if done.returncode else "")
    except subprocess.TimeoutExpired:
        return 1, f"the lab ended it after {_SECONDS} s"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def placed(word: str, places: Mapping[str, Path]) -> str:
    """A word of a command with the container's paths as they are on this machine. Pure.

    Args:
        word: the word; paths stand at its beginning or behind a blank, a quote or a redirection.
        places: the path on this machine of each path of the container.
    """
    for path, place in places.items():
        word = re.sub(rf"(^|[\s\"'>=]){re.escape(path)}(?=$|[\s\"'/;])", rf"\g<1>{place}", word)
    return word


def _write_config_map(core: CoreV1Api, namespace: str, volume: Any, folder: Path) -> None:
    found: Any = core.read_namespaced_config_map(volume.config_map.name, namespace)
    folder.mkdir()
    for name, text in (found.data or {}).items():
        (folder / name).write_text(text)
