"""Rules for longhorn.monitoring. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from configuration.longhorn_rules import value_at
from configuration.problems import Problem
from configuration.stack_file import StackFile

_CHARTS = "metrics.serviceMonitor.enabled"


def _scraped_twice(file: StackFile) -> Iterator[Problem]:
    """From 1.5.5 on the chart has a ServiceMonitor of its own."""
    said = value_at(file.longhorn.values, _CHARTS)
    if file.longhorn.monitoring is not None and said is not None:
        yield Problem(
            f"longhorn.values.{_CHARTS}",
            "is decided by longhorn.monitoring",
            "Remove it here.",
            said,
        )


MONITORING_RULES: Sequence[Callable[[StackFile], Iterable[Problem]]] = (_scraped_twice,)
