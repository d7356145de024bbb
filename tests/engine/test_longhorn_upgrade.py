"""Longhorn goes from one version to the next by `up`, or is refused before anything starts.

Helm and the API server are real, the charts where they can be had. The managers are played by the
lab's stand-in, which says to be the version that the chart brought. The tests follow one another on
one cluster.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from lab.cluster import kubernetes
from lab.cluster.kubernetes import ClusterHandle
from lab.common.waiting import wait_until
from lab.longhorn import chart
from tests.engine.engine import Engine, Outcome, Stack
from tests.engine.kubectl import kubectl
from tests.engine.needs import marks
from tests.engine.runbook import commands

FIRST, PATCH, NEXT = "1.5.3", "1.5.5", "1.6.4"
pytestmark = marks("kubernetes")

NAMESPACE = "longhorn-system"
_OFF = ("packages", "disks", "labels", "frontend", "rancher")
_STRANGER = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: settings.longhorn.io}}
spec:
  group: longhorn.io
  scope: Namespaced
  names: {{kind: Setting, plural: settings}}
  versions:
    - name: v1beta2
      served: true
      storage: true
      schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}}}
"""
_SETTING = """
apiVersion: longhorn.io/v1beta2
kind: Setting
metadata: {{name: current-longhorn-version, namespace: {namespace}}}
value: v1.4.2
"""
_VOLUME = {
    "apiVersion": "longhorn.io/v1beta2",
    "kind": "Volume",
    "metadata": {"name": "pvc-1", "namespace": NAMESPACE},
    "spec": {"numberOfReplicas": 3, "size": "10485760", "frontend": "blockdev"},
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[ClusterHandle]:
    """Three workers, without hosts."""
    with pytest.MonkeyPatch.context() as patch:
        # Only the stand-in can be any version.
        patch.setenv("LAB_LONGHORN", "stand-in")
        try:
            yield kubernetes.up(["worker-1", "worker-2", "worker-3"])
        finally:
            kubernetes.down()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("upgrade") / "engine")


@pytest.fixture(scope="module")
def stack(engine: Engine, cluster: ClusterHandle) -> Stack:
    """A stack that nothing has been made of yet."""
    return engine.project_stack("upgrade", config=_config(cluster))


def _config(cluster: ClusterHandle) -> dict[str, Any]:
    return {
        "cluster": {"name": "upgrade", "kubeconfig": str(cluster.kubeconfig)},
        "stages": {**dict.fromkeys(_OFF, False), "longhorn": True, "volumeCheck": True},
        "checks": {"readHosts": False},
        "longhorn": _longhorn(FIRST),
    }


def _longhorn(version: str) -> dict[str, Any]:
    path = chart.local_chart(version)
    source = {} if path is None else {"chartPath": str(path)}
    return {"version": version, "allowUninstall": True, "timeoutSeconds": 900, **source}


def _object(cluster: ClusterHandle, *words: str) -> dict[str, Any]:
    return json.loads(kubectl(cluster, "-n", NAMESPACE, "get", *words, "-o", "json"))


def _manager_image(cluster: ClusterHandle) -> str:
    (container,) = _object(cluster, "daemonset", "longhorn-manager")["spec"]["template"]["spec"][
        "containers"
    ]
    return container["image"]


def _said_version(cluster: ClusterHandle) -> str:
    return _object(cluster, "settings.longhorn.io", "current-longhorn-version")["value"]


def _helm_revisions(cluster: ClusterHandle) -> int:
    secrets = kubectl(cluster, "-n", NAMESPACE, "get", "secrets", "-l", "owner=helm", "-o", "name")
    return len(secrets.splitlines())


def _refused(stack: Stack, cluster: ClusterHandle, version: str, *reasons: str) -> None:
    """Preview and `up` to that version are refused with these reasons, and nothing changes."""
    stack.configure({"longhorn": _longhorn(version)})
    before = _manager_image(cluster), _helm_revisions(cluster), _versions(stack)
    for outcome in (stack.preview(), stack.up()):
        assert not outcome.succeeded
        for reason in reasons:
            assert reason in outcome.errors()
        assert _touched(outcome) == {}, "something was begun in spite of the refusal"
    assert (_manager_image(cluster), _helm_revisions(cluster), _versions(stack)) == before


def _versions(stack: Stack) -> dict[str, Any]:
    """The version in the state of each resource that has one."""
    return {
        resource["urn"]: resource["inputs"]["version"]
        for resource in stack.resources()
        if "version" in resource.get("inputs", {})
    }


def _touched(outcome: Outcome) -> dict[str, str]:
    """What an operation did, by the name of the resource."""
    return {
        step.name: step.operation
        for step in outcome.steps
        if step.operation not in ("same", "read") and not step.type.startswith("pulumi:")
    }


@pytest.mark.parametrize("namespace", [NAMESPACE, "longhorn"])
def test_a_longhorn_of_somebody_elses_is_left_alone(
    stack: Stack, cluster: ClusterHandle, namespace: str
) -> None:
    kubectl(cluster, "apply", "-f", "-", text=_STRANGER.format(namespace=namespace))
    kubectl(cluster, "wait", "--for=condition=Established", "crd/settings.longhorn.io")
    kubectl(cluster, "apply", "-f", "-", text=_SETTING.format(namespace=namespace))
    checks = _config(cluster)["checks"]
    for accepted, said in (
        ([], "no Helm release owns"),
        (["longhornLeftovers"], f"Longhorn v1.4.2 is in namespace {namespace} already"),
    ):
        stack.configure({"checks": {**checks, "accept": accepted}})
        for outcome in (stack.preview(), stack.up()):
            assert not outcome.succeeded
            assert said in outcome.errors()
    stack.configure({"checks": checks})
    assert not stack.resources("kubernetes:core/v1:Namespace")
    kubectl(cluster, "delete", "crd/settings.longhorn.io", f"namespace/{namespace}")


