"""The stack file as a whole: its sections, and the secrets that are set beside them."""

from collections.abc import Mapping
from typing import Self, cast

from pydantic import Field

from configuration.base import StackModel
from configuration.checks import CheckSettings
from configuration.cluster import ClusterSettings
from configuration.hosts import DiskSettings, NodeDefaults, NodeSettings, SshSettings
from configuration.longhorn import (
    ControlPlaneSettings,
    FrontendSettings,
    LonghornSettings,
    VolumeCheckSettings,
)
from configuration.problems import model_within
from configuration.rancher import RancherImportSettings, RancherSettings
from configuration.secrets import Secret
from configuration.stages import StageSettings


class Sections(StackModel):
    """The keys of a stack file that are no secrets."""

    cluster: ClusterSettings
    stages: StageSettings = StageSettings()
    ssh: SshSettings = SshSettings()
    node_defaults: NodeDefaults = NodeDefaults()
    nodes: tuple[NodeSettings, ...] = Field(default=(), strict=False)
    control_plane: ControlPlaneSettings = ControlPlaneSettings()
    longhorn: LonghornSettings = LonghornSettings()
    frontend: FrontendSettings = FrontendSettings()
    volume_check: VolumeCheckSettings = VolumeCheckSettings()
    rancher: RancherSettings | None = None
    rancher_import: RancherImportSettings = RancherImportSettings()
    checks: CheckSettings = CheckSettings()


SECTIONS: Mapping[str, type[StackModel]] = {
    str(field.alias): cast(type[StackModel], model_within(field.annotation))
    for field in Sections.model_fields.values()
}
"""The model of each section, or of each entry of one that is a list, by the section's key."""


class StackFile(Sections):
    """Everything that a stack file says; of the secrets only which there are."""

    secret_names: frozenset[Secret] = frozenset()

    @classmethod
    def of(cls, sections: Mapping[str, object], secrets: frozenset[Secret]) -> Self:
        """The file with these sections, by field name; one that is left out has a mistake."""
        file = cls.model_construct()
        values = {**sections, "secret_names": secrets}
        object.__setattr__(file, "__dict__", values)  # what pydantic does itself
        return file

    def has(self, secret: Secret) -> bool:
        """Whether the secret is set."""
        return secret in self.secret_names

    def disks_of(self, node: NodeSettings) -> tuple[DiskSettings, ...]:
        """The node's own disks, or the default ones."""
        return self.node_defaults.disks if node.disks is None else node.disks

    def stages_of(self, node: NodeSettings) -> StageSettings:
        """The stages as they run on this node."""
        if node.packages:
            return self.stages
        return self.stages.model_copy(update={"packages": False})

    @property
    def opens_hosts(self) -> bool:
        """Whether there is a key, an agent or a password for the hosts."""
        given = self.ssh.use_agent or self.ssh.private_key_file is not None
        return given or self.has(Secret.SSH_PRIVATE_KEY) or self.has(Secret.SSH_PASSWORD)

    @property
    def present_nodes(self) -> tuple[NodeSettings, ...]:
        """The nodes that are there: all but the lost ones."""
        return tuple(node for node in self.nodes if not node.lost)

    @property
    def script_nodes(self) -> tuple[NodeSettings, ...]:
        """The present nodes on which a stage runs scripts."""
        return tuple(node for node in self.present_nodes if self.runs_scripts_on(node))

    def runs_scripts_on(self, node: NodeSettings) -> bool:
        """Whether a stage runs scripts on this node."""
        stages = self.stages_of(node)
        has_disks = stages.disks and bool(self.disks_of(node))
        has_health = stages.control_plane_health and node.control_plane
        return stages.packages or has_disks or has_health or self.keeps_default_class_on(node)

    def keeps_default_class_on(self, node: NodeSettings) -> bool:
        """Whether K3s, should it serve the API there, is kept from having a default class too."""
        wants_class = self.stages.longhorn and self.longhorn.default_storage_class
        return node.control_plane and wants_class and self.works_on_hosts

    @property
    def works_on_hosts(self) -> bool:
        """Whether a stage needs to get onto the hosts."""
        stages = self.stages
        return stages.packages or stages.disks or stages.control_plane_health

    @property
    def nodes_with_disks(self) -> int:
        """How many of the present nodes hold disks for Longhorn."""
        return sum(1 for node in self.present_nodes if self.disks_of(node))

    @property
    def has_given_manifest(self) -> bool:
        """Whether a person gave the import manifest, as a file or by its address."""
        return self.rancher_import.manifest_file is not None or self.has(
            Secret.RANCHER_MANIFEST_URL
        )

    @property
    def rancher_url(self) -> str | None:
        """The Rancher that the cluster is imported into, where its address is known: this stack's
        own, or one that is there already."""
        if self.rancher_import.url is not None:
            return self.rancher_import.url
        return None if self.has_given_manifest or self.rancher is None else self.rancher.url

    @property
    def uses_cluster(self) -> bool:
        """Whether any stage needs the cluster's API."""
        stages = self.stages
        return (
            stages.labels
            or stages.longhorn
            or stages.frontend
            or stages.volume_check
            or stages.rancher_import
        )
