"""What the rows of a forest plot are: reliabilities of personas, or how far they are faithful."""

from collections.abc import Sequence

from persona.v1.fidelity_pb2 import Fidelity, QuestionFidelity
from persona.v1.measures_pb2 import (
    RELIABILITY_STATUS_ELIGIBLE,
    RELIABILITY_STATUS_NOT_ELIGIBLE,
    UNDEFINED_REASON_EVERYBODY_ALIKE,
    PersonaReliability,
)
from persona_cli.plot.bars import BLUE, ORANGE
from persona_cli.plot.forest import Estimate, Forest, Row
from persona_cli.plot.panels import QUIET, shown_of
from persona_cli.terminal.shifts import reason_text

_COLORS = {RELIABILITY_STATUS_ELIGIBLE: BLUE, RELIABILITY_STATUS_NOT_ELIGIBLE: ORANGE}
_RELIABILITY = (
    "Points: C, 1 for perfect agreement, 0 for what chance would give. Lines: 90% intervals.\n"
    "Blue: eligible for the library. Orange: not eligible. Grey: insufficient data."
)
_FIDELITY = (
    "Blue: the share of answers that equal the person's. Orange: that share by how far the person\n"
    "repeats its own answers. Lines: 95% intervals."
)
Measured = Fidelity | QuestionFidelity


def reliabilities(name: str, found: Sequence[PersonaReliability], number: int) -> Forest:
    """Return the reliabilities of personas, of `number` that there are, in the order given."""
    rows = [_reliability(one) for one in found]
    said = f"Reliability of {shown_of(len(rows), number, 'persona')}"
    return Forest(name, said, _RELIABILITY, -1, 1, rows)


def fidelities(name: str, what: str, found: Sequence[tuple[str, Measured]], number: int) -> Forest:
    """Return how far those named, of `number`, answer as their people; `what` each of them is."""
    rows = [_fidelity(label, one) for label, one in found]
    high = max((one.high for row in rows for one in row.estimates), default=1.0)
    said = f"Fidelity, {shown_of(len(rows), number, what)}"
    return Forest(name, said, _FIDELITY, 0, max(high, 1.0) * 1.02, rows)


def _reliability(one: PersonaReliability) -> Row:
    if not one.HasField("coefficient"):
        # What can be compared has no C only where nobody differs from anybody.
        alike = one.question_count > 0
        why = reason_text(UNDEFINED_REASON_EVERYBODY_ALIKE) if alike else "too little data"
        return Row(one.full_name, (), f"no C: {why}")
    color = _COLORS.get(one.status, QUIET)
    ends = one.lower_bound.value, one.upper_bound.value
    return Row(one.full_name, [Estimate(one.coefficient.value, *ends, color)])


def _fidelity(label: str, one: Measured) -> Row:
    if not one.HasField("accuracy"):
        return Row(label, (), "no answer to compare")
    found = one.accuracy
    estimates = [Estimate(found.share, found.low, found.high, BLUE)]
    if one.HasField("normalized_accuracy"):
        ratio = one.normalized_accuracy
        estimates.append(Estimate(ratio.value, ratio.low, ratio.high, ORANGE))
    return Row(label, estimates)
