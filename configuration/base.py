"""What every settings model shares, and the value forms that several of them use."""

import posixpath
import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from configuration.problems import rule

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_HOST_KEY = re.compile(
    r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9-]+@openssh\.com)"
    r" [A-Za-z0-9+/]+=*"
)
_QUANTITY = re.compile(r"([0-9]+)(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?")
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_FACTORS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}


class StackModel(BaseModel):
    """Frozen, camelCase in the file, refuses keys that it does not know.

    `strict` keeps YAML's own types: a quoted "3" is text and not a number.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


def quantity_bytes(quantity: str) -> int:
    """The number of bytes in a Kubernetes quantity such as 10Gi; ValueError if it is none."""
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        raise rule("must be a size as Kubernetes writes it", "For example 500Mi or 10Gi.")
    return int(match.group(1)) * _FACTORS[match.group(2) or ""]


def _check_dns_label(value: str) -> str:
    if _DNS_LABEL.fullmatch(value) is None:
        raise rule(
            "must be a lower-case DNS label of at most 63 characters",
            "Use letters a-z, digits and hyphens, with a letter or digit at both ends.",
        )
    return value


def _check_node_name(value: str) -> str:
    if len(value) > 253 or not all(_DNS_LABEL.fullmatch(part) for part in value.split(".")):
        raise rule(
            "must be the node's name as Kubernetes knows it",
            "Copy it from `kubectl get nodes`.",
        )
    return value


def _check_host(value: str) -> str:
    if _HOST.fullmatch(value) is None:
        raise rule("must be a host name or an IP address", "Write it without port and scheme.")
    return value


def _check_host_key(value: str) -> str:
    if _HOST_KEY.match(value) is None:
        raise rule(
            "must be an SSH host key as `ssh-keyscan` or the host's ssh_host_*_key.pub writes it",
            "For example ssh-ed25519 AAAAC3Nza…; read it on the host itself: "
            "cat /etc/ssh/ssh_host_ed25519_key.pub.",
        )
    return value


def _check_absolute(value: str) -> str:
    path = PurePosixPath(value)
    if not path.is_absolute() or ".." in path.parts or re.search(r"[\s\\#\x00-\x1f]", value):
        raise rule(
            "must be an absolute path, without `..`, spaces, backslashes or #",
            "Start it with / and use plain names.",
        )
    # One spelling per path, so that two spellings of one mount point are seen as the same.
    return "/" + posixpath.normpath(value).lstrip("/")


def _check_size(value: str) -> str:
    if quantity_bytes(value) <= 0:
        raise rule("must be a size above zero", "For example 10Mi.")
    return value


def _check_quantity(value: str) -> str:
    quantity_bytes(value)
    return value


DnsLabel = Annotated[str, AfterValidator(_check_dns_label)]
NodeName = Annotated[str, AfterValidator(_check_node_name)]
Host = Annotated[str, AfterValidator(_check_host)]
HostKey = Annotated[str, AfterValidator(_check_host_key)]
AbsolutePath = Annotated[str, AfterValidator(_check_absolute)]
Size = Annotated[str, AfterValidator(_check_size)]
Quantity = Annotated[str, AfterValidator(_check_quantity)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=86400)]
