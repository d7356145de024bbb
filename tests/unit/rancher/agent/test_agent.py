"""What the program declares for the cluster's import into Rancher."""

from pathlib import Path
from typing import Any

import pytest

from components.rancher.agent.objects import agent_objects, identity
from components.rancher.api.errors import ManifestMismatchError
from lab.rancher.stand_in.manifest import render
from tests.unit.doubles.a_stack import parent_of, run, valid, waits_for, with_secrets
from tools.offline.answers import CLUSTER_ID, REGISTRATION_TOKEN
from tools.offline.recording import Recording, SecretValue

_ON = {"rancherImport": True}
_GIVEN = {"rancher": False, "rancherImport": True}
_PARTS = (
    "namespace",
    "service-account",
    "admin-role",
    "admin-binding",
    "proxy-role",
    "proxy-binding",
    "credentials",
    "deployment",
    "service",
)


def _run() -> Recording:
    return run(valid(stages=_ON))


def test_nothing_is_imported_unless_the_stack_says_so() -> None:
    recording = run(valid())
    assert [r.name for r in recording.resources if r.name.startswith("rancher-agent")] == []
    assert "rancherClusterId" not in recording.outputs


@pytest.mark.parametrize("part", _PARTS)
def test_every_object_of_the_manifest_is_managed_by_the_engine(part: str) -> None:
    recording = _run()
    assert parent_of(recording, recording.named(f"rancher-agent-{part}")) == "rancher-agent"


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("rancher-ca", "rancher-container"),
        ("rancher-registration", "rancher-ca"),
        ("rancher-agent-namespace", "rancher-registration"),
        ("rancher-agent-credentials", "rancher-agent-namespace"),
        ("rancher-agent-admin-binding", "rancher-agent-admin-role"),
        ("rancher-agent-deployment", "rancher-agent-credentials"),
        ("rancher-agent-deployment", "rancher-agent-admin-binding"),
        ("rancher-agent-deployment", "rancher-agent-service-account"),
        ("rancher-cluster-active", "rancher-agent-deployment"),
        ("rancher-cluster-active", "rancher-agent"),
    ],
)
def test_the_import_keeps_its_order(later: str, earlier: str) -> None:
    assert waits_for(_run(), later, earlier)


def test_the_import_comes_after_longhorn() -> None:
    assert waits_for(_run(), "rancher-agent-namespace", "longhorn-ready")


def test_the_registration_token_stands_in_the_secret_and_nowhere_else() -> None:
    recording = _run()
    for resource in recording.resources:
        assert REGISTRATION_TOKEN not in repr(resource.inputs), resource.name
    assert isinstance(recording.named("rancher-agent-credentials").inputs["data"], SecretValue)


