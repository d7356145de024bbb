"""The only reader of the stack's configuration.

It turns the stack file into frozen, checked settings and tells every mistake at once
(SettingsError). Secrets never pass through a model: they stay Outputs, fetched by name from
`Secrets` where they are used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import BaseModel, ValidationError

from configuration.certificates import KEY_SECRET, certificate_problems
from configuration.checks import CheckSettings
from configuration.cluster import ClusterSettings
from configuration.files import file_problems
from configuration.hosts import DiskSettings, NodeDefaults, NodeSettings, SshSettings
from configuration.longhorn import (
    ControlPlaneSettings,
    FrontendSettings,
    LonghornSettings,
    VolumeCheckSettings,
)
from configuration.problems import Problem, SettingsError, problems_of
from configuration.rancher import RancherImportSettings, RancherSettings
from configuration.rules import Placed, node_problems, repeated_nodes, stage_problems
from configuration.stages import StageSettings

NAMESPACE = "longhorn-rancher"
SECRETS: Mapping[str, str] = {
    "sshPrivateKey": "The SSH private key itself, instead of ssh.privateKeyFile.",
    "sshPrivateKeyPassphrase": "Passphrase of the SSH private key.",
    "sshPassword": "Password of the SSH user.",
    "sudoPassword": "Password that sudo asks the SSH user for.",
    "frontendBasicAuth": "htpasswd lines that guard Longhorn's Ingress (nginx basic auth).",
    "rancherBootstrapPassword": "Rancher's first password, 12 characters or more; else generated.",
    "rancherAdminPassword": "Password of Rancher's user admin, 12 characters or more; "
    "else generated.",
    KEY_SECRET: "Private key (PEM) of the certificate in rancher.certificateFile.",
    "rancherManifestUrl": "Address of an import manifest from Rancher's page `Import existing`.",
}
_MODELS: Mapping[str, type[BaseModel]] = {
    "cluster": ClusterSettings,
    "stages": StageSettings,
    "ssh": SshSettings,
    "nodeDefaults": NodeDefaults,
    "controlPlane": ControlPlaneSettings,
    "longhorn": LonghornSettings,
    "frontend": FrontendSettings,
    "volumeCheck": VolumeCheckSettings,
    "rancher": RancherSettings,
    "rancherImport": RancherImportSettings,
    "checks": CheckSettings,
}
_REQUIRED = ("cluster",)
_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that a stack file says, checked; defaults filled in."""

    cluster: ClusterSettings
    stages: StageSettings
    ssh: SshSettings
    node_defaults: NodeDefaults
    nodes: tuple[NodeSettings, ...]
    control_plane: ControlPlaneSettings
    longhorn: LonghornSettings
    frontend: FrontendSettings
    volume_check: VolumeCheckSettings
    rancher: RancherSettings | None
    rancher_import: RancherImportSettings
    checks: CheckSettings
    secret_names: frozenset[str]

    def disks_of(self, node: NodeSettings) -> tuple[DiskSettings, ...]:
        """The node's own disks, or the default ones."""
        return self.node_defaults.disks if node.disks is None else node.disks

    @property
    def present_nodes(self) -> tuple[NodeSettings, ...]:
        """The nodes that are there: all but the lost ones."""
        return tuple(node for node in self.nodes if not node.lost)

    @property
    def has_given_manifest(self) -> bool:
        """Whether a person gave the import manifest, as a file or by its address."""
        return (
            self.rancher_import.manifest_file is not None
            or "rancherManifestUrl" in self.secret_names
        )

    def secret(self, name: str) -> pulumi.Output[str] | None:
        """The secret of this name (a key of SECRETS), None if the stack has none."""
        if name not in self.secret_names:
            return None
        return pulumi.Config(NAMESPACE).require_secret(name)

    def plain_secret(self, name: str) -> str | None:
        """The secret's plain text, for reading the hosts before any resource is declared.

        Whoever calls this keeps it out of resources, messages and logs.
        """
        return pulumi.Config(NAMESPACE).require(name) if name in self.secret_names else None


def load(config: pulumi.Config | None = None) -> Settings:
    """Read and check the configuration of the current stack. Raises SettingsError."""
    return _Reader(config or pulumi.Config(NAMESPACE)).settings()


