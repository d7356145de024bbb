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
from configuration.backup import BackupSettings
from configuration.secrets import Secret
from configuration.settings import Settings

_UNKNOWN = ""


def with_kept_objects(
    found: LonghornFindings, api: ClusterApi, settings: Settings, *, knows_secrets: bool = True
) -> LonghornFindings:
    """The findings with those of what stands in front of Longhorn, beside it and behind it.

    Args:
        found: The others.
        api: The cluster.
        settings: What the stack file says.
        knows_secrets: Whether the settings have the plain texts of the stack's secrets. Without
            them, and where one is an Output of another program, a Secret that is gone is found, and
            one that holds something else is not.

    Raises ApiError.
    """
    longhorn, has_longhorn = settings.longhorn, settings.stages.longhorn
    monitoring = longhorn.monitoring if has_longhorn else None
    password = _password(settings, Secret.FRONTEND_BASIC_AUTH, knows_secrets=knows_secrets)
    given = _password(settings, Secret.LONGHORN_BACKUP_PASSWORD, knows_secrets=knows_secrets)
    return replace(
        found,
        backup_credentials=_finding(api, _credentials(longhorn.backup, given), given)
        if has_longhorn
        else None,
        frontend=_finding(api, frontend_documents(settings.frontend, password), password)
        if settings.stages.frontend
        else None,
        monitoring=kept_finding(api, monitoring_documents(longhorn, monitoring).values())
        if monitoring is not None
        else None,
    )


def _password(settings: Settings, secret: Secret, *, knows_secrets: bool) -> str | None:
    """Its plain text, empty where that is not known; None where the stack has none."""
    if not settings.has(secret):
        return None
    return (settings.plain_secret(secret) or _UNKNOWN) if knows_secrets else _UNKNOWN


def _finding(api: ClusterApi, documents: Iterable[Document], password: str | None) -> str | None:
    is_known = password != _UNKNOWN
    return kept_finding(api, documents if is_known else map(_without_data, documents))


def _credentials(backup: BackupSettings | None, password: str | None) -> list[Document]:
    if backup is None or backup.user is None or password is None:
        return []
    ca = Path(backup.ca_file).expanduser().read_text() if backup.ca_file else None
    return [credentials_document(credentials(backup, password, ca))]


def _without_data(document: Document) -> Document:
    if document["kind"] != "Secret":
        return document
    return {key: value for key, value in document.items() if key != "data"}
