"""Whether the objects that the stack has beside Longhorn's release are in the cluster as it says.

The plain texts of secrets are compared here, and go nowhere else.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from components.cluster.api import ClusterApi
from components.cluster.kept import kept_finding
from components.cluster.kept_rules import Document
from components.longhorn.findings import LonghornFindings
from components.longhorn.frontend_objects import frontend_documents
from components.longhorn.monitoring.objects import monitoring_documents
from components.longhorn.policies.backup_credentials import credentials, credentials_document
from configuration.secrets import Secret
from configuration.settings import Settings


def with_kept_objects(
    found: LonghornFindings, api: ClusterApi, settings: Settings, *, knows_secrets: bool = True
) -> LonghornFindings:
    """The findings with those of what stands in front of Longhorn, beside it and behind it.

    Args:
        found: The others.
        api: The cluster.
        settings: What the stack file says.
        knows_secrets: Whether the settings have the plain texts of the stack's secrets; without
            them only a Secret that is gone is found.

    Raises ApiError.
    """

    def finding(documents: Iterable[Document]) -> str | None:
        return kept_finding(api, documents if knows_secrets else map(_without_data, documents))

    longhorn, has_longhorn = settings.longhorn, settings.stages.longhorn
    monitoring = longhorn.monitoring if has_longhorn else None
    password = settings.plain_secret(Secret.FRONTEND_BASIC_AUTH)
    return replace(
        found,
        backup_credentials=finding(_credentials(settings)) if has_longhorn else None,
        frontend=finding(frontend_documents(settings.frontend, password))
        if settings.stages.frontend
        else None,
        monitoring=finding(monitoring_documents(longhorn, monitoring).values())
        if monitoring is not None
        else None,
    )


def _credentials(settings: Settings) -> list[Document]:
    backup = settings.longhorn.backup
    password = settings.plain_secret(Secret.LONGHORN_BACKUP_PASSWORD)
    if backup is None or backup.user is None or password is None:
        return []
    ca = Path(backup.ca_file).expanduser().read_text() if backup.ca_file else None
    return [credentials_document(credentials(backup, password, ca))]


def _without_data(document: Document) -> Document:
    if document["kind"] != "Secret":
        return document
    return {key: value for key, value in document.items() if key != "data"}
