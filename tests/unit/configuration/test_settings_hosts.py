"""Rules for nodes, disks and SSH."""

from typing import Any

import pytest

from tests.unit.doubles.a_stack import HOST_KEY, JUMP_KEY, load, mistake, mistakes, nodes, valid

_UUID = "11111111-2222-3333-4444-555555555555"


def _disk(**changes: Any) -> dict[str, Any]:
    return {"device": "/dev/sdb", "mountPoint": "/mnt/longhorn-sdb", **changes}


def _with_disks(*disks: dict[str, Any]) -> dict[str, Any]:
    return valid(nodeDefaults={"disks": list(disks)})


def test_two_nodes_of_one_name_are_refused() -> None:
    problem = mistake(valid(nodes=nodes({}, {"name": "node-1"})))
    assert problem.key == "longhorn-rancher:nodes[1].name"
    assert "nodes[0].name" in problem.rule


def test_two_nodes_at_one_address_are_refused() -> None:
    problem = mistake(valid(nodes=nodes({}, {"host": "192.0.2.11"})))
    assert problem.key == "longhorn-rancher:nodes[1].host"


def test_two_nodes_at_one_address_are_refused_when_one_names_the_default_port() -> None:
    problem = mistake(valid(nodes=nodes({}, {"host": "192.0.2.11", "port": 22})))
    assert problem.key == "longhorn-rancher:nodes[1].host"


@pytest.mark.parametrize("lost", [0, 1])
def test_a_new_machine_may_have_the_address_of_a_lost_node(lost: int) -> None:
    both: list[dict[str, Any]] = [{}, {"host": "192.0.2.11"}]
    both[lost]["lost"] = True
    assert mistakes(valid(nodes=nodes(*both))) == []


def test_two_nodes_at_one_address_are_refused_also_where_it_is_unclear_whether_one_is_lost() -> (
    None
):
    found = mistakes(valid(nodes=nodes({"lost": "perhaps"}, {"host": "192.0.2.11"})))
    assert [problem.key.split(":")[1] for problem in found] == ["nodes[0].lost", "nodes[1].host"]


def test_two_nodes_behind_two_ports_of_one_address_are_fine() -> None:
    both = nodes({"host": "192.0.2.1", "port": 2201}, {"host": "192.0.2.1", "port": 2202})
    assert mistakes(valid(nodes=both)) == []


def test_repeated_nodes_are_told_also_when_they_have_other_mistakes() -> None:
    found = mistakes(valid(nodes=nodes({"port": 0}, {"name": "node-1", "port": 0})))
    assert {problem.key.split(":")[1] for problem in found} == {
        "nodes[0].port",
        "nodes[1].port",
        "nodes[1].name",
    }


def test_one_device_twice_on_a_node_is_refused() -> None:
    problem = mistake(_with_disks(_disk(), _disk(mountPoint="/mnt/other")))
    assert problem.key == "longhorn-rancher:nodeDefaults.disks[1].device"
    assert "/dev/sdb" in str(problem)


def test_one_mount_point_twice_on_a_node_is_refused() -> None:
    problem = mistake(_with_disks(_disk(), _disk(device="/dev/sdc")))
    assert problem.key == "longhorn-rancher:nodeDefaults.disks[1].mountPoint"


@pytest.mark.parametrize(
    "spelling", ["/mnt/longhorn-sdb/", "/mnt//longhorn-sdb", "/mnt/./longhorn-sdb"]
)
def test_one_mount_point_in_two_spellings_is_refused(spelling: str) -> None:
    problem = mistake(_with_disks(_disk(), _disk(device="/dev/sdc", mountPoint=spelling)))
    assert problem.key == "longhorn-rancher:nodeDefaults.disks[1].mountPoint"


def test_mount_points_that_would_share_a_resource_name_are_refused() -> None:
    disks = (_disk(mountPoint="/mnt/a-b"), _disk(device="/dev/sdc", mountPoint="/mnt/a/b"))
    assert mistake(_with_disks(*disks)).key == "longhorn-rancher:nodeDefaults.disks[1].mountPoint"


