"""Items of a batch that an error names, by their indexes, or that are too much in total."""

from collections.abc import Sequence

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError, Violation
from persona_server.services.paging import MAX_PAGE_BYTES
from persona_server.validation.violations import MAX_VIOLATIONS

_LONGEST = 300  # characters of the list of indexes in an error's metadata


def ranges(indexes: Sequence[int]) -> str:
    """Return ascending indexes as "0-3,7,9-12", as many as fit; "…" at the end stands for more."""
    runs: list[list[int]] = []
    for i in indexes:
        if runs and runs[-1][1] == i - 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in runs]
    shown = ",".join(texts)
    if len(shown) <= _LONGEST:
        return shown
    return shown[: shown.rindex(",", 0, _LONGEST)] + ",…"


def violations_of(
    field: str, what: str, bad: Sequence[int], values: Sequence[str]
) -> list[Violation]:
    """Say of the values at these indexes what each is not, as many as an error lists.

    In `field`, the path of a value, "{}" stands for its index.
    """
    return [Violation(field.format(i), f"{what}: {values[i]}") for i in bad[:MAX_VIOLATIONS]]


def ids_refused(
    reason: "errors_pb2.ErrorReason.ValueType",
    field: str,
    what: str,
    bad: Sequence[int],
    ids: Sequence[str],
    ending: str,
    **metadata: str,
) -> ServiceError:
    """Return an error that names every bad id of the list `field`, which is called in the plural.

    The first one is in the message, which ends with what to do, and in the metadata.
    """
    path, first = f"{field}[{bad[0]}]", ids[bad[0]]
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    named = {field.removesuffix("s"): first, "field": path, "indexes": ranges(bad)}
    return ServiceError(
        reason,
        f"{path} {what}: {first}{more}. {ending}",
        metadata={**named, **metadata},
        violations=violations_of(f"{field}[{{}}]", what, bad, ids),
        violations_total=len(bad),
    )


def refuse_large(what: str, size: int, takes: str, advice: str) -> None:
    """Raise MESSAGE_TOO_LARGE if items have more bytes than an answer can hold."""
    if size > MAX_PAGE_BYTES:
        raise ServiceError(
            errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE,
            f"The {what} have {size} bytes in total, and one call {takes} at most "
            f"{MAX_PAGE_BYTES}. {advice}",
            metadata={"size": str(size), "limit": str(MAX_PAGE_BYTES)},
        )
