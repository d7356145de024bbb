"""Every stack file that is shipped, run as a whole program without engine or cluster."""

from functools import cache

import pytest

from configuration.secrets import Secret
from tests.unit.doubles.a_stack import COMMAND
from tools.offline.answers import AnsweringMocks
from tools.offline.recording import UNKNOWN, Recording, SecretValue, run_program
from tools.offline.stack_file import NAMESPACE, PROJECT, StackConfig, read_stack_config, stack_path
from tools.plan.plan import without_key_file

# Refused without a certificate file; test_rancher_certificate.py holds it to the same.
_NEEDS_A_CERTIFICATE = "rancherCertificateKey"
# Refused without what they go with; the tests of Longhorn's release, of its interface and of a
# Rancher that is there already hold them to the same.
_NEED_MORE = {
    *("longhornRegistryPassword", "frontendBasicAuth", "longhornBackupPassword", "rancherToken"),
}
_STACKS = sorted(path.name.split(".")[1] for path in PROJECT.glob("stacks/Pulumi.*.yaml"))


@cache
def _run(stack: str, *, preview: bool) -> Recording:
    config = without_key_file(read_stack_config(stack_path(stack)))
    mocks = None if preview else AnsweringMocks()
    return run_program(config, stack=stack, preview=preview, mocks=mocks)


@pytest.fixture(params=_STACKS)
def stack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_there_are_stack_files_to_test() -> None:
    assert {"three-nodes", "production"} <= set(_STACKS)


def test_a_preview_declares_the_same_resources_as_an_up(stack: str) -> None:
    previewed = {resource.urn for resource in _run(stack, preview=True).resources}
    assert previewed == {resource.urn for resource in _run(stack, preview=False).resources}


def test_no_urn_is_declared_twice(stack: str) -> None:
    urns = [resource.urn for resource in _run(stack, preview=False).resources]
    assert sorted(urns) == sorted(set(urns))


def test_every_output_is_known_after_up(stack: str) -> None:
    outputs = _run(stack, preview=False).outputs
    assert outputs
    assert [name for name, value in outputs.items() if value is UNKNOWN or value is None] == []


def test_no_command_has_triggers_because_they_replace_it(stack: str) -> None:
    commands = _run(stack, preview=False).of_type(COMMAND)
    assert commands
    for command in commands:
        assert "triggers" not in command.inputs, command.name


def test_no_command_gets_its_previous_output_in_the_environment(stack: str) -> None:
    commands = _run(stack, preview=False).of_type(COMMAND)
    assert commands
    for command in commands:
        assert command.inputs["addPreviousOutputInEnv"] is False, command.name


def test_every_command_pins_the_host_key_of_the_node_and_of_the_jump_host(stack: str) -> None:
    commands = _run(stack, preview=False).of_type(COMMAND)
    assert commands
    for command in commands:
        connection = command.inputs["connection"]
        assert isinstance(connection, SecretValue), command.name
        assert connection.value["hostKey"].startswith("ssh-ed25519 "), command.name
        proxy = connection.value.get("proxy")
        assert proxy is None or proxy["hostKey"].startswith("ssh-ed25519 "), command.name


@pytest.mark.parametrize("with_manifest", [False, True], ids=["registered", "manifest"])
def test_no_secret_of_the_stack_reaches_an_input_in_plain_text(
    stack: str, with_manifest: bool
) -> None:
    given = without_key_file(read_stack_config(stack_path(stack)))
    left_out = {_NEEDS_A_CERTIFICATE, *_NEED_MORE} | (
        set() if with_manifest else {"rancherManifestUrl"}
    )
    names = set(Secret) - left_out
    keys = {f"{NAMESPACE}:{name}": f"tr0ub4dor-{name}" for name in names}
    config = StackConfig({**given.values, **keys}, given.secret_keys | set(keys))
    recording = run_program(config, stack=stack, preview=False, mocks=AnsweringMocks())
    for resource in recording.resources:
        # A secret value shows itself as [secret] only.
        assert "tr0ub4dor" not in repr(resource.inputs), resource.name
    assert "tr0ub4dor" not in repr(recording.outputs)


def test_every_custom_resource_stands_in_a_component_or_is_a_provider(stack: str) -> None:
    alone = [
        resource.type
        for resource in _run(stack, preview=False).resources
        if resource.custom
        and not resource.parent
        and not resource.type.startswith(("pulumi:providers:", "pulumi-python:dynamic/"))
    ]
    assert alone == []


def test_no_resource_leans_on_a_default_provider(stack: str) -> None:
    leaning = [
        resource
        for resource in _run(stack, preview=False).resources
        if resource.custom and resource.type.split(":")[0] in ("kubernetes", "docker")
    ]
    assert leaning
    for resource in leaning:
        assert resource.request.provider, resource.name
