"""What stands in front of Longhorn, beside it and behind it, compared with the cluster."""

import copy
from typing import Any

import pytest

from components.cluster.kept_rules import Document, object_path
from components.longhorn.findings import LonghornFindings
from components.longhorn.frontend_objects import frontend_documents
from components.longhorn.monitoring.objects import monitoring_documents
from components.longhorn.policies.backup_credentials import credentials, credentials_document
from components.preflight import findings as preflight
from components.preflight.findings import Findings
from components.preflight.kept_objects import with_kept_objects
from configuration.settings import Settings
from tests.unit.doubles.a_plain_cluster import APlainCluster
from tests.unit.doubles.a_stack import load, run, valid, waits_for, with_secrets

_HASH = "ops:$apr1$Qv3Zq2wA$8Y1bqPpKpQ0mX4n1rQe9q/"
_CONFIG = valid(
    frontend={"type": "Ingress", "host": "a.example.com", "tlsSecret": "tls"}
    | {"ingressClass": "nginx"},
    longhorn={"monitoring": {}, "backup": {"target": "s3://b@r/", "user": "u"}},
)
_SECRETS = {"frontendBasicAuth": _HASH, "longhornBackupPassword": "word"}


def _settings(**changes: Any) -> Settings:
    return load(with_secrets({**_CONFIG, **changes}, **_SECRETS))


def _documents(settings: Settings) -> list[Document]:
    longhorn = settings.longhorn
    assert longhorn.monitoring is not None
    assert longhorn.backup is not None
    return [
        *frontend_documents(settings.frontend, _HASH),
        *monitoring_documents(longhorn, longhorn.monitoring).values(),
        credentials_document(credentials(longhorn.backup, "word", None)),
    ]


def _cluster(settings: Settings) -> APlainCluster:
    return APlainCluster({object_path(each): copy.deepcopy(each) for each in _documents(settings)})


def _found(settings: Settings, cluster: Any, **options: bool) -> LonghornFindings:
    before = LonghornFindings(ready="as it was")
    return with_kept_objects(before, cluster, settings, **options)


def test_a_cluster_as_the_stack_file_has_it_adds_no_finding() -> None:
    settings = _settings()
    assert _found(settings, _cluster(settings)) == LonghornFindings(ready="as it was")


@pytest.mark.parametrize(
    ("part", "gone", "said"),
    [
        ("frontend", "ingresses/longhorn-ui", "Ingress longhorn-system/longhorn-ui is not there"),
        ("frontend", "secrets/longhorn-ui-basic-auth", "Secret longhorn-system/longhorn-ui-basic"),
        ("monitoring", "servicemonitors/longhorn", "ServiceMonitor longhorn-system/longhorn is"),
        ("monitoring", "prometheusrules/longhorn", "PrometheusRule longhorn-system/longhorn is n"),
        ("monitoring", "configmaps/longhorn-dashboard", "ConfigMap longhorn-system/longhorn-dashb"),
        ("backup_credentials", "longhorn-backup-credentials", "Secret longhorn-system/longhorn-b"),
    ],
)
def test_each_object_that_is_gone_is_the_finding_of_its_part(
    part: str, gone: str, said: str
) -> None:
    settings = _settings()
    cluster = _cluster(settings)
    (path,) = [path for path in cluster.objects if path.endswith(gone)]
    del cluster.objects[path]
    found = _found(settings, cluster)
    assert said in str(getattr(found, part))
    others = {"frontend", "monitoring", "backup_credentials"} - {part}
    assert all(getattr(found, other) is None for other in others)


def test_a_secret_with_something_else_is_found_where_the_secrets_are_known() -> None:
    settings = _settings()
    cluster = _cluster(settings)
    for path, each in cluster.objects.items():
        if "/secrets/" in path:
            each["data"] = {}
    found = _found(settings, cluster)
    assert "holds something else" in str(found.frontend)
    assert "holds something else" in str(found.backup_credentials)
    assert _found(settings, cluster, knows_secrets=False) == LonghornFindings(ready="as it was")


def test_a_guard_that_was_taken_off_is_found_where_the_secrets_are_not_known() -> None:
    settings = _settings()
    cluster = _cluster(settings)
    (path,) = [path for path in cluster.objects if path.endswith("ingresses/longhorn-ui")]
    del cluster.objects[path]["metadata"]["annotations"]["nginx.ingress.kubernetes.io/auth-type"]
    for knows in (True, False):
        found = _found(settings, cluster, knows_secrets=knows)
        assert "auth-type empty, not basic" in str(found.frontend)


def test_a_password_that_is_an_output_of_another_program_is_a_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = _settings()
    cluster = _cluster(settings)
    monkeypatch.setattr(Settings, "plain_secret", lambda *_words: None)
    assert _found(settings, cluster) == LonghornFindings(ready="as it was")
    for path in [path for path in cluster.objects if "/secrets/" in path]:
        del cluster.objects[path]
    found = _found(settings, cluster)
    assert "is not there" in str(found.frontend)
    assert "is not there" in str(found.backup_credentials)


def test_what_the_stack_does_not_have_is_not_looked_for() -> None:
    settings = _settings(stages={"frontend": False}, longhorn={})
    assert _found(settings, APlainCluster()) == LonghornFindings(ready="as it was")


def test_without_longhorn_only_its_interface_is_looked_at() -> None:
    only = {"disks": False, "packages": False, "labels": False, "longhorn": False}
    off = {"volumeCheck": False, "rancher": False, "rancherImport": False}
    settings = _settings(stages={**only, **off})
    found = _found(settings, APlainCluster())
    assert "is not there" in str(found.frontend)
    assert (found.monitoring, found.backup_credentials) == (None, None)


def test_each_finding_reaches_a_resource_behind_the_objects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = LonghornFindings(frontend="f", monitoring="m", backup_credentials="b")
    monkeypatch.setattr(preflight, "read_findings", lambda _settings: Findings(longhorn=found))
    longhorn = {**_CONFIG["longhorn"], "timeoutSeconds": 1235}
    recording = run(with_secrets({**_CONFIG, "longhorn": longhorn}, **_SECRETS))
    for name, said, behind in (
        ("longhorn-frontend-kept", "f", "longhorn-frontend-ingress"),
        ("longhorn-monitoring-kept", "m", "longhorn-monitoring-alerts"),
        ("longhorn-policies-backup-credentials-kept", "b", "longhorn-policies-backup-credentials"),
    ):
        assert recording.named(name).inputs["finding"] == said
        assert waits_for(recording, name, behind)


def test_what_holds_a_secret_is_secret_and_the_rest_is_readable() -> None:
    recording = run(with_secrets(_CONFIG, **_SECRETS))
    for name in ("longhorn-frontend-kept", "longhorn-policies-backup-credentials-kept"):
        assert type(recording.named(name).inputs["objects"]).__name__ == "SecretValue"
    assert '"ServiceMonitor"' in recording.named("longhorn-monitoring-kept").inputs["objects"]


def test_an_interface_that_stays_inside_the_cluster_has_nothing_to_look_at() -> None:
    names = [each.name for each in run(valid()).resources]
    assert "longhorn-frontend-kept" not in names
