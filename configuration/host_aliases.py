"""Entries for the hosts file of a pod, such as a name that the cluster's DNS doesn't know."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field, field_validator

from configuration.addresses import ip_address
from configuration.base import StackModel, form, is_subdomain
from configuration.problems import Problem, rule


def _ip(value: str) -> str:
    address = ip_address(value)
    if address is None:
        raise rule("must be an IP address", "For example 192.0.2.10 or 2001:db8::10.")
    # Kubernetes takes no zone behind an address.
    if address.is_unspecified or address.is_multicast or "%" in value:
        raise rule("is an address that no host can have", "Write the host's own address.")
    return str(address)


def _name(value: str) -> str:
    name = value.lower()
    # No top-level domain is a number, so such a name was to be an address.
    if not is_subdomain(name) or name.rpartition(".")[2].isdigit():
        raise rule(
            "must be a host name",
            "Use letters, digits, hyphens and dots, for example rancher.example.com.",
        )
    return name


class HostAliasSettings(StackModel):
    """One line of a hosts file."""

    ip: Annotated[str, form("IP address", _ip)]
    """The address."""
    hostnames: tuple[Annotated[str, form("host name", _name)], ...] = Field(strict=False)
    """The names that have this address."""

    @field_validator("hostnames")
    @classmethod
    def _at_least_one(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise rule("has no name in it", "Add one, or remove the whole entry.")
        return value


def host_alias_problems(aliases: Sequence[HostAliasSettings], key: str) -> Iterator[Problem]:
    """Addresses that are given twice, and names with two addresses of one kind. Pure.

    Args:
        aliases: What is given.
        key: Where it is given.
    """
    seen: dict[str, str] = {}
    names: dict[tuple[str, bool], str] = {}
    for number, alias in enumerate(aliases):
        here = f"{key}[{number}]"
        if alias.ip in seen:
            yield Problem(
                f"{here}.ip",
                f"is given twice (see {seen[alias.ip]})",
                "Put the names of one address into one entry.",
                alias.ip,
            )
        first = seen.setdefault(alias.ip, f"{here}.ip")
        for name in alias.hostnames:
            other = names.setdefault((name, ":" in alias.ip), first)
            if other != first:
                yield Problem(
                    f"{here}.hostnames",
                    f"names a host that has another address (see {other})",
                    "Leave the host in one entry, or in one of IPv4 and one of IPv6.",
                    name,
                )
