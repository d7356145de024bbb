"""Addresses of hosts and their SSH keys, read by the libraries that know their forms."""

import ipaddress
import re

from configuration.problems import rule

_HOST_KEY_TYPE = re.compile(
    r"ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9-]+@openssh\.com"
)
_LABEL = re.compile(r"[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?")
_WITH_PORT = re.compile(r"(\[[^\]]+\]|[^:]+):[0-9]+")
_MAXIMUM_NAME, _MAXIMUM_PORT = 253, 65535
# As Docker and containerd take them (distribution/reference): a repository is in lower case.
_REPOSITORY = r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_HOW_TO_READ = (
    "Read it on the host itself: cat /etc/ssh/ssh_host_ed25519_key.pub (it looks like "
    "ssh-ed25519 AAAAC3Nza…)."
)


def host_address(value: str) -> str:
    """A host's name or IP address in its one usual spelling. Raises ValueError (a rule)."""
    address = ip_address(value)
    if address is not None:
        if address.is_unspecified or address.is_multicast:
            raise rule("is an address that no host can have", "Write the host's own address.")
        return str(address)
    _refuse_other_forms(value)
    name = value.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > _MAXIMUM_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise rule(
            "must be a host name or an IP address",
            "Write letters, digits, hyphens and dots, or an address such as 192.0.2.1.",
        )
    # No top-level domain is a number, so this was to be an IPv4 address.
    if labels[-1].isdigit():
        raise rule(
            "is neither an IP address nor a host name",
            "An IPv4 address has four numbers from 0 to 255, as in 192.0.2.1.",
        )
    return name


def registry(value: str) -> str:
    """A registry's host, with a port and a path if it has them. Raises ValueError (a rule)."""
    example = "For example registry.example.com:5000."
    if "://" in value:
        raise rule("is a URL", f"Write the registry without scheme. {example}")
    host, slash, path = value.partition("/")
    name, colon, port = host.partition(":")
    if "_" in name or "@" in name or not name:
        raise rule("must be a registry's host name, with a port and a path if it has them", example)
    host_address(name)
    if colon and not (re.fullmatch(r"[1-9][0-9]*", port) and int(port) <= _MAXIMUM_PORT):
        raise rule("has no port that can be one", example)
    if slash and not re.fullmatch(_REPOSITORY, path):
        raise rule(
            "has a path that no registry has",
            "Write it in lower case, without / at its end: registry.example.com/team.",
        )
    return value


def image(value: str) -> str:
    """An image's name, with registry, tag and digest if it has them. Raises ValueError (a rule)."""
    if "://" in value:
        raise rule("is a URL", "Write the image's name without scheme.")
    name, _, digest = value.partition("@")
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry(first)
        name = rest
    named = re.fullmatch(rf"{_REPOSITORY}(:{_TAG})?", name)
    if not named or (digest and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest)):
        raise rule(
            "is no name that an image can have",
            "Write it in lower case, for example registry.example.com:5000/library/busybox:1.36.1.",
        )
    return value


def network(value: str) -> str:
    """A network such as 10.0.0.0/8, or a single address. Raises ValueError (a rule)."""
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise rule(
            "must be a network: an address, / and the length of its prefix",
            "For example 10.0.0.0/8 or 2001:db8::/32.",
        ) from None
    raise rule("is an address inside a network and no network", f"Did you mean {meant}?")


def host_key(value: str) -> str:
    """A host's public key as `type base64`, without host and comment. Raises ValueError (a rule).

    Accepts a line of ssh_host_*_key.pub, of ssh-keyscan and of known_hosts.
    """
    lines = [line.split() for line in value.splitlines() if not line.lstrip().startswith("#")]
    lines = [words for words in lines if words]
    if len(lines) > 1:
        raise rule("holds more than one key", "Keep one of the lines, best that of ssh-ed25519.")
    words = lines[0] if lines else []
    if words and words[0].startswith("@"):
        raise rule("is a line for a certificate authority", _HOW_TO_READ)
    start = next((i for i, word in enumerate(words[:2]) if _HOST_KEY_TYPE.fullmatch(word)), None)
    if start is None or len(words) < start + 2:
        raise rule("must be an SSH host key: its type and the key itself", _HOW_TO_READ)
    kind, data = words[start], words[start + 1]
    found = _kind_of(f"{kind} {data}")
    if found is None:
        found = _kind_inside(data, kind)
        if found is None:
            raise rule(
                "is no SSH key: what follows its type can't be decoded; perhaps a part is missing",
                _HOW_TO_READ,
            )
    if found != kind:
        raise rule(f"says {kind}, and the key itself is one of type {found}", _HOW_TO_READ)
    return f"{kind} {data}"


def _kind_of(key: str) -> str | None:
    # The process of the dynamic providers has this module, and opens hosts in few of its runs.
    import asyncssh

    try:
        return asyncssh.import_public_key(key).get_algorithm()
    except (asyncssh.KeyImportError, ValueError):
        return None


def _kind_inside(data: str, said: str) -> str | None:
    """The type of a key under which it does decode, if there is another one."""
    kinds = ("ssh-ed25519", "ssh-rsa", *(f"ecdsa-sha2-nistp{bits}" for bits in (256, 384, 521)))
    found = (_kind_of(f"{kind} {data}") for kind in kinds if kind != said)
    return next((kind for kind in found if kind), None)


def ip_address(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text is; None where it is none."""
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        return None


def _refuse_other_forms(value: str) -> None:
    """Say what an address with something more in it is, since the remedy differs."""
    if "://" in value:
        raise rule("is a URL", "Write the host name or address alone.")
    if "@" in value:
        raise rule("has a user in front of the address", "Write the user under the key `user`.")
    if "/" in value:
        raise rule("is a network or a path", "Write the host's address without / and what follows.")
    if _WITH_PORT.fullmatch(value):
        raise rule("is an address with a port", "Write the port under the key `port`.")
    if value.startswith("["):
        raise rule("has brackets around the address", "Write an IPv6 address without brackets.")
