"""`python -m tools.status STACK [--json | --html FILE]`: how the storage of a stack is.

Reads the cluster that the stack file names, and the Docker host where the stack has Rancher there,
changes nothing, and needs no Pulumi. Ends with 0 where
all is well, 1 with warnings, 2 where data can't be reached, 3 where the cluster does not answer. A
`make status` knows 0 and 2 alone, as make does for any program that does not end with 0.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pulumi
from rich.console import Console

from components.cluster.api import ClusterApi
from components.longhorn.storage import read_storage
from components.preflight.cluster_facts import cordoned_of, read_nodes
from components.preflight.deadline import asking
from components.preflight.kept_objects import with_kept_objects
from components.preflight.longhorn import longhorn_findings
from components.preflight.rancher_server import look_at_rancher
from components.preflight.release import release_finding
from configuration.problems import SettingsError
from configuration.settings import Settings, load
from tools.offline.stack_file import (
    NAMESPACE,
    StackFileError,
    read_stack_config,
    stack_path,
)
from tools.plan.plan import without_credentials
from tools.status.screen import status_page, status_screen
from tools.status.status import EXIT_STATUS, UNREAD, Status, status_of

_SECONDS = 60.0
_COLUMNS = 140


def main(words: Sequence[str] | None = None) -> int:
    """Read, show, and say by the exit status how bad it is."""
    asked = _parser().parse_args(words)
    try:
        settings = _settings(asked.stack)
    except (FileNotFoundError, StackFileError, SettingsError) as error:
        print(error, file=sys.stderr)
        return UNREAD

    def unanswered(problem: str) -> Status | None:
        print(f"stack {asked.stack}: the cluster could not be read: {problem}", file=sys.stderr)
        return None

    status = asking(_SECONDS, lambda: _read(asked.stack, settings), unanswered)()
    if status is None:
        return UNREAD
    if asked.json:
        print(json.dumps(_plain(status), indent=2))
    else:
        # Where no terminal says how wide it is.
        width = None if sys.stdout.isatty() else _COLUMNS
        Console(width=width, markup=False, emoji=False).print(status_screen(status))
    if asked.html:
        asked.html.write_text(status_page(status))
    return EXIT_STATUS[status.severity]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tools.status", description=__doc__)
    parser.add_argument("stack", help="name of a stack, such as three-nodes")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--html", type=Path, help="also write a page for a browser to this file")
    return parser


def _settings(stack: str) -> Settings:
    config = without_credentials(read_stack_config(stack_path(stack)))
    pulumi.runtime.set_all_config(dict(config.values), sorted(config.secret_keys))
    return load()


def _read(stack: str, settings: Settings) -> Status:
    look_at_server = look_at_rancher(settings, f"{NAMESPACE}/{stack}")
    api = ClusterApi(settings.cluster.kubeconfig, settings.cluster.context)
    storage = read_storage(api)
    if storage is None:
        raise RuntimeError("Longhorn is not installed there")
    cordoned = cordoned_of(read_nodes(api))
    findings = longhorn_findings(storage, settings, release_finding(api), cordoned)
    findings = with_kept_objects(findings, api, settings, knows_secrets=False)
    return status_of(stack, settings, storage, findings, datetime.now(UTC), look_at_server())


def _plain(status: Status) -> dict[str, object]:
    return {
        "severity": status.severity,
        **json.loads(json.dumps(dataclasses.asdict(status), default=sorted)),
    }


if __name__ == "__main__":
    sys.exit(main())
