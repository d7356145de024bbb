"""Addresses, keys, names and paths: as wide as their owner allows, and no wider."""

from typing import Any

import asyncssh
import pytest

from tests.unit.doubles.a_stack import HOST_KEY, load, mistake, mistakes, nodes, valid

_KEYS = {
    kind: asyncssh.generate_private_key(kind, **options).export_public_key().decode().strip()
    for kind, options in {
        "ssh-rsa": {"key_size": 2048},
        "ecdsa-sha2-nistp256": {},
        "ecdsa-sha2-nistp521": {},
        "ssh-dss": {},
    }.items()
}
_DATA = HOST_KEY.split()[1]


def _host(host: str) -> dict[str, Any]:
    return valid(nodes=nodes({"host": host}))


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("10.0.0.2:22", "an address with a port"),
        ("node-1:2222", "an address with a port"),
        ("[2001:db8::1]:22", "an address with a port"),
        ("[2001:db8::1]", "brackets"),
        ("ssh://node", "a URL"),
        ("root@node", "a user in front"),
        ("10.0.0.0/8", "a network"),
        ("999.1.1.1", "neither an IP address nor a host name"),
        ("10.0.0", "neither an IP address nor a host name"),
        ("10.0.0.01", "neither an IP address nor a host name"),
        ("2001:db8::1::2", "host name or an IP address"),
        ("fe80:::1", "host name or an IP address"),
        ("0.0.0.0", "no host can have"),  # noqa: S104
        ("a..b", "host name or an IP address"),
        ("-a", "host name or an IP address"),
        ("a" * 64, "host name or an IP address"),
        ("nöde", "host name or an IP address"),
    ],
)
def test_what_is_no_address_of_a_host_is_refused_by_what_it_is(host: str, found: str) -> None:
    problem = mistake(_host(host))
    assert problem.key == "longhorn-rancher:nodes[0].host"
    assert found in problem.rule


