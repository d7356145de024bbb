"""A control-plane node as kubeadm 1.21 makes it: static pod manifests, systemd, a kubelet."""

from __future__ import annotations

from tests.scripts.a_kubelet import MANIFESTS, PORTS
from tests.scripts.package_managers import TOOLS, add_tool
from tests.scripts.remote import Outcome, run_script
from tests.scripts.sandbox import Sandbox

RECORDS = "/var/lib/longhorn-rancher/manifests"
LINE = "    - --port=0\n"
_EXTRA = {
    "kube-controller-manager": """\
    - --allocate-node-cidrs=true
    - --cluster-name=kubernetes
    - --leader-elect=true
""",
    "kube-scheduler": """\
    - --kubeconfig=/etc/kubernetes/scheduler.conf
    - --leader-elect=true
""",
}
_MANIFEST = """\
apiVersion: v1
kind: Pod
metadata:
  annotations:
    note: "the line - --port=0 hides the port"
  creationTimestamp: null
  labels:
    component: {name}
    tier: control-plane
  name: {name}
  namespace: kube-system
spec:
  containers:
  - command:
    - {name}
    - --authentication-kubeconfig=/etc/kubernetes/{name}.conf
    - --bind-address=127.0.0.1
{extra}    # do not write - --port=0 here:   trailing blanks follow  \n\
    - --port=0
    - --use-service-account-credentials=true
    #- --port=0
    image: {image}
    imagePullPolicy: IfNotPresent
    livenessProbe:
      httpGet:
        path: /healthz
        port: 10259
    name: {name}
  hostNetwork: true
status: {{}}
"""


def manifest(name: str, image: str = "k8s.gcr.io/{name}:v1.21.14") -> str:
    """The static pod manifest of this component, with comments that a person left in it."""
    return _MANIFEST.format(name=name, extra=_EXTRA[name], image=image.format(name=name))


def without_the_line(text: str) -> str:
    assert text.count(LINE) == 1
    return text.replace(LINE, "")


def path_of(name: str) -> str:
    return f"{MANIFESTS}/{name}.yaml"


def manifests(host: Sandbox) -> dict[str, str]:
    """The text of both manifests, by component."""
    return {name: host.read_text(path_of(name)) for name in PORTS}


BEFORE = {name: manifest(name) for name in PORTS}
AFTER = {name: without_the_line(text) for name, text in BEFORE.items()}


def become_control_plane(host: Sandbox) -> None:
    """Gives the host both manifests, a systemd with an active kubelet, and a clock that stands."""
    for name, text in BEFORE.items():
        host.write_text(path_of(name), text)
        host.shell(f"chmod 600 {path_of(name)}")
    host.shell("mkdir -p /run/systemd/system /run/active; : >/run/active/kubelet; : >/run/calls")
    add_tool(
        host,
        "systemctl",
        'for unit; do :; done\ncase $1 in is-active) [ -e "/run/active/$unit" ] ;; esac\n',
    )
    # Time passes only where a test says so: a slow machine is no reason to give up.
    host.write_text("/run/clock", "1000\n")
    add_tool(
        host,
        "sleep",
        "/usr/bin/sleep 0.02\n[ ! -e /run/time-passes ] || echo $(($(cat /run/clock) + $1))"
        " >/run/clock.new\n[ ! -e /run/clock.new ] || mv /run/clock.new /run/clock\n",
    )
    add_tool(host, "date", "cat /run/clock\n")


def health_script(host: Sandbox, action: str, shell: str = "sh") -> Outcome:
    name = "control-plane-look" if action == "check" else "control-plane-health.sh"
    return run_script(host, name, action, path=TOOLS, shell=shell)


def port_answers(host: Sandbox, name: str) -> bool:
    url = f"http://127.0.0.1:{PORTS[name]}/healthz"
    return host.call("curl", "-fsS", "--max-time", "5", url).stdout == "ok"
