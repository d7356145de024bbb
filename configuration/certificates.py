"""Rancher's own certificate: its files hold certificates and nothing secret, and it has a key."""

from collections.abc import Iterator
from pathlib import Path

from configuration.problems import Problem
from configuration.rancher import RancherSettings
from configuration.secrets import Secret

KEY_SECRET = Secret.RANCHER_CERTIFICATE_KEY


def certificate_problems(
    rancher: RancherSettings | None, *, has_key: bool, prefix: str
) -> Iterator[Problem]:
    """What is wrong with certificate, CA and key; files that can't be read are told elsewhere.

    Args:
        rancher: None when it is absent or has other mistakes.
        has_key: Whether the secret rancherCertificateKey is set.
        prefix: What stands before every key of the stack file.
    """
    if rancher is None:
        return
    if rancher.certificate_file is not None and not has_key:
        yield Problem(
            f"{prefix}{KEY_SECRET}",
            "is missing, and rancher.certificateFile is of no use without its private key",
            f"Set it: pulumi config set --secret {prefix}{KEY_SECRET} < key.pem",
        )
    if rancher.certificate_file is None and has_key:
        yield Problem(
            f"{prefix}rancher.certificateFile",
            f"is missing, and the secret {KEY_SECRET} is a key without a certificate",
            "Add it, or remove the secret.",
        )
    for name, path in (("certificateFile", rancher.certificate_file), ("caFile", rancher.ca_file)):
        if path is not None:
            yield from _contents_problems(f"{prefix}rancher.{name}", path)


def _contents_problems(key: str, path: str) -> Iterator[Problem]:
    try:
        text = Path(path).expanduser().read_text()
    except UnicodeDecodeError:
        text = ""
    except (OSError, RuntimeError, ValueError):
        return
    if "PRIVATE KEY-----" in text:
        yield Problem(
            key,
            "holds a private key, which would be readable in the state",
            f"Keep only the certificates in it, and set the key as the secret {KEY_SECRET}.",
            path,
            shows_value=True,
        )
    elif "-----BEGIN CERTIFICATE-----" not in text:
        yield Problem(
            key,
            "holds no certificate in PEM form",
            "Convert it: openssl x509 -inform der -in FILE -out FILE.pem.",
            path,
            shows_value=True,
        )