def test_a_mount_point_inside_another_is_refused() -> None:
    problem = mistake(
        _with_disks(_disk(mountPoint="/mnt/a"), _disk(device="/dev/sdc", mountPoint="/mnt/a/b"))
    )
    assert "lies inside /mnt/a" in problem.rule


def test_the_same_disk_on_two_nodes_is_fine() -> None:
    own = nodes({"disks": [_disk()]}, {"disks": [_disk()]})
    assert mistakes(valid(nodes=own)) == []


def test_disks_of_a_node_are_checked_as_the_default_ones_are() -> None:
    problem = mistake(valid(nodes=nodes({"disks": [_disk(), _disk(mountPoint="/mnt/b")]})))
    assert problem.key == "longhorn-rancher:nodes[0].disks[1].device"


@pytest.mark.parametrize("path", ["mnt/longhorn", "./mnt", "~/mnt", ""])
def test_a_relative_mount_point_is_refused(path: str) -> None:
    problem = mistake(_with_disks(_disk(mountPoint=path)))
    assert problem.key == "longhorn-rancher:nodeDefaults.disks[0].mountPoint"
    assert "absolute" in problem.rule


@pytest.mark.parametrize("path", ["/", "//", "/.", "/./", "/etc", "/var/lib/", "/dev/disk", "/mnt"])
def test_a_mount_point_of_the_system_is_refused(path: str) -> None:
    problem = mistake(_with_disks(_disk(mountPoint=path)))
    assert problem.key == "longhorn-rancher:nodeDefaults.disks[0].mountPoint"


@pytest.mark.parametrize(
    "path", ["/mnt/a b", "/mnt/a\tb", "/mnt/a\nb", "/mnt/#a", "/mnt/a\\040", "/mnt/../etc"]
)
def test_a_mount_point_that_would_break_an_fstab_line_is_refused(path: str) -> None:
    assert len(mistakes(_with_disks(_disk(mountPoint=path)))) == 1


def test_a_trailing_slash_of_a_mount_point_does_not_count() -> None:
    settings = load(_with_disks(_disk(mountPoint="/mnt/longhorn-sdb/")))
    assert settings.node_defaults.disks[0].mount_point == "/mnt/longhorn-sdb"


@pytest.mark.parametrize("device", ["sdb", "/mnt/sdb", "/dev", "/dev/", "/dev/../etc/passwd"])
def test_a_device_that_is_not_below_dev_is_refused(device: str) -> None:
    problem = mistake(_with_disks(_disk(device=device)))
    assert problem.key == "longhorn-rancher:nodeDefaults.disks[0].device"


def test_a_stable_name_of_a_device_is_accepted() -> None:
    assert mistakes(_with_disks(_disk(device="/dev/disk/by-id/nvme-eui.0025388b01d0a1c5"))) == []


def test_a_file_system_other_than_ext4_and_xfs_is_refused() -> None:
    problem = mistake(_with_disks(_disk(fileSystem="btrfs")))
    assert "ext4 or xfs" in problem.rule


@pytest.mark.parametrize("size", ["10 Gi", "-1Gi", "ten", "10GB", "0x10", "1.5Gi"])
def test_reserved_space_that_is_no_size_is_refused(size: str) -> None:
    problem = mistake(_with_disks(_disk(storageReserved=size)))
    assert problem.key == "longhorn-rancher:nodeDefaults.disks[0].storageReserved"


def test_a_node_without_host_key_is_refused_with_the_way_to_read_it() -> None:
    problem = mistake(valid(nodes=nodes({"hostKey": None})))
    assert problem.key == "longhorn-rancher:nodes[0].hostKey"
    assert "node-1" in problem.rule
    assert "/etc/ssh/ssh_host_ed25519_key.pub" in problem.remedy


