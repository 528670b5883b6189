"""Times as people write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from persona_cli.terminal.failures import CommandError


def parse_time(text: str) -> datetime:
    """Return a time of RFC 3339; a date alone is its midnight, UTC. Raises ValueError."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"is not a time: {text[:40]!r}") from None
    if time.tzinfo is None and len(text) > len("2026-01-01"):
        raise ValueError("must name its time zone, such as 2026-03-01T09:30:00Z")
    try:
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(f"is outside the calendar: {text[:40]!r}") from None


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name. Raises CommandError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandError(f"there is no time zone {name!r}, such as Europe/Lisbon") from None
