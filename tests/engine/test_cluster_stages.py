"""Stages that need a cluster and nothing else: taints, the frontend, a manifest given by hand."""

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.rancher.registration.registration import RancherRegistrationProvider
from lab.cluster import kubernetes
from lab.cluster.kubernetes import ClusterHandle
from lab.rancher.stand_in.server import StandIn
from tests.engine.definitions import TRAEFIK
from tests.engine.engine import Engine
from tests.engine.kubectl import kubectl
from tests.engine.needs import marks
from tests.unit.doubles.a_rancher import registration_inputs, running, url_of
from tests.unit.doubles.certificates import issue

pytestmark = marks("kubernetes")
_OFF = ("packages", "disks", "labels", "longhorn", "frontend", "rancher")
_HASH = "$apr1$unmistak$ablehashablehashableha"
_INGRESS_CLASS = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
"""
_LONGHORN = """
apiVersion: v1
kind: Namespace
metadata: {name: longhorn-system}
---
apiVersion: v1
kind: Service
metadata: {name: longhorn-frontend, namespace: longhorn-system}
spec: {selector: {app: longhorn-ui}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: longhorn-ui, namespace: longhorn-system}
spec:
  selector: {matchLabels: {app: longhorn-ui}}
  template:
    metadata: {labels: {app: longhorn-ui}}
    spec: {containers: [{name: ui, image: ui, ports: [{name: http, containerPort: 8000}]}]}
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[ClusterHandle]:
    """A worker and a tainted control-plane node, without hosts."""
    try:
        yield kubernetes.up(["worker-1", "control-1"], ["control-1"])
    finally:
        kubernetes.down()


def config(cluster: ClusterHandle, stages: dict[str, bool], **more: Any) -> dict[str, Any]:
    return {
        "cluster": {"name": "stages", "kubeconfig": str(cluster.kubeconfig)},
        "stages": {**dict.fromkeys(_OFF, False), **stages},
        "checks": {"readHosts": False, "readCluster": False},
        **more,
    }


def taints(cluster: ClusterHandle) -> set[str]:
    node = json.loads(kubectl(cluster, "get", "node", "control-1", "-o", "json"))
    return {taint["key"] for taint in node["spec"].get("taints", [])}


def test_untaint_takes_the_control_plane_taints_alone_and_destroy_puts_them_back(
    engine: Engine, cluster: ClusterHandle
) -> None:
    kubectl(cluster, "taint", "node", "control-1", "somebody/elses=true:NoSchedule")
    before = taints(cluster)
    assert len(before) >= 2
    node = {"name": "control-1", "host": "192.0.2.1", "controlPlane": True, "disks": []}
    stack = engine.project_stack(
        "taints",
        config=config(
            cluster,
            {"labels": True},
            ssh={"useAgent": True, "insecureIgnoreHostKeys": True},
            controlPlane={"scheduling": "untaint"},
            nodes=[node],
        ),
    )
    stack.up().or_fail()
    assert taints(cluster) == {"somebody/elses"}
    assert stack.preview().or_fail().operations() == {}
    kubectl(cluster, "taint", "node", "control-1", "node-role.kubernetes.io/master:NoSchedule")
    stack.refresh().or_fail()
    stack.up().or_fail()
    assert taints(cluster) == {"somebody/elses"}, "a taint that came back should be taken off"
    stack.destroy().or_fail()
    assert before <= taints(cluster)


def test_a_refresh_by_the_path_of_a_moved_kubeconfig_says_how_the_new_one_comes_into_the_state(
    engine: Engine, cluster: ClusterHandle, tmp_path: Path
) -> None:
    kubectl(cluster, "apply", "-f", "-", text=_LONGHORN)
    first, moved = tmp_path / "first", tmp_path / "moved"
    first.write_text(cluster.kubeconfig.read_text())
    node = {"name": "control-1", "host": "192.0.2.1", "controlPlane": True, "disks": []}
    given = config(
        cluster,
        {"labels": True, "frontend": True},
        ssh={"useAgent": True, "insecureIgnoreHostKeys": True},
        controlPlane={"scheduling": "untaint"},
        frontend={"type": "NodePort"},
        nodes=[node],
    )
    before = taints(cluster)
    stack = engine.project_stack(
        "moved", config={**given, "cluster": {"name": "stages", "kubeconfig": str(first)}}
    )
    stack.up().or_fail()
    untainted = taints(cluster)
    first.rename(moved)
    stack.configure({"cluster": {"name": "stages", "kubeconfig": str(moved)}})
    for refused in (stack.refresh(), stack.up("--refresh")):
        assert str(first) in refused.log
        assert "run `pulumi up` without --refresh first" in " ".join(refused.log.split())
    assert taints(cluster) == untainted != before
    stack.up().or_fail()
    stack.refresh().or_fail()
    assert stack.preview().or_fail().operations() == {}
    stack.destroy().or_fail()
    assert taints(cluster) == before


