"""Which packages a node needs, by what its distribution calls itself."""

import pytest

from components.hosts.facts import DistributionFacts, HostFacts
from components.nodes.distribution import Family, family_of, missing_packages
from tests.unit.doubles.a_host import answer


def _host(id_: str | None, id_like: str | None = None, *packages: str) -> HostFacts:
    distribution = DistributionFacts.model_validate({"id": id_, "idLike": id_like})
    changes = {"os": distribution, "packages": dict.fromkeys(packages, "1")}
    return answer().facts.model_copy(update=changes)


@pytest.mark.parametrize(
    ("id_", "id_like", "family"),
    [
        ("debian", None, "debian"),
        ("ubuntu", "debian", "debian"),
        ("linuxmint", "ubuntu debian", "debian"),
        ("rocky", "rhel centos fedora", "rhel"),
        ("almalinux", None, "rhel"),
        ("amzn", "fedora", "rhel"),
        ("opensuse-leap", "suse opensuse", "suse"),
        ("opensuse-tumbleweed", None, "suse"),
        ("sles", "suse", "suse"),
        ("of-its-own", "opensuse-leap", "suse"),
        (None, "debian", "debian"),
        ("alpine", None, None),
        ("arch", "archlinux", None),
        (None, None, None),
    ],
)
def test_a_distribution_belongs_to_a_family_by_its_name_or_what_it_is_like(
    id_: str | None, id_like: str | None, family: Family | None
) -> None:
    assert family_of(_host(id_, id_like)) == family


@pytest.mark.parametrize(
    ("id_", "packages"),
    [
        ("debian", ["open-iscsi", "nfs-common", "e2fsprogs"]),
        ("rhel", ["iscsi-initiator-utils", "nfs-utils", "e2fsprogs"]),
        ("sles", ["open-iscsi", "nfs-client", "e2fsprogs"]),
        ("alpine", []),
    ],
)
def test_each_family_has_its_own_names_for_the_packages(id_: str, packages: list[str]) -> None:
    assert missing_packages(_host(id_), ["ext4"]) == packages


def test_only_what_is_not_installed_is_missing_and_xfs_needs_its_tools() -> None:
    found = _host("debian", None, "open-iscsi", "nfs-common", "e2fsprogs")
    assert missing_packages(found, ["ext4"]) == []
    assert missing_packages(found, ["ext4", "xfs"]) == ["xfsprogs"]
