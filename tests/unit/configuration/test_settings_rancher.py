"""Rules for Rancher and for what each stage needs of the rest of the file."""

from typing import Any

import asyncssh
import pytest

from tests.unit.doubles.a_stack import JUMP_KEY, load, mistake, mistakes, valid, with_secrets

_URL = "https://rancher.example.com"


def _rancher(**changes: Any) -> dict[str, Any]:
    return valid(rancher={"url": _URL, **changes})


@pytest.mark.parametrize(
    "url",
    [
        "http://rancher.example.com",
        "rancher.example.com",
        "https://",
        "https://rancher.example.com/dashboard",
        "https://rancher.example.com?a=b",
        "https://rancher.example.com#a",
        "https://rancher.example.com:99999",
        "https://[::1",
        "https://999.1.1.1",
        "https://10.0.0",
        "https://a..b",
        "",
    ],
)
def test_an_address_that_is_not_https_and_a_host_is_refused(url: str) -> None:
    assert mistake(_rancher(url=url)).key == "longhorn-rancher:rancher.url"


def test_an_address_with_a_password_in_it_is_refused_and_not_shown() -> None:
    problem = mistake(_rancher(url="https://admin:correct-horse@rancher.example.com"))
    assert problem.key == "longhorn-rancher:rancher.url"
    assert "correct-horse" not in str(problem)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "rancher.localhost"])
def test_an_address_that_nodes_can_not_reach_is_refused(host: str) -> None:
    assert "could not reach Rancher there" in mistake(_rancher(url=f"https://{host}")).rule


def test_a_trailing_slash_of_the_address_does_not_count() -> None:
    rancher = load(_rancher(url=f"{_URL}/")).rancher
    assert rancher is not None
    assert rancher.url == _URL


def test_a_tag_without_its_v_is_refused_where_the_image_is_ranchers() -> None:
    assert mistake(_rancher(tag="2.8.5")).remedy == "Did you mean v2.8.5?"
    assert mistake(_rancher(tag="2.8.5", image="r.example.com/rancher/rancher")).key.endswith("tag")
    assert mistakes(_rancher(tag="2.8.5", image="r.example.com/our/console")) == []


@pytest.mark.parametrize("tag", ["v2.8", "2.8", "v2"])
def test_a_tag_of_no_whole_version_is_refused_where_the_image_is_ranchers(tag: str) -> None:
    assert "v2.8.5" in mistake(_rancher(tag=tag)).remedy
    assert mistakes(_rancher(tag=tag, image="r.example.com/our/console")) == []


def test_the_name_of_ranchers_own_cluster_is_refused_where_the_cluster_is_imported() -> None:
    cluster = {"name": "local", "kubeconfig": "~/.kube/config"}
    imported = valid(cluster=cluster, stages={"rancherImport": True})
    assert mistake(imported).key == "longhorn-rancher:cluster.name"
    assert mistakes(valid(cluster=cluster, stages={"rancherImport": False})) == []


@pytest.mark.parametrize("folder", ["/srv/rancher/", "/srv//rancher", "/srv/./rancher"])
def test_a_data_folder_has_one_spelling(folder: str) -> None:
    rancher = load(_rancher(dataVolume=folder)).rancher
    assert rancher is not None
    assert rancher.volume == "/srv/rancher"


@pytest.mark.parametrize("folder", ["/srv/../etc", "/etc", "/var/lib/", "/var/lib/docker"])
def test_a_folder_of_the_system_is_no_place_for_ranchers_data(folder: str) -> None:
    assert "of the Docker host's own system" in mistake(_rancher(dataVolume=folder)).rule


@pytest.mark.parametrize("tag", ["latest", "head", "v2.8-head"])
def test_a_moving_tag_is_refused(tag: str) -> None:
    problem = mistake(_rancher(tag=tag))
    assert problem.key == "longhorn-rancher:rancher.tag"
    assert "Pin a version" in problem.remedy


@pytest.mark.parametrize("tag", ["v2.8.5", "stable"])
def test_a_pinned_tag_and_the_guides_own_are_accepted(tag: str) -> None:
    assert mistakes(_rancher(tag=tag)) == []


def test_one_port_for_http_and_https_is_refused() -> None:
    assert "same as httpsPort" in mistake(_rancher(httpPort=8443, httpsPort=8443)).rule


def test_a_docker_host_over_ssh_needs_its_host_key() -> None:
    problem = mistake(_rancher(dockerHost="ssh://root@rancher"))
    assert "dockerHostKey" in problem.rule
    assert mistakes(_rancher(dockerHost="ssh://root@rancher", dockerHostKey=JUMP_KEY)) == []


@pytest.mark.parametrize(
    "host",
    [
        "tcp://rancher:2375",
        "rancher",
        "ssh://",
        "unix:// /a",
        "ssh://root@999.1.1.1",
        "ssh://root@rancher:port",
        "ssh://root@rancher:99999",
    ],
)
def test_a_docker_host_that_is_not_protected_is_refused(host: str) -> None:
    assert mistake(_rancher(dockerHost=host)).key == "longhorn-rancher:rancher.dockerHost"


@pytest.mark.parametrize("address", ["rancher", "0.0.0.0/0", "300.0.0.1", ""])
def test_a_listen_address_that_is_no_address_is_refused(address: str) -> None:
    problem = mistake(_rancher(listenAddress=address))
    assert problem.key == "longhorn-rancher:rancher.listenAddress"