@pytest.mark.parametrize("kind", ["Ingress", "LoadBalancer"])
def test_the_interface_is_exposed_and_its_url_told(
    engine: Engine, cluster: ClusterHandle, kind: str
) -> None:
    kubectl(cluster, "apply", "-f", "-", text=_LONGHORN)
    frontend: dict[str, Any] = {"type": kind}
    if kind == "Ingress":
        kubectl(cluster, "apply", "-f", "-", text=_INGRESS_CLASS)
        frontend |= {"host": "longhorn.example.com", "tlsSecret": "longhorn-tls"}
        frontend |= {"ingressClass": "nginx"}
    stack = engine.project_stack(
        "frontend",
        config=config(cluster, {"frontend": True}, frontend=frontend),
        secrets={"frontendBasicAuth": f"admin:{_HASH}"} if kind == "Ingress" else {},
    )
    # What an ingress controller or a load balancer would do.
    resource = "ingress" if kind == "Ingress" else "service"
    balance = threading.Event()

    def play_the_balancer() -> None:
        words = ("patch", resource, "longhorn-ui", "-n", "longhorn-system", "--type=merge")
        status = json.dumps({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}})
        while not balance.wait(0.5):
            subprocess.run(
                [
                    *("kubectl", f"--kubeconfig={cluster.kubeconfig}", *words),
                    *("--subresource=status", "-p", status),
                ],
                capture_output=True,
                check=False,
            )

    player = threading.Thread(target=play_the_balancer)
    player.start()
    try:
        stack.up().or_fail()
    finally:
        balance.set()
        player.join()
    expected = "https://longhorn.example.com" if kind == "Ingress" else "http://192.0.2.7"
    assert stack.outputs()["longhornUrl"] == expected
    assert stack.preview().or_fail().operations() == {}
    assert _HASH not in json.dumps(stack.export())
    stack.destroy().or_fail()


def test_a_node_port_that_somebody_deleted_or_added_to_is_as_it_was_with_the_same_port(
    engine: Engine, cluster: ClusterHandle
) -> None:
    kubectl(cluster, "apply", "-f", "-", text=_LONGHORN)
    read = {"readHosts": False}
    given = config(cluster, {"frontend": True}, frontend={"type": "NodePort"}, checks=read)
    stack = engine.project_stack("port", config=given)
    stack.up().or_fail()
    where = ("service", "longhorn-ui", "-n", "longhorn-system")
    before = json.loads(kubectl(cluster, "get", *where, "-o", "json"))["spec"]["ports"]
    added = json.dumps({"spec": {"ports": [{"name": "more", "port": 81}]}})
    for change in (("delete", *where), ("patch", *where, "-p", added)):
        kubectl(cluster, *change)
        assert stack.preview().or_fail().operations() == {"update": 1}
        assert stack.up().or_fail().step("longhorn-frontend-kept", "update")
        after = json.loads(kubectl(cluster, "get", *where, "-o", "json"))["spec"]["ports"]
        assert after == before
        assert stack.preview().or_fail().operations() == {}
    assert str(before[0]["nodePort"]) in str(stack.outputs()["longhornUrl"])
    stack.destroy().or_fail()


