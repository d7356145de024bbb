"""The objects of one volume check."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.volume_check.objects import claim_of, given_without_binding, job_of, script_of

_PROPS: dict[str, Any] = {
    "namespace": "longhorn-system",
    "script": "#!/bin/sh\n",
    "storage_class": "longhorn",
    "access_mode": "ReadWriteMany",
    "size": "10Mi",
    "image": "busybox:1.36.1",
    "timeout_seconds": 600.0,
}


def _objects(**changes: Any) -> dict[str, dict[str, Any]]:
    props = {**_PROPS, **changes}
    return {
        "script": script_of(props, "volume-check-1"),
        "claim": claim_of(props, "volume-check-1"),
        "write": job_of(props, "volume-check-1", "write", "token", "10485760"),
        "read": job_of(props, "volume-check-1", "read", "token"),
    }


def _container(step: str, **changes: Any) -> dict[str, Any]:
    pod = _objects(**changes)[step]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return container


def test_the_claim_asks_for_what_the_stack_says() -> None:
    spec = _objects(size="1Gi", access_mode="ReadWriteOnce", storage_class="fast")["claim"]["spec"]
    assert spec == {
        "storageClassName": "fast",
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }


def test_the_pods_run_where_longhorn_runs_and_pull_from_its_registry() -> None:
    given = [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}]
    for step in ("write", "read"):
        objects = _objects(**{"tolerations": given, "pull_secret": "registry"})
        pod = objects[step]["spec"]["template"]["spec"]
        assert pod["tolerations"] == given
        assert pod["imagePullSecrets"] == [{"name": "registry"}]


def test_without_taints_and_registry_the_pods_have_neither() -> None:
    pod = _objects()["write"]["spec"]["template"]["spec"]
    assert (pod["tolerations"], pod["imagePullSecrets"]) == ([], [])


def test_writer_and_reader_are_two_jobs_so_that_two_pods_see_the_volume() -> None:
    objects = _objects()
    names = {objects[step]["metadata"]["name"] for step in ("write", "read")}
    assert names == {"volume-check-1-write", "volume-check-1-read"}


def test_the_jobs_run_the_script_with_its_step_the_token_and_the_size_to_prove() -> None:
    script = "/script/volume-check.sh"
    assert _container("write")["command"][-5:] == [script, "write", "/volume", "token", "10485760"]
    assert _container("read")["command"][-4:] == [script, "read", "/volume", "token"]
    assert _container("read")["image"] == "busybox:1.36.1"


@pytest.mark.parametrize(
    ("step", "complaint"),
    [("write", "the volume was given 10485760"), ("read", "SUCCESS is not there")],
)
def test_the_script_understands_what_a_job_passes_to_it(
    tmp_path: Path, step: str, complaint: str
) -> None:
    words = _container(step)["command"][4:]
    words[1] = str(tmp_path)
    script = Path(__file__).parents[3] / "components/volume_check/volume-check.sh"
    done = subprocess.run(["sh", str(script), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert complaint in done.stderr


@pytest.mark.parametrize(
    ("requested", "given"), [("1Mi", 10 * 2**20), ("10Mi", 10 * 2**20), ("11Mi", 12 * 2**20)]
)
def test_a_claim_that_waits_for_its_pod_is_expected_as_longhorn_rounds(
    requested: str, given: int
) -> None:
    assert given_without_binding(requested) == given


@pytest.mark.parametrize("step", ["write", "read"])
def test_a_job_mounts_the_claim_and_the_script_of_its_own_run(step: str) -> None:
    spec = _objects()[step]["spec"]["template"]["spec"]
    sources = {volume["name"]: volume for volume in spec["volumes"]}
    assert sources["volume"]["persistentVolumeClaim"]["claimName"] == "volume-check-1"
    assert sources["script"]["configMap"]["name"] == "volume-check-1"
    assert {mount["name"] for mount in _container(step)["volumeMounts"]} == {"volume", "script"}


@pytest.mark.parametrize("step", ["write", "read"])
def test_a_job_ends_by_itself(step: str) -> None:
    spec = _objects(timeout_seconds=90.0)[step]["spec"]
    assert spec["activeDeadlineSeconds"] == 90
    assert isinstance(spec["activeDeadlineSeconds"], int), "the API server takes whole seconds"
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


@pytest.mark.parametrize("step", ["write", "read"])
def test_a_pod_of_the_check_gets_no_access_to_the_cluster(step: str) -> None:
    assert _objects()[step]["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_every_object_stands_in_the_same_namespace_and_carries_the_labels() -> None:
    for key, body in _objects(namespace="checks").items():
        assert body["metadata"]["namespace"] == "checks", key
        assert body["metadata"]["labels"]["app.kubernetes.io/name"] == "volume-check", key


def test_the_script_travels_in_the_config_map() -> None:
    assert _objects()["script"]["data"] == {"volume-check.sh": "#!/bin/sh\n"}
