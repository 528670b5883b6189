"""What settings must be together."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from persona_server.config import Settings


def complaint(settings: "Settings") -> str:
    """Return what is wrong with settings that are each right by themselves, "" for nothing."""
    return _half_a_provider(settings) or _open_to_whom(settings)


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
    for flag, address in (("--listen", settings.listen), ("--rest", settings.rest)):
        if address and not address.is_loopback:
            return (
                f"{flag} {address} can be reached from other machines: say --local-tokens on "
                "(tokens of `persona token` are taken) or --local-tokens off (API keys only)."
            )
    return ""
