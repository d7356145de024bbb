"""The htpasswd lines that guard Longhorn's interface, checked without showing anything of them."""

import re
from collections.abc import Iterator

from configuration.problems import Problem
from configuration.secrets import Secret

# What nginx and Traefik both take: MD5 (apr1), SHA-1 and bcrypt.
_HASH = re.compile(
    r"\$apr1\$[./0-9A-Za-z]{1,8}\$[./0-9A-Za-z]{22}"
    r"|\{SHA\}[A-Za-z0-9+/]{27}="
    r"|\$2[aby]\$[0-9]{2}\$[./0-9A-Za-z]{53}"
)

# What nginx takes besides, by way of crypt(3).
_OF_NGINX = re.compile(r"\$[156]\$[^:\s]{20,}|\{SSHA\}[A-Za-z0-9+/]{32,}={0,2}")


def htpasswd_problems(text: str, key: str, *, for_traefik: bool) -> Iterator[Problem]:
    """What is wrong with the secret's text, by line number.

    Args:
        text: The secret.
        key: Its full key in the stack file.
        for_traefik: Whether Traefik is to read it, which knows fewer hashes than nginx.
    """
    lines = [
        (number, line.strip())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    remedy = (
        "Set it again: htpasswd -nbB USER PASSWORD | pulumi config set --secret "
        f"{Secret.FRONTEND_BASIC_AUTH}."
    )
    if not lines:
        yield Problem(key, "holds no htpasswd line, so nobody could log in", remedy)
    for number, line in lines:
        user, colon, hashed = line.partition(":")
        if not user or not colon:
            found = "is no `user:hash`"
        elif not _HASH.fullmatch(hashed) and (for_traefik or not _OF_NGINX.fullmatch(hashed)):
            found = (
                "has no hash behind the colon that the ingress controller knows (bcrypt, apr1 or "
                "SHA); perhaps it is the password itself"
            )
        else:
            continue
        yield Problem(key, f"line {number} {found}", remedy)
