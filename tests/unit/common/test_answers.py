"""What is read out of answers, whatever they leave out."""

from datetime import UTC, datetime

import pytest

from components.common.answers import time_in

_NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2024-05-01T12:00:00Z", _NOON),
        ("2024-05-01T14:00:00+02:00", _NOON),
        ("2024-05-01T12:00:00", _NOON),
        (None, None),
        ("soon", None),
    ],
)
def test_a_time_is_read_as_kubernetes_writes_it(value: object, found: datetime | None) -> None:
    assert time_in(value) == found
