"""The address of an import manifest, taken apart. Pure."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_MANIFEST_PATH = re.compile(r"/v3/import/(?P<token>[^/_]+)_(?P<cluster_id>[^/]+)\.yaml")


@dataclass(frozen=True)
class ManifestUrl:
    """The parts of a manifest's address. The whole address is a secret, because of its token."""

    server_url: str
    cluster_id: str
    token: str = field(repr=False)


def read_manifest_url(url: str) -> ManifestUrl:
    """Take apart an address such as https://HOST/v3/import/TOKEN_CLUSTER.yaml.

    Raises ValueError, which does not repeat the address.
    """
    split = urlsplit(url)
    match = _MANIFEST_PATH.fullmatch(split.path)
    if split.scheme != "https" or not split.netloc or match is None:
        raise ValueError(
            "the import manifest's address must look like "
            "https://HOST/v3/import/TOKEN_CLUSTER.yaml (Rancher shows it under Import Existing)"
        )
    return ManifestUrl(f"https://{split.netloc}", match["cluster_id"], match["token"])
