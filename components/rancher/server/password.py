"""A password made once and kept in the state as a secret."""

import secrets

import pulumi

from components.common.dynamic import DynamicProvider, DynamicResource, Properties

_BYTES = 24


class GeneratedPasswordProvider(DynamicProvider):
    """Makes the password on create and never again: what was set with it would be locked out."""

    outputs = ("value",)

    def make(self, new: Properties) -> tuple[str, Properties]:
        """A random password of 32 URL-safe characters."""
        del new
        return "password", {"value": secrets.token_urlsafe(_BYTES)}


class GeneratedPassword(DynamicResource, module="rancher", name="GeneratedPassword"):
    """Owns one random password. Here and not in pulumi-random, to need one plugin less."""

    value: pulumi.Output[str]
    """The password, secret."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(GeneratedPasswordProvider(), name, {}, opts, secrets=["value"])
