"""Helm's release after runs that died half-way, and after others have had their hands on it."""

import base64
import gzip
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.common.waiting import wait_until
from tests.engine.engine import Engine, Stack
from tests.engine.longhorn_lab import LONGHORN, LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn

pytestmark = needs_longhorn
RELEASE = "kubernetes:helm.sh/v3:Release"


@pytest.fixture(scope="module")
def lab() -> Iterator[LonghornLab]:
    with longhorn_lab(1) as started:
        yield started


@pytest.fixture
def stack(lab: LonghornLab, tmp_path: Path) -> Iterator[Stack]:
    """A stack that is not brought up; nothing of it is left behind."""
    made = Engine(tmp_path / "engine").project_stack("broken", config=lab.config())
    yield made
    made.destroy(seconds=900).or_fail()


def records(lab: LonghornLab) -> dict[str, str]:
    """Helm's records of the release: status by revision."""
    found = lab.objects("secrets", "-n", LONGHORN, "-l", "owner=helm,name=longhorn")
    labels = [item["metadata"]["labels"] for item in found]
    return {each["version"]: each["status"] for each in labels}


def manager(lab: LonghornLab) -> dict[str, Any]:
    (found,) = lab.objects("ds", "-n", LONGHORN, "--field-selector=metadata.name=longhorn-manager")
    return found["metadata"]


def _opened(secret: dict[str, Any]) -> dict[str, Any]:
    """What one of Helm's records says."""
    packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    return json.loads(gzip.decompress(packed))


def values(lab: LonghornLab) -> dict[str, Any]:
    """The values that the release was last given."""
    found = lab.objects("secrets", "-n", LONGHORN, "-l", "owner=helm,name=longhorn")
    return max(map(_opened, found), key=lambda record: record["version"])["config"]


def upgraded_by_hand(lab: LonghornLab, **changes: dict[str, Any]) -> None:
    """What `helm upgrade --reuse-values --set …` writes down: a second revision."""
    (first,) = lab.objects("secrets", "-n", LONGHORN, "-l", "owner=helm,name=longhorn")
    record = _opened(first)
    record["version"] = 2
    for section, keys in changes.items():
        record["config"][section].update(keys)
    packed = base64.b64encode(gzip.compress(json.dumps(record).encode()))
    second = {
        **first,
        "metadata": {
            "name": "sh.helm.release.v1.longhorn.v2",
            "namespace": LONGHORN,
            "labels": {**first["metadata"]["labels"], "version": "2"},
        },
        "data": {"release": base64.b64encode(packed).decode()},
    }
    lab.kubectl("create", "-f", "-", text=json.dumps(second))
    lab.kubectl(
        "label",
        "--overwrite",
        "secret",
        first["metadata"]["name"],
        "-n",
        LONGHORN,
        "status=superseded",
    )


def assert_whole(stack: Stack, lab: LonghornLab) -> None:
    assert len(stack.resources(RELEASE)) == 1
    assert set(records(lab).values()) <= {"deployed", "superseded"}
    assert stack.outputs()["longhornVersion"] == "1.5.3"
    assert stack.preview().or_fail().operations() == {}


def test_an_up_killed_while_helm_installs_is_completed_by_the_next(
    stack: Stack, lab: LonghornLab
) -> None:
    running = stack.start("up")
    wait_until(
        lambda: lab.objects("secrets", "-A", "-l", "owner=helm,name=longhorn"),
        doing="Helm begins to install",
        seconds=120,
    )
    running.kill()
    stack.unlock()
    assert stack.resources(RELEASE) == [], "the engine should not know of the release"
    stack.up(seconds=900).or_fail()
    assert_whole(stack, lab)


def test_a_release_that_the_engine_never_recorded_is_taken_over_as_it_runs(
    stack: Stack, lab: LonghornLab
) -> None:
    stack.up(seconds=900).or_fail()
    before = manager(lab)["uid"]
    (release,) = stack.resources(RELEASE)
    stack.pulumi("state", "delete", release["urn"], "--target-dependents", "--yes")
    stack.up(seconds=900).or_fail()
    assert manager(lab)["uid"] == before
    assert_whole(stack, lab)


def _refuses(lab: LonghornLab) -> bool:
    """Whether the API server refuses a DaemonSet of the managers' name by now."""
    labels = {"app": "x"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    daemons = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "longhorn-manager", "namespace": "default"},
        "spec": {"selector": {"matchLabels": labels}, "template": pod},
    }
    try:
        lab.kubectl("create", "--dry-run=server", "-f", "-", text=json.dumps(daemons))
    except AssertionError:
        return True
    return False


