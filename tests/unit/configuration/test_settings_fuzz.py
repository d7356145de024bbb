"""Thousands of broken stack files: each loads or ends in SettingsError, never in a traceback.

What loads is taken by the schema for editors too.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configuration.problems import SettingsError
from configuration.stack_file import SECTIONS
from tests.unit.doubles.a_stack import HOST_KEY, JUMP_KEY, load, valid
from tests.unit.doubles.an_editor import complaints
from tools.offline.stack_file import NAMESPACE, StackConfig, stack_config

_MARKER = "tr0ub4dor-and-3"
_SECRET_NAMES = ("password", "sshPassword", "apiToken", "privateKey", "clientSecret")
_EXAMPLES = settings(
    max_examples=250,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_WHOLE = valid(
    cluster={"name": "test", "kubeconfig": "~/.kube/config", "context": "here"},
    stages={"volumeCheck": True, "rancherImport": True, "packages": True},
    ssh={
        "user": "ops",
        "port": 22,
        "useAgent": True,
        "jumpHost": {"host": "bastion", "hostKey": JUMP_KEY, "port": 2222},
    },
    nodes=[
        {"name": "node-1", "host": "192.0.2.11", "hostKey": HOST_KEY, "controlPlane": True},
        {
            "name": "node-2",
            "host": "2001:db8::2",
            "hostKey": HOST_KEY,
            "port": 2200,
            "disks": [
                {
                    "device": "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4",
                    "mountPoint": "/mnt/a",
                    "fileSystem": "xfs",
                    "adoptUuid": "0a1b2c3d-0000-4000-8000-000000000000",
                    "storageReserved": "10Gi",
                    "tags": ["fast"],
                }
            ],
        },
    ],
    controlPlane={"scheduling": "tolerate"},
    longhorn={
        "version": "1.5.3",
        "registry": "registry.example.com:5000",
        "replicaCount": 2,
        "backup": {"target": "nfs://server:/backups", "pollSeconds": 600},
        "recurringJobs": [
            {"name": "nightly", "task": "backup", "cron": "0 2 * * *", "groups": ["default"]}
        ],
        "storageClasses": [{"name": "fast", "replicas": 2, "recurringJobs": ["nightly"]}],
        "values": {"defaultSettings": {"logLevel": "Debug"}, "persistence": {"migratable": True}},
    },
    frontend={"type": "NodePort", "nodePort": 30080, "annotations": {"a": "b"}},
    volumeCheck={"size": "10Mi", "run": 2},
    rancher={
        "url": "https://rancher.example.com",
        "dockerHost": "ssh://root@rancher",
        "dockerHostKey": JUMP_KEY,
        "listenAddress": "0.0.0.0",  # noqa: S104  a value to mutate
    },
    rancherImport={"agentEnvironment": {"NO_PROXY": "10.0.0.0/8"}},
)
_Path = tuple[str | int, ...]
_ODD_TEXTS = (
    "", " ", "/", "//", "/.", "..", "~", "~nobody-here/x", "-", "--", "a\0b", "\n", "\t", "é", "💾",
    "null", "true", "1e999", "0x10", "010", "10Gi", "-1Gi", "9" * 400, "x" * 5000, "%s", "{}",
    "https://", "https://[", "https://[::1]:x", "https://a:b@c:99999/", "ssh://", "unix://",
    "::", "1.2.3.4/33", "$(reboot)", "`id`", "a;b", "30000-1", "1-2-3", "99999-99999", "/dev/",
    "ssh-ed25519", "ssh-ed25519 ", "ssh-rsa AAAA\nssh-rsa BBBB", "Ingress", "untaint", "v1.5.3",
)  # fmt: skip
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 65536, 10**30]),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(_ODD_TEXTS),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=6), inner, max_size=3),
    ),
    max_leaves=4,
)


def _paths(value: Any, path: _Path = ()) -> Iterator[_Path]:
    """Every place in the settings, whole sections included."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inside:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from _paths(item, (*path, key))


