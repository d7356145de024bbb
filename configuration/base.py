"""What every settings model shares, and the value forms that several of them use."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from configuration.addresses import host_address, host_key, image, network, registry
from configuration.problems import rule

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_MAXIMUM_LABEL, _MAXIMUM_SUBDOMAIN = 63, 253
_QUANTITY = re.compile(r"([0-9]+)(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?")
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_FACTORS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class BrokenFieldError(AttributeError):
    """A rule asked for a field that has a mistake of its own (see partial.py)."""


class StackModel(BaseModel):
    """Frozen, camelCase in the file, refuses keys that it does not know.

    `strict` keeps YAML's own types: a quoted "3" is text and not a number. Rules between fields
    are no validators: they run on what is well formed although other fields are not (rules.py).
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        defer_build=True,
    )

    if not TYPE_CHECKING:  # a type checker is to know the declared fields only

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise BrokenFieldError(name)
            return super().__getattr__(name)


@dataclass(frozen=True)
class Form:
    """A form that a text may have."""

    words: str
    """What docs/stack-file.md calls it."""
    check: Callable[[str], str]
    """Gives the text in its one usual spelling; raises ValueError (a rule)."""
    shape: str = ""
    """What every such text matches as a whole, for an editor; the check may refuse more. In the
    part of regular expressions that Python and JavaScript have in common."""
    says: str = ""
    """What an editor says of a text that does not match."""

    def __call__(self, value: str) -> str:
        """Check the text."""
        return self.check(value)


def form(words: str, check: Callable[[str], str], shape: str = "") -> AfterValidator:
    """A form of text with a check of its own (see Form)."""
    return AfterValidator(Form(words, check, shape, f"is no {words}"))


def pattern(words: str, expression: str, says: str, remedy: str) -> AfterValidator:
    """A form of text that a regular expression describes, which is never shown.

    Args:
        words: What docs/stack-file.md calls it.
        expression: What the whole text must match.
        says: The rule in words, such as "must be a port".
        remedy: What to do.
    """
    compiled = re.compile(expression)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise rule(says, remedy)
        return value

    return AfterValidator(Form(words, check, expression, f"{says}. {remedy}"))


def quantity_bytes(quantity: str) -> int:
    """The number of bytes in a Kubernetes quantity such as 10Gi; ValueError if it is none."""
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        raise rule("must be a size as Kubernetes writes it", "For example 500Mi or 10Gi.")
    return int(match.group(1)) * _FACTORS[match.group(2) or ""]


def _dns_label(value: str) -> str:
    if _LABEL.fullmatch(value) is None or len(value) > _MAXIMUM_LABEL:
        raise rule(
            "must be a lower-case DNS label of at most 63 characters",
            "Use letters a-z, digits and hyphens, with a letter or digit at both ends.",
        )
    return value


def is_subdomain(value: str) -> bool:
    """Whether Kubernetes takes this for the name of most of its objects."""
    labels = value.split(".")
    return len(value) <= _MAXIMUM_SUBDOMAIN and all(_LABEL.fullmatch(label) for label in labels)


def _object_name(value: str) -> str:
    if not is_subdomain(value):
        raise rule(
            "is no name that Kubernetes allows",
            "Use letters a-z, digits, hyphens and dots, 253 characters at most, with a letter or "
            "digit at both ends of each part.",
        )
    return value


def _node_name(value: str) -> str:
    if not is_subdomain(value):
        raise rule(
            "must be the node's name as Kubernetes knows it",
            "Copy it from `kubectl get nodes`.",
        )
    return value


def _user(value: str) -> str:
    if not value or value != value.strip() or _CONTROL.search(value):
        raise rule(
            "must be a user's name, without white space around it or control characters",
            "Write it as you would log in with it, such as root or ops@example.com.",
        )
    if value.startswith("-"):
        raise rule("begins with a hyphen, which ssh takes for an option", "Write the user's name.")
    return value


def _absolute(value: str) -> str:
    path = PurePosixPath(value)
    if not path.is_absolute() or ".." in path.parts or re.search(r"[\s\\#\x00-\x1f]", value):
        raise rule(
            "must be an absolute path, without `..`, spaces, backslashes or #",
            "Start it with / and use plain names.",
        )
    # One spelling per path, so that two spellings of one mount point are seen as the same.
    return "/" + posixpath.normpath(value).lstrip("/")


def _size(value: str) -> str:
    if quantity_bytes(value) <= 0:
        raise rule("must be a size above zero", "For example 10Mi.")
    return value


def _quantity(value: str) -> str:
    quantity_bytes(value)
    return value


def is_qualified(value: str) -> bool:
    """Whether Kubernetes takes this for the name of a label or an annotation."""
    domain, slash, name = value.rpartition("/")
    is_domain = not slash or (is_subdomain(domain) and bool(domain))
    return _QUALIFIED.fullmatch(name) is not None and is_domain


def _tag(value: str) -> str:
    # longhorn-manager v1.5.3, util.ValidateTags: a qualified name of Kubernetes.
    if not is_qualified(value):
        raise rule(
            "is no tag that Longhorn takes",
            "Use letters, digits and . _ -, 63 characters at most, with a letter or digit at both "
            "ends.",
        )
    return value


def _uuid(value: str) -> str:
    lower = value.lower()
    if _UUID.fullmatch(lower) is None:
        raise rule(
            "is no UUID of an ext4 or xfs file system",
            "Read it on the host: blkid -s UUID -o value DEVICE.",
        )
    return lower


_LABELS = rf"{_LABEL.pattern}(\.{_LABEL.pattern})*"
DnsLabel = Annotated[str, form("DNS label", _dns_label, _LABEL.pattern)]
ObjectName = Annotated[str, form("name in Kubernetes", _object_name, _LABELS)]
NodeName = Annotated[str, form("node name", _node_name, _LABELS)]
User = Annotated[str, form("user name", _user, r"[^\s-](.*\S)?")]
Host = Annotated[str, form("host name or address", host_address, r"[^\s/@]+")]
HostKey = Annotated[
    str,
    form("SSH host key", host_key, r"[\s\S]*(ssh-ed25519|ssh-rsa|ecdsa-sha2|@openssh)[\s\S]*"),
]
Network = Annotated[str, form("network", network, r"[0-9A-Fa-f:.]+(%[^/]+)?(/[0-9.]+)?")]
Registry = Annotated[str, form("registry", registry, r"(?!.*://)[^\s@]+")]
Image = Annotated[str, form("image", image, r"(?!.*://)\S+")]
AbsolutePath = Annotated[str, form("absolute path", _absolute, r"/[^\s\\#]*")]
FileSystemUuid = Annotated[
    str, form("UUID", _uuid, r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
]
Tag = Annotated[str, form("tag", _tag, rf"([^/]+/)*{_QUALIFIED.pattern}")]
Size = Annotated[str, form("size above zero", _size, _QUANTITY.pattern)]
Quantity = Annotated[str, form("size", _quantity, _QUANTITY.pattern)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=86400)]