@pytest.mark.parametrize(
    ("host", "read"),
    [
        ("NODE-1.Example.com.", "node-1.example.com"),
        ("2001:0DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("node_1", "node_1"),
        ("192.0.2.1.nip.io", "192.0.2.1.nip.io"),
    ],
)
def test_an_address_has_one_spelling(host: str, read: str) -> None:
    assert load(_host(host)).nodes[0].host == read


def test_one_address_in_two_spellings_is_one_host() -> None:
    both = nodes({"host": "2001:db8::1"}, {"host": "2001:DB8:0::1"})
    assert mistake(valid(nodes=both)).key == "longhorn-rancher:nodes[1].host"


@pytest.mark.parametrize(
    "line",
    [
        HOST_KEY,
        f"{HOST_KEY} root@node-1",
        f"192.0.2.1 {HOST_KEY}",
        f"[192.0.2.1]:2222 {HOST_KEY}\n",
        f"node-1,192.0.2.1 {HOST_KEY} a comment",
        f"|1|3rXl2q1hJm1JvZ2Y0n4bT0aT2hU=|xq1Kq0wQyq8n5g5u8m0n1b2c3d4= {HOST_KEY}",
        f"# 192.0.2.1:22 SSH-2.0-OpenSSH_9.6\n192.0.2.1 {HOST_KEY}\n",
    ],
)
def test_a_host_key_is_taken_as_tools_print_it(line: str) -> None:
    assert load(valid(nodes=nodes({"hostKey": line}))).nodes[0].host_key == HOST_KEY


@pytest.mark.parametrize("kind", ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521"])
def test_a_host_key_of_another_type_is_taken(kind: str) -> None:
    assert mistakes(valid(nodes=nodes({"hostKey": _KEYS[kind]}))) == []


@pytest.mark.parametrize("insecure", [False, True])
def test_a_host_key_that_the_command_plugin_can_only_check_by_sha1_is_refused(
    insecure: bool,
) -> None:
    jump = {"host": "bastion", "hostKey": _KEYS["ssh-rsa"]}
    ssh = {"useAgent": True, "jumpHost": jump, "insecureIgnoreHostKeys": insecure}
    found = mistakes(valid(nodes=nodes({"hostKey": _KEYS["ssh-rsa"]}), ssh=ssh))
    assert [problem.key.partition(":")[2] for problem in found] == [
        "nodes[0].hostKey",
        "ssh.jumpHost.hostKey",
    ]
    assert all("SHA-1" in problem.rule for problem in found)
    assert all("ssh-keyscan -t ed25519,ecdsa HOST" in problem.remedy for problem in found)


def test_a_docker_hosts_key_of_rsa_is_taken_since_ssh_reads_it() -> None:
    rancher = {
        "url": "https://rancher.example.com",
        "dockerHost": "ssh://root@192.0.2.9",
        "dockerHostKey": _KEYS["ssh-rsa"],
    }
    assert mistakes(valid(rancher=rancher)) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("ssh-ed25519 AAAA", "can't be decoded"),
        (HOST_KEY[:-4], "can't be decoded"),
        (f"ssh-rsa {_DATA}", "says ssh-rsa, and the key itself is one of type ssh-ed25519"),
        (f"ssh-ed25519 {_KEYS['ssh-rsa'].split()[1]}", "is one of type ssh-rsa"),
        (f"{HOST_KEY}\n{_KEYS['ssh-rsa']}", "more than one key"),
        (f"@cert-authority * {HOST_KEY}", "certificate authority"),
        (_KEYS["ssh-dss"], "must be an SSH host key"),
        ("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "must be an SSH host key"),
        (_DATA, "must be an SSH host key"),
    ],
)
def test_a_host_key_is_decoded_and_its_type_compared(line: str, found: str) -> None:
    problem = mistake(valid(nodes=nodes({"hostKey": line})))
    assert problem.key == "longhorn-rancher:nodes[0].hostKey"
    assert found in problem.rule


@pytest.mark.parametrize("name", ["a.example.com", "a" * 253, "tls-2024.01", "1"])
def test_names_of_objects_are_as_long_as_kubernetes_allows(name: str) -> None:
    frontend = {
        "type": "Ingress",
        "host": "longhorn.example.com",
        "tlsSecret": name,
        "ingressClass": name,
        "clusterIssuer": name,
    }
    longhorn = {
        "registrySecret": name,
        "backup": {"target": "s3://bucket/", "credentialSecret": name},
    }
    config = valid(frontend=frontend, longhorn=longhorn, volumeCheck={"storageClass": name})
    assert mistakes(config) == []


@pytest.mark.parametrize("name", ["A", "a_b", "a..b", "-a", "a.", "a" * 254, ""])
def test_names_that_kubernetes_refuses_are_refused(name: str) -> None:
    frontend = {"type": "Ingress", "host": "longhorn.example.com", "tlsSecret": name}
    assert mistake(valid(frontend=frontend)).key == "longhorn-rancher:frontend.tlsSecret"


@pytest.mark.parametrize("path", ["/mnt/a:b", "/mnt/a,b", "/mnt/a'b", "/mnt/ä", "/mnt/a$b"])
def test_a_mount_point_that_the_host_script_refuses_is_refused_at_once(path: str) -> None:
    disks = [{"device": "/dev/sdb", "mountPoint": path}]
    assert "character" in mistake(valid(nodeDefaults={"disks": disks})).rule


@pytest.mark.parametrize("path", ["/tmp/longhorn", "/run/longhorn", "/dev/longhorn"])  # noqa: S108
def test_a_mount_point_that_a_restart_empties_is_refused(path: str) -> None:
    disks = [{"device": "/dev/sdb", "mountPoint": path}]
    assert mistake(valid(nodeDefaults={"disks": disks})).key.endswith("disks[0].mountPoint")


@pytest.mark.parametrize("tag", ["a b", "", "-a", "a" * 64, "a/b/c", "ä"])
def test_a_tag_that_longhorn_refuses_is_refused(tag: str) -> None:
    disks = [{"device": "/dev/sdb", "mountPoint": "/mnt/a", "tags": [tag]}]
    own = nodes({"disks": disks, "tags": [tag]})
    keys = {problem.key.partition(":")[2] for problem in mistakes(valid(nodes=own))}
    assert keys == {"nodes[0].disks[0].tags[0]", "nodes[0].tags[0]"}


@pytest.mark.parametrize(
    ("section", "key", "value", "meant"),
    [
        ("frontend", "type", "nodeport", "NodePort"),
        ("controlPlane", "scheduling", "Tolerate", "tolerate"),
        ("longhorn", "reclaimPolicy", "retain", "Retain"),
        ("volumeCheck", "accessMode", "ReadWriteMny", "ReadWriteMany"),
    ],
)
def test_a_near_miss_of_a_word_comes_with_the_word(
    section: str, key: str, value: str, meant: str
) -> None:
    problem = mistake(valid(**{section: {key: value}}))
    assert problem.remedy == f"Did you mean {meant}?"


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("ssh", {"useAgent": True, "user": "\t"}),
        ("rancher", {"url": "https://a.example.com", "dockerHost": "tcp://rancher:2375"}),
        ("rancher", {"url": "https://a.example.com", "image": "rancher/rancher@sha256:abc"}),
        ("rancher", {"url": "https://a.example.com", "dataVolume": "a/b"}),
        ("rancher", {"url": "https://a.example.com", "containerName": "-"}),
        ("rancher", {"url": "https://a.example.com", "tag": "a b"}),
        ("rancher", {"url": "https://a.example.com", "acceptCa": "abc"}),
        ("frontend", {"type": "Ingress", "host": "*.example.com", "tlsSecret": "tls"}),
        ("frontend", {"type": "NodePort", "nodePortRange": "30000"}),
        ("longhorn", {"registry": "https://registry"}),
        ("longhorn", {"chartRepository": "oci://charts"}),
        ("volumeCheck", {"image": ""}),
    ],
)
def test_a_form_is_described_in_words_and_never_as_a_regular_expression(
    section: str, value: dict[str, Any]
) -> None:
    problem = mistake(valid(**{section: value}))
    assert not set("^$\\[]{}") & set(problem.rule), problem.rule
    assert "pattern" not in problem.rule
    assert problem.remedy != "Correct the value."


