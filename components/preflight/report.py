"""What a check before the first change can result in, and the report over all nodes. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from components.common.names import some_names
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


def of_cluster(check: CheckName, severity: Severity, found: str, remedy: str) -> CheckResult:
    """A result that is about the cluster and no single node."""
    return CheckResult(node=CLUSTER, check=check, severity=severity, found=found, remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class Report:
    """The results over all nodes, sorted into what stops the program and what is only shown."""

    errors: tuple[CheckResult, ...]
    """What stops the program."""
    accepted: tuple[CheckResult, ...]
    """Errors that the stack file accepts."""
    warnings: tuple[CheckResult, ...]
    """What stops nothing."""

    @property
    def remarks(self) -> str:
        """What stops nothing, one line each; empty if there is nothing."""
        lines = [*_lines("accepted", self.accepted), *_lines("warning", self.warnings)]
        return "\n".join(lines)


class PreflightError(ValueError):
    """Something on the nodes or in the cluster is in the way; the message is the report."""

    def __init__(self, report: Report) -> None:
        names = sorted({result.check for result in report.errors})
        nodes = sorted({result.node for result in report.errors} - {CLUSTER})
        where = f" on {_count(len(nodes), 'node')}" if nodes else ""
        lines = [
            f"preflight: {_count(len(names), 'error')}{where}; nothing was touched",
            *_lines("error", report.errors),
            "To go on in spite of a check, name it in the stack file: "
            f"checks.accept: [{', '.join(names)}]",
        ]
        if report.remarks:
            lines += ["This did not stop the program:", report.remarks]
        super().__init__("\n".join(lines))


def report(results: Iterable[CheckResult], accept: Sequence[CheckName]) -> Report:
    """Sort the results. An accepted error stops nothing, an accepted warning is silent."""
    results = list(results)
    refused = [r for r in results if r.severity == "error"]
    return Report(
        errors=tuple(r for r in refused if r.check not in accept),
        accepted=tuple(r for r in refused if r.check in accept),
        warnings=tuple(r for r in results if r.severity == "warning" and r.check not in accept),
    )


def _lines(word: str, results: Iterable[CheckResult]) -> Iterator[str]:
    """One line per different result; the nodes that share it are named in that line."""
    grouped: dict[tuple[str, ...], list[str]] = {}
    for result in results:
        grouped.setdefault((result.check, result.found, result.remedy), []).append(result.node)
    for (check, found, remedy), nodes in grouped.items():
        yield f"  {word} {check}: {some_names(nodes, _NAMED_NODES)}: {found}. {remedy}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