@pytest.fixture
def refused_managers(lab: LonghornLab) -> Iterator[Callable[[], None]]:
    """The API server refuses longhorn-manager, until what is yielded is called."""
    name = "no-managers"
    group = {"apiVersion": "admissionregistration.k8s.io/v1"}
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["daemonsets"],
    }
    policy = {
        **group,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": "object.metadata.name != 'longhorn-manager'"}],
        },
    }
    binding = {
        **group,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    kinds = "validatingadmissionpolicy,validatingadmissionpolicybinding"

    def allow() -> None:
        lab.kubectl("delete", kinds, name, "--ignore-not-found")
        wait_until(lambda: not _refuses(lab), doing="managers are allowed", seconds=60)

    lab.apply(policy, binding)
    wait_until(lambda: _refuses(lab), doing="managers are refused", seconds=60)
    yield allow
    allow()


def test_an_installation_that_failed_and_that_a_refresh_forgot_is_made_good(
    stack: Stack, lab: LonghornLab, refused_managers: Callable[[], None]
) -> None:
    assert not stack.up(seconds=900).succeeded
    assert records(lab) == {"1": "failed"}
    refused_managers()
    stack.refresh().or_fail()
    previewed = stack.preview("--diff").or_fail()
    assert previewed.operations(RELEASE) == {"update": 1}
    assert "revision 1 of longhorn failed" in previewed.log
    stack.up(seconds=900).or_fail()
    assert manager(lab)["name"] == "longhorn-manager"
    assert records(lab)["2"] == "deployed"
    assert stack.preview().or_fail().operations() == {}
    stack.refresh().or_fail()
    assert stack.preview().or_fail().operations() == {}


def test_a_manager_that_somebody_deleted_shows_in_the_preview_and_comes_again(
    stack: Stack, lab: LonghornLab
) -> None:
    stack.up(seconds=900).or_fail()
    lab.kubectl("delete", "ds", "longhorn-manager", "-n", LONGHORN)
    previewed = stack.preview("--diff").or_fail()
    assert "DaemonSet longhorn-manager is missing" in previewed.log
    stack.up(seconds=900).or_fail()
    assert manager(lab)["name"] == "longhorn-manager"
    assert stack.preview().or_fail().operations() == {}


def test_an_upgrade_that_helm_never_finished_is_done_again(stack: Stack, lab: LonghornLab) -> None:
    stack.up(seconds=900).or_fail()
    (secret,) = lab.objects("secrets", "-n", LONGHORN, "-l", "owner=helm,name=longhorn")
    # What Helm writes before it touches anything.
    secret["metadata"] = {
        "name": "sh.helm.release.v1.longhorn.v2",
        "namespace": LONGHORN,
        "labels": {**secret["metadata"]["labels"], "version": "2", "status": "pending-upgrade"},
    }
    lab.apply(secret)
    stack.configure(lab.config(reclaimPolicy="Retain"))
    stack.up(seconds=900).or_fail()
    assert records(lab) == {"1": "superseded", "2": "deployed"}
    assert_whole(stack, lab)


def test_an_object_that_the_engine_never_recorded_is_taken_over(
    stack: Stack, lab: LonghornLab
) -> None:
    lab.kubectl("create", "namespace", LONGHORN)
    stack.up(seconds=900).or_fail()
    assert_whole(stack, lab)


def test_what_a_killed_volume_check_left_is_taken_away_by_the_next(
    stack: Stack, lab: LonghornLab
) -> None:
    def claims() -> list[str]:
        found = lab.objects("pvc", "-A", "-l", "app.kubernetes.io/name=volume-check")
        return [item["metadata"]["name"] for item in found]

    running = stack.start("up")
    wait_until(claims, doing="the volume check has its claim", seconds=300)
    running.kill()
    stack.unlock()
    assert claims() != []
    stack.up(seconds=900).or_fail()
    assert claims() == []
    assert lab.objects("pv") == []
    assert_whole(stack, lab)


def test_a_replacement_of_the_release_that_somebody_asks_for_takes_no_volume(
    stack: Stack, lab: LonghornLab
) -> None:
    stack.up(seconds=900).or_fail()
    before = manager(lab)["uid"]
    lab.put_volume("kept", "node-1", "/mnt/longhorn-sdb")
    (release,) = stack.resources(RELEASE)
    refused = stack.up(f"--replace={release['urn']}", seconds=900)
    assert not refused.succeeded
    assert "kept" in refused.errors()
    assert manager(lab)["uid"] == before
    assert lab.places("kept") == {("node-1", "/mnt/longhorn-sdb")}
    lab.drop_volume("kept")
    stack.up(seconds=900).or_fail()
    assert_whole(stack, lab)


def test_a_release_that_somebody_upgraded_by_hand_shows_after_a_refresh_and_is_put_right(
    stack: Stack, lab: LonghornLab
) -> None:
    stack.up(seconds=900).or_fail()
    upgraded_by_hand(lab, persistence={"reclaimPolicy": "Retain"})
    stack.refresh().or_fail()
    assert stack.preview("--diff").or_fail().operations(RELEASE) == {"update": 1}
    stack.up(seconds=900).or_fail()
    assert values(lab)["persistence"]["reclaimPolicy"] == "Delete"
    stack.refresh().or_fail()
    assert_whole(stack, lab)


def test_a_registry_s_password_reaches_the_cluster_and_no_log_diff_or_state(
    stack: Stack, lab: LonghornLab
) -> None:
    first, second = (f"{order}-{secrets.token_hex(8)}" for order in ("first", "second"))
    login = {
        "registry": "registry.example.com",
        "registrySecret": "registry-login",
        "registryUser": "puller",
    }
    stack.configure(lab.config(**login), secrets={"longhornRegistryPassword": first})
    logs = [stack.up("--diff", seconds=900).or_fail().log]
    assert _registry_password(lab) == first
    stack.configure(secrets={"longhornRegistryPassword": second})
    previewed = stack.preview("--diff").or_fail()
    assert previewed.operations(RELEASE) == {"update": 1}
    logs += [previewed.log, stack.up("--diff", seconds=900).or_fail().log]
    assert _registry_password(lab) == second
    written = "".join([*logs, json.dumps(stack.export())])
    for password in (first, second):
        assert password not in written
        assert base64.b64encode(password.encode()).decode() not in written
    assert stack.preview().or_fail().operations() == {}


def _registry_password(lab: LonghornLab) -> str:
    (found,) = lab.objects(
        "secrets", "-n", LONGHORN, "--field-selector=metadata.name=registry-login"
    )
    logins = json.loads(base64.b64decode(found["data"][".dockerconfigjson"]))
    user, _, password = (
        base64.b64decode(logins["auths"]["registry.example.com"]["auth"]).decode().partition(":")
    )
    assert user == "puller"
    return password
