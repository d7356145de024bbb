"""Which file the lab takes for the chart of a version."""

from pathlib import Path

import pytest
import yaml

from configuration.longhorn import DEFAULT_VERSION, SUPPORTED_VERSIONS
from lab.common import paths
from lab.longhorn import chart, played_chart


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no way to the repository."""
    monkeypatch.delenv("LAB_CHART", raising=False)
    monkeypatch.setattr(chart, "CACHE", tmp_path)
    monkeypatch.setattr(paths, "STATE", tmp_path / "state")
    monkeypatch.setattr(chart, "repository_answers", lambda: False)
    return tmp_path


def test_each_version_has_a_file_of_its_own(cache: Path) -> None:
    (cache / "longhorn-1.6.4.tgz").touch()
    assert chart.real_file("1.6.4") == chart.local_chart("1.6.4") == cache / "longhorn-1.6.4.tgz"
    assert chart.real_file("1.6.3") is None
    assert chart.real_file() is None


def test_the_named_file_is_the_chart_of_the_default_version_alone(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = cache / "mine.tgz"
    named.touch()
    monkeypatch.setenv("LAB_CHART", str(named))
    assert chart.local_chart() == named
    assert chart.real_file("1.6.4") is None


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_a_chart_that_can_not_be_had_is_played(version: str, cache: Path) -> None:
    del cache
    path = chart.local_chart(version)
    assert path is not None
    description = yaml.safe_load((path / "Chart.yaml").read_text())
    assert (description["name"], description["version"]) == ("longhorn", version)


def test_what_is_missing_is_told_by_version(cache: Path) -> None:
    (cache / f"longhorn-{DEFAULT_VERSION}.tgz").touch()
    assert chart.missing_chart() is None
    missing = str(chart.missing_chart("1.5.5"))
    assert "chart 1.5.5" in missing
    assert "--version 1.5.5" in missing
    assert str(cache) in missing


def test_nothing_is_missing_or_played_where_the_repository_answers(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del cache
    monkeypatch.setattr(chart, "repository_answers", lambda: True)
    assert chart.missing_chart("1.6.4") is None
    assert chart.local_chart("1.6.4") is None


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("defaultReplicaCount", "default-replica-count"),
        ("guaranteedInstanceManagerCPU", "guaranteed-instance-manager-cpu"),
        ("v2DataEngineHugepageLimit", "v2-data-engine-hugepage-limit"),
        ("replicaFileSyncHttpClientTimeout", "replica-file-sync-http-client-timeout"),
    ],
)
def test_a_setting_is_named_as_longhorn_names_it(key: str, name: str) -> None:
    assert played_chart.setting_name(key) == name
