"""Which objects an import manifest may hold, with features of Rancher's and without."""

from typing import Any

import pytest
import yaml

from components.rancher.agent.known_objects import api_path, entry_of
from components.rancher.agent.objects import agent_objects, optional_objects
from components.rancher.api.errors import ManifestMismatchError
from tests.unit.rancher.agent.test_manifest import a_manifest

DOCKER = "kubernetes.io/dockerconfigjson"
LABEL = {"management.cattle.io/cattle-cluster-agent-pull-secret": "true"}


def inside(kind: str, name: str, labels: dict[str, str] | None = None, **more: Any) -> Any:
    metadata = {"name": name, "namespace": "cattle-system", "labels": labels or {}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def a_login(name: str, labels: dict[str, str] | None = None, **more: Any) -> Any:
    given = {"type": DOCKER, "data": {".dockerconfigjson": "e30="}}
    return inside("Secret", name, labels, **(given | more))


BUDGET = inside(
    "PodDisruptionBudget",
    "cattle-cluster-agent-pod-disruption-budget",
    spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "cattle-cluster-agent"}}},
)
PRIORITY = {
    "kind": "PriorityClass",
    "metadata": {"name": "cattle-cluster-agent-priority-class"},
    "value": 1,
}


def an_endpoint(path: str) -> Any:
    pod = {"volumes": [{"name": "files", "hostPath": {"path": path}}]}
    return inside("DaemonSet", "kube-api-auth", spec={"template": {"spec": pod}})


@pytest.mark.parametrize(
    "extra",
    [
        a_login("cattle-private-registry"),
        a_login("any-name.of-a-pull-secret", LABEL),
        BUDGET,
        PRIORITY,
        an_endpoint("/etc/kubernetes"),
    ],
)
def test_an_object_of_a_feature_is_accepted_and_managed_beside_the_nine(
    extra: dict[str, Any],
) -> None:
    text = f"{a_manifest()}---\n{yaml.safe_dump(extra)}"
    assert len(agent_objects(text)) == 9
    (found,) = optional_objects(text)
    assert found["metadata"]["name"] == extra["metadata"]["name"]
    assert api_path(found).endswith(f"/{extra['metadata']['name']}")
    assert entry_of(extra).feature


def test_several_pull_secrets_are_managed() -> None:
    extra = [a_login("one", LABEL), a_login("two", LABEL)]
    text = a_manifest() + "".join(f"---\n{yaml.safe_dump(each)}" for each in extra)
    assert len(optional_objects(text)) == 2


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (a_login("another"), "not known to this program"),
        (a_login("cattle-private-registry", type="Opaque"), "type Opaque"),
        (a_login("cattle-private-registry", data={"token": "e30="}), "token in it"),
        (inside("DaemonSet", "cattle-node-agent"), "not known to this program"),
        (an_endpoint("/"), "files of the host"),
        ({**BUDGET, "spec": {"selector": {}}}, "for other pods"),
        (inside("Secret", "cattle-credentials-a", data={"x": "e30="}), "it holds x"),
        (
            inside("Secret", "cattle-credentials-a", stringData={"url": "x", "token": "y"}),
            "its data lack token and url",
        ),
        (inside("Deployment", "cattle-cluster-agent", spec=None), "it has no pods"),
        (inside("Deployment", "cattle-cluster-agent", spec={"selector": {}}), "it has no pods"),
        ({"type": "error", "status": "404", "message": "no such token"}, "404 no such token"),
        ({"metadata": {"name": "cattle"}}, "no page of a proxy"),
    ],
)
def test_what_is_not_known_is_said_to_be_that_and_no_more(extra: dict[str, Any], said: str) -> None:
    with pytest.raises(ManifestMismatchError, match=said):
        agent_objects(f"{a_manifest()}---\n{yaml.safe_dump(extra)}")


def test_a_login_page_in_its_place_is_told_as_such() -> None:
    with pytest.raises(ManifestMismatchError, match="is it Rancher that answers"):
        agent_objects("<!DOCTYPE html>\n<html><body>Login</body></html>")


def test_a_list_of_kubectl_s_holds_the_same_objects() -> None:
    objects = [each for each in yaml.safe_load_all(a_manifest()) if each]
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": objects})
    assert agent_objects(text) == agent_objects(a_manifest())


def test_an_object_that_is_there_twice_is_refused() -> None:
    second = inside("Secret", "cattle-credentials-b", data={"token": "e30=", "url": "e30="})
    with pytest.raises(ManifestMismatchError, match="a second Secret cattle-credentials-b"):
        agent_objects(f"{a_manifest()}---\n{yaml.safe_dump(second)}")
