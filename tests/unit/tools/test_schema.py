"""stacks/stack.schema.json: an editor takes what the program takes, and refuses what it can."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from configuration.longhorn import SUPPORTED_VERSIONS
from configuration.secrets import Secret
from configuration.stack_file import SECTIONS
from tests.unit.doubles.a_stack import load, mistakes, nodes, valid, with_secrets
from tests.unit.doubles.an_editor import complaints, complaints_of_file
from tools.offline.stack_file import NAMESPACE, PROJECT
from tools.pages import schema

_STACKS = sorted((PROJECT / "stacks").glob("Pulumi.*.yaml"))
_DISK = {"device": "/dev/sdb", "mountPoint": "/mnt/a"}


@cache
def _whole_schema() -> dict[str, Any]:
    """Made once: treat it as read-only."""
    return schema.whole_schema()


def test_the_file_is_current() -> None:
    assert schema.main(["--check"]) == 0, "run `make docs`"


@pytest.mark.parametrize("path", _STACKS, ids=lambda path: path.name)
def test_a_shipped_stack_names_the_schema_and_is_taken(path: Path) -> None:
    text = path.read_text()
    assert text.splitlines()[0] == schema.MODELINE
    assert (path.parent / schema.MODELINE.partition("=")[2]).samefile(schema.PATH)
    assert complaints_of_file(yaml.safe_load(text)) == []


def _examples() -> Iterator[Any]:
    """Every piece of a stack file in the documentation."""
    for page in sorted((PROJECT / "docs").rglob("*.md")):
        for block in page.read_text().split("```yaml\n")[1:]:
            text = block.partition("```")[0]
            if f"{NAMESPACE}:" in text and "config:" not in text:
                yield pytest.param(yaml.safe_load(text), id=page.name)


@pytest.mark.parametrize("example", list(_examples()))
def test_an_example_in_the_documentation_is_taken(example: dict[str, Any]) -> None:
    # An example leaves out what it is not about.
    shortened = ("required property", ".hostKey", ".dockerHostKey", ".acceptCa", ".name")
    cluster = {f"{NAMESPACE}:cluster": {"name": "example"}}
    found = complaints({**cluster, **example})
    assert [line for line in found if not any(word in line for word in shortened)] == []


def test_what_the_program_takes_with_every_kind_of_value_is_taken() -> None:
    config = with_secrets(
        valid(
            stages=None,
            frontend={"type": "NodePort", "nodePort": 30080, "sourceRanges": []},
            longhorn={"values": None, "defaultSettings": None, "version": "v1.6.4"},
            checks={"accept": ["iscsid"], "survive": "1 node"},
        ),
        sudoPassword="hidden",
    )
    load(config)
    assert complaints(config) == []


@pytest.mark.parametrize("key", [*SECTIONS, *Secret])
def test_every_key_of_a_stack_file_is_offered_with_its_meaning(key: str) -> None:
    offered = _whole_schema()
    (name,) = (
        full
        for full in offered["properties"]["config"]["properties"]
        if full == f"{NAMESPACE}:{key}"
    )
    entry = offered["properties"]["config"]["properties"][name]
    assert offered["definitions"][entry["$ref"].rpartition("/")[2]]["description"]


def test_every_key_inside_a_section_is_offered_with_its_meaning() -> None:
    for name, model in _whole_schema()["definitions"].items():
        for key, field in model.get("properties", {}).items():
            assert field.get("description") or key == "secure", f"{name}.{key}"


def test_defaults_and_choices_are_offered() -> None:
    definitions = _whole_schema()["definitions"]
    assert definitions["ssh"]["properties"]["port"]["default"] == 22
    kinds = definitions["frontend"]["properties"]["type"]
    assert kinds["enum"] == ["ClusterIP", "NodePort", "LoadBalancer", "Ingress"]
    versions = definitions["longhorn"]["properties"]["version"]
    assert versions["default"] == SUPPORTED_VERSIONS[0]


@pytest.mark.parametrize(
    "config",
    [
        {},
        valid(cluster=None),
        valid(cluster={}),
        valid(surprise=1),
        valid(sudoPassword="in plain text"),
        valid(ssh={"useAgent": True, "prot": 22}),
        valid(ssh={"useAgent": True, "port": "22"}),
        valid(ssh={"useAgent": True, "port": 70000}),
        valid(ssh={"useAgent": "yes"}),
        valid(ssh={"useAgent": True, "user": "-oProxyCommand"}),
        valid(nodes={"name": "node-1"}),
        valid(nodes=nodes({"name": "Node_1"})),
        valid(nodes=nodes({"host": "root@192.0.2.1"})),
        valid(nodes=nodes({"hostKey": "SHA256:abc"})),
        valid(nodes=nodes({"disks": [{"device": "/dev/sdb"}]})),
        valid(nodes=nodes({"disks": [{**_DISK, "fileSystem": "btrfs"}]})),
        valid(nodes=nodes({"disks": [{**_DISK, "device": "sdb"}]})),
        valid(nodes=nodes({"disks": [{**_DISK, "storageReserved": "10 GB"}]})),
        valid(nodes=nodes({"disks": [{**_DISK, "adoptUuid": "1234"}]})),
        valid(longhorn={"version": "1.4.0"}),
        valid(longhorn={"replicaCount": 0}),
        valid(longhorn={"registry": "https://registry.example.com"}),
        valid(longhorn={"backup": {"target": "ftp://server/"}}),
        valid(longhorn={"recurringJobs": [{"name": "a", "task": "snapshot", "cron": "daily"}]}),
        valid(frontend={"type": "nodeport"}),
        valid(frontend={"type": "LoadBalancer", "sourceRanges": ["office"]}),
        valid(rancher={"url": "https://rancher.example.com", "dockerHost": "tcp://a:2375"}),
        valid(checks={"accept": ["iscsidd"]}),
    ],
    ids=range(28),
)
def test_what_the_program_refuses_in_one_value_is_refused_in_the_editor(
    config: dict[str, Any],
) -> None:
    assert mistakes(config)
    assert complaints(config)


def test_no_regular_expression_is_shown_where_an_editor_can_say_it_in_words() -> None:
    def patterns(value: Any) -> Iterator[dict[str, Any]]:
        inside = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict) and isinstance(value.get("pattern"), str):
            yield value
        for item in inside:
            if isinstance(item, dict | list):
                yield from patterns(item)

    found = list(patterns(_whole_schema()))
    assert found
    assert all(each["patternErrorMessage"] for each in found)


def test_what_pulumi_keeps_in_a_stack_file_is_taken() -> None:
    whole = {"encryptionsalt": "v1:x", "config": {"cluster": {"name": "a"}, "pulumi:tags": {}}}
    assert complaints_of_file(whole) == []
    assert complaints_of_file({"environment": ["production"]}) == []


def test_the_project_declares_every_key_without_which_a_stack_can_be() -> None:
    declared = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
    declared.pop("pulumi:disable-default-providers")
    required = {key for key in declared if "default" not in declared[key]}
    assert required == {"cluster"}
    # Pulumi requires a value for what is declared without one, so these are left out.
    assert set(declared) == set(SECTIONS) - {"rancher"}
    for key, entry in declared.items():
        assert entry["description"].rstrip(".") in (SECTIONS[key].__doc__ or "") or key == "nodes"
    defaults = {key: entry["default"] for key, entry in declared.items() if "default" in entry}
    assert load({**valid(), **{k: v for k, v in defaults.items() if k not in valid()}}) == load(
        valid()
    )
