"""What hosts answer in unit tests: a healthy one, and changes to it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.hosts.facts import AnswerModel, HostAnswer, parse_answer
from components.nodes.verdicts import CONTROL_PLANE, ControlPlaneVerdict, Verdict
from configuration.hosts import DiskSettings
from tools.bench import healthy_host
from tools.bench.healthy_host import UUID

SDB = DiskSettings.model_validate({"device": "/dev/sdb", "mountPoint": "/mnt/longhorn-sdb"})
SDC = DiskSettings.model_validate(
    {"device": "/dev/sdc", "mountPoint": "/mnt/longhorn-sdc", "fileSystem": "xfs"}
)
FSTAB_LINE = f"UUID={UUID} /mnt/longhorn-sdb ext4 defaults,nofail 0 2"
HEALTHY = json.dumps(healthy_host.VERDICT)


def usable(**changes: Any) -> str:
    """The line about a disk that disk.sh would take."""
    return json.dumps({**healthy_host.VERDICT, **changes})


def refused(found: str, remedy: str = "Do something.", missing_command: str | None = None) -> str:
    """The line about a disk that it would not take."""
    return json.dumps({"found": found, "remedy": remedy, "missingCommand": missing_command})


def disk_facts(disk: DiskSettings = SDB, **changes: Any) -> dict[str, Any]:
    """What the host tells about a disk that is mounted and well."""
    return {**healthy_host.disk_facts(disk), "fstabLine": FSTAB_LINE, **changes}


def said(
    disks: Sequence[Mapping[str, Any]] = (), verdicts: Sequence[str] = (), **changes: Any
) -> bytes:
    """Everything that a host prints."""
    facts = {
        **healthy_host.FACTS,
        "hostname": "node-1",
        **changes,
        "disks": [dict(disk) for disk in disks],
    }
    return "\n".join([json.dumps(facts), *verdicts, ""]).encode()


def answer(
    disk: Mapping[str, Any] | None = None,
    verdict: str = HEALTHY,
    control_plane: str | None = None,
    **changes: Any,
) -> HostAnswer:
    """The answer of a host with SDB as its only disk.

    Args:
        control_plane: the line about its control plane; None when nobody asked.
    """
    verdicts = [verdict] if control_plane is None else [verdict, control_plane]
    text = said([disk_facts() if disk is None else disk], verdicts, **changes)
    models: dict[str, type[AnswerModel]] = {SDB.mount_point: Verdict}
    if control_plane is not None:
        models[CONTROL_PLANE] = ControlPlaneVerdict
    return parse_answer(text, [SDB.mount_point], models)


def control_plane(*closed: str) -> str:
    """The line about a control plane that control-plane-health.sh would take."""
    return json.dumps({"kubernetes": "1.21.14", "closed": closed})
