"""How old a proof is. Pure."""

from datetime import UTC, datetime


def days_since(text: object, now: datetime) -> float | None:
    """Days between a time as Kubernetes writes it and now; None where there is no such time."""
    try:
        then = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    aware = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
    return (now - aware).total_seconds() / 86400
