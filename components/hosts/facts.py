"""What a host answers when it is read, as typed facts.

One line of JSON by scripts/node-facts.sh, then one line per disk with what scripts/disk.sh
would say to it, and one with what scripts/control-plane-health.sh would. A host can answer
anything: whatever is not exactly that is a FactsError with one line of reason, so that nothing is
ever concluded from half an answer.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

MAXIMUM_BYTES = 1 << 20
"""More than any host has to say; a longer answer is none."""

USABLE, REFUSED = "usable", "refused"
"""How a line about a disk begins: disk.sh would take it, or not."""

ModuleState = Literal["loaded", "builtin", "available", "missing", "unknown"]
Content = Literal["blank", "unfinished", "own", "adopted"]


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


_M = TypeVar("_M", bound=_Facts)


class DiskFacts(_Facts):
    """One disk of the stack file, and its mount point, as the host has them."""

    device: str
    """As the stack file names it."""
    mount_point: str
    """As the stack file names it."""
    is_: Literal["disk", "missing", "other"] = Field(alias="is")
    """Whether the device is a block device, not there, or something else."""
    uuid: str | None
    """UUID of the file system on it."""
    file_system: str | None
    """Its type, such as ext4."""
    writable: bool | None
    """Whether what is mounted on the mount point can be written to; None when nothing is."""
    fstab_line: str | None
    """The lines of /etc/fstab for the mount point; None when there is none."""
    immutable: bool | None
    """Whether the directory beneath is immutable; None when it is not there or can't be so."""


class DistributionFacts(_Facts):
    """What /etc/os-release says."""

    id: str | None
    id_like: str | None


class HostFacts(_Facts):
    """A host as it is right now."""

    hostname: str
    """What it calls itself."""
    kernel: str
    """`uname -r`."""
    os: DistributionFacts
    """Its distribution."""
    packages: Mapping[str, str]
    """Version by installed package, of those that any distribution needs."""
    iscsid: bool
    """Whether iscsid.service or iscsid.socket is active, or a daemon runs without systemd."""
    iscsid_enabled: bool
    """Whether it starts at boot."""
    initiator_name: bool
    """Whether /etc/iscsi/initiatorname.iscsi gives the node a name."""
    iscsiadm: bool
    """Whether `iscsiadm --version` ends well; Longhorn's manager crash-loops otherwise."""
    multipathd: bool
    """Whether multipathd runs, or its socket waits."""
    tools: Mapping[str, bool]
    """Whether a command is there, by name."""
    modules: Mapping[str, ModuleState]
    """State by kernel module."""
    nfs4_in_kernel: Literal["y", "m", "n"] | None
    """How the kernel was built to speak NFS 4; None when its configuration is not there."""
    nfs4_loaded: bool
    """Whether the kernel speaks NFS 4 right now."""
    nfs_default_version: str | None
    """`Defaultvers` of /etc/nfsmount.conf and its folder; None when nothing is said."""
    mount_propagation: Literal["shared", "slave", "private"] | None
    """Of the root mount: whether mounts reach containers."""
    disks: tuple[DiskFacts, ...] = Field(strict=False)
    """The disks that were asked about, in the order of the question."""


class Verdict(_Facts):
    """What disk.sh says of a disk that it would take."""

    content: Content
    """What is on it."""
    mounted: bool
    """Whether this disk, and nothing else, is mounted on its mount point."""
    in_fstab: bool
    """Whether /etc/fstab has exactly the line that the disk is to have."""


class ControlPlaneVerdict(_Facts):
    """What control-plane-health.sh says of manifests that it would change."""

    kubernetes: str
    """Version of the scheduler, such as 1.21.14."""
    closed: tuple[str, ...] = Field(strict=False)
    """The components that are started with --port=0."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a script would refuse a disk or a control plane, in its own words."""

    message: str

    @property
    def lacks_a_command(self) -> bool:
        """Whether nothing is said about the disk, since a command is missing on the host."""
        return self.message.startswith("the command ")


@dataclass(frozen=True, kw_only=True)
class HostAnswer:
    """Everything that one host said."""

    facts: HostFacts
    verdicts: Mapping[str, Verdict | Refusal]
    """By mount point."""
    control_plane: ControlPlaneVerdict | Refusal | None = None
    """None when it was not asked about."""


def parse_answer(
    answer: bytes, mount_points: Sequence[str], *, control_plane: bool = False
) -> HostAnswer:
    """What the host said about itself and the disks of these mount points. Raises FactsError.

    The answer ends in one line of facts, then one line per disk, then one about the control plane
    if that was asked for, as components.hosts.question asks; a login shell may have said something
    before that.
    """
    lines = [line for line in answer.decode(errors="replace").split("\n") if line.strip()]
    if not lines:
        raise FactsError("it answered nothing")
    expected = 1 + len(mount_points) + control_plane
    if len(lines) < expected:
        raise FactsError("its answer is not complete")
    facts, *verdicts = lines[len(lines) - expected :]
    parsed = _parsed(facts, HostFacts)
    if [disk.mount_point for disk in parsed.disks] != list(mount_points):
        raise FactsError("its answer is about other disks than it was asked for")
    return HostAnswer(
        facts=parsed,
        verdicts={
            mount_point: _verdict(line, parsed.hostname, Verdict)
            for mount_point, line in zip(mount_points, verdicts, strict=False)
        },
        control_plane=_verdict(verdicts[-1], parsed.hostname, ControlPlaneVerdict)
        if control_plane
        else None,
    )


def _verdict(line: str, hostname: str, model: type[_M]) -> _M | Refusal:
    kind, _, said = line.partition(" ")
    if kind == USABLE:
        return _parsed(said, model)
    if kind == REFUSED and said.strip():
        return Refusal(message=said.removeprefix(f"{hostname}: ").strip())
    raise FactsError("its answer about a disk or the control plane can't be read")


def _parsed(line: str, model: type[_M]) -> _M:
    try:
        return model.model_validate(json.loads(line))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise FactsError(f"its answer does not fit: {where}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise FactsError("its answer is not JSON") from None
