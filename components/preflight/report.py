"""What a check before the first change can result in, and the report over all nodes. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from configuration.checks import CheckName

_NAMED_NODES = 8

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One thing that is not as Longhorn needs it."""

    node: str
    """Name of the node, or CLUSTER."""
    check: CheckName
    severity: Severity
    found: str
    """What was found, in one line."""
    remedy: str
    """What to do about it."""


CLUSTER = "the cluster"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The results over all nodes, sorted into what stops the program and what is only told."""

    errors: tuple[CheckResult, ...]
    """What stops the program."""
    warnings: tuple[CheckResult, ...]
    """What is told; errors among them are those that the stack file accepts."""


class PreflightError(ValueError):
    """Something on the nodes or in the cluster stands in the way; the message is the report."""

    def __init__(self, report: Report) -> None:
        self.report = report
        names = sorted({result.check for result in report.errors})
        super().__init__(
            f"preflight: {_count(report.errors, 'error')}; nothing was touched\n"
            f"{report_text([*report.errors, *report.warnings])}\n"
            "To go on in spite of a check, name it in the stack file: "
            f"checks.accept: [{', '.join(names)}]"
        )


def report(results: Iterable[CheckResult], accept: Sequence[CheckName]) -> Report:
    """Sort the results. An accepted error becomes a warning, an accepted warning is silent."""
    results = list(results)
    return Report(
        errors=tuple(r for r in results if r.severity == "error" and r.check not in accept),
        warnings=tuple(r for r in results if (r.severity == "error") == (r.check in accept)),
    )


def report_text(results: Sequence[CheckResult]) -> str:
    """One line per different result; the nodes that share it stand in that line."""
    grouped: dict[tuple[str, ...], list[str]] = {}
    for result in results:
        key = (result.severity, result.check, result.found, result.remedy)
        grouped.setdefault(key, []).append(result.node)
    return "\n".join(
        f"  {severity} {check}: {_names(nodes)}: {found}. {remedy}"
        for (severity, check, found, remedy), nodes in grouped.items()
    )


def _names(nodes: Sequence[str]) -> str:
    more = len(nodes) - _NAMED_NODES
    shown = ", ".join(nodes[:_NAMED_NODES])
    return f"{shown} and {more} more" if more > 0 else shown


def _count(results: Sequence[CheckResult], noun: str) -> str:
    return f"{len(results)} {noun}{'s' if len(results) != 1 else ''}"