def test_the_agents_other_objects_stay_readable_in_a_diff() -> None:
    deployment = _run().named("rancher-agent-deployment")
    (container,) = deployment.inputs["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "rancher/rancher-agent:v2.8.5"


def test_what_rancher_changes_on_its_agent_is_ignored_by_the_engine() -> None:
    request = _run().named("rancher-agent-deployment").request
    assert set(request.ignoreChanges) == {"metadata", "spec"}


def test_the_plugin_does_not_wait_for_the_deployment_so_that_a_later_run_can_correct_it() -> None:
    annotations = _run().named("rancher-agent-deployment").inputs["metadata"]["annotations"]
    assert annotations["pulumi.com/waitFor"] == "jsonpath={.metadata.uid}"
    assert waits_for(_run(), "rancher-agent-connection", "rancher-agent-deployment")
    # For whose endpoints the plugin waits.
    assert waits_for(_run(), "rancher-agent-service", "rancher-agent-connection")


def test_the_objects_of_rancher_s_features_are_secret_and_there_before_the_agent() -> None:
    recording = _run()
    assert isinstance(recording.named("rancher-agent-additions").inputs["objects"], SecretValue)
    assert waits_for(recording, "rancher-agent-deployment", "rancher-agent-additions")
    assert waits_for(recording, "rancher-agent-connection", "rancher-agent-credentials")
    assert waits_for(recording, "rancher-cluster-active", "rancher-agent-connection")


@pytest.mark.parametrize("key", ["admin_password", "bootstrap_password"])
def test_passwords_enter_the_registration_as_secrets(key: str) -> None:
    assert isinstance(_run().named("rancher-registration").inputs[key], SecretValue)


def test_what_the_registration_gives_back_is_marked_secret() -> None:
    marked = set(_run().named("rancher-registration").request.additionalSecretOutputs)
    assert {"manifest", "registration_token", "api_token", "admin_password"} <= marked


def test_the_password_that_rancher_was_given_outlives_the_import() -> None:
    config = valid(stages={**_ON, "rancherImport": False})
    assert "rancher-admin-password" in [r.name for r in run(config).resources]


def test_a_given_admin_password_is_used_and_none_is_made() -> None:
    config = with_secrets(valid(stages=_ON), rancherAdminPassword="correct horse battery")
    recording = run(config)
    assert "rancher-admin-password" not in [r.name for r in recording.resources]
    given = recording.named("rancher-registration").inputs["admin_password"]
    assert given == SecretValue("correct horse battery")


def test_the_clusters_own_identity_goes_along_so_that_no_other_is_taken_over() -> None:
    assert _run().named("rancher-registration").inputs["owner"] == "uid-of-kube-system"


@pytest.mark.parametrize("part", ["additions", "connection"])
def test_the_kubeconfig_is_in_the_state_as_the_stack_file_has_it(part: str) -> None:
    config = valid(stages=_ON, cluster={"name": "storage", "kubeconfig": "~/.kube/config"})
    inputs = run(config).named(f"rancher-agent-{part}").inputs
    assert inputs["kubeconfig"] == "~/.kube/config"


def test_the_agent_may_take_as_long_as_the_stack_says() -> None:
    recording = run(valid(stages=_ON, rancherImport={"timeoutSeconds": 77}))
    assert recording.named("rancher-agent-deployment").request.customTimeouts.create == "77s"
    assert recording.named("rancher-cluster-active").inputs["timeout_seconds"] == 77


def test_outputs_name_the_cluster_in_rancher() -> None:
    outputs = _run().outputs
    assert outputs["rancherClusterId"] == CLUSTER_ID
    assert outputs["rancherClusterState"] == "active"
    assert f"/k8s/clusters/{CLUSTER_ID}/" in outputs["longhornUrlInRancher"]
    assert isinstance(outputs["rancherAdminPassword"], SecretValue)


def test_a_manifest_given_by_its_address_is_fetched_and_its_address_is_secret() -> None:
    config = with_secrets(
        valid(rancher=None, stages=_GIVEN), rancherManifestUrl="https://rancher/v3/import/t.yaml"
    )
    recording = run(config)
    assert isinstance(recording.named("rancher-manifest").inputs["url"], SecretValue)
    assert waits_for(recording, "rancher-agent-namespace", "rancher-manifest")
    assert "rancher-registration" not in [resource.name for resource in recording.resources]


def _manifest(folder: Path) -> Path:
    path = folder / "manifest.yaml"
    path.write_text(
        render(
            server_url="https://rancher.example.com",
            token=REGISTRATION_TOKEN,
            ca_pem="",
            checksum="0" * 64,
            version="v2.8.5",
            install_uuid="u",
        )
    )
    return path


def _given(folder: Path) -> dict[str, Any]:
    manifest = {"manifestFile": str(_manifest(folder))}
    return valid(rancher=None, stages=_GIVEN, rancherImport=manifest)


def test_a_manifest_given_as_a_file_needs_no_server_and_no_registration(tmp_path: Path) -> None:
    recording = run(_given(tmp_path))
    names = {resource.name for resource in recording.resources}
    assert "rancher-agent-deployment" in names
    assert not {"rancher-registration", "rancher-ca", "rancher-container"} & names


def test_a_manifest_given_as_a_file_keeps_its_token_secret(tmp_path: Path) -> None:
    for resource in run(_given(tmp_path)).resources:
        assert REGISTRATION_TOKEN not in repr(resource.inputs), resource.name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("namespace", {"name": "cattle-system"}),
        ("admin-role", {"name": "cattle-admin"}),
        ("deployment", {"name": "cattle-cluster-agent", "namespace": "cattle-system"}),
    ],
)
def test_an_object_is_known_before_the_manifest_is(key: str, name: dict[str, str]) -> None:
    assert identity(key) == name


@pytest.mark.parametrize(
    ("given", "other", "named"),
    [
        ("matchLabels: {app: cattle-cluster-agent}", "matchLabels: {app: another}", "deployment"),
        (
            "roleRef: {kind: ClusterRole, name: cattle-admin,",
            "roleRef: {kind: ClusterRole, name: cluster-admin,",
            "admin-binding",
        ),
    ],
)
def test_a_manifest_whose_fixed_parts_are_others_is_refused(
    tmp_path: Path, given: str, other: str, named: str
) -> None:
    text = _manifest(tmp_path).read_text()
    assert given in text
    with pytest.raises(ManifestMismatchError, match=named):
        agent_objects(text.replace(given, other))
