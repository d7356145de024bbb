"""`make new` at a terminal, and what it wrote on Pulumi's engine.

The hosts stand behind a jump host, and want a password at login and another time for sudo.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from lab.hosts.hosts import HostHandle
from lab.hosts.network import ip, namespace_name
from tests.engine.engine import Engine
from tests.engine.needs import needs_hosts
from tests.engine.program_lab import ACCEPTED, NO_CLUSTER, mounts
from tests.engine.typed import type_at

pytestmark = needs_hosts

# For documentation alone (RFC 5737), so that this machine has no way to it.
_BEHIND = "198.51.100"


@pytest.fixture
def pair(new_host: Callable[..., HostHandle]) -> tuple[HostHandle, HostHandle]:
    """A host that this machine reaches, and one at an address that only the first reaches."""
    jump, inner = new_host(), new_host()
    for number, host in enumerate((jump, inner), 1):
        where = ("-netns", namespace_name(host.name))
        ip(*where, "address", "add", f"{_BEHIND}.{number}/24", "dev", "eth0")
    return jump, inner


@pytest.fixture
def kubeconfig(pair: tuple[HostHandle, HostHandle], tmp_path: Path) -> Iterator[Path]:
    """Of a cluster that knows its nodes and nothing else: the inner host, by its inner address."""
    node = {
        "metadata": {"name": pair[1].name},
        "spec": {},
        "status": {"addresses": [{"type": "InternalIP", "address": f"{_BEHIND}.2"}]},
    }
    listed = {"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": [node]}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path.startswith("/api/v1/nodes") else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(listed).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing of what was asked."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = tmp_path / "kubeconfig"
    cluster = {"server": f"http://127.0.0.1:{server.server_port}"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "lab", "user": {"token": "of-nobody"}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
    }
    path.write_text(yaml.safe_dump(config))
    yield path
    server.shutdown()


def test_a_typed_jump_host_and_password_become_a_file_that_up_reaches_the_hosts_with(
    engine: Engine, pair: tuple[HostHandle, HostHandle], kubeconfig: Path, tmp_path: Path
) -> None:
    jump, inner = pair
    password = inner.careful_password
    typed = type_at(
        [sys.executable, "-m", "tools.new", "typed", "--folder", str(tmp_path)],
        [
            ("Kubeconfig", str(kubeconfig)),
            ("SSH user", "careful"),
            ("private key", ""),
            ("Rancher", ""),
            ("Jump host", jump.address),
            ("hosts' own", "y"),
            ("SSH password", password),
            ("hosts' own", "y"),
            *[("It is formatted by `up`", "y")] * len(inner.disks),
        ],
        {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm"},
    )
    assert typed.status == 0, typed.shown
    path = tmp_path / "Pulumi.typed.yaml"
    assert password not in typed.shown + path.read_text()
    config = yaml.safe_load(path.read_text())["config"]
    assert config["longhorn-rancher:ssh"] == {
        "user": "careful",
        "jumpHost": {"host": jump.address, "hostKey": jump.host_key},
    }
    (node,) = config["longhorn-rancher:nodes"]
    assert (node["host"], node["hostKey"]) == (f"{_BEHIND}.2", inner.host_key)
    for secret in ("sshPassword", "sudoPassword"):
        assert f"pulumi config set --secret longhorn-rancher:{secret}" in path.read_text()

    stack = engine.project_stack(
        "typed",
        stack_file=path,
        # What else the file says needs a cluster.
        config={"stages": NO_CLUSTER, "checks": {"accept": ACCEPTED}},
        secrets={"sshPassword": password, "sudoPassword": password},
    )
    previewed = stack.preview().or_fail()
    assert "could not be read" not in previewed.log
    stack.up().or_fail()
    assert len(mounts(inner)) == len(inner.disks)
    assert mounts(jump) == {}
    assert stack.preview().or_fail().operations() == {}
