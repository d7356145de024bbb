"""A certificate of Rancher's that ends soon is told before it does."""

from datetime import UTC, datetime, timedelta

import pytest

from components.preflight.rancher_certificate import check_certificate
from components.rancher.api.presented import Presented

NOW = datetime(2026, 11, 1, tzinfo=UTC)
URL = "https://rancher.example.com"


@pytest.mark.parametrize(
    ("days", "said"),
    [(31, None), (30, "ends on 2026-12-01 00:00 UTC"), (-1, "ended on 2026-10-31 00:00 UTC")],
)
def test_it_is_told_from_thirty_days_before_it_ends(days: int, said: str | None) -> None:
    presented = Presented("CN=any", ("rancher.example.com",), NOW + timedelta(days=days))
    found = list(check_certificate(URL, presented, NOW))
    assert [result.check for result in found] == ["rancherCertificate"] * (said is not None)
    assert all(str(said) in result.found for result in found)


def test_where_nothing_answers_there_is_nothing_to_tell() -> None:
    assert list(check_certificate(URL, None, NOW)) == []
