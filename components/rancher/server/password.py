"""A password made once and kept in the state as a secret."""

import secrets
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

_BYTES = 24


class GeneratedPasswordProvider(ResourceProvider):
    """Makes the password on create and never again."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:  # noqa: ARG002  the SDK's signature
        """A random password of 32 URL-safe characters."""
        return CreateResult("password", {"value": secrets.token_urlsafe(_BYTES)})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """It never changes: everything that was set with it would be locked out."""
        return DiffResult(changes=False)


class GeneratedPassword(Resource, module="rancher", name="GeneratedPassword"):
    """Owns one random password. Here and not in pulumi-random, to need one plugin less."""

    value: pulumi.Output[str]
    """The password, secret."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            GeneratedPasswordProvider(),
            name,
            {"value": None},
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=["value"])
            ),
        )
