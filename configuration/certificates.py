"""A certificate of one's own for Rancher: its files, its key, and whether all of it fits.

Where a proxy ends TLS, only its CA is looked at: the certificate is with the proxy.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from configuration.certificate_chain import Given, findings
from configuration.files import text_of
from configuration.partial import knows
from configuration.problems import Problem
from configuration.rancher import RancherSettings
from configuration.secrets import UNDECRYPTED, Secret

KEY_SECRET = Secret.RANCHER_CERTIFICATE_KEY


def certificate_problems(
    rancher: RancherSettings | None, *, key: str | None, prefix: str
) -> Iterator[Problem]:
    """What is wrong with certificate, CA and key; files that can't be read are reported elsewhere.

    Args:
        rancher: None when it is absent or has other mistakes.
        key: The secret rancherCertificateKey, which is in no message; None without one. One that
            nobody decrypted is there, and compared with nothing.
        prefix: What stands before every key of the stack file.
    """
    if rancher is None:
        return
    if rancher.certificate_file is not None and key is None:
        yield Problem(
            f"{prefix}{KEY_SECRET}",
            "is missing, and rancher.certificateFile is of no use without its private key",
            f"Set it: pulumi config set --secret {prefix}{KEY_SECRET} < key.pem",
        )
    if rancher.certificate_file is None and key is not None:
        yield Problem(
            f"{prefix}rancher.certificateFile",
            f"is missing, and the secret {KEY_SECRET} is a key without a certificate",
            "Add it, or remove the secret.",
        )
    paths = {"certificateFile": rancher.certificate_file, "caFile": rancher.ca_file}
    texts = dict[str, str | None]()
    for name, path in paths.items():
        text = None if path is None else text_of(path)
        problem = None if text is None else _unfit(f"{prefix}rancher.{name}", path, text)
        if problem is not None:
            yield problem
        texts[name] = text if problem is None else None
    given = Given(
        host=urlsplit(rancher.url).hostname if knows(rancher, "url") else None,
        chain_pem=texts["certificateFile"],
        ca_pem=texts["caFile"],
        key_pem=None if key == UNDECRYPTED else key,
        now=datetime.now(UTC),
    )
    for found in findings(given):
        where = KEY_SECRET if found.part == "key" else f"rancher.{found.part}"
        path = paths.get(found.part)
        yield Problem(prefix + where, found.rule, found.remedy, path)


def _unfit(key: str, path: str | None, text: str) -> Problem | None:
    if "PRIVATE KEY-----" in text:
        return Problem(
            key,
            "holds a private key, which would be readable in the state",
            f"Keep only the certificates in it, and set the key as the secret {KEY_SECRET}.",
            path,
        )
    if "-----BEGIN CERTIFICATE-----" not in text:
        return Problem(
            key,
            "holds no certificate in PEM form",
            "Convert it: openssl x509 -inform der -in FILE -out FILE.pem.",
            path,
        )
    return None
