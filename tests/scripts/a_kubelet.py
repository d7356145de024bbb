"""A kubelet that runs the two control-plane components of kubeadm's static pods, as far as their
health ports go: it watches the manifests folder and opens or closes the ports.

Started by `kubelet()` in a sandbox's network; it refuses to know the script under test. It takes
every file of the folder that does not begin with a dot for a pod, as the real one does, and writes
down every name that it ever saw there.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import yaml

from tests.scripts.sandbox import Sandbox

MANIFESTS = "/etc/kubernetes/manifests"
PORTS = {"kube-controller-manager": 10252, "kube-scheduler": 10251}
SEEN = "/run/seen-by-kubelet"
# A file of this name lets a component start but never become healthy.
ILL = "/run/ill"
_LOOK_SECONDS = 0.01


class _Health(BaseHTTPRequestHandler):
    component: str
    root: Path

    def do_GET(self) -> None:  # the server's name for it
        ill = (self.root / f"{ILL[1:]}-{self.component}").exists()
        self.send_response(500 if ill or self.path != "/healthz" else 200)
        self.end_headers()
        self.wfile.write(b"not well" if ill else b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class _Server(HTTPServer):
    allow_reuse_address = True


def _opens_port(manifest: Path, component: str) -> bool:
    try:
        pod = yaml.safe_load(manifest.read_text())
        arguments = pod["spec"]["containers"][0]["command"]
    except (OSError, yaml.YAMLError, TypeError, KeyError):
        return False
    return arguments[0] == component and "--port=0" not in arguments


def main(root: Path) -> None:
    """Watch the folder below `root` until standard input ends."""
    servers: dict[str, HTTPServer] = {}
    threading.Thread(target=_run, args=(root, servers), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


def _run(root: Path, servers: dict[str, HTTPServer]) -> None:
    folder = root / MANIFESTS[1:]
    seen: set[str] = set()
    while True:
        names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        if names - seen:
            seen |= names
            (root / SEEN[1:]).write_text("\n".join(sorted(seen)))
        for component, port in PORTS.items():
            opens = _opens_port(folder / f"{component}.yaml", component)
            if opens and component not in servers:
                handler = type("Health", (_Health,), {"component": component, "root": root})
                servers[component] = _Server(("127.0.0.1", port), handler)
                threading.Thread(target=servers[component].serve_forever, args=(0.01,)).start()
            if not opens and component in servers:
                gone = servers.pop(component)
                gone.shutdown()
                gone.server_close()
        time.sleep(_LOOK_SECONDS)


@contextmanager
def kubelet(host: Sandbox) -> Iterator[None]:
    """Runs the kubelet for the sandbox, in a network of the sandbox's own."""
    network = host.isolate_network()
    process = subprocess.Popen(
        [
            *("nsenter", f"--net={network}", "--"),
            *(sys.executable, "-m", "tests.scripts.a_kubelet", str(host.root)),
        ],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
