"""The lab runs the real longhorn-manager where it can, as a pod's specification says."""

from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import (
    V1Container,
    V1EnvVar,
    V1EnvVarSource,
    V1HTTPGetAction,
    V1ObjectFieldSelector,
    V1ObjectMeta,
    V1Pod,
    V1PodSpec,
    V1PodStatus,
    V1Probe,
    V1SecretKeySelector,
)

from configuration.longhorn import DEFAULT_VERSION
from lab.common.progress import LabError
from lab.longhorn.manager import choice, pod_spec

HOSTS = ["node-1", "node-2"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path with nothing but what a test puts there; Longhorn's own chart is there."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("LAB_LONGHORN", raising=False)
    monkeypatch.setattr(choice.chart, "missing_chart", lambda: None)
    return tmp_path


def _install(folder: Path, version: str) -> Path:
    program = folder / "longhorn-manager"
    program.write_text(f"#!/bin/sh\necho longhorn-manager version {version}\n")
    program.chmod(0o755)
    return program


def test_the_real_manager_plays_where_it_is_and_every_node_has_a_host(path: Path) -> None:
    program = _install(path, f"v{DEFAULT_VERSION}")
    assert choice.chosen(HOSTS, HOSTS) == choice.Choice(choice.REAL, str(program))


def test_a_machine_without_the_real_manager_has_the_stand_in(path: Path) -> None:
    del path
    found = choice.chosen(HOSTS, HOSTS)
    assert found.process == choice.STAND_IN
    assert str(found) == f"a stand-in (no longhorn-manager v{DEFAULT_VERSION} on PATH)"


def test_the_real_manager_does_not_play_with_the_labs_own_chart(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(path, f"v{DEFAULT_VERSION}")
    monkeypatch.setattr(choice.chart, "missing_chart", lambda: "no chart")
    assert choice.chosen(HOSTS, HOSTS) == choice.Choice(choice.STAND_IN, "no chart")


def test_a_manager_of_another_version_does_not_play(path: Path) -> None:
    _install(path, "v1.4.0")
    found = choice.chosen(HOSTS, HOSTS)
    assert found.process == choice.STAND_IN
    assert "longhorn-manager version v1.4.0" in found.why


def test_a_node_without_a_host_is_the_stand_ins_affair(path: Path) -> None:
    _install(path, f"v{DEFAULT_VERSION}")
    found = choice.chosen([*HOSTS, "imagined"], HOSTS)
    assert found == choice.Choice(choice.STAND_IN, "no lab host for node imagined")


def test_the_stand_in_can_be_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(path, f"v{DEFAULT_VERSION}")
    monkeypatch.setenv("LAB_LONGHORN", "stand-in")
    assert choice.chosen(HOSTS, HOSTS).process == choice.STAND_IN


def test_asking_for_the_real_one_where_there_is_none_fails_with_the_reason(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del path
    monkeypatch.setenv("LAB_LONGHORN", "real")
    with pytest.raises(LabError, match=r"LAB_LONGHORN=real: no longhorn-manager v.* on PATH"):
        choice.chosen(HOSTS, HOSTS)


def test_a_misspelt_wish_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del path
    monkeypatch.setenv("LAB_LONGHORN", "reel")
    with pytest.raises(LabError, match="LAB_LONGHORN=reel: give real, stand-in, or nothing"):
        choice.chosen(HOSTS, HOSTS)


def _pod(**container: Any) -> V1Pod:
    return V1Pod(
        metadata=V1ObjectMeta(name="longhorn-manager-abcde", namespace="longhorn-system"),
        spec=V1PodSpec(node_name="node-1", containers=[V1Container(name="main", **container)]),
        status=V1PodStatus(pod_ip="10.87.0.11"),
    )


def _from_field(name: str, field: str) -> V1EnvVar:
    source = V1EnvVarSource(field_ref=V1ObjectFieldSelector(field_path=field))
    return V1EnvVar(name=name, value_from=source)


def test_variables_that_come_from_the_pod_itself_are_filled_in() -> None:
    pod = _pod(
        env=[
            _from_field("POD_NAMESPACE", "metadata.namespace"),
            _from_field("NODE_NAME", "spec.nodeName"),
            _from_field("POD_IP", "status.podIP"),
            V1EnvVar(name="PLAIN", value="text"),
        ]
    )
    assert pod_spec.environment(pod) == {
        "POD_NAMESPACE": "longhorn-system",
        "NODE_NAME": "node-1",
        "POD_IP": "10.87.0.11",
        "PLAIN": "text",
    }


def test_a_variable_from_elsewhere_is_refused_by_name() -> None:
    secret = V1EnvVarSource(secret_key_ref=V1SecretKeySelector(key="token"))
    with pytest.raises(LabError, match="longhorn-manager-abcde: the lab can't give TOKEN"):
        pod_spec.environment(_pod(env=[V1EnvVar(name="TOKEN", value_from=secret)]))


def test_a_pod_serves_where_its_readiness_probe_says() -> None:
    get = V1HTTPGetAction(path="/v1/healthz", port=9501, scheme="HTTPS")
    probed = _pod(readiness_probe=V1Probe(http_get=get))
    assert pod_spec.readiness(probed) == pod_spec.Probe("/v1/healthz", 9501)
    assert pod_spec.readiness(_pod()) is None


def test_the_last_words_are_the_message_of_the_last_line() -> None:
    log = (
        'time="1" level=info msg="begins"\ntime="2" level=fatal msg="no \\"flag\\"" file="a.go:1"\n'
    )
    assert pod_spec.last_words(log) == 'no "flag"'
    assert pod_spec.last_words("started\npanic: out of words\n\n") == "panic: out of words"
    assert pod_spec.last_words("") == ""
