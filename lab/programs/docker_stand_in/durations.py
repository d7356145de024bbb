"""Durations as the Docker engine writes them: `1m30s`."""

import re
from fractions import Fraction

_NANOSECONDS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def nanoseconds(text: str) -> int:
    """What a duration stands for. Raises ValueError."""
    if text == "0":
        return 0
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)", text)
    if "".join(number + unit for number, unit in parts) != text or not parts:
        raise ValueError(f"'{text}' is not a valid duration")
    return int(sum(Fraction(number) * _NANOSECONDS[unit] for number, unit in parts))


def duration(total: int) -> str:
    """The duration in the only form that Go's time.Duration prints."""
    if total == 0:
        return "0s"
    if total < 10**9:
        unit = next(unit for unit in ("ms", "us", "ns") if total >= _NANOSECONDS[unit])
        return _decimal(Fraction(total, _NANOSECONDS[unit])) + unit.replace("us", "µs")
    hours, rest = divmod(total, _NANOSECONDS["h"])
    minutes, left = divmod(rest, _NANOSECONDS["m"])
    seconds = _decimal(Fraction(left, 10**9)) + "s"
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def _decimal(number: Fraction) -> str:
    return f"{float(number):.9f}".rstrip("0").rstrip(".")
