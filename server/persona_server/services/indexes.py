"""Items of a batch that an error names, by their indexes."""

from collections.abc import Sequence

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
