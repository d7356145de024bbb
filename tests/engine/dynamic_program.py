"""A program with one dynamic resource, which says which Python made it."""

import sys
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class _Provider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("one", {**props, "provider": sys.prefix})


class _Thing(Resource):
    provider: pulumi.Output[str]

    def __init__(self, text: str) -> None:
        super().__init__(_Provider(), "thing", {"text": text, "provider": None})


def program(text: str = "") -> None:
    """Exports the environments of the program and of the provider."""
    pulumi.export("program", sys.prefix)
    pulumi.export("provider", _Thing(text).provider)
