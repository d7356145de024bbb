"""Which packages a node needs, by its distribution. Pure; packages.sh has the same rule."""

from collections.abc import Iterable, Mapping
from typing import Literal

from components.hosts.facts import HostFacts

Family = Literal["debian", "rhel", "suse"]

_FAMILY_BY_ID: Mapping[str, Family] = {
    **dict.fromkeys(("debian", "ubuntu"), "debian"),
    **dict.fromkeys(("rhel", "fedora", "centos", "rocky", "almalinux", "ol", "amzn"), "rhel"),
    **dict.fromkeys(("suse", "sles", "sled"), "suse"),
}
_PACKAGES: Mapping[Family, tuple[str, ...]] = {
    "debian": ("open-iscsi", "nfs-common", "e2fsprogs"),
    "rhel": ("iscsi-initiator-utils", "nfs-utils", "e2fsprogs"),
    "suse": ("open-iscsi", "nfs-client", "e2fsprogs"),
}


def family_of(facts: HostFacts) -> Family | None:
    """The family whose package manager the host has; None for one that is not supported."""
    for name in f"{facts.os.id or ''} {facts.os.id_like or ''}".split():
        if name.startswith("opensuse"):
            return "suse"
        if name in _FAMILY_BY_ID:
            return _FAMILY_BY_ID[name]
    return None


def missing_packages(facts: HostFacts, file_systems: Iterable[str]) -> list[str]:
    """What is to be installed before disks with these file systems can be Longhorn's."""
    family = family_of(facts)
    if family is None:
        return []
    needed = [*_PACKAGES[family], *(["xfsprogs"] if "xfs" in set(file_systems) else [])]
    return [package for package in needed if package not in facts.packages]
