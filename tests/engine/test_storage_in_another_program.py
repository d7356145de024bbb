"""examples/disks-and-longhorn: a program of its own with this project's package from its wheel."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.common.waiting import wait_until
from tests.engine.engine import Engine, Stack
from tests.engine.installed import copied, environment
from tests.engine.longhorn_lab import LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn
from tests.engine.program_lab import mounts, node, on_host, whole_disk_hash

pytestmark = needs_longhorn

_SECONDS = 900.0
_PREFIX = "longhorn-rancher:"
_MOUNT_POINT = "/mnt/longhorn-sdb"


@dataclass(frozen=True)
class Shop:
    """The lab, and the program's stack on it."""

    lab: LonghornLab
    stack: Stack

    def has_namespace(self) -> bool:
        """Whether what the program declares behind the storage is there."""
        found = self.lab.objects("namespaces")
        return "shop" in {each["metadata"]["name"] for each in found}


@pytest.fixture(scope="module")
def new_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Nothing has run yet."""
    folder = tmp_path_factory.mktemp("shop")
    with longhorn_lab(2) as lab:
        shipped = lab.config()
        host = lab.hosts[0]
        stack = Engine(folder / "engine").folder_stack(
            "test",
            copied("disks-and-longhorn", folder),
            environment(),
            config={
                "kubeconfig": str(lab.cluster.kubeconfig),
                "sshUser": host.user,
                "nodes": [node(each) for each in lab.hosts],
                "longhorn": shipped[f"{_PREFIX}longhorn"],
                "checks": shipped[f"{_PREFIX}checks"],
            },
            secrets={"sshPrivateKey": host.client_key_path.read_text()},
        )
        yield Shop(lab, stack)


@pytest.fixture(scope="module")
def shop(new_shop: Shop) -> Shop:
    """After what is refused was put right, and the first `up`."""
    new_shop.stack.up(seconds=_SECONDS).or_fail()
    return new_shop


def test_a_disk_with_data_is_refused_in_the_preview_and_nothing_behind_it_is_made(
    new_shop: Shop,
) -> None:
    host = new_shop.lab.hosts[1]
    on_host(host, "echo somebody-elses | dd of=/dev/sdb conv=notrunc,fsync status=none")
    before = whole_disk_hash(host, "/dev/sdb")
    for operation in ("preview", "up"):
        outcome = new_shop.stack.start(operation, seconds=_SECONDS).wait()
        assert not outcome.succeeded
        assert f"{host.name}" in outcome.errors(), outcome.log
        assert "nothing was touched" in outcome.errors(), outcome.log
    assert whole_disk_hash(host, "/dev/sdb") == before
    assert not new_shop.has_namespace()
    on_host(host, "head -c 1048576 /dev/zero | dd of=/dev/sdb conv=notrunc,fsync status=none")


def test_up_mounts_the_disks_and_the_programs_claim_gets_its_volume(shop: Shop) -> None:
    outputs = shop.stack.outputs()
    assert outputs["longhornVersion"] == "1.5.3"
    assert set(outputs["disks"]) == {host.name for host in shop.lab.hosts}
    assert all(set(mounts(host)) == {_MOUNT_POINT} for host in shop.lab.hosts)
    (claim,) = shop.lab.objects("pvc", "-n", "shop")
    assert claim["status"]["phase"] == "Bound"


def test_a_second_preview_has_nothing_to_do(shop: Shop) -> None:
    assert shop.stack.preview(seconds=_SECONDS).or_fail().operations() == {}


def test_an_unmounted_disk_shows_in_the_preview_and_up_mounts_it(shop: Shop) -> None:
    host = shop.lab.hosts[0]
    on_host(host, f"umount {_MOUNT_POINT}")
    name = f"{host.name}-mnt-longhorn-sdb"
    seen = shop.stack.preview(seconds=_SECONDS).or_fail()
    assert any(step.name.startswith(name) for step in seen.steps if step.operation == "update")
    shop.stack.up(seconds=_SECONDS).or_fail()
    assert set(mounts(host)) == {_MOUNT_POINT}


def test_destroy_is_refused_while_longhorn_holds_a_volume_of_somebody_else(shop: Shop) -> None:
    shop.lab.put_volume("kept", shop.lab.hosts[0].name, _MOUNT_POINT)
    outcome = shop.stack.destroy(seconds=_SECONDS)
    assert not outcome.succeeded
    # That of the program's own claim, which is deleted first, may still be going.
    assert "Longhorn still holds" in outcome.log
    assert "kept" in outcome.log
    assert all(set(mounts(host)) == {_MOUNT_POINT} for host in shop.lab.hosts)
    assert shop.lab.objects("volumes.longhorn.io", "-n", "longhorn-system")


def test_destroy_without_volumes_leaves_the_file_systems_and_nothing_in_the_cluster(
    shop: Shop,
) -> None:
    shop.lab.drop_volume("kept")
    wait_until(
        lambda: not shop.lab.objects("volumes.longhorn.io", "-n", "longhorn-system"),
        doing="Longhorn's volumes are gone",
        seconds=60.0,
    )
    shop.stack.destroy(seconds=_SECONDS).or_fail()
    assert shop.stack.resources() == []
    assert not shop.has_namespace()
    for host in shop.lab.hosts:
        assert mounts(host) == {}
        assert on_host(host, "blkid -s TYPE -o value /dev/sdb") == "ext4"
