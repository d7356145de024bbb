"""The secret keys of a stack file. Each is an encrypted key of its own, never part of a section."""

from enum import StrEnum

UNDECRYPTED = "value-of-an-encrypted-key"
"""What a secret is where a stack file is read and nobody decrypts it, as for `make plan`."""


class Secret(StrEnum):
    """A secret key; its value is its name in the stack file."""

    meaning: str
    """What the secret is for, for docs/stack-file.md."""

    def __new__(cls, key: str, meaning: str) -> "Secret":
        """A key with its meaning beside it."""
        member = str.__new__(cls, key)
        member._value_ = key
        member.meaning = meaning
        return member

    SSH_PRIVATE_KEY = "sshPrivateKey", "The SSH private key itself, instead of ssh.privateKeyFile."
    SSH_PRIVATE_KEY_PASSPHRASE = "sshPrivateKeyPassphrase", "Passphrase of the SSH private key."
    SSH_PASSWORD = "sshPassword", "Password of the SSH user."
    SUDO_PASSWORD = "sudoPassword", "Password that sudo asks the SSH user for."
    FRONTEND_BASIC_AUTH = (
        "frontendBasicAuth",
        "htpasswd lines (user:hash) that guard Longhorn's Ingress, for ingress classes of nginx "
        "and Traefik.",
    )
    LONGHORN_REGISTRY_PASSWORD = (
        "longhornRegistryPassword",
        "Password for longhorn.registry, for the pull Secret that Longhorn's chart makes "
        "(see longhorn.registryUser).",
    )
    LONGHORN_BACKUP_PASSWORD = (
        "longhornBackupPassword",
        "What opens the backup target for longhorn.backup.user: secret key (s3), account key "
        "(azblob) or password (cifs).",
    )
    LONGHORN_ENCRYPTION_KEY = (
        "longhornEncryptionKey",
        "Passphrase of the volumes of encrypted StorageClasses. Keep a copy: without it their data "
        "is lost.",
    )
    RANCHER_BOOTSTRAP_PASSWORD = (
        "rancherBootstrapPassword",
        "Rancher's first password, 12 characters or more and at most 72 bytes; else generated.",
    )
    RANCHER_ADMIN_PASSWORD = (
        "rancherAdminPassword",
        "Password of Rancher's user admin, 12 characters or more and at most 72 bytes; else "
        "generated.",
    )
    RANCHER_CERTIFICATE_KEY = (
        "rancherCertificateKey",
        "Private key (PEM) of the certificate in rancher.certificateFile.",
    )
    RANCHER_TOKEN = (
        "rancherToken",
        "API token of a Rancher that is there already (see rancherImport.url), of a user who may "
        "create clusters there.",
    )
    RANCHER_MANIFEST_URL = (
        "rancherManifestUrl",
        "Address of an import manifest from Rancher's page `Import existing`.",
    )
