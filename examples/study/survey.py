"""The first four waves as survey tools export them, for the command line to read.

`python -m study.survey FOLDER` writes the consumers, what they answered in each wave with a column
for each question, and a codebook.
"""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from study.questions import Item, Value, all_items
from study.respondents import WAVES, Respondent, all_respondents
from study.stage import BETWEEN_WAVES, FIRST_WAVE

ZONE = ZoneInfo("Europe/Lisbon")  # of the clock by which answers are dated
_FIELDS = ("full_name", "gender", "occupation", "location", "income_level")
_CODED = "_themes"  # ends the name of the column of what themes a text has
_BOOK = ("question", "kind", "options", "scale", "text", "themes")

Row = Mapping[str, object]


def write_survey(folder: Path) -> None:
    """Write people.csv, wave-1.csv to wave-4.csv and codebook.csv into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    items = all_items()
    numbered = {f"r-{i:02}": r for i, r in enumerate(all_respondents(items), 1)}
    _write(folder / "people.csv", [_person(key, r) for key, r in numbered.items()])
    for wave in range(WAVES - 1):
        present = ((key, r) for key, r in numbered.items() if wave in r.waves)
        rows = [_answers(key, r, items, wave) for key, r in present]
        _write(folder / f"wave-{wave + 1}.csv", rows)
    _write(folder / "codebook.csv", list(_codebook(items)))


def _write(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _person(key: str, respondent: Respondent) -> Row:
    persona = respondent.persona
    told = {name: getattr(persona, name) for name in _FIELDS}
    return {"respondent": key, "age": persona.age.value, **told}


def _answers(key: str, respondent: Respondent, items: Sequence[Item], wave: int) -> Row:
    at = (FIRST_WAVE + wave * BETWEEN_WAVES).astimezone(ZONE)
    row: dict[str, object] = {"respondent": key, "RecordedDate": f"{at:%Y-%m-%d %H:%M:%S}"}
    for item in items:
        row |= _cells(item, respondent.answers[item.key][wave])
    return row


def _cells(item: Item, value: Value) -> Row:
    """Return an answer as a survey has it: an option by its code, several with ; between them."""
    if item.kind == "choice":
        return {item.key: item.values.index(value) + 1}
    if item.kind == "themes" and isinstance(value, tuple):
        return {item.key: item.response(value).text, item.key + _CODED: ";".join(value)}
    return {item.key: ";".join(value) if isinstance(value, tuple) else value}


def _codebook(items: Iterable[Item]) -> Iterable[Row]:
    for column, kind in (("respondent", "respondent"), ("RecordedDate", "occurred_at")):
        yield dict.fromkeys(_BOOK, "") | {"question": column, "kind": kind}
    for item in items:
        is_text = item.kind == "themes"
        yield {
            "question": item.key,
            "kind": "text" if is_text else item.kind,
            "options": "|".join(_options(item)),
            "scale": f"{item.values[0]}-{item.values[-1]}" if item.kind == "rating" else "",
            "text": item.text,
            "themes": item.key + _CODED if is_text else "",
        }


def _options(item: Item) -> Sequence[str]:
    if item.kind != "choice":
        return item.options
    return [f"{code}={option}" for code, option in enumerate(item.options, 1)]


if __name__ == "__main__":
    write_survey(Path(sys.argv[1]))
