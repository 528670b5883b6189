"""A draft of a codebook, from what the columns of a survey hold."""

import re
from collections.abc import Iterator, Sequence

from persona_cli.files.answers.cells import is_blank, text
from persona_cli.files.answers.labels import Labels, labels_of
from persona_cli.files.answers.questions import SEPARATORS
from persona_cli.files.tables.table import Cells
from persona_cli.terminal.output import toml_text

# What columns are called, each kind by the likeliest name first.
_CALLED = {
    "persona_id": ("persona_id",),
    "respondent": (
        "persona_external_id", "external_id", "respondent", "respondent_id", "participant",
        "participant_id", "subject_id", "case_id", "caseid", "user_id", "responseid",
        "response_id", "id",
    ),
    "occurred_at": (
        "occurred_at", "recordeddate", "recorded_at", "enddate", "end_date", "submitted",
        "submit_date", "submitted_at", "timestamp", "datetime", "date", "startdate",
    ),
    "model": ("model",),
    "prompt_version": ("prompt_version",),
    "simulation_id": ("simulation_id",),
}  # fmt: skip
# What is known of a respondent, and no answer.
_KNOWN = {
    *(name for names in _CALLED.values() for name in names),
    "name", "full_name", "first_name", "last_name", "age", "gender", "sex", "email", "ipaddress",
    "location", "city", "state", "country", "status", "progress", "finished", "duration", "weight",
    "userlanguage", "startdate", "locationlatitude", "locationlongitude",
}  # fmt: skip
_SCALES = ((1, 5), (0, 10), (1, 7), (1, 10), (0, 100))  # the first that holds all is likeliest
_WHOLE = re.compile(r"-?\d{1,9}(\.0+)?", re.ASCII)
_DECIMAL = re.compile(r"-?(0|1)?[.,]\d+|-?[01]", re.ASCII)
_LONGEST_OPTION = 60
_MOST_OPTIONS = 20
_MOST_CODES = 7
_SENTENCE_ENDS = (".", "!", "?")


def draft_codebook(rows: Sequence[Cells]) -> Iterator[str]:
    """Yield the lines of a codebook in TOML for these rows. What is doubtful is said."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    roles = dict(_roles(columns))
    for role, column in roles.items():
        yield f"{role} = {toml_text(column)}"
    if not roles.keys() & {"respondent", "persona_id"}:
        yield '# respondent = "the column of what a persona\'s external id is"'
    others = [column for column in columns if column not in roles.values()]
    if known := [column for column in others if column.strip().lower() in _KNOWN]:
        yield f"# Left out, being no questions: {', '.join(map(toml_text, known))}"
    for column in others:
        if column not in known:
            cells = [text(row, column).strip() for row in rows if not is_blank(row, column)]
            yield from _question(column, cells)


def _roles(columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    by_name = {column.strip().lower().replace(" ", "_"): column for column in columns}
    for role, names in _CALLED.items():
        if found := next((by_name[name] for name in names if name in by_name), ""):
            yield role, found


def _question(column: str, cells: list[str]) -> Iterator[str]:
    yield f"\n[questions.{toml_text(column)}]"
    if not cells:
        yield '# no row of those that were looked at says anything here\nkind = "text"'
    elif all(map(_WHOLE.fullmatch, cells)):
        yield from _rating(column, [int(float(cell)) for cell in cells])
    elif all(map(_DECIMAL.fullmatch, cells)):
        yield 'kind = "sentiment"'
    elif labels := labels_of(cells):
        yield from _labelled(column, cells, labels)
    elif options := _options(cells):
        yield from _choice(cells, options)
    else:
        yield 'kind = "text"'
    yield 'text = ""'


def _rating(column: str, values: list[int]) -> Iterator[str]:
    low, high = min(values), max(values)
    scales = ((0, 10), *_SCALES) if "nps" in column.lower() else _SCALES
    fits = ((a, b) for a, b in scales if a <= low and high <= b)
    scale = next(fits, (low, max(high, low + 1)))
    yield 'kind = "rating"'
    yield f'scale = "{scale[0]}-{scale[1]}" # from {low} to {high} were seen'
    if len(codes := sorted(set(values))) <= _MOST_CODES:
        options = ", ".join(f'"{code}=…"' for code in codes)
        yield f'# where numbers stand for options: kind = "choice", options = [{options}]'


def _labelled(column: str, cells: list[str], labels: Labels) -> Iterator[str]:
    """Yield a scale of which some points have labels, or else options by their codes."""
    options = ", ".join(toml_text(f"{code}={label}") for code, label in labels.items())
    values = [int(float(cell)) for cell in cells if _WHOLE.fullmatch(cell)]
    if values:
        yield from _rating(column, [*values, *map(int, labels)])
    else:
        yield 'kind = "choice" # or, of a scale, "rating"'
    yield f"options = [{options}] # as seen: add the others, in order"


def _choice(cells: list[str], options: list[str]) -> Iterator[str]:
    is_single = set(cells) <= set(options)
    yield f'kind = "{"choice" if is_single else "choices"}"'
    yield f"options = [{', '.join(map(toml_text, options))}] # as seen: add the others, in order"


def _options(cells: list[str]) -> list[str]:
    """Return what cells choose from; [] if they are texts."""
    separator = next((s for s in SEPARATORS[:2] if any(s in cell for cell in cells)), None)
    items = [item.strip() for cell in cells for item in cell.split(separator or "\0")]
    found = list(dict.fromkeys(item for item in items if item))
    is_short = all(
        len(item) <= _LONGEST_OPTION and not item.endswith(_SENTENCE_ENDS) for item in found
    )
    return found if is_short and len(found) <= min(_MOST_OPTIONS, len(items)) else []
