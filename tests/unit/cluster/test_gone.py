"""A cluster that does not answer holds a removal up, until the person says that it is gone."""

from pathlib import Path
from typing import Any

import pytest
from urllib3.exceptions import MaxRetryError

from components.cluster import gone as gone_cluster
from components.cluster.api import ApiError
from components.cluster.gone import VARIABLE, open_for_removal
from tests.unit.doubles.a_cluster import ACluster


class Silent(ACluster):
    """A cluster whose address nobody answers at."""

    def get_code(self, **_options: Any) -> str:
        raise MaxRetryError(None, "/version", OSError("connection refused"))  # pyright: ignore[reportArgumentType]


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(gone_cluster, "open_cluster", lambda _props: Silent())
    return {"kubeconfig": "k", "context": None}


def test_silence_alone_does_not_mean_that_the_cluster_is_gone(silent: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match=f"does not answer.*{VARIABLE}=true"):
        open_for_removal(silent)


def test_the_engines_own_variable_says_that_it_is(
    silent: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(VARIABLE, "true")
    assert open_for_removal(silent) is None
    assert "counts as gone" in capsys.readouterr().err


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A cluster at whose address something else answers by now, with a status."""

    class Other(ACluster):
        def get_code(self, **_options: Any) -> str:
            raise ApiError(request.param, "headers and all", reason="Said")

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(gone_cluster, "open_cluster", lambda _props: Other())
    return {"kubeconfig": "k", "context": None}


@pytest.mark.parametrize("answering", [401, 403, 404, 500, 502, 503], indirect=True)
def test_what_else_answers_there_counts_as_gone_where_the_person_says_so(
    answering: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(RuntimeError, match=rf"answers.*removed: \d+ Said\..*{VARIABLE}=true"):
        open_for_removal(answering)
    monkeypatch.setenv(VARIABLE, "true")
    assert open_for_removal(answering) is None
    assert "Said" in capsys.readouterr().err


@pytest.mark.parametrize("answering", [400, 409, 429], indirect=True)
def test_a_cluster_that_answers_otherwise_does_not_count_as_gone(
    answering: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "true")
    with pytest.raises(ApiError):
        open_for_removal(answering)


def test_a_kubeconfig_that_is_gone_is_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    props = {"kubeconfig": str(tmp_path / "absent"), "context": None}
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(RuntimeError, match=r"absent.*has moved.*without --refresh first"):
        open_for_removal(props)
    monkeypatch.setenv(VARIABLE, "true")
    assert open_for_removal(props) is None


def test_a_cluster_that_answers_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ACluster()
    monkeypatch.setattr(gone_cluster, "open_cluster", lambda _props: made)
    assert open_for_removal({}) is made
