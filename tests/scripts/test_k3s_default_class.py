"""K3s is kept from making its own class the default again, and what is not the stack's stays."""

from __future__ import annotations

import pytest

from tests.scripts.remote import Outcome, run_script
from tests.scripts.sandbox import Sandbox

pytestmark = pytest.mark.disks

FOLDER = "/var/lib/rancher/k3s/server/manifests"
MANIFEST = "local-storage.yaml"
SKIP = f"{MANIFEST}.skip"
TEXT = """\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: local-path
  annotations:
    storageclass.kubernetes.io/is-default-class: "true"
provisioner: rancher.io/local-path
"""
OURS = "project/one"
SHELLS = ["dash", "bash --posix", "busybox sh"]


def become_server(host: Sandbox, folder: str = FOLDER) -> None:
    """A server of K3s, as far as it writes the manifests that come with it."""
    host.shell(f"mkdir -p {folder}")
    host.write_text(f"{folder}/{MANIFEST}", TEXT)


def script(host: Sandbox, action: str, owner: str = OURS, shell: str = "sh") -> Outcome:
    name = "k3s-default-class-look" if action == "check" else "k3s-default-class.sh"
    return run_script(host, name, action, owner, shell=shell)


def files(host: Sandbox, folder: str = FOLDER) -> set[str]:
    return set(host.shell(f"ls -A {folder}").split())


@pytest.mark.parametrize("shell", SHELLS)
def test_a_server_gets_the_file_that_keeps_k3s_from_it_and_loses_it_again(
    host: Sandbox, shell: str
) -> None:
    if host.call("sh", "-c", f"command -v {shell.split()[0]}").returncode != 0:
        pytest.skip(f"needs the command {shell.split()[0]}")
    become_server(host)
    manifest = f"{FOLDER}/{MANIFEST}"
    assert script(host, "check", shell=shell).result == {"manifest": manifest, "skipped": False}
    assert files(host) == {MANIFEST}, "a look changes nothing"
    for _ in range(2):
        said = script(host, "ensure", shell=shell).result
        assert said == {"manifest": manifest, "skipped": True}
        assert files(host) == {MANIFEST, SKIP}
    assert script(host, "check", shell=shell).result["skipped"] is True
    script(host, "remove", shell=shell)
    assert files(host) == {MANIFEST}
    assert host.read_text(manifest) == TEXT


def test_a_host_without_k3s_gets_nothing(host: Sandbox) -> None:
    before = host.shell("find /etc /var -xdev | sort")
    assert script(host, "ensure").result == {"manifest": None, "skipped": False}
    assert script(host, "remove").result == {"removed": True}
    assert host.shell("find /etc /var -xdev | sort") == before


def test_a_k3s_that_has_no_such_class_gets_nothing(host: Sandbox) -> None:
    host.shell(f"mkdir -p {FOLDER}")
    assert script(host, "ensure").result["manifest"] is None
    host.write_text(f"{FOLDER}/{MANIFEST}", TEXT.replace('"true"', '"false"'))
    assert script(host, "ensure").result["manifest"] is None
    assert files(host) == {MANIFEST}


@pytest.mark.parametrize("text", ["", "mine\n", "# longhorn-rancher is not used here\n"])
def test_a_file_that_somebody_else_made_stays_as_it_is(host: Sandbox, text: str) -> None:
    become_server(host)
    host.write_text(f"{FOLDER}/{SKIP}", text)
    script(host, "ensure")
    script(host, "remove")
    assert host.read_text(f"{FOLDER}/{SKIP}") == text


def test_what_another_stack_has_taken_over_stays(host: Sandbox) -> None:
    become_server(host)
    script(host, "ensure")
    script(host, "ensure", owner="project/two")
    script(host, "remove")
    assert files(host) == {MANIFEST, SKIP}
    script(host, "remove", owner="project/two")
    assert files(host) == {MANIFEST}


def test_what_a_killed_run_left_is_no_manifest_and_goes_with_the_next_run(host: Sandbox) -> None:
    become_server(host)
    host.write_text(f"{FOLDER}/.longhorn-rancher", "")
    script(host, "ensure")
    assert files(host) == {MANIFEST, SKIP}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/rancher/k3s/config.yaml", "token: a\ndata-dir: /data/k3s\n"),
        ("/etc/rancher/k3s/config.yaml", 'data-dir: "/data/k3s"\nnode-name: a\n'),
        ("/etc/rancher/k3s/config.yaml.d/10-data.yaml", "data-dir: /data/k3s\n"),
        (
            "/etc/systemd/system/k3s.service",
            "[Service]\nExecStart=/usr/local/bin/k3s \\\n    server \\\n\t'--data-dir' \\\n"
            "\t'/data/k3s' \\\n",
        ),
        ("/etc/systemd/system/k3s.service", "ExecStart=/usr/bin/k3s server -d /data/k3s --debug\n"),
        ("/etc/systemd/system/k3s.service", "ExecStart=k3s server --data-dir=/data/k3s\n"),
    ],
)
@pytest.mark.parametrize("shell", SHELLS)
def test_k3s_may_keep_its_data_elsewhere(host: Sandbox, path: str, text: str, shell: str) -> None:
    if host.call("sh", "-c", f"command -v {shell.split()[0]}").returncode != 0:
        pytest.skip(f"needs the command {shell.split()[0]}")
    become_server(host)
    become_server(host, "/data/k3s/server/manifests")
    host.shell(f"mkdir -p {path.rsplit('/', 1)[0]}")
    host.write_text(path, text)
    script(host, "ensure", shell=shell)
    assert files(host, "/data/k3s/server/manifests") == {MANIFEST, SKIP}
    assert files(host) == {MANIFEST}