def _holder(config: Any, path: _Path) -> Any:
    """The map or list that holds this place, None when an earlier change took it away."""
    for key in path[:-1]:
        try:
            config = config[key]
        except (KeyError, IndexError, TypeError):
            return None
    is_there = isinstance(config, dict) and path[-1] in config
    is_there |= isinstance(config, list) and isinstance(path[-1], int) and path[-1] < len(config)
    return config if is_there else None


_PATHS = sorted(_paths(_WHOLE), key=str)


@st.composite
def _broken_files(draw: st.DrawFn) -> dict[str, Any]:
    """A valid stack file with one to four changes."""
    config: dict[str, Any] = copy.deepcopy(_WHOLE)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(_PATHS))
        holder = _holder(config, path)
        if holder is None:
            continue
        key = path[-1]
        match draw(st.sampled_from(["replace", "odd", "remove", "rename", "repeat", "wrap"])):
            case "replace":
                holder[key] = draw(_VALUES)
            case "odd":
                holder[key] = draw(st.sampled_from(_ODD_TEXTS))
            case "remove":
                del holder[key]
            case "rename" if isinstance(holder, dict):
                holder[draw(st.text(max_size=8)) or "x"] = holder.pop(key)
            case "repeat" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[int(key)]))
            case _:
                holder[key] = [holder[key]]
    return config


def _told(config: StackConfig) -> str:
    """What the program says about the file: nothing when it loads. Raises anything else."""
    try:
        load(config)
    except SettingsError as error:
        found = error
    else:
        assert complaints(config) == []
        return ""
    assert found.problems, "an error without a mistake"
    for problem in found.problems:
        assert problem.key.startswith(f"{NAMESPACE}:")
        assert problem.rule
    return str(found)


def test_the_file_that_is_broken_is_whole_before() -> None:
    assert _told(stack_config(_WHOLE)) == ""


def _places() -> list[_Path]:
    """Every place of the whole file, and every key of a section that it leaves out."""
    left_out = [
        (section, field.alias or name)
        for section, model in SECTIONS.items()
        if isinstance(_WHOLE.get(section, {}), dict)
        for name, field in model.model_fields.items()
    ]
    return sorted({*_PATHS, *left_out}, key=str)


@pytest.mark.parametrize("number", range(len(_ODD_TEXTS)))
def test_an_odd_text_in_any_place_loads_or_ends_in_a_settings_error(number: int) -> None:
    text = _ODD_TEXTS[number]
    # Each in every other place, so that every place gets every other one.
    for path in _places()[number % 2 :: 2]:
        config: dict[str, Any] = copy.deepcopy(_WHOLE)
        config.setdefault(str(path[0]), {})
        holder: Any = config
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = text
        _told(stack_config(config))


@_EXAMPLES
@given(_broken_files())
def test_a_broken_file_loads_or_ends_in_a_settings_error(config: dict[str, Any]) -> None:
    _told(stack_config(config))


@_EXAMPLES
@given(
    st.dictionaries(
        st.sampled_from([*_WHOLE, "sshPassword", "sudoPassword", "typo"]),
        st.one_of(
            st.sampled_from(["", "{", "[1", "null", "true", "5", '"text"', "{}", "[]", "\0", "é"]),
            st.text(max_size=10),
            _VALUES.map(json.dumps),
        ),
    ),
    st.sets(st.sampled_from([*_WHOLE, "sshPassword"])),
)
def test_raw_text_under_any_key_loads_or_ends_in_a_settings_error(
    raw: dict[str, str], encrypted: set[str]
) -> None:
    values = {f"{NAMESPACE}:{key}": value for key, value in raw.items()}
    _told(StackConfig(values, frozenset(f"{NAMESPACE}:{key}" for key in encrypted)))


@_EXAMPLES
@given(
    _broken_files(),
    st.sampled_from(_PATHS),
    st.sampled_from(_SECRET_NAMES),
)
def test_a_secret_in_a_wrong_place_is_never_shown(
    config: dict[str, Any], path: _Path, name: str
) -> None:
    holder = _holder(config, path)
    if holder is None:
        return
    # In the place of any value, and under a name of its own beside it.
    holder[path[-1]] = {name: _MARKER}
    if isinstance(holder, dict):
        holder[name] = _MARKER
    assert _MARKER not in _told(stack_config(config))
