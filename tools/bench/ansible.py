"""How long Ansible takes to check the same hosts for the same steps, where it is installed."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from lab.hosts import hosts

_PLAYBOOK = Path(__file__).with_name("hosts_playbook.yaml")
_ADVISED = """\
[defaults]
forks = 25
gathering = explicit
[ssh_connection]
pipelining = True
"""
"""What Ansible's manual advises for speed."""


def missing() -> str | None:
    """Why there is no comparison on this machine; None where there is one."""
    if shutil.which("ansible-playbook") is None:
        return "no ansible-playbook on PATH (pip install ansible), so nothing to compare with"
    return None


def check_seconds(handles: Sequence[hosts.HostHandle], folder: Path, *, is_advised: bool) -> float:
    """Seconds of one `ansible-playbook --check` over hosts that the program has prepared.

    Args:
        handles: The hosts.
        folder: Where its files are written.
        is_advised: Whether it has the settings that its manual advises for speed, or its own.

    Raises RuntimeError when Ansible fails, or would change something: then the two did not look at
    the same.
    """
    inventory, settings = folder / "inventory.yaml", folder / "ansible.cfg"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": dict(map(_entry, handles))}}))
    settings.write_text(_ADVISED if is_advised else "")
    known_hosts = folder / "known_hosts"
    known_hosts.write_text("".join(f"{each.address} {each.host_key}\n" for each in handles))
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_SSH_ARGS": f"-C -o ControlMaster=auto -o ControlPersist=60s "
        f"-o UserKnownHostsFile={known_hosts}",
    }
    started = time.perf_counter()
    ended = subprocess.run(
        ["ansible-playbook", "--check", "--inventory", str(inventory), str(_PLAYBOOK)],
        env=environment,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - started
    changed = sum(map(int, re.findall(r"changed=(\d+)", ended.stdout)))
    if ended.returncode != 0 or changed:
        raise RuntimeError(f"ansible-playbook --check:\n{ended.stdout}\n{ended.stderr}")
    return seconds


def _entry(handle: hosts.HostHandle) -> tuple[str, dict[str, Any]]:
    return handle.name, {
        "ansible_host": handle.address,
        "ansible_port": handle.ssh_port,
        "ansible_user": handle.user,
        "ansible_ssh_private_key_file": str(handle.client_key_path),
        "ansible_python_interpreter": "/usr/bin/python3",
        "disks": _disks(handle),
    }


def _disks(handle: hosts.HostHandle) -> list[dict[str, str]]:
    """The host's disks as its fstab has them."""
    disks: list[dict[str, str]] = []
    for line in hosts.run(handle.name, ["cat", "/etc/fstab"]).stdout.splitlines():
        words = line.split()
        if len(words) == 6 and words[1].startswith("/mnt/"):
            source, path, kind, options, _, order = words
            device = hosts.run(handle.name, ["findfs", source]).stdout.strip()
            disk = {"source": source, "path": path, "type": kind, "options": options}
            disks.append({**disk, "device": device, "pass": order})
    return disks
