"""What settings must be together."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from persona_server.settings.config import Settings


def reachable_by_others(settings: "Settings") -> str:
    """Return the flag by which other machines can reach the service; "" if they can't."""
    for flag, address in (("--listen", settings.listen), ("--rest", settings.rest)):
        if address and not address.is_loopback:
            return f"{flag} {address}"
    return ""


def complaint(settings: "Settings") -> str:
    """Return what is wrong with settings that are each right by themselves, "" for nothing."""
    return _of_no_database(settings) or _half_a_provider(settings) or _open_to_whom(settings)


def _of_no_database(settings: "Settings") -> str:
    if settings.database:
        return ""
    for flag, value in (("--pooler", settings.pooler), ("--read-database", settings.read_database)):
        if value:
            return f"{flag} is for a database of PostgreSQL: name it with --database."
    return ""


def _half_a_provider(settings: "Settings") -> str:
    words = (settings.jwks_url, settings.jwks_issuer, settings.jwks_audience)
    if all(words) or not any(words):
        return ""
    return (
        "An identity provider needs all of --jwks-url, --jwks-issuer and --jwks-audience: whose "
        "tokens are taken, and which of them are meant for this service."
    )


def _open_to_whom(settings: "Settings") -> str:
    if settings.local_tokens is not None or settings.jwks_url:
        return ""
    others = reachable_by_others(settings)
    return others and (
        f"{others} can be reached from other machines: say --local-tokens on (tokens of "
        "`persona token` are taken) or --local-tokens off (API keys only)."
    )