def test_traefik_is_told_to_ask_for_the_password_before_the_interface_is_open(
    engine: Engine, cluster: ClusterHandle
) -> None:
    kubectl(cluster, "apply", "-f", "-", text=_LONGHORN)
    kubectl(cluster, "apply", "-f", "-", text=TRAEFIK)
    kubectl(cluster, "wait", "--for=condition=Established", "crd/middlewares.traefik.io")
    frontend: dict[str, Any] = {"type": "Ingress", "host": "longhorn.example.com"}
    frontend |= {"tlsSecret": "longhorn-tls"}
    # No controller gives this Ingress an address here.
    given = {**frontend, "ingressClass": "traefik"}
    given |= {"annotations": {"pulumi.com/skipAwait": "true"}}
    stack = engine.project_stack(
        "traefik",
        config=config(cluster, {"frontend": True}, frontend=given),
        secrets={"frontendBasicAuth": f"admin:{_HASH}"},
    )
    stack.up("--diff").or_fail()
    where = ("-n", "longhorn-system", "-o", "json")
    middleware = json.loads(kubectl(cluster, "get", "middlewares.traefik.io", *where))["items"][0]
    ingress = json.loads(kubectl(cluster, "get", "ingress", "longhorn-ui", *where))
    secret = json.loads(
        kubectl(cluster, "get", "secret", middleware["spec"]["basicAuth"]["secret"], *where)
    )
    assert base64.b64decode(secret["data"]["users"]).decode() == f"admin:{_HASH}"
    said = ingress["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.middlewares"]
    assert said == f"longhorn-system-{middleware['metadata']['name']}@kubernetescrd"
    assert stack.preview().or_fail().operations() == {}
    # A guard that somebody takes away comes back.
    kubectl(cluster, "delete", "middlewares.traefik.io", middleware["metadata"]["name"], *where[:2])
    stack.refresh().or_fail()
    assert stack.up().or_fail().operations() == {"create": 1}
    assert _HASH not in json.dumps(stack.export())
    stack.destroy().or_fail()
    left = kubectl(cluster, "get", "middlewares.traefik.io,ingress", *where[:2], "-o", "name")
    assert left.strip() == ""


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    with running(tmp_path / "rancher") as one:
        yield one


@pytest.mark.parametrize("how", ["file", "address and CA"])
def test_a_manifest_given_by_hand_is_applied_as_managed_objects(
    engine: Engine, cluster: ClusterHandle, stand_in: StandIn, tmp_path: Path, how: str
) -> None:
    outs = RancherRegistrationProvider().create(registration_inputs(stand_in)).outs or {}
    token, given, secrets = outs["registration_token"], dict[str, Any](), dict[str, str]()
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(stand_in.ca_pem)
    if how == "file":
        manifest = tmp_path / "manifest.yaml"
        manifest.write_text(outs["manifest"])
        given = {"manifestFile": str(manifest)}
    else:
        address = f"{url_of(stand_in)}/v3/import/{token}_{outs['cluster_id']}.yaml"
        secrets = {"rancherManifestUrl": address}
        given = {"caFile": str(ca_file)}
    stack = engine.project_stack(
        "given",
        config=config(cluster, {"rancherImport": True}, rancherImport=given),
        secrets=secrets,
    )
    outcome = stack.up("--diff").or_fail()
    names = kubectl(
        cluster, "get", "all,secrets,serviceaccounts", "-n", "cattle-system", "-o", "name"
    )
    assert "deployment.apps/cattle-cluster-agent" in names
    assert "secret/cattle-credentials-" in names
    encoded = base64.b64encode(token.encode()).decode()
    for text in (json.dumps(stack.export()), outcome.log):
        assert token not in text
        assert encoded not in text
    assert stack.preview().or_fail().operations() == {}
    stack.destroy().or_fail()
    namespaces = kubectl(cluster, "get", "namespaces", "-o", "name")
    assert "namespace/cattle-system" not in namespaces


def test_a_manifest_from_a_server_with_another_ca_is_not_applied(
    engine: Engine, cluster: ClusterHandle, stand_in: StandIn, tmp_path: Path
) -> None:
    outs = RancherRegistrationProvider().create(registration_inputs(stand_in)).outs or {}
    token, other = outs["registration_token"], tmp_path / "other.pem"
    other.write_text(issue("another CA").pem)
    stack = engine.project_stack(
        "forged",
        config=config(cluster, {"rancherImport": True}, rancherImport={"caFile": str(other)}),
        secrets={
            "rancherManifestUrl": f"{url_of(stand_in)}/v3/import/{token}_{outs['cluster_id']}.yaml"
        },
    )
    refused = stack.up()
    assert not refused.succeeded
    assert "not signed by the pinned CA" in refused.errors()
    assert token not in refused.log
    assert "namespace/cattle-system" not in kubectl(cluster, "get", "namespaces", "-o", "name")
