"""A registered cluster gets another name; its agent in the cluster goes on."""

from pathlib import Path

from tests.engine.needs import docker_marks
from tests.engine.rancher_lab import rancher_lab

pytestmark = docker_marks("docker", "kubernetes")


def test_another_name_renames_the_cluster_in_rancher_and_touches_nothing_in_it(
    tmp_path: Path,
) -> None:
    with rancher_lab(tmp_path) as lab:
        stack = lab.engine(tmp_path / "engine").project_stack("name", config=lab.config())
        stack.up().or_fail()
        registered = stack.outputs()["rancherClusterId"]
        cluster = lab.config()["cluster"]
        stack.configure({"cluster": {**cluster, "name": "renamed"}})
        outcome = stack.up().or_fail()
        assert outcome.step("rancher-registration", "update")
        touched = {step.name for step in outcome.steps if step.operation not in ("same", "read")}
        assert not {name for name in touched if name.startswith("rancher-agent-")}
        assert "delete-replaced" not in outcome.operations()
        assert stack.outputs()["rancherClusterId"] == registered
        assert stack.outputs()["rancherClusterState"] == "active"
        assert stack.preview("--refresh").or_fail().operations() == {}
        stack.destroy().or_fail()
        namespaces = lab.kubectl("get", "namespaces", "-o", "name")
        assert "namespace/cattle-system" not in namespaces