def test_a_node_without_host_key_is_accepted_only_if_the_stack_says_so() -> None:
    ssh = {"useAgent": True, "insecureIgnoreHostKeys": True}
    assert mistakes(valid(nodes=nodes({"hostKey": None}), ssh=ssh)) == []


def test_a_jump_host_without_host_key_is_refused() -> None:
    problem = mistake(valid(ssh={"useAgent": True, "jumpHost": {"host": "bastion"}}))
    assert problem.key == "longhorn-rancher:ssh.jumpHost.hostKey"


def test_a_jump_host_with_host_key_is_accepted() -> None:
    jump = {"host": "bastion", "hostKey": JUMP_KEY}
    assert mistakes(valid(ssh={"useAgent": True, "jumpHost": jump})) == []


@pytest.mark.parametrize("key", ["", "AAAAC3NzaC1lZDI1NTE5", "ssh-dss AAAA", HOST_KEY[:12], 5])
def test_a_host_key_in_another_form_is_refused(key: object) -> None:
    assert mistake(valid(nodes=nodes({"hostKey": key}))).key == "longhorn-rancher:nodes[0].hostKey"


def test_a_host_key_may_carry_a_comment() -> None:
    assert mistakes(valid(nodes=nodes({"hostKey": f"{HOST_KEY} root@node-1"}))) == []


@pytest.mark.parametrize("port", [0, -1, 65536, 22.5, "22", True])
def test_a_port_out_of_range_is_refused(port: object) -> None:
    assert mistake(valid(nodes=nodes({"port": port}))).key == "longhorn-rancher:nodes[0].port"


@pytest.mark.parametrize("name", ["Node-1", "node_1", "-node", "node-", "", "a..b", "x" * 254])
def test_a_name_that_kubernetes_can_not_have_given_is_refused(name: str) -> None:
    assert mistake(valid(nodes=nodes({"name": name}))).key == "longhorn-rancher:nodes[0].name"


def test_a_name_with_dots_is_accepted() -> None:
    assert mistakes(valid(nodes=nodes({"name": "node-1.example.com"}))) == []


@pytest.mark.parametrize("host", ["ssh://node", "node:22", "a b", "", "-oProxyCommand=x", "node/"])
def test_a_host_with_scheme_port_or_option_is_refused(host: str) -> None:
    assert mistake(valid(nodes=nodes({"host": host}))).key == "longhorn-rancher:nodes[0].host"