def test_the_first_version_is_installed(stack: Stack, cluster: ClusterHandle) -> None:
    stack.up(seconds=900).or_fail()
    assert _said_version(cluster) == f"v{FIRST}"
    assert stack.outputs()["longhornVersion"] == FIRST
    assert stack.preview().or_fail().operations() == {}


def test_a_second_stack_does_not_take_over_the_longhorn_of_the_first(
    engine: Engine, stack: Stack, cluster: ClusterHandle
) -> None:
    del stack
    second = engine.project_stack("second", config=_config(cluster))
    for outcome in (second.preview(), second.up()):
        assert not outcome.succeeded
        assert "the stack longhorn-rancher/upgrade did" in outcome.errors()
    assert not second.resources("kubernetes:core/v1:Namespace")


def test_a_degraded_volume_stops_an_upgrade_and_nothing_else(
    stack: Stack, cluster: ClusterHandle
) -> None:
    kubectl(cluster, "apply", "-f", "-", text=json.dumps(_VOLUME))
    status = {"status": {"state": "attached", "robustness": "degraded"}}
    volume = ("-n", NAMESPACE, "patch", "volumes.longhorn.io", "pvc-1", "--type=merge")
    kubectl(cluster, *volume, "--subresource=status", "-p", json.dumps(status))
    assert stack.preview().or_fail().operations() == {}
    _refused(stack, cluster, PATCH, "1 volume is degraded: pvc-1")
    status["status"]["robustness"] = "healthy"
    kubectl(cluster, *volume, "--subresource=status", "-p", json.dumps(status))


def test_a_patch_version_replaces_the_managers_and_checks_a_volume_again(
    stack: Stack, cluster: ClusterHandle
) -> None:
    _upgraded(stack, cluster, PATCH)


def test_a_skipped_minor_version_is_refused(stack: Stack, cluster: ClusterHandle) -> None:
    image = _manager_image(cluster)
    _set_manager_image(cluster, image.replace(f"v{PATCH}", "v1.4.4"), "v1.4.4")
    _refused(stack, cluster, NEXT, "skips a minor version", "Go to the newest 1.5.x first")
    _set_manager_image(cluster, image, f"v{PATCH}")


def _set_manager_image(cluster: ClusterHandle, image: str, version: str) -> None:
    words = ("set", "image", "daemonset/longhorn-manager", f"longhorn-manager={image}")
    kubectl(cluster, "-n", NAMESPACE, *words)
    wait_until(
        lambda: _said_version(cluster) == version or None,
        doing=f"the stand-in says {version}",
        seconds=60.0,
    )


def test_the_next_minor_version_replaces_the_managers_and_checks_a_volume_again(
    stack: Stack, cluster: ClusterHandle
) -> None:
    _upgraded(stack, cluster, NEXT)


def _upgraded(stack: Stack, cluster: ClusterHandle, version: str) -> None:
    stack.configure({"longhorn": _longhorn(version)})
    outcome = stack.up(seconds=900).or_fail()
    touched = _touched(outcome)
    assert touched["longhorn-upgrade"] == "update"
    assert touched["longhorn-release"] == "update"
    assert touched["longhorn-ready"] == "update"
    assert "replace" in touched["volume-check"] or "create" in touched["volume-check"]
    assert "longhorn-namespace" not in touched
    assert _manager_image(cluster).endswith(f":v{version}")
    assert _said_version(cluster) == f"v{version}"
    assert stack.outputs()["longhornVersion"] == version
    assert stack.preview().or_fail().operations() == {}


@pytest.mark.parametrize("heading", ["Before", "The engines of the volumes", "How to check"])
def test_what_the_runbook_says_to_type_works(cluster: ClusterHandle, heading: str) -> None:
    done = subprocess.run(
        ["sh", "-e", "-c", commands("upgrade-longhorn", heading)],
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_going_back_is_refused_with_everything_else_that_is_wrong(
    stack: Stack, cluster: ClusterHandle
) -> None:
    status = json.dumps({"status": {"state": "detached", "robustness": "faulted"}})
    volume = ("-n", NAMESPACE, "patch", "volumes.longhorn.io", "pvc-1", "--type=merge")
    kubectl(cluster, *volume, "--subresource=status", "-p", status)
    _refused(stack, cluster, PATCH, "can't go back to 1.5.5", "1 faulted volume: pvc-1")


def test_what_was_destroyed_can_be_installed_anew_at_any_version(
    stack: Stack, cluster: ClusterHandle
) -> None:
    stack.configure({"longhorn": _longhorn(NEXT)})
    kubectl(cluster, "-n", NAMESPACE, "delete", "volumes.longhorn.io", "pvc-1")
    stack.destroy(seconds=900).or_fail()
    stack.configure({"longhorn": _longhorn(FIRST)})
    assert stack.preview().or_fail().succeeded
