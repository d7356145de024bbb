"""Where volumes are put, what is done to them again and again, and where their backups go."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.kept import KeptObjects
from components.cluster.provider import replacing_provider
from components.longhorn.findings import LonghornFindings, line_of
from components.longhorn.objects import GROUP, NAMESPACE, VERSION
from components.longhorn.policies.backup_credentials import (
    SECRET,
    credentials,
    credentials_document,
    secret_name,
)
from components.longhorn.policies.backup_target import BackupTarget
from components.longhorn.policies.classes import declare_class
from components.longhorn.policies.encryption_key import EncryptionKey
from components.longhorn.policies.job_spec import job_metadata, job_spec
from components.longhorn.policies.kept import KeptPolicies
from configuration.backup import BackupSettings
from configuration.cluster import ClusterSettings
from configuration.longhorn_rules import class_replicas
from configuration.recurring_jobs import RecurringJobSettings
from configuration.stack_file import StackFile


class LonghornPolicies(pulumi.ComponentResource):
    """Owns the stack's own StorageClasses, recurring jobs, backup target and encryption key.

    Refuses to own backups and what volumes were made with: both outlive it.
    """

    def __init__(
        self,
        name: str,
        *,
        file: StackFile,
        backup_password: pulumi.Output[str] | None,
        encryption_key: pulumi.Output[str] | None,
        found: LonghornFindings,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its parts' names.
            backup_password: The secret for longhorn.backup.user.
            encryption_key: The secret for encrypted classes.
            found: What is wrong in Longhorn right now.
        """
        super().__init__("longhornrancher:longhorn:Policies", name, None, opts)
        longhorn = file.longhorn
        if longhorn.backup is not None:
            self._backup_target(name, file.cluster, longhorn.backup, backup_password, found)
        jobs = [self._job(name, job) for job in longhorn.recurring_jobs]
        before: list[pulumi.Resource] = [*jobs]
        if encryption_key is not None:
            before.append(
                EncryptionKey(
                    f"{name}-encryption-key",
                    cluster=file.cluster,
                    key=encryption_key,
                    found=found.encryption_key,
                    opts=pulumi.ResourceOptions(parent=self),
                )
            )
        classes: list[pulumi.Resource] = []
        if longhorn.storage_classes:
            classes = self._classes(name, file, before)
        if jobs or classes:
            KeptPolicies(
                f"{name}-kept",
                file=file,
                finding=found.policies,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*jobs, *classes]),
            )
        self.register_outputs({})

    def _backup_target(
        self,
        name: str,
        cluster: ClusterSettings,
        backup: BackupSettings,
        password: pulumi.Output[str] | None,
        found: LonghornFindings,
    ) -> None:
        after: Sequence[pulumi.Resource] = ()
        digest = pulumi.Output.from_input("")
        if password is not None and backup.user is not None:
            ca = Path(backup.ca_file).expanduser().read_text() if backup.ca_file else None
            data = password.apply(lambda word: credentials(backup, word, ca))
            digest = data.apply(_digest)
            secret = kubernetes.core.v1.Secret(
                f"{name}-backup-credentials",
                metadata=kubernetes.meta.v1.ObjectMetaArgs(name=SECRET, namespace=NAMESPACE),
                string_data=data,
                opts=pulumi.ResourceOptions(parent=self),
            )
            kept = KeptObjects(
                f"{name}-backup-credentials-kept",
                cluster=cluster,
                objects=pulumi.Output.secret(data).apply(
                    lambda values: json.dumps([credentials_document(values)])
                ),
                finding=found.backup_credentials,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[secret]),
            )
            after = [secret, kept]
        BackupTarget(
            f"{name}-backup-target",
            cluster=cluster,
            backup=backup,
            credential_secret=secret_name(backup),
            credentials=digest,
            found=line_of(each for each in (found.backup_settings, found.backup_target) if each),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _classes(
        self, name: str, file: StackFile, before: Sequence[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        replicas = class_replicas(file)
        provider = replacing_provider(f"{name}-classes", file.cluster, self)
        return [
            declare_class(
                f"{name}-class-{each.name}",
                each,
                replicas,
                cluster=file.cluster,
                opts=pulumi.ResourceOptions(parent=self, provider=provider, depends_on=before),
            )
            for each in file.longhorn.storage_classes
        ]

    def _job(self, name: str, job: RecurringJobSettings) -> kubernetes.apiextensions.CustomResource:
        return kubernetes.apiextensions.CustomResource(
            f"{name}-job-{job.name}",
            api_version=f"{GROUP}/{VERSION}",
            kind="RecurringJob",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(**job_metadata(job.name)),
            spec=job_spec(job),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _digest(data: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