@pytest.mark.parametrize("host", ["node-1", "node.example.com", "192.0.2.1", "2001:db8::1"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert mistakes(valid(nodes=nodes({"host": host}))) == []


@pytest.mark.parametrize("user", ["", " root", "a\nb", "a\0b", "a\x7f", "-l"])
def test_a_user_that_is_no_user_name_is_refused(user: str) -> None:
    assert mistake(valid(nodes=nodes({"user": user}))).key == "longhorn-rancher:nodes[0].user"


@pytest.mark.parametrize("user", ["a@example.com", r"EXAMPLE\ops", "j.doe", "ops-1", "Jane Doe"])
def test_a_user_of_a_directory_is_accepted(user: str) -> None:
    assert mistakes(valid(nodes=nodes({"user": user}), ssh={"useAgent": True, "user": user})) == []


@pytest.mark.parametrize("uuid", ["xyz", "1234", "$(reboot)", "a" * 37])
def test_an_adopted_uuid_in_another_form_is_refused(uuid: str) -> None:
    problem = mistake(_with_disks(_disk(adoptUuid=uuid)))
    assert problem.key == "longhorn-rancher:nodeDefaults.disks[0].adoptUuid"


@pytest.mark.parametrize(
    ("key", "value", "accepted"),
    [
        ("mountOptions", "noatime,discard", True),
        ("mountOptions", "noatime,nofail,errors=remount-ro", True),
        ("mountOptions", "noatime,ro", False),
        ("mountOptions", "noauto", False),
        ("mountOptions", "noatime discard", False),
        ("mkfsOptions", "-m 1", True),
        ("mkfsOptions", "-E lazy_itable_init=0 -O ^has_journal -m0", True),
        ("mkfsOptions", "-m crc=1 -i size=512", False),
        ("mkfsOptions", "-n x", False),
        ("mkfsOptions", "-F", False),
        ("mkfsOptions", "-m 1 -F", False),
        ("mkfsOptions", "-f", False),
        ("mkfsOptions", "-L mine", False),
        ("mkfsOptions", "-m 1 /dev/sdc", False),
        ("mkfsOptions", "-J device=/dev/sdc", False),
        ("mkfsOptions", "-E offset=1048576", False),
        ("mkfsOptions", "100", False),
        ("mkfsOptions", "-m 1; reboot", False),
    ],
)
def test_options_of_mount_and_format_are_those_that_can_do_no_harm(
    key: str, value: str, accepted: bool
) -> None:
    disk = {"device": "/dev/sdb", "mountPoint": "/mnt/a", key: value}
    found = mistakes(valid(nodeDefaults={"disks": [disk]}))
    assert [problem.key.rpartition(".")[2] for problem in found] == ([] if accepted else [key])


@pytest.mark.parametrize(
    ("options", "accepted"),
    [("-m crc=1 -i size=512", True), ("-l size=64m", True), ("-m 1", False), ("-O quota", False)],
)
def test_options_of_mkfs_are_those_of_the_disks_own_file_system(
    options: str, accepted: bool
) -> None:
    disk = {"device": "/dev/sdb", "mountPoint": "/mnt/a", "fileSystem": "xfs"}
    found = mistakes(valid(nodeDefaults={"disks": [{**disk, "mkfsOptions": options}]}))
    assert [problem.remedy[:27] for problem in found] == ["It takes -b, -d, -i, -l, -m"] * (
        not accepted
    )


@pytest.mark.parametrize("path", ["/var/lib/kubelet", "/var/log", "/var/lib/longhorn-rancher"])
def test_a_directory_that_the_system_needs_is_no_mount_point(path: str) -> None:
    disk = {"device": "/dev/sdb", "mountPoint": path}
    assert "not one of the system's" in mistake(valid(nodeDefaults={"disks": [disk]})).rule


@pytest.mark.parametrize(
    ("mount_point", "options", "refused"),
    [
        ("/var/lib/longhorn", "noatime,noexec", True),
        ("/var/lib/longhorn/", "exec,noexec", True),
        ("/var/lib/longhorn/engine-binaries", "noexec", True),
        ("/var/lib/longhorn", "noexec,exec", False),
        ("/var/lib/longhorn", "nosuid,nodev", False),
        ("/var/lib/longhorn/sdb", "noexec", False),
        ("/mnt/longhorn-sdb", "noexec", False),
    ],
)
def test_nothing_may_keep_longhorns_engines_from_being_run(
    mount_point: str, options: str, refused: bool
) -> None:
    disks = [_disk(mountPoint=mount_point, mountOptions=options)]
    for found in (mistakes(_with_disks(*disks)), mistakes(valid(nodes=nodes({"disks": disks})))):
        assert [problem.key.rpartition(".")[2] for problem in found] == ["mountOptions"] * refused
        assert all("runs its engines from" in problem.rule for problem in found)


@pytest.mark.parametrize(
    "path",
    ["/etc/kubernetes", "/boot/efi", "/usr/share", "/var/lib/rancher/k3s", "/var/run/x", "/opt"],
)
def test_nothing_within_a_directory_of_the_system_is_a_mount_point(path: str) -> None:
    assert "not one of the system's" in mistake(_with_disks(_disk(mountPoint=path))).rule


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("/dev/sdb1", "is a partition"),
        ("/dev/nvme0n1p2", "is a partition"),
        ("/dev/disk/by-id/ata-X-part1", "is a partition"),
        (f"/dev/disk/by-uuid/{_UUID}", "what is on a disk"),
        ("/dev/disk/by-label/data", "what is on a disk"),
        ("/dev/sd*", "is a pattern"),
        ("/dev/sd{b,c}", "is a pattern"),
        ("/dev/disk/by-id", "a folder of links"),
        ("/dev/mapper", "a folder of links"),
    ],
)
def test_what_no_whole_disk_can_be_called_is_told_before_a_host_is_asked(
    device: str, said: str
) -> None:
    assert said in mistake(_with_disks(_disk(device=device))).rule