@pytest.mark.parametrize(
    "value",
    ["r", "r.example.com:5000", "10.0.0.1:5000/team/a_b", "localhost:5000", "r.example.com/team"],
)
def test_a_registry_may_have_a_port_and_a_path(value: str) -> None:
    rancher = {"url": "https://rancher.example.com", "systemDefaultRegistry": value}
    assert mistakes(valid(longhorn={"registry": value}, rancher=rancher)) == []


@pytest.mark.parametrize(
    "value",
    [
        "https://r",
        "r:0",
        "r:70000",
        "r..example.com",
        "r.example.com/",
        "r.example.com/Team",
        "a@r",
    ],
)
def test_what_is_no_registry_is_refused_for_longhorn_and_for_rancher(value: str) -> None:
    rancher = {"url": "https://rancher.example.com", "systemDefaultRegistry": value}
    found = mistakes(valid(longhorn={"registry": value}, rancher=rancher))
    assert {problem.key.rpartition(":")[2] for problem in found} == {
        "longhorn.registry",
        "rancher.systemDefaultRegistry",
    }


_DIGEST = "@sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("busybox", True),
        ("r.example.com:5000/library/busybox:1.36.1", True),
        (f"busybox:1.36.1{_DIGEST}", True),
        ("Busybox:1.36.1", False),
        ("busybox:", False),
        ("https://r.example.com/busybox", False),
        ("busybox@sha256:abc", False),
        ("r.example.com:0/busybox", False),
    ],
)
def test_an_image_is_a_name_that_a_container_engine_takes(value: str, accepted: bool) -> None:
    assert (mistakes(valid(volumeCheck={"image": value})) == []) is accepted
