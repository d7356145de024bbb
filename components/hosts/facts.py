"""What a host answers when it is read, as typed facts.

One line of JSON by scripts/node-facts.sh, then one line for each script that was asked beside it. A
host can answer anything: whatever is not exactly that is a FactsError with one line of reason, so
that nothing is ever concluded from half an answer.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

MAXIMUM_BYTES = 1 << 20
"""More than any host has to say; a longer answer is none."""

ModuleState = Literal["loaded", "builtin", "available", "missing", "unknown"]


class FactsError(ValueError):
    """The host's answer is no such line; the message says why in one line."""


class NothingRanError(FactsError):
    """The login ended well and nothing was printed: no login shell that runs commands is there."""


class AnswerModel(BaseModel):
    """What one line of an answer has to fit."""

    # Unknown keys are let pass: a newer script may say more than this program asks.
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        strict=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )


_M = TypeVar("_M", bound=AnswerModel)


class DiskFacts(AnswerModel):
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
    mounted: bool
    """Whether anything is mounted on the mount point."""
    on_root: bool
    """Whether what is written to the mount point goes to the root file system."""
    writable: bool | None
    """Whether what is mounted on the mount point can be written to; None when nothing is."""
    fstab_line: str | None
    """The lines of /etc/fstab for the mount point; None when there is none."""
    immutable: bool | None
    """Whether the directory beneath is immutable; None when it is not there or can't be so."""


class DistributionFacts(AnswerModel):
    """What /etc/os-release says."""

    id: str | None
    id_like: str | None


class HostFacts(AnswerModel):
    """A host as it is right now."""

    hostname: str
    """What it calls itself."""
    kernel: str
    """`uname -r`."""
    boot_id: str | None = None
    """What tells this start of this machine from all others."""
    os: DistributionFacts
    """Its distribution."""
    packages: Mapping[str, str]
    """Version by installed package, of those that any distribution needs."""
    iscsid: bool
    """Whether the daemon runs, or its socket waits."""
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
    selinux: Literal["enforcing", "permissive"] | None
    """Mode of SELinux; None where it is off."""
    image_manager: Literal["rpm-ostree", "bootc", "transactional-update", "image"] | None
    """How an image-based system gets its packages; `image` where nothing tells; None for others."""
    nfs4_in_kernel: Literal["y", "m", "n"] | None
    """How the kernel was built to speak NFS 4; None when its configuration is not there."""
    nfs4_loaded: bool
    """Whether the kernel speaks NFS 4 right now."""
    nfs_default_version: str | None
    """`Defaultvers` of /etc/nfsmount.conf and its folder; None when nothing is said."""
    mount_propagation: Literal["shared", "slave", "private"] | None
    """Of the root mount: whether mounts reach containers."""
    engines_noexec: bool = False
    """Whether no program could be run from the folder where Longhorn puts its engines."""
    disks: tuple[DiskFacts, ...] = Field(strict=False)
    """The disks that were asked about, in the order of the question."""


class Refusal(AnswerModel):
    """Why a script would not do its work, in its own words."""

    found: str
    """What stands in the way."""
    remedy: str
    """What to do about it."""
    missing_command: str | None
    """The command without which nothing can be said; None where something was found."""
    is_asked: bool = False
    """Whether nothing is wrong there, and only what the stack file asks for can't be done."""


@dataclass(frozen=True, kw_only=True)
class HostAnswer:
    """Everything that one host said."""

    facts: HostFacts
    verdicts: Mapping[str, AnswerModel]
    """What each script said that was asked beside the facts, by its key; maybe a Refusal."""


def parse_answer(
    answer: bytes, mount_points: Sequence[str], models: Mapping[str, type[AnswerModel]]
) -> HostAnswer:
    """What the host said about itself, and what each script said. Raises FactsError.

    Of its lines that begin as JSON does, the last are one of facts, then one for each script,
    as components.hosts.question asks; a login may have said something before that, and what
    watches over sessions something behind it.

    Args:
        mount_points: Of the disks of which facts were asked.
        models: By key, what each script's line has to fit, in the order of the question.
    """
    lines = [line for line in answer.decode(errors="replace").split("\n") if line.strip()]
    if not lines:
        raise NothingRanError("it answered nothing")
    told = [line for line in lines if line.startswith(("{", "["))]
    if len(told) < 1 + len(models):
        raise FactsError("its answer is not complete")
    facts, *verdicts = told[len(told) - 1 - len(models) :]
    parsed = _parsed(_object(facts), HostFacts)
    if [disk.mount_point for disk in parsed.disks] != list(mount_points):
        raise FactsError("its answer is about other disks than it was asked for")
    return HostAnswer(
        facts=parsed,
        verdicts={
            key: _verdict(_object(line), model)
            for (key, model), line in zip(models.items(), verdicts, strict=True)
        },
    )


def _verdict(said: dict[str, Any], model: type[AnswerModel]) -> AnswerModel:
    return _parsed(said, Refusal if "found" in said else model)


def _parsed(said: dict[str, Any], model: type[_M]) -> _M:
    try:
        return model.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise FactsError(f"its answer does not fit: {where}: {first['msg']}") from None


def _object(line: str) -> dict[str, Any]:
    try:
        said: object = json.loads(line)
    except (ValueError, RecursionError):
        raise FactsError("its answer is not JSON") from None
    if not isinstance(said, dict):
        raise FactsError("its answer is not a JSON object")
    return cast(dict[str, Any], said)