class _Reader:
    def __init__(self, config: pulumi.Config) -> None:
        self._config = config
        self._problems: list[Problem] = []

    def settings(self) -> Settings:
        models = {key: self._model(key, model) for key, model in _MODELS.items()}
        ssh = models["ssh"]
        nodes = self._nodes(ssh.port if isinstance(ssh, SshSettings) else 22)
        secrets = frozenset(name for name in SECRETS if self._has_secret(name))
        self._refuse_unknown_keys()
        self._check_between(models, nodes, secrets)
        if self._problems:
            raise SettingsError(self._problems)
        return Settings(
            nodes=tuple(node.value for node in nodes),
            secret_names=secrets,
            **{_snake(key): model for key, model in models.items()},  # type: ignore[arg-type]
        )

    def _model(self, key: str, model: type[_M]) -> _M | None:
        """The checked model; its defaults when the key is absent; None when it has mistakes."""
        before = len(self._problems)
        value = self._object(key)
        if len(self._problems) > before:
            return None
        if value is None:
            if key in _REQUIRED:
                self._problems.append(Problem(_full(key), "is required", "Add it."))
            return None if key in (*_REQUIRED, "rancher") else model()
        return self._validate(value, model, _full(key))

    def _nodes(self, default_port: int) -> list[Placed[NodeSettings]]:
        value = self._object("nodes")
        if value is None:
            return []
        if not isinstance(value, list):
            self._problems.append(
                Problem(_full("nodes"), "must be a list of nodes", "Write one `- name: …` each.")
            )
            return []
        placed: list[Placed[NodeSettings]] = []
        entries: list[object] = value  # pyright: ignore[reportUnknownVariableType]
        self._problems.extend(repeated_nodes(entries, _full("nodes"), default_port=default_port))
        for index, entry in enumerate(entries):
            key = f"{_full('nodes')}[{index}]"
            node = self._validate(entry, NodeSettings, key)
            if node is not None:
                placed.append(Placed(key, node))
        return placed

    def _validate(self, value: object, model: type[_M], key: str) -> _M | None:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            self._problems.extend(problems_of(error, model, key))
            return None

    def _object(self, key: str) -> Any:
        if pulumi.runtime.is_config_secret(_full(key)):
            self._problems.append(
                Problem(
                    _full(key),
                    "holds an encrypted value, which would be shown in plain text here",
                    f"Put secrets under their own keys: {', '.join(SECRETS)}.",
                )
            )
            return None
        try:
            return self._config.get_object(key)
        except pulumi.ConfigTypeError:
            self._problems.append(
                Problem(_full(key), "must be a map or a list", "Write it as nested YAML.")
            )
            return None

    def _says_something(self, key: str) -> bool:
        """Whether the key is there with more than nothing, right or wrong."""
        return (self._config.get(key) or "").strip() not in ("", "null", "[]", "{}")

    def _has_secret(self, name: str) -> bool:
        if self._config.get_secret(name) is None:
            return False
        if not pulumi.runtime.is_config_secret(_full(name)):
            self._problems.append(
                Problem(
                    _full(name),
                    "is a secret and stands in the stack file in plain text",
                    f"Remove the line, change the secret, and set it with "
                    f"`pulumi config set --secret {_full(name)}`.",
                )
            )
        return True

    def _refuse_unknown_keys(self) -> None:
        known = {*_MODELS, "nodes", *SECRETS}
        for full_key in {**get_config_env(), **CONFIG.get()}:
            namespace, _, key = full_key.partition(":")
            if namespace == NAMESPACE and key not in known:
                self._problems.append(
                    Problem(
                        full_key,
                        "is not a key of the stack file",
                        f"Known keys: {', '.join(sorted(known))}.",
                    )
                )

    def _check_between(
        self,
        models: Mapping[str, BaseModel | None],
        nodes: list[Placed[NodeSettings]],
        secrets: frozenset[str],
    ) -> None:
        prefix = _full("")
        ssh, defaults, stages = models["ssh"], models["nodeDefaults"], models["stages"]
        manual = models["rancherImport"]
        if isinstance(ssh, SshSettings) and isinstance(defaults, NodeDefaults):
            self._problems.extend(node_problems(nodes, defaults, ssh, prefix))
        longhorn, rancher = models["longhorn"], models["rancher"]
        own_rancher = rancher if isinstance(rancher, RancherSettings) else None
        self._problems.extend(
            file_problems(
                ssh if isinstance(ssh, SshSettings) else None,
                longhorn if isinstance(longhorn, LonghornSettings) else None,
                manual if isinstance(manual, RancherImportSettings) else None,
                own_rancher,
                prefix,
                key_is_secret="sshPrivateKey" in secrets,
            )
        )
        self._problems.extend(
            certificate_problems(own_rancher, has_key=KEY_SECRET in secrets, prefix=prefix)
        )
        if isinstance(stages, StageSettings) and isinstance(manual, RancherImportSettings):
            self._problems.extend(
                stage_problems(
                    stages,
                    has_nodes=self._says_something("nodes"),
                    # A node with a mistake of its own may be the one.
                    has_control_plane=any(node.value.control_plane for node in nodes)
                    or any(p.key.startswith(_full("nodes")) for p in self._problems),
                    has_rancher=self._says_something("rancher"),
                    has_credentials=_opens_hosts(ssh, secrets),
                    has_manifest=manual.manifest_file is not None
                    or "rancherManifestUrl" in secrets,
                    prefix=prefix,
                )
            )


def _opens_hosts(ssh: BaseModel | None, secrets: frozenset[str]) -> bool:
    """Whether there is a key, an agent or a password; true when ssh has other mistakes."""
    if not isinstance(ssh, SshSettings):
        return True
    given = ssh.use_agent or ssh.private_key_file is not None
    return given or bool(secrets & {"sshPrivateKey", "sshPassword"})


def _full(key: str) -> str:
    return f"{NAMESPACE}:{key}"


def _snake(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
