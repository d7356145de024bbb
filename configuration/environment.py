"""Environment variables that a person gives a container, and what may not be among them.

Everything here is plain text in the stack file, in the state, and in what `docker inspect` or
`kubectl get` shows.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from configuration.problems import SECRET_NAME, Problem, rule

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What no secret is, such as Rancher's CATTLE_PASSWORD_MIN_LENGTH, or the path of a file.
_HARMLESS = re.compile(r"[0-9]{0,9}|true|false|/[^\s:]+", re.I)
# A private key, and a token of Rancher's own API.
_SECRET_VALUE = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b[a-z0-9-]+:[a-z0-9]{40,}\b")
_LOGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s@]*@|^[^/\s@:]+:[^/\s@]+@")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY")
_OWNED_BY_SERVER = {
    "ACME_DOMAIN": "Remove it: Rancher's own ACME is not supported. Let a proxy have the "
    "certificate (rancher.tlsTermination), or give it in rancher.certificateFile.",
    "CATTLE_BOOTSTRAP_PASSWORD": "Set the secret rancherBootstrapPassword.",
    "CATTLE_SERVER_URL": "Set rancher.url.",
    "CATTLE_SYSTEM_DEFAULT_REGISTRY": "Set rancher.systemDefaultRegistry.",
}


# Source: Rancher 2.8.5, pkg/systemtemplate/template.go, and from 2.13 on the credentials' name.
_OWNED_BY_AGENT: Mapping[str, str] = dict.fromkeys(
    [
        "CATTLE_AGENT_CONNECT",
        "CATTLE_CA_CHECKSUM",
        "CATTLE_CLUSTER",
        "CATTLE_CLUSTER_REGISTRY",
        "CATTLE_CREDENTIAL_NAME",
        "CATTLE_FEATURES",
        "CATTLE_INGRESS_IP_DOMAIN",
        "CATTLE_INSTALL_UUID",
        "CATTLE_IS_RKE",
        "CATTLE_K8S_MANAGED",
        "CATTLE_NODE_NAME",
        "CATTLE_SERVER",
        "CATTLE_SERVER_VERSION",
    ],
    "Remove it: Rancher's import manifest has it.",
)


@dataclass(frozen=True)
class Reader:
    """Who gets an environment: its name in a sentence, and the variables that are not to be given,
    each with its remedy."""

    name: str
    owned: Mapping[str, str]


SERVER = Reader("Rancher", _OWNED_BY_SERVER)
AGENT = Reader("Rancher's agent", _OWNED_BY_AGENT)


def _check_names(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        if _NAME.fullmatch(name) is None:
            raise rule(
                f"has {name!r}, which is no name of an environment variable",
                "Use letters, digits and underscores, not beginning with a digit.",
            )
    return value


Environment = Annotated[dict[str, str], AfterValidator(_check_names)]


def environment_problems(
    environment: Mapping[str, str], key: str, reader: Reader
) -> Iterator[Problem]:
    """Variables that are secrets, that the program sets itself, or that break Rancher. Pure.

    Args:
        environment: What is given.
        key: Where it is given.
        reader: Whom it is given to.
    """
    for name, value in environment.items():
        if name in reader.owned:
            yield Problem(f"{key}.{name}", "is this program's to decide", reader.owned[name])
        elif SECRET_NAME.search(name) is not None and not _HARMLESS.fullmatch(value):
            yield Problem(
                f"{key}.{name}",
                "is the name of a secret, and would be readable in the stack file and where it is "
                "used",
                "Remove it, change the secret, and give it to Rancher in its own settings.",
            )
        elif _SECRET_VALUE.search(value) is not None:
            yield Problem(
                f"{key}.{name}",
                "holds a private key or an API token, which would be readable in the stack file "
                "and where it is used",
                "Remove it, change the secret, and give it to Rancher in its own settings.",
            )
        elif value != value.strip():
            yield Problem(
                f"{key}.{name}",
                "has white space around it, such as the line end of a text behind `|`",
                "Write the value on the line of its name, in quotes.",
            )
        elif _LOGIN.search(value) is not None:
            yield Problem(
                f"{key}.{name}",
                "holds an address with a login in it, which would be readable in the stack file",
                "Remove it, change the password, and use a proxy that lets this host in by its "
                "address.",
            )
    given = {name.upper() for name, value in environment.items() if value}
    if given & set(_PROXIES) and "NO_PROXY" not in given:
        yield Problem(
            f"{key}.NO_PROXY",
            f"is missing beside a proxy, so {reader.name} would ask the proxy for itself and for "
            "the cluster",
            "For example localhost,127.0.0.1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,.svc,"
            ".cluster.local.",
        )
