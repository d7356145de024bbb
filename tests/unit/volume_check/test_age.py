"""How old a proof is."""

from datetime import UTC, datetime

import pytest

from components.volume_check.age import days_since

_NOW = datetime(2024, 5, 3, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "days"),
    [("2024-05-01T14:00:00Z", 2), ("2024-05-01T02:00:00", 2.5), (None, None), ("soon", None)],
)
def test_it_counts_from_a_time_as_kubernetes_writes_it(text: object, days: float | None) -> None:
    assert days_since(text, _NOW) == days