@pytest.mark.parametrize(
    "device",
    [
        *("/dev/nvme0n1", "/dev/mapper/mpatha", "/dev/dm-1", "/dev/md127", "/dev/vg0/data"),
        *("/dev/sdaa", "/dev/disk/by-id/nvme-A_B_1", "/dev/disk/by-path/pci-0000:00:1f.2-ata-1"),
    ],
)
def test_every_name_of_a_whole_device_is_accepted(device: str) -> None:
    assert mistakes(_with_disks(_disk(device=device))) == []


@pytest.mark.parametrize(
    ("options", "file_system", "refused"),
    [
        ("inode64,noatime", "ext4", True),
        ("errors=remount-ro", "xfs", True),
        ("errors=remount-ro", "ext4", False),
        ("inode64,logbufs=8", "xfs", False),
        ("noatime,RO", "ext4", True),
        ("loop", "ext4", True),
        ("x-systemd.automount", "ext4", True),
        ("fail", "ext4", True),
    ],
)
def test_options_that_would_fail_behind_the_formatting_are_told_first(
    options: str, file_system: str, refused: bool
) -> None:
    found = mistakes(_with_disks(_disk(mountOptions=options, fileSystem=file_system)))
    assert [problem.key.rpartition(".")[2] for problem in found] == ["mountOptions"] * refused


@pytest.mark.parametrize("device", ["/dev/sdb1", "/dev/disk/by-uuid/1234"])
def test_a_disk_that_is_mounted_by_hand_may_have_any_name(device: str) -> None:
    given = _with_disks(_disk(device=device))
    assert mistakes({**given, "stages": {"disks": False}}) == []


def test_a_file_system_that_is_adopted_may_be_named_by_what_it_is() -> None:
    link = f"/dev/disk/by-uuid/{_UUID}"
    own = [{"disks": [_disk(device=link, adoptUuid=_UUID)]}]
    assert mistakes(valid(nodes=nodes(*own))) == []


def test_a_file_system_is_on_one_disk() -> None:
    own = {"disks": [_disk(adoptUuid=_UUID)]}
    problem = mistake(valid(nodes=nodes(own, own)))
    assert problem.key == "longhorn-rancher:nodes[1].disks[0].adoptUuid"
    default = {"disks": [_disk(adoptUuid=_UUID)]}
    problem = mistake(valid(nodeDefaults=default))
    assert problem.key == "longhorn-rancher:nodeDefaults.disks[0].adoptUuid"


def test_a_disk_of_a_lost_node_may_be_in_another_one() -> None:
    own = {"disks": [_disk(adoptUuid=_UUID)]}
    assert mistakes(valid(nodes=nodes({**own, "lost": True}, own))) == []
    default = {"disks": [_disk(adoptUuid=_UUID)]}
    assert mistakes(valid(nodeDefaults=default, nodes=nodes({"lost": True}, {}))) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"maintenance": True}, None),
        ({"maintenance": "cordon"}, None),
        ({"maintenance": False, "disks": []}, None),
        ({"maintenance": True, "lost": True}, "for a host that comes back"),
        ({"maintenance": True, "disks": []}, "closes a node to replicas"),
    ],
)
def test_maintenance_is_for_a_node_with_replicas_that_comes_back(
    changes: dict[str, Any], says: str | None
) -> None:
    found = mistakes(valid(nodes=nodes(changes, {})))
    assert [problem.key for problem in found] == (
        [] if says is None else ["longhorn-rancher:nodes[0].maintenance"]
    )
    assert all(str(says) in problem.rule for problem in found)
