"""The secret keys of a stack file."""

import ast
from pathlib import Path

import pytest

from configuration.secrets import Secret
from tests.unit.doubles.a_stack import load, mistake, valid, with_secrets

_PROJECT = Path(__file__).parents[3]


def test_a_misspelt_secret_is_an_error_and_never_an_absent_one() -> None:
    loaded = load(valid())
    for ask in (loaded.secret, loaded.plain_secret):
        with pytest.raises(ValueError, match="rancherAdminPasword"):
            ask("rancherAdminPasword")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path", [*_PROJECT.glob("components/**/*.py"), _PROJECT / "__main__.py"], ids=lambda p: p.stem
)
def test_the_program_asks_for_secrets_by_their_enumeration_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            asks = node.func.attr in ("plain_secret", "has") or (
                node.func.attr == "secret" and ast.unparse(node.func.value) == "settings"
            )
            assert not asks or not isinstance(node.args[0], ast.Constant), ast.unparse(node)


@pytest.mark.parametrize("key", ["rancherAdminPasword", "sshpassword", "longhron"])
def test_an_unknown_secret_or_section_comes_with_the_nearest_one(key: str) -> None:
    meant = {"sshpassword": "sshPassword", "longhron": "longhorn"}
    problem = mistake(with_secrets(valid(), **{key: "correct horse"}))
    assert problem.remedy == f"Did you mean {meant.get(key, 'rancherAdminPassword')}?"
    assert "correct horse" not in str(problem)


def test_every_secret_says_what_it_is_for() -> None:
    assert all(secret.meaning.endswith(".") for secret in Secret)
