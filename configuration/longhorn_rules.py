"""Rules for Longhorn's chart values: what may not contradict, undo or do nothing. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from configuration.chart_forms import unfit_values
from configuration.chart_keys import Keys, keys_of_version, unknown_keys
from configuration.chart_kinds import misfits
from configuration.longhorn import LonghornDefaultSettings, LonghornSettings, replica_count
from configuration.partial import knows
from configuration.problems import Problem, nearest
from configuration.secrets import Secret
from configuration.stack_file import StackFile

_VALUES = "longhorn.values"
_PODS = (
    "longhornUI.replicas",
    *(f"csi.{part}ReplicaCount" for part in ("attacher", "provisioner", "resizer", "snapshotter")),
)
_SERVICE_MONITOR = "metrics.serviceMonitor.enabled"
_LONGHORNS_OWN_IMAGES = ("engine", "manager", "ui", "instanceManager", "shareManager")
_BACKUP_KEYS = {
    "backupTarget": "target",
    "backupTargetCredentialSecret": "credentialSecret",
    "backupstorePollInterval": "pollSeconds",
}
# What a key of the stack and a value of the chart both say, by the setting's field.
_TWICE = {
    "persistence.reclaimPolicy": "reclaim_policy",
    "persistence.defaultClassReplicaCount": "replica_count",
    "defaultSettings.defaultReplicaCount": "replica_count",
    "csi.kubeletRootDir": "kubelet_root_dir",
    "global.cattle.systemDefaultRegistry": "registry",
    "privateRegistry.registrySecret": "registry_secret",
    "privateRegistry.registryUser": "registry_user",
}


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """What the values say at this path such as `persistence.defaultClass`; None if nothing."""
    found: Any = values
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = cast(Mapping[str, Any], found).get(name)
    return found


def class_replicas(file: StackFile) -> int:
    """Replicas of a volume of the class `longhorn`, and of one whose class says nothing."""
    said = value_at(file.longhorn.values, "persistence.defaultClassReplicaCount")
    # Anything else is no number, and is told as that.
    if re.fullmatch(r"[0-9]+", _text(said)):
        return int(said)
    return replica_count(file.longhorn.replica_count, file.nodes_with_disks)


def keys_problems(values: Mapping[str, Any], keys: Keys) -> Iterator[Problem]:
    """Values that the chart does not have.

    Args:
        values: longhorn.values.
        keys: What the chart has.
    """
    for path in unknown_keys(values, keys):
        parent, _, name = path.rpartition(".")
        close = nearest(name, sorted(keys[parent]))
        yield Problem(
            f"{_VALUES}.{path}",
            "is no value of this version's chart, so it would do nothing",
            f"Did you mean {close}?" if close else "See the chart's values.yaml.",
        )


def _unknown(file: StackFile) -> Iterator[Problem]:
    # A chart in a file is asked itself (configuration/files.py).
    if file.longhorn.chart_path is None:
        yield from keys_problems(file.longhorn.values, keys_of_version(file.longhorn.version))


def _unfit(file: StackFile) -> Iterator[Problem]:
    values = file.longhorn.values
    for path, wanted in unfit_values(values, file.longhorn.version):
        all_of_them = path.startswith("defaultSettings.")
        yield Problem(
            f"{_VALUES}.{path}",
            "is nothing that Longhorn takes"
            + (", and because of it Longhorn gives up all its default settings" * all_of_them),
            f"Write {wanted}.",
            value_at(values, path),
        )


def _decided(file: StackFile) -> Iterator[Problem]:
    yield from _decides(file, "defaultSettings.createDefaultDiskLabeledNodes", (True,), "nodes")
    yield from _decides(file, "defaultSettings.deletingConfirmationFlag", (), "allowUninstall")
    yield from _decides(file, "namespaceOverride", ("", "longhorn-system"), None)
    yield from _decides(file, "service.ui.type", ("ClusterIP", "Rancher-Proxy"), "frontend.type")
    yield from _decides(file, "service.ui.nodePort", (), "frontend.type")
    yield from _decides(file, "service.manager.type", ("ClusterIP",), "manager")
    yield from _decides(file, "service.manager.nodePort", (), "manager")
    yield from _decides(file, "ingress.enabled", (False,), "frontend.type")


def _default_class(file: StackFile) -> Iterator[Problem]:
    own = file.longhorn.default_storage_class
    yield from _decides(file, "persistence.defaultClass", (own,), "longhorn.defaultStorageClass")


def _backup_keys(file: StackFile) -> Iterator[Problem]:
    """Keys of the chart that later versions ignore without a word, and with them every backup."""
    for key, own in _BACKUP_KEYS.items():
        if value_at(file.longhorn.values, f"defaultSettings.{key}") is not None:
            yield Problem(
                f"{_VALUES}.defaultSettings.{key}",
                "has a key of its own",
                f"Write longhorn.backup.{own} instead.",
            )


_REMEDIES = {
    "nodes": "Remove it; Longhorn's disks are those listed under nodes and nodeDefaults.",
    "allowUninstall": "Remove it; a removal is confirmed by longhorn.allowUninstall.",
    None: "Remove it; this program installs and looks at Longhorn in longhorn-system.",
    "manager": "Remove it; whoever reaches Longhorn's manager can delete every volume.",
    "frontend.type": "Remove it; how the interface is reached is said by frontend.type.",
    "longhorn.defaultStorageClass": "Remove it, and set longhorn.defaultStorageClass.",
}


def _decides(
    file: StackFile, path: str, own: Sequence[object], key: str | None
) -> Iterator[Problem]:
    said = value_at(file.longhorn.values, path)
    if said is not None and said != "" and _text(said) not in map(_text, own):
        yield Problem(
            f"{_VALUES}.{path}",
            f"may not set {path}, which this program decides",
            _REMEDIES[key],
            said,
        )


def _twice(file: StackFile) -> Iterator[Problem]:
    longhorn = file.longhorn
    pairs = [
        (path, LonghornSettings.model_fields[name].alias, getattr(longhorn, name))
        for path, name in _TWICE.items()
        if knows(longhorn, name) and name in longhorn.model_fields_set
    ]
    if knows(longhorn, "default_settings"):
        settings = longhorn.default_settings
        pairs.extend(
            (f"defaultSettings.{field.alias}", f"defaultSettings.{field.alias}", value)
            for name, field in LonghornDefaultSettings.model_fields.items()
            if knows(settings, name) and (value := getattr(settings, name)) is not None
        )
    for path, key, own in pairs:
        said = value_at(longhorn.values, path)
        if said is not None and own is not None and _text(said) != _text(own):
            yield Problem(
                f"{_VALUES}.{path}",
                f"says something else than longhorn.{key}",
                "Remove one of them.",
                said,
            )


def _secrets(file: StackFile) -> Iterator[Problem]:
    values = file.longhorn.values
    if value_at(values, "privateRegistry.registryPasswd"):
        yield Problem(
            f"{_VALUES}.privateRegistry.registryPasswd",
            "is a password in plain text",
            "Remove it, change the password, and set it: pulumi config set --secret "
            f"{Secret.LONGHORN_REGISTRY_PASSWORD}.",
        )
    if value_at(values, "ingress.secrets"):
        yield Problem(
            f"{_VALUES}.ingress.secrets",
            "holds private keys in plain text",
            "Remove it, and name a TLS Secret in frontend.tlsSecret.",
        )


def _registry_login(file: StackFile) -> Iterator[Problem]:
    longhorn, has_password = file.longhorn, file.has(Secret.LONGHORN_REGISTRY_PASSWORD)
    needed = {
        "registry": longhorn.registry or value_at(longhorn.values, "privateRegistry.registryUrl"),
        "registryUser": longhorn.registry_user
        or value_at(longhorn.values, "privateRegistry.registryUser"),
        "registrySecret": longhorn.registry_secret
        or value_at(longhorn.values, "privateRegistry.registrySecret"),
    }
    for key, value in needed.items():
        if has_password and not value:
            yield Problem(
                f"longhorn.{key}",
                f"is missing beside the secret {Secret.LONGHORN_REGISTRY_PASSWORD}",
                "Add it, or remove the secret.",
            )
    if longhorn.registry_user is not None and not has_password:
        yield Problem(
            str(Secret.LONGHORN_REGISTRY_PASSWORD),
            "is missing beside longhorn.registryUser",
            f"Set it: pulumi config set --secret {Secret.LONGHORN_REGISTRY_PASSWORD}.",
        )


def _strict_local(file: StackFile) -> Iterator[Problem]:
    longhorn, values = file.longhorn, file.longhorn.values
    said = [
        (f"{_VALUES}.persistence.defaultDataLocality", "persistence.defaultDataLocality"),
        (f"{_VALUES}.defaultSettings.defaultDataLocality", "defaultSettings.defaultDataLocality"),
    ]
    places = [(key, value_at(values, path)) for key, path in said]
    places.append(
        (
            "longhorn.defaultSettings.defaultDataLocality",
            longhorn.default_settings.default_data_locality,
        )
    )
    count = class_replicas(file)
    for key, locality in places:
        if locality == "strict-local" and count != 1:
            yield Problem(
                key,
                f"strict-local allows one replica only, and volumes get {count}",
                "Set longhorn.replicaCount: 1, or take best-effort.",
            )


def _never_zero(file: StackFile) -> Iterator[Problem]:
    values = file.longhorn.values
    for path in _PODS:
        if _text(value_at(values, path)) == "0":
            yield Problem(
                f"{_VALUES}.{path}",
                "is 0, so a part of Longhorn that is waited for would never run",
                "Set 1 or more, or remove it.",
            )
    path = "defaultSettings.guaranteedInstanceManagerCPU"
    if _text(value_at(values, path)) == "0":
        yield Problem(
            f"{_VALUES}.{path}",
            "is 0: nothing is reserved for the processes that serve volumes, and managers of later "
            "versions do not start",
            "Set 1 to 40, or remove it for Longhorn's default of 12.",
        )


def _own_images(file: StackFile) -> Iterator[Problem]:
    version = file.longhorn.version
    for name in _LONGHORNS_OWN_IMAGES:
        path = f"image.longhorn.{name}.tag"
        tag = value_at(file.longhorn.values, path)
        match = re.match(r"v?([0-9]+\.[0-9]+\.[0-9]+)", _text(tag))
        if match is not None and match.group(1) != version:
            yield Problem(
                f"{_VALUES}.{path}",
                f"is another version than longhorn.version, which is {version}",
                "Set longhorn.version, and remove the tag.",
                tag,
            )


def _misfits(file: StackFile) -> Iterator[Problem]:
    # Of a chart in a file, too: what both have is used in the same way.
    values = file.longhorn.values
    for found in misfits(values, keys_of_version(file.longhorn.version)):
        yield Problem(
            f"{_VALUES}.{found.key}", found.rule, found.remedy, value_at(values, found.key)
        )


def _scraped_twice(file: StackFile) -> Iterator[Problem]:
    """From 1.5.5 on the chart has a ServiceMonitor of its own."""
    said = value_at(file.longhorn.values, _SERVICE_MONITOR)
    if file.longhorn.monitoring is not None and said is not None:
        yield Problem(
            f"{_VALUES}.{_SERVICE_MONITOR}",
            "is decided by longhorn.monitoring",
            "Remove it here.",
            said,
        )


def _text(value: object) -> str:
    """A value as the chart writes it: YAML's true and the text "true" are the same there."""
    return str(value).lower() if isinstance(value, bool) else str(value)


LONGHORN_RULES: Sequence[Callable[[StackFile], Iterable[Problem]]] = (
    _unknown,
    _unfit,
    _decided,
    _default_class,
    _backup_keys,
    _twice,
    _secrets,
    _registry_login,
    _strict_local,
    _never_zero,
    _own_images,
    _misfits,
    _scraped_twice,
)