@pytest.mark.parametrize("volume", ["a/b", " ", "./data", "-data"])
def test_a_data_volume_is_a_name_or_an_absolute_folder(volume: str) -> None:
    assert mistake(_rancher(dataVolume=volume)).key == "longhorn-rancher:rancher.dataVolume"


@pytest.mark.parametrize("image", ["rancher/rancher:v2.8.5", "rancher@sha256:abc", "a b", ""])
def test_an_image_with_a_tag_of_its_own_is_refused(image: str) -> None:
    assert mistake(_rancher(image=image)).key == "longhorn-rancher:rancher.image"


@pytest.mark.parametrize("image", ["rancher/rancher", "registry.example.com:5000/rancher/rancher"])
def test_an_image_may_come_from_a_registry_with_a_port(image: str) -> None:
    assert mistakes(_rancher(image=image)) == []


@pytest.mark.parametrize("given", [None, "null"])
def test_the_rancher_stage_needs_rancher_settings(given: str | None) -> None:
    problem = mistake(valid(rancher=given))
    assert problem.key == "longhorn-rancher:rancher"
    assert "stages.rancher: false" in problem.remedy


def test_no_rancher_settings_are_needed_when_the_stage_is_off() -> None:
    assert mistakes(valid(rancher=None, stages={"rancher": False})) == []


@pytest.mark.parametrize("given", [None, [], "null"], ids=["absent", "empty", "null"])
def test_stages_on_nodes_need_nodes(given: object) -> None:
    problem = mistake(valid(nodes=given))
    assert problem.key == "longhorn-rancher:nodes"
    assert problem.rule == "lists no node"


def test_stages_on_hosts_need_something_that_opens_them() -> None:
    problem = mistake(valid(ssh={"user": "root"}))
    assert problem.key == "longhorn-rancher:ssh"
    assert "ssh.useAgent: true" in problem.remedy


def test_a_secret_key_or_password_opens_the_hosts() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    for secret in ({"sshPrivateKey": key}, {"sshPassword": "x"}):
        assert mistakes(with_secrets(valid(ssh=None), **secret)) == []


def test_labels_alone_need_nothing_that_opens_hosts() -> None:
    stages = {"packages": False, "disks": False}
    assert mistakes(valid(ssh=None, stages=stages)) == []


def test_an_import_without_server_and_manifest_is_refused() -> None:
    stages = {"rancher": False, "rancherImport": True}
    problem = mistake(valid(rancher=None, stages=stages))
    assert problem.key == "longhorn-rancher:stages.rancherImport"
    assert "rancherManifestUrl" in problem.remedy


def test_an_import_with_the_address_of_a_manifest_needs_no_server() -> None:
    stages = {"rancher": False, "rancherImport": True}
    config = with_secrets(valid(rancher=None, stages=stages), rancherManifestUrl="https://x")
    assert mistakes(config) == []


@pytest.mark.parametrize(
    ("backup", "key"),
    [
        ({}, "folder"),
        ({"folder": "backups"}, "folder"),
        ({"folder": "/"}, "folder"),
        ({"folder": "/a:b"}, "folder"),
        ({"folder": "/srv/b", "at": "24:00"}, "at"),
        ({"folder": "/srv/b", "at": 90}, "at"),
        ({"folder": "/srv/b", "keep": 0}, "keep"),
        ({"folder": "/srv/b", "everyDays": 0}, "everyDays"),
    ],
)
def test_a_backup_that_can_not_be_made_is_refused_by_its_key(
    backup: dict[str, Any], key: str
) -> None:
    found = mistake(valid(rancher={"url": "https://rancher.example.com", "backup": backup}))
    assert found.key.endswith(f"rancher.backup.{key}")


@pytest.mark.parametrize("folder", ["/opt/rancher", "/opt/rancher/backups"])
def test_archives_do_not_lie_in_the_data_that_they_are_made_of(folder: str) -> None:
    rancher = {"url": "https://rancher.example.com", "dataVolume": "/opt/rancher"}
    found = mistake(valid(rancher={**rancher, "backup": {"folder": folder}}))
    assert found.key.endswith("rancher.backup.folder")
    assert mistakes(valid(rancher={**rancher, "backup": {"folder": "/opt/backups"}})) == []


@pytest.mark.parametrize(
    ("secret", "password", "problem"),
    [
        ("rancherAdminPassword", "p" * 11, "is shorter than the 12 characters"),
        ("rancherAdminPassword", "p" * 73, "is longer than the 72 bytes"),
        ("rancherAdminPassword", "ä" * 37, "is longer than the 72 bytes"),
        ("rancherBootstrapPassword", "p" * 73, "is longer than the 72 bytes"),
    ],
)
def test_a_password_that_rancher_would_not_take_is_refused_and_not_shown(
    secret: str, password: str, problem: str
) -> None:
    found = mistake(with_secrets(valid(), **{secret: password}))
    assert found.key == f"longhorn-rancher:{secret}"
    assert problem in str(found)
    assert password not in str(found)


@pytest.mark.parametrize(
    ("secret", "password"),
    [
        ("rancherAdminPassword", "p" * 12),
        ("rancherAdminPassword", "ä" * 36),
        ("rancherBootstrapPassword", "short"),
        ("rancherBootstrapPassword", "p" * 72),
    ],
)
def test_a_password_as_short_or_long_as_rancher_takes_it_is_no_mistake(
    secret: str, password: str
) -> None:
    assert mistakes(with_secrets(valid(), **{secret: password})) == []
