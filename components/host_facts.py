"""What a host answers when it is read: one line of JSON by scripts/node-facts.sh, as typed facts.

A host can answer anything. Whatever is not exactly such a line is a FactsError with one line of
reason, so that nothing is ever concluded from half an answer.
"""

import json
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

MAXIMUM_BYTES = 1 << 20
"""More than any host has to say; a longer answer is none."""

Family = Literal["debian", "rhel", "suse", "unknown"]
UnitState = str
"""As `systemctl is-active` says it, or not-found."""
ModuleState = Literal["loaded", "builtin", "available", "missing", "unknown"]
Content = Literal["blank", "unfinished", "own", "adopted", "foreign", "missing", "unknown"]
FstabState = Literal["ok", "missing", "changed"]


class FactsError(ValueError):
    """The host's answer is no such line; the message says why in one line."""


class _Facts(BaseModel):
    # Unknown keys are let pass: a newer script may say more than this program asks.
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        strict=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class DiskFacts(_Facts):
    """One disk of the stack file, and its mount point, as the host has them."""

    device: str
    """As the stack file names it."""
    mount_point: str
    """As the stack file names it."""
    refusal: str | None
    """Why `node-disk.sh ensure` would refuse it; None when it would go ahead."""
    content: Content
    """What is on it; unknown when it was refused before it was looked at."""
    description: str
    """The content in words, such as `ext4, label longhorn, UUID …`; empty when there is none."""
    uuid: str | None
    """UUID of the file system on it."""
    mounted_uuid: str | None
    """UUID of the file system that is mounted on the mount point; None when nothing is."""
    mounted_device: str | None
    """What is mounted on the mount point, such as /dev/sdb; None when nothing is."""
    mounted: Literal["yes", "no", "other"]
    """Whether this disk, nothing or something else is mounted on the mount point."""
    read_only: bool
    """Whether it is mounted read-only."""
    fstab: FstabState
    """Whether /etc/fstab has the line that this disk is to have."""
    fstab_lines: tuple[str, ...] = Field(strict=False)
    """The lines of /etc/fstab that speak of this disk or its mount point."""
    immutable: bool | None
    """Whether the directory beneath is immutable; None when it is not there or can't be so."""


class HostFacts(_Facts):
    """A host as it is right now."""

    hostname: str
    """What it calls itself."""
    kernel: str
    """`uname -r`."""
    distribution: str
    """ID of /etc/os-release."""
    family: Family
    """Which package manager it has."""
    packages: Mapping[str, str | None]
    """Installed version by package that Longhorn needs; None for a missing one."""
    units: Mapping[str, UnitState]
    """State by systemd unit."""
    iscsid_active: bool
    """Whether iscsid.service or iscsid.socket is active, or a daemon runs without systemd."""
    iscsiadm_works: bool
    """Whether `iscsiadm --version` ends well; Longhorn's manager crash-loops otherwise."""
    tools: Mapping[str, bool]
    """Whether a command is there, by name."""
    modules: Mapping[str, ModuleState]
    """State by kernel module."""
    nfs4: Literal["builtin", "module", "missing", "unknown"]
    """Whether the kernel has an NFS 4 client."""
    nfs_default_version: str | None
    """`Defaultvers` of /etc/nfsmount.conf and its folder; None when nothing is said."""
    root_propagation: Literal["shared", "private", "unknown"]
    """Whether mounts below / reach containers."""
    disks: tuple[DiskFacts, ...] = Field(strict=False)
    """The disks that were asked about, in the order of the question."""


def parse_facts(answer: bytes) -> HostFacts:
    """The facts in what the host printed. Raises FactsError."""
    # A login shell may have said something before the script did.
    lines = [line for line in answer.decode(errors="replace").splitlines() if line.strip()]
    if not lines:
        raise FactsError("it answered nothing")
    try:
        return HostFacts.model_validate(json.loads(lines[-1]))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise FactsError(f"its answer does not fit: {where}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise FactsError("its answer is not one line of JSON") from None
