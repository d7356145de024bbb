"""What is left of Rancher in a cluster that was taken out: nothing of Rancher's, all of others'.

Rancher and its agent are the lab's stand-ins, whose clean-up leaves what Rancher's own leaves.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.engine import Stack
from tests.engine.needs import docker_marks
from tests.engine.rancher_lab import RancherLab, rancher_lab

pytestmark = docker_marks("docker", "kubernetes")
# What has one of Rancher's names and belongs to K3s, to Fleet, or to a person.
_OTHERS = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: helmcharts.helm.cattle.io}
spec:
  group: helm.cattle.io
  names: {kind: HelmChart, plural: helmcharts, singular: helmchart}
  scope: Cluster
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: cattle-fleet-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cattle-reader}
"""
_KINDS = "namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,jobs"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RancherLab]:
    with rancher_lab(tmp_path_factory.mktemp("r")) as made:
        yield made


def named(lab: RancherLab) -> set[str]:
    """Everything that has a name like Rancher's, as kind/name."""
    found = lab.kubectl("get", _KINDS, "-n", "default", "-o", "name").split()
    return {
        each for each in found if "cattle" in each or each.endswith("/local") or "proxy-" in each
    }


def destroyed(stack: Stack) -> str:
    return stack.destroy().or_fail().log


def test_destroy_waits_for_ranchers_clean_up_and_removes_what_it_left(
    lab: RancherLab, tmp_path: Path
) -> None:
    others = tmp_path / "others.yaml"
    others.write_text(_OTHERS)
    lab.kubectl("apply", "-f", str(others))
    before = named(lab)
    stack = lab.engine(tmp_path / "engine").project_stack("gone", config=lab.config())
    stack.up().or_fail()
    brought = named(lab) - before
    for each in ("namespace/local", "clusterrole.rbac.authorization.k8s.io/cattle-unauthenticated"):
        assert each in brought
    assert any(each.endswith("settings.management.cattle.io") for each in brought)
    stack.preview("--expect-no-changes").or_fail()

    said = destroyed(stack)
    assert "removing Namespace local, which its clean-up left" in said
    # Rancher's own clean-up takes this one by its name, whoever made it.
    assert named(lab) == before - {"namespace/cattle-fleet-system"}


def test_a_cluster_that_was_taken_out_is_imported_again_with_the_password_that_rancher_has(
    lab: RancherLab, tmp_path: Path
) -> None:
    config = lab.config(dataVolume="again-data")
    stack = lab.engine(tmp_path / "engine").project_stack("again", config=config)
    stack.up().or_fail()
    password = stack.outputs()["rancherAdminPassword"]
    stack.configure({**config, "stages": {**config["stages"], "rancherImport": False}})
    stack.up().or_fail()
    assert "rancherClusterId" not in stack.outputs()

    stack.configure(config)
    stack.up().or_fail()
    assert stack.outputs()["rancherClusterState"] == "active"
    assert stack.outputs()["rancherAdminPassword"] == password
    destroyed(stack)


def test_destroy_ends_without_a_rancher_that_could_let_the_namespaces_go(
    lab: RancherLab, tmp_path: Path
) -> None:
    before = named(lab)
    config = lab.config(dataVolume="held-data")
    stack = lab.engine(tmp_path / "engine").project_stack("held", config=config)
    stack.up().or_fail()
    finalizers = ("get", "namespace", "cattle-system", "-o", "jsonpath={.metadata.finalizers}")
    assert "controller.cattle.io/namespace-auth" in lab.kubectl(*finalizers)
    lab.host.sh("docker stop rancher")

    assert "Rancher is gone" in destroyed(stack)
    assert named(lab) <= before
    held = lab.kubectl("get", "namespaces", "-o", "jsonpath={.items[*].metadata.finalizers}")
    assert "controller.cattle.io/namespace-auth" not in held
