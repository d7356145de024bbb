"""The key of encrypted volumes, which is worth as much as their data."""

import base64
from typing import Any

import pulumi

from components.cluster.api import ClusterApi, cluster_inputs, open_cluster, unless_missing
from components.cluster.gone import open_for_removal
from components.common.answers import mapped
from components.common.dynamic import FINDING, DynamicProvider, DynamicResource, Properties
from components.common.progress import tell
from components.longhorn.fields import name_of, spec_of
from components.longhorn.objects import NAMESPACE, read_objects
from configuration.cluster import ClusterSettings

SECRET_NAME = "longhorn-encryption-key"  # noqa: S105  the name of the object
_KEY = "CRYPTO_KEY_VALUE"
# Longhorn's documentation, Volume Encryption: the values that its example and its defaults have.
_FIXED = {
    "CRYPTO_KEY_PROVIDER": "secret",
    "CRYPTO_KEY_CIPHER": "aes-xts-plain64",
    "CRYPTO_KEY_HASH": "sha256",
    "CRYPTO_KEY_SIZE": "256",
    "CRYPTO_PBKDF": "argon2i",
}


class EncryptionKeyProvider(DynamicProvider):
    """Writes the Secret, and refuses what would lock volumes that exist.

    Longhorn has no way to give a volume another key (longhorn/longhorn#9345).
    """

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Raises ValueError while encrypted volumes exist whose key is another one."""
        _write(open_cluster(new), str(new["key"]))
        return SECRET_NAME, new

    def change(self, old: Properties, new: Properties) -> Properties:
        """As `make`; where the Secret is gone, the state tells which key the volumes have."""
        _write(open_cluster(new), str(new["key"]), former=str(old["key"]))
        return new

    def look(self, state: Properties) -> Properties | None:
        """The key as it is in the cluster; None if the Secret is gone."""
        key = _read(open_cluster(state))
        return None if key is None else {**state, "key": key}

    def remove(self, state: Properties) -> None:
        """Delete the Secret, but never while a volume needs it."""
        cluster = open_for_removal(state)
        if cluster is None or _read(cluster) is None:
            return
        volumes = _encrypted_volumes(cluster)
        if volumes:
            tell(
                f"Secret {NAMESPACE}/{SECRET_NAME} stays: {len(volumes)} encrypted volumes need "
                f"it ({', '.join(volumes[:5])})"
            )
            return
        cluster.core.delete_namespaced_secret(SECRET_NAME, NAMESPACE)


def _read(cluster: ClusterApi) -> str | None:
    secret: Any = unless_missing(cluster.core.read_namespaced_secret, SECRET_NAME, NAMESPACE)
    if secret is None:
        return None
    return base64.b64decode(str(mapped(secret.data).get(_KEY, ""))).decode()


def _encrypted_volumes(cluster: ClusterApi) -> list[str]:
    volumes = read_objects(cluster, "volumes") or []
    return sorted(name_of(volume) for volume in volumes if spec_of(volume).get("encrypted"))


def _write(cluster: ClusterApi, key: str, *, former: str | None = None) -> None:
    """Bring the key into the Secret.

    Args:
        key: The key as it is to be.
        former: What the stack wrote before, which counts where the Secret is gone.
    """
    present = _read(cluster)
    if present == key:
        return
    known = former if present is None else present
    if known not in (None, key):
        _refuse_another(cluster)
    body = {
        "metadata": {"name": SECRET_NAME, "namespace": NAMESPACE},
        "stringData": {_KEY: key, **_FIXED},
    }
    if present is None:
        cluster.core.create_namespaced_secret(NAMESPACE, body)
        return
    cluster.core.replace_namespaced_secret(SECRET_NAME, NAMESPACE, body)


def _refuse_another(cluster: ClusterApi) -> None:
    """Raises ValueError with the volumes that need the former key."""
    volumes = _encrypted_volumes(cluster)
    if volumes:
        raise ValueError(
            f"the secret longhornEncryptionKey is another one than that of Secret {NAMESPACE}/"
            f"{SECRET_NAME}, and {len(volumes)} volumes are encrypted with that one "
            f"({', '.join(volumes[:5])}). Longhorn can't give them another key: set the former "
            "one again, or move their data to new volumes first."
        )


class EncryptionKey(DynamicResource, module="longhorn", name="EncryptionKey"):
    """Owns the Secret with the key of encrypted volumes, until the last of them is gone."""

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        key: pulumi.Output[str],
        found: str | None = None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name.
            cluster: How the cluster is reached.
            key: The key (secret).
            found: That the Secret is gone right now.
            opts: The resource's options.
        """
        inputs = {**cluster_inputs(cluster), "key": pulumi.Output.secret(key), FINDING: found}
        super().__init__(EncryptionKeyProvider(), name, inputs, opts)
