"""Further values of Longhorn's chart: none contradicts, undoes or does nothing unseen."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from configuration import chart_keys
from configuration.chart_keys import keys_of_values, keys_of_version
from configuration.longhorn import SUPPORTED_VERSIONS
from tests.unit.doubles.a_stack import load, mistake, mistakes, nodes, valid, with_secrets

_PREFIX = "longhorn-rancher:longhorn.values."


def _with(values: dict[str, Any], **longhorn: Any) -> dict[str, Any]:
    return valid(longhorn={"values": values, **longhorn})


def _nested(path: str, value: object) -> dict[str, Any]:
    for name in reversed(path.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("defaultSettings.defaultreplicaCount", "Did you mean defaultReplicaCount?"),
        ("defaultSetings", "Did you mean defaultSettings?"),
        ("persistence.reclaimpolicy", "Did you mean reclaimPolicy?"),
        ("image.longhorn.engine.tagg", "Did you mean tag?"),
        ("zzz", "See the chart's values.yaml."),
    ],
)
def test_a_key_that_the_chart_does_not_have_is_refused(path: str, meant: str) -> None:
    problem = mistake(_with(_nested(path, "x")))
    assert problem.key == f"{_PREFIX}{path}"
    assert problem.remedy == meant


def test_a_key_of_a_later_version_is_refused_for_an_earlier_one() -> None:
    values = {"defaultSettings": {"snapshotMaxCount": 100}}
    assert mistake(_with(values)).key == f"{_PREFIX}defaultSettings.snapshotMaxCount"
    assert mistakes(_with(values, version="1.6.4")) == []


@pytest.mark.parametrize(
    ("path", "value", "wanted"),
    [
        ("defaultSettings.upgradeChecker", "no", "true or false"),
        ("defaultSettings.defaultReplicaCount", 21, "a whole number, 1 to 20"),
        ("defaultSettings.storageOverProvisioningPercentage", "200%", "a whole number, 0 or more"),
        ("defaultSettings.concurrentReplicaRebuildPerNodeLimit", True, "a whole number, 0 or more"),
        ("defaultSettings.replicaAutoBalance", "best_effort", "one of disabled, least-effort"),
        ("defaultSettings.nodeDrainPolicy", "block-for-eviction", "one of block-if-contains"),
        ("defaultSettings.taintToleration", "a=b", "key=value:effect"),
        ("defaultSettings.taintToleration", "a=b:NoSchedule,c:NoExecute", "key=value:effect"),
        ("defaultSettings.systemManagedComponentsNodeSelector", "a=b", "label:value"),
        ("defaultSettings.snapshotDataIntegrityCronjob", "daily", "a time as cron writes it"),
        ("defaultSettings.snapshotDataIntegrityCronjob", "0 0 * * 7", "a time as cron writes it"),
        ("persistence.reclaimPolicy", "delete", "one of Delete, Retain"),
        ("persistence.defaultFsType", "btrfs", "one of ext4, xfs"),
    ],
)
def test_a_value_for_which_longhorn_gives_up_all_its_settings_is_refused(
    path: str, value: object, wanted: str
) -> None:
    problem = mistake(_with(_nested(path, value)))
    assert problem.key == f"{_PREFIX}{path}"
    assert problem.remedy.startswith(f"Write {wanted}")
    assert ("gives up all" in problem.rule) is path.startswith("defaultSettings")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("upgradeChecker", False),
        ("upgradeChecker", "T"),
        ("upgradeChecker", ""),
        ("upgradeChecker", None),
        ("storageOverProvisioningPercentage", "200"),
        ("taintToleration", "a=b:NoSchedule; c:"),
        ("systemManagedComponentsNodeSelector", "a:b; c:d"),
        ("snapshotDataIntegrityCronjob", "0 0 */7 * *"),
    ],
)
def test_a_value_that_longhorn_takes_is_accepted(path: str, value: object) -> None:
    assert mistakes(_with({"defaultSettings": {path: value}})) == []


def test_a_choice_of_a_later_version_is_accepted_for_that_version() -> None:
    values = {"defaultSettings": {"nodeDrainPolicy": "block-for-eviction"}}
    assert mistakes(_with(values, version="1.6.4")) == []


def test_the_forms_are_those_of_values_that_a_chart_has() -> None:
    known = keys_of_version("1.5.5"), keys_of_version("1.6.4")
    forms = yaml.safe_load((Path(chart_keys.__file__).parent / "forms.yaml").read_text())
    for paths in forms.values():
        for path, names in paths.items():
            assert set(names) <= {name for keys in known for name in keys[path]}


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("manager", {"type": "NodePort"}),
        ("manager", {"nodePort": 30000}),
        ("ui", {"nodePort": 30000}),
    ],
)
def test_a_way_to_longhorn_beside_the_frontend_is_refused(
    part: str, values: dict[str, object]
) -> None:
    problem = mistake(_with({"service": {part: values}}))
    assert problem.key == f"{_PREFIX}service.{part}.{next(iter(values))}"


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_every_supported_version_has_its_list_of_keys(version: str) -> None:
    keys = keys_of_version(version)
    assert {"persistence", "defaultSettings", "longhornManager"} <= keys[""]
    assert "defaultReplicaCount" in keys["defaultSettings"]


@pytest.mark.parametrize(
    "values",
    [
        {"longhornManager": {"nodeSelector": {"any.name/at-all": "x"}}},
        {"annotations": {"a": "b"}, "longhornManager": {"serviceAnnotations": {"c": "d"}}},
        {"longhornManager": {"tolerations": [{"key": "a"}]}},
        {"service": {"ui": {"loadBalancerIP": "192.0.2.1"}}},
        {"nameOverride": "longhorn"},
        {"defaultSettings": None, "persistence": {"defaultFsType": "xfs"}},
    ],
)
def test_maps_of_free_names_and_names_of_the_templates_are_accepted(values: dict[str, Any]) -> None:
    assert mistakes(_with(values)) == []


@pytest.mark.parametrize("value", ["text", [], 5])
def test_something_else_in_the_place_of_a_map_is_refused(value: object) -> None:
    problem = mistake(_with({"persistence": value}))
    assert problem.key == f"{_PREFIX}persistence"
    assert problem.rule == "must be a map of keys"


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_a_chart_in_a_file_is_asked_itself(packed: bool, tmp_path: Path) -> None:
    own = {"persistence": {"defaultClass": True}, "ours": {"a": 1}, "defaultSettings": {"x": None}}
    files = {"Chart.yaml": "name: longhorn\nversion: 1.5.3\n", "values.yaml": yaml.safe_dump(own)}
    path = tmp_path / "longhorn"
    if packed:
        with tarfile.open(path, "w:gz") as archive:
            for name, text in files.items():
                info = tarfile.TarInfo(f"longhorn/{name}")
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
    else:
        path.mkdir()
        for name, text in files.items():
            (path / name).write_text(text)
    assert mistakes(_with({"ours": {"a": 2}}, chartPath=str(path))) == []
    problem = mistake(_with({"persistence": {"migratable": True}}, chartPath=str(path)))
    assert problem.key == f"{_PREFIX}persistence.migratable"


def test_names_in_free_maps_of_a_chart_are_no_keys() -> None:
    keys = keys_of_values({"longhornManager": {"nodeSelector": {"a/b": "c"}}})
    assert "longhornManager.nodeSelector" not in keys


@pytest.mark.parametrize(
    ("path", "own", "other"),
    [
        ("defaultSettings.createDefaultDiskLabeledNodes", True, False),
        ("defaultSettings.createDefaultDiskLabeledNodes", "true", "false"),
        ("persistence.defaultClass", True, False),
        ("service.ui.type", "ClusterIP", "NodePort"),
        ("ingress.enabled", False, True),
        ("namespaceOverride", "longhorn-system", "storage"),
    ],
)
def test_what_the_program_decides_may_be_repeated_and_not_changed(
    path: str, own: object, other: object
) -> None:
    assert mistakes(_with(_nested(path, own))) == []
    problem = mistake(_with(_nested(path, other)))
    assert problem.key == f"{_PREFIX}{path}"
    assert "this program decides" in problem.rule


def test_the_default_class_follows_the_stacks_own_key() -> None:
    values = {"persistence": {"defaultClass": False}}
    assert mistakes(_with(values, defaultStorageClass=False)) == []


def test_all_that_may_not_be_set_is_named_at_once() -> None:
    values = {
        "defaultSettings": {
            "createDefaultDiskLabeledNodes": False,
            "deletingConfirmationFlag": True,
        },
        "persistence": {"defaultClass": False},
    }
    keys = {problem.key.removeprefix(_PREFIX) for problem in mistakes(_with(values))}
    assert keys == {
        "defaultSettings.createDefaultDiskLabeledNodes",
        "defaultSettings.deletingConfirmationFlag",
        "persistence.defaultClass",
    }


@pytest.mark.parametrize(
    ("longhorn", "path", "value"),
    [
        ({"reclaimPolicy": "Retain"}, "persistence.reclaimPolicy", "Delete"),
        ({"replicaCount": 2}, "persistence.defaultClassReplicaCount", 3),
        ({"replicaCount": 2}, "defaultSettings.defaultReplicaCount", 3),
        ({"registry": "a.example.com"}, "global.cattle.systemDefaultRegistry", "b.example.com"),
        ({"registrySecret": "a"}, "privateRegistry.registrySecret", "b"),
        ({"kubeletRootDir": "/srv/kubelet"}, "csi.kubeletRootDir", "/var/lib/kubelet"),
        (
            {"defaultSettings": {"replicaAutoBalance": "disabled"}},
            "defaultSettings.replicaAutoBalance",
            "best-effort",
        ),
    ],
)
def test_one_thing_said_twice_with_two_values_is_refused(
    longhorn: dict[str, Any], path: str, value: object
) -> None:
    problem = mistake(_with(_nested(path, value), **longhorn))
    assert problem.key == f"{_PREFIX}{path}"
    assert "something else than longhorn." in problem.rule
    assert mistakes(_with(_nested(path, value))) == []


def test_passwords_and_keys_in_plain_text_are_refused_and_not_shown() -> None:
    values = {
        "privateRegistry": {"registryPasswd": "correct horse"},
        "ingress": {"secrets": [{"key": "correct horse"}]},
    }
    problems = mistakes(_with(values))
    assert [p.key.removeprefix(_PREFIX) for p in problems] == [
        "privateRegistry.registryPasswd",
        "ingress.secrets",
    ]
    assert "longhornRegistryPassword" in problems[0].remedy
    assert "correct horse" not in "".join(map(str, problems))


def test_a_registrys_password_that_is_a_number_is_not_shown() -> None:
    problems = mistakes(_with({"privateRegistry": {"registryPasswd": 12345678}}))
    assert problems
    assert "12345678" not in "".join(map(str, problems))


@pytest.mark.parametrize("missing", ["registry", "registryUser", "registrySecret"])
def test_a_registrys_password_needs_its_user_and_secret(missing: str) -> None:
    longhorn = {
        "registry": "registry.example.com",
        "registryUser": "ops",
        "registrySecret": "pull",
    }
    whole = with_secrets(valid(longhorn=longhorn), longhornRegistryPassword="correct horse")
    assert mistakes(whole) == []
    del longhorn[missing]
    config = with_secrets(valid(longhorn=longhorn), longhornRegistryPassword="correct horse")
    assert mistake(config).key == f"longhorn-rancher:longhorn.{missing}"


def test_a_registrys_user_needs_the_password() -> None:
    problem = mistake(valid(longhorn={"registryUser": "ops"}))
    assert problem.key == "longhorn-rancher:longhornRegistryPassword"


@pytest.mark.parametrize(
    "longhorn",
    [
        {"defaultSettings": {"defaultDataLocality": "strict-local"}},
        {"values": {"persistence": {"defaultDataLocality": "strict-local"}}},
        {"values": {"defaultSettings": {"defaultDataLocality": "strict-local"}}},
    ],
)
def test_strict_locality_goes_with_one_replica_only(longhorn: dict[str, Any]) -> None:
    assert "one replica only, and volumes get 2" in mistake(valid(longhorn=longhorn)).rule
    assert mistakes(valid(longhorn={**longhorn, "replicaCount": 1})) == []
    assert mistakes(valid(longhorn=longhorn, nodes=nodes({}, {"disks": []}))) == []


@pytest.mark.parametrize(
    "path",
    [
        "longhornUI.replicas",
        "csi.attacherReplicaCount",
        "csi.snapshotterReplicaCount",
        "defaultSettings.guaranteedInstanceManagerCPU",
    ],
)
@pytest.mark.parametrize("zero", [0, "0"])
def test_none_of_what_must_run_is_refused(path: str, zero: object) -> None:
    assert mistake(_with(_nested(path, zero))).key == f"{_PREFIX}{path}"
    assert mistakes(_with(_nested(path, 1))) == []


def test_no_cpu_for_instance_managers_is_refused_under_the_stacks_own_key() -> None:
    problem = mistake(valid(longhorn={"defaultSettings": {"guaranteedInstanceManagerCPU": 0}}))
    assert problem.key.endswith("longhorn.defaultSettings.guaranteedInstanceManagerCPU")


def test_an_image_of_another_version_is_refused() -> None:
    path = "image.longhorn.manager.tag"
    assert mistake(_with(_nested(path, "v1.6.4"))).key == f"{_PREFIX}{path}"
    for tag in ("v1.5.3", "v1.5.3-hotfix", "our-own-build"):
        assert mistakes(_with(_nested(path, tag))) == []


_IS_TRUE = "must be true or false; any text"
_TOLERATIONS = "longhornManager.tolerations"


@pytest.mark.parametrize(
    ("path", "value", "where", "rule"),
    [
        ("ingress.enabled", "false", "", _IS_TRUE),
        ("enablePSP", "false", "", _IS_TRUE),
        ("networkPolicies.enabled", "no", "", _IS_TRUE),
        ("persistence.recurringJobSelector.enable", 1, "", _IS_TRUE),
        ("privateRegistry.createSecret", "true", "", _IS_TRUE),
        ("longhornManager.nodeSelector", {"storage": True}, ".storage", "must be text"),
        ("longhornDriver.nodeSelector", {"tier": 1}, ".tier", "must be text"),
        ("longhornUI.nodeSelector", "storage=true", "", "must be a map of texts"),
        ("annotations", {"a": {"b": "c"}}, ".a", "must be text"),
        ("longhornUI.tolerations", {"key": "a"}, "", "must be a list"),
        (_TOLERATIONS, "a=b:NoSchedule", "", "must be a list"),
        (_TOLERATIONS, ["a=b:NoSchedule"], "[0]", "is no toleration"),
        (_TOLERATIONS, [{"key": "a", "value": True}], "[0].value", "must be text"),
        (_TOLERATIONS, [{"key": "a", "efect": "NoSchedule"}], "[0].efect", "is no key"),
        (_TOLERATIONS, [{"key": "a", "effect": "noSchedule"}], "[0].effect", "must be one of"),
        (
            _TOLERATIONS,
            [{"operator": "Exists", "key": "a", "value": "b"}],
            "[0].value",
            "goes with operator Equal",
        ),
        ("defaultSettings.taintToleration", ["a"], "", "must be a single value"),
        (
            "defaultSettings.systemManagedComponentsNodeSelector",
            {"a": "b"},
            "",
            "must be a single value, and is a map",
        ),
        ("defaultSettings.autoSalvage", [True], "", "must be a single value, and is a list"),
        ("persistence.recurringJobSelector.jobList", [{"name": "a"}], "", "must be a text with a"),
        ("persistence.recurringJobSelector.jobList", "name: a", "", "must be a text with a"),
        ("image.longhorn.supportBundleKit.tag", 0.1, "", "must be text"),
        ("privateRegistry.registryUser", 1000, "", "must be text"),
        ("persistence.defaultMkfsParams", ["-O", "^64bit"], "", "must be a single value"),
        ("longhornUI.replicas", "two", "", "is nothing that Longhorn takes"),
        ("csi.attacherReplicaCount", 1.5, "", "is nothing that Longhorn takes"),
    ],
)
def test_a_value_of_another_kind_than_the_chart_needs_is_refused(
    path: str, value: object, where: str, rule: str
) -> None:
    problem = mistake(_with(_nested(path, value)))
    assert problem.key == f"{_PREFIX}{path}{where}"
    assert problem.rule.startswith(rule)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ingress.enabled", False),
        ("networkPolicies.enabled", True),
        ("longhornManager.nodeSelector", {"storage": "true", "tier": None}),
        ("ingress.annotations", {"nginx.ingress.kubernetes.io/proxy-body-size": 0}),
        (_TOLERATIONS, [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": ""}]),
        (
            _TOLERATIONS,
            [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}],
        ),
        ("persistence.recurringJobSelector.jobList", []),
        ("persistence.recurringJobSelector.jobList", '[{"name": "a", "isGroup": true}]'),
        ("longhornUI.replicas", "2"),
        ("longhornUI.replicas", 1),
        ("service.ui.loadBalancerSourceRanges", ""),
        ("image.longhorn.supportBundleKit.tag", "v0.0.27"),
        ("persistence.defaultClass", "true"),
    ],
)
def test_a_value_of_the_kind_that_the_chart_needs_is_accepted(path: str, value: object) -> None:
    assert mistakes(_with(_nested(path, value))) == []


@pytest.mark.parametrize("key", ["values", "defaultSettings"])
def test_a_map_that_is_left_empty_says_nothing(key: str) -> None:
    assert load(valid(longhorn={key: None})).longhorn == load(valid()).longhorn


def test_nothing_is_lost_of_values_that_are_accepted() -> None:
    values = {"defaultSettings": {"logLevel": "Debug"}, "enablePSP": False}
    assert load(_with(values)).longhorn.values == values
