"""The nodes in a file of their own, for a cluster whose nodes do not fit into its stack file.

Owns reading it and where in it something stands. What a node may be is the models' matter.
Linux allows 128 KiB for one environment variable (MAX_ARG_STRLEN in include/uapi/linux/binfmts.h),
and Pulumi hands the whole configuration to the program in one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from configuration.places import Places
from configuration.problems import Problem
from configuration.pulumis_yaml import compose_yaml, read_yaml

KEY = "cluster.nodesFile"


def nodes_file_of(said: Mapping[str, object]) -> object:
    """What these sections name as the file, None if nothing."""
    cluster = said.get("cluster")
    return cast(dict[str, object], cluster).get("nodesFile") if isinstance(cluster, dict) else None


def read_nodes_file(path: str) -> tuple[list[Any], list[Problem]]:
    """What the file lists, as Pulumi would hand it over, and what is wrong with it as a whole."""
    try:
        found: object = read_yaml(Path(path).expanduser().read_text())
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        what = f"can't be read: {getattr(error, 'strerror', None) or error}"
        return [], [_problem(path, what, "Give the path of a file that you can read.")]
    except (yaml.YAMLError, ValueError) as error:
        what = f"is not YAML: {' '.join(str(error).split())}"
        return [], [_problem(path, what, "Write a list of nodes, as under `nodes`.")]
    if not isinstance(found, list) or not found:
        return [], [
            _problem(path, "holds no list of nodes", "Write the entries of `nodes` alone into it.")
        ]
    return json.loads(json.dumps(found, default=str)), []


def places_in_nodes_file(path: str, nodes_key: str) -> Places:
    """The places of the file's nodes, under the stack file's key for them."""
    root = compose_yaml(Path(path).expanduser().read_text())
    return Places({nodes_key: (root, root)}, {}) if root is not None else Places({}, {})


def _problem(path: str, what: str, remedy: str) -> Problem:
    return Problem(KEY, what, remedy, path)
