"""When Longhorn's confirmation of its removal is written, and when a refusal is waited for."""

from typing import Any

import pytest

from components.cluster.api import ApiError
from components.common import waiting
from components.longhorn.removal.confirmation import removal_is_confirmed, set_removal_confirmed
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_cluster import ACluster, api_error


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A cluster whose Longhorn may not be removed."""
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    return ACluster()


def test_a_removal_is_confirmed_only_by_a_setting_that_is_there_and_true(cluster: Any) -> None:
    assert removal_is_confirmed(cluster) is False
    set_removal_confirmed(cluster, confirmed=True)
    assert removal_is_confirmed(cluster) is True
    cluster.objects["settings"].clear()
    assert removal_is_confirmed(cluster) is False


def test_a_setting_that_says_so_already_is_not_written(cluster: Any) -> None:
    cluster.refusals = [AssertionError("it was written")]
    set_removal_confirmed(cluster, confirmed=False)
    assert cluster.confirmed == "false"


def test_a_longhorn_that_is_gone_has_no_setting_to_write(cluster: Any) -> None:
    cluster.refusals = [AssertionError("it was written")]
    cluster.objects["settings"].clear()
    set_removal_confirmed(cluster, confirmed=True)
    assert cluster.objects["settings"] == {}


@pytest.mark.parametrize("status", [409, 500, 503])
def test_a_webhook_that_is_not_there_yet_is_waited_for(cluster: Any, status: int) -> None:
    cluster.refusals = [api_error(status), api_error(status)]
    set_removal_confirmed(cluster, confirmed=True)
    assert cluster.confirmed == "true"


@pytest.mark.parametrize("status", [400, 403, 422])
def test_any_other_refusal_is_an_error_at_once(cluster: Any, status: int) -> None:
    cluster.refusals = [api_error(status)]
    with pytest.raises(ApiError):
        set_removal_confirmed(cluster, confirmed=True)
    assert cluster.confirmed == "false"
