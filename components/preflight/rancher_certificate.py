"""A certificate of Rancher's that ends soon. Pure.

Rancher renews the one that it made itself when it starts, and no other (dynamiclistener 0.4.0).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from components.preflight.report import CheckResult, of_cluster
from components.rancher.api.presented import Presented

_SOON = timedelta(days=30)


def check_certificate(
    url: str, presented: Presented | None, now: datetime
) -> Iterator[CheckResult]:
    """A warning from 30 days before it ends.

    Args:
        url: rancher.url.
        presented: The certificate that answers there; None where none does.
        now: The time, with its zone.
    """
    if presented is None or presented.expires - now > _SOON:
        return
    word = "ended" if presented.expires <= now else "ends"
    yield of_cluster(
        "rancherCertificate",
        "warning",
        f"the certificate at {url} {word} on {presented.expires:%Y-%m-%d %H:%M} UTC; after that "
        "neither agents nor this program talk to Rancher",
        "Renew it where it was made (rancher.certificateFile, or the proxy in front); one that "
        "Rancher made itself is renewed by `docker restart` of its container.",
    )
