"""When two addresses of a Rancher are the same one. Pure."""

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"https": 443, "http": 80}


def normal_address(url: str | None) -> str:
    """The address without what makes no difference.

    That is: spaces and line ends around it, upper case in scheme and host, the scheme's default
    port, a slash at the end. What is no address comes back without the spaces around it.
    """
    text = (url or "").strip()
    try:
        split = urlsplit(text)
        port = split.port
    except ValueError:
        return text
    if not split.hostname:
        return text
    host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
    shown = "" if port in (None, _DEFAULT_PORTS.get(split.scheme)) else f":{port}"
    return f"{split.scheme}://{host}{shown}{split.path.rstrip('/')}"


def is_same_address(one: str | None, other: str | None) -> bool:
    """Whether both lead to the same Rancher by the same name."""
    return normal_address(one) == normal_address(other)
