"""What opens the backup target, in the form in which Longhorn reads it. Pure."""

from typing import Any

from components.cluster.kept_rules import secret_document
from components.longhorn.objects import NAMESPACE
from configuration.backup import BackupSettings

SECRET = "longhorn-backup-credentials"  # noqa: S105  the name of the object


def secret_name(backup: BackupSettings) -> str:
    """The Secret that opens the target; empty for none."""
    return SECRET if backup.user is not None else backup.credential_secret or ""


def credentials(backup: BackupSettings, password: str, ca: str | None) -> dict[str, str]:
    """The entries of the Secret (longhorn-manager v1.5.3, types/types.go).

    Args:
        backup: The target, with a user.
        password: What opens it.
        ca: The certificate authority of the store (PEM).
    """
    user, endpoint = str(backup.user), backup.endpoint
    if backup.scheme == "cifs":
        return {"CIFS_USERNAME": user, "CIFS_PASSWORD": password}
    if backup.scheme == "azblob":
        values = {"AZBLOB_ACCOUNT_NAME": user, "AZBLOB_ACCOUNT_KEY": password}
        return values | _with({"AZBLOB_ENDPOINT": endpoint, "AZBLOB_CERT": ca})
    style = "true" if backup.virtual_hosted_style else None
    values = {"AWS_ACCESS_KEY_ID": user, "AWS_SECRET_ACCESS_KEY": password}
    return values | _with(
        {"AWS_ENDPOINTS": endpoint, "AWS_CERT": ca, "VIRTUAL_HOSTED_STYLE": style}
    )


def credentials_document(values: dict[str, str]) -> dict[str, Any]:
    """The Secret as Kubernetes has it, with these entries."""
    return secret_document({"name": SECRET, "namespace": NAMESPACE}, values)


def _with(values: dict[str, str | None]) -> dict[str, str]:
    # Longhorn refuses white space around a value (datastore.ValidateSetting).
    return {name: value.strip() for name, value in values.items() if value is not None}
