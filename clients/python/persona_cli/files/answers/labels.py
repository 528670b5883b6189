"""Value labels: what the codes of a survey stand for, as SPSS has them: 1=Strongly disagree."""

import re
from collections.abc import Sequence

from persona_cli.files.json_lines import LineError

_LABELLED = re.compile(r"\s*([+-]?\w[\w.]{0,30})\s*=\s*(.*\S)\s*")
# A code and its label as exports write them into one cell: "5 - Very likely", "5=Very likely".
_BOTH = re.compile(r"\s*([+-]?\d{1,9})\s*(?:[=:)–]|\.\s|-\s)\s*([^\W\d_].*?)\s*")
_WHOLE = re.compile(r"([+-]?\d{1,9})([.,]0{1,2})?")


class Labels(dict[str, str]):
    """Labels by their codes, in order."""

    def label_of(self, cell: str) -> str:
        """Return the label that a cell means, by its code or as it is; else the cell itself."""
        return self.get(self._code(cell), cell)

    def code_of(self, cell: str) -> str:
        """Return the code that a cell means, by its label or as it is; else the cell itself."""
        return next((code for code, label in self.items() if label == cell), self._code(cell))

    def _code(self, cell: str) -> str:
        pair = _pair(cell)
        return pair[0] if pair and self.get(pair[0]) == pair[1] else _plain(cell)


def labels_in(options: Sequence[str]) -> Labels:
    """Return the labels of options that are all written CODE=LABEL, none of others.

    Raises LineError for a code that has two.
    """
    found = [_LABELLED.fullmatch(option) for option in options]
    labels = Labels({_plain(each[1]): each[2] for each in found if each})
    if not all(found):
        return Labels()
    if len(labels) < len(options):
        raise LineError("options have one code for two labels")
    return labels


def labels_of(cells: Sequence[str]) -> Labels:
    """Return the labels that cells have beside their codes, in the order of the codes.

    None if a cell is neither a code nor one with a label, or a code has two labels.
    """
    found = {pair for cell in cells if (pair := _pair(cell))}
    labels = Labels(sorted(found, key=lambda pair: int(pair[0])))
    is_coded = all(_pair(cell) or _WHOLE.fullmatch(cell) for cell in cells)
    return labels if is_coded and len(labels) == len(found) else Labels()


def _pair(cell: str) -> tuple[str, str] | None:
    found = _BOTH.fullmatch(cell)
    return (_plain(found[1]), found[2]) if found else None


def _plain(code: str) -> str:
    """Return a code as it is, but a whole number without zeros: 1.00 is 1."""
    found = _WHOLE.fullmatch(code)
    return str(int(found[1])) if found else code
