"""A Rancher that has a cluster is stopped by hand: nothing but its start is due."""

from pathlib import Path

from tests.engine.needs import docker_marks
from tests.engine.rancher_lab import rancher_lab

pytestmark = docker_marks("docker", "kubernetes")


def test_a_stopped_rancher_is_started_before_whatever_asks_it_and_all_else_stays_known(
    tmp_path: Path,
) -> None:
    with rancher_lab(tmp_path) as lab:
        config = {**lab.config(), "checks": {"readCluster": False}}
        stack = lab.engine(tmp_path / "engine").project_stack("running", config=config)
        stack.up().or_fail()
        lab.host.sh("docker stop rancher")
        previewed = stack.preview("--diff").or_fail()
        assert previewed.operations() == {"update": 1}
        assert "container rancher is stopped since " in previewed.log
        # With something to do in Rancher, too.
        renamed = {**config["cluster"], "name": "renamed"}
        stack.configure({**config, "cluster": renamed})
        stack.up().or_fail()
        assert stack.outputs()["rancherClusterState"] == "active"
        assert stack.preview().or_fail().operations() == {}
        stack.destroy().or_fail()
