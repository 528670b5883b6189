"""What a timeline says, in words: the same ones in tables and in pictures."""

from persona.v1.measures_pb2 import (
    QUESTION_KIND_RATING,
    QUESTION_KIND_SENTIMENT,
    SLOPE_UNIT_SIMULATION,
    ChoiceShift,
    NumericShift,
    Question,
    QuestionKind,
    QuestionTimeline,
    UndefinedReason,
)
from persona_cli.terminal.output import counted

_LEAST_P = 0.001  # that is written out
_REASONS = {
    "NO_REPEATED_QUESTION": "no question was answered in two simulations",
    "TOO_FEW_INDIVIDUALS": "too few individuals answered in the same simulations",
    "EVERYBODY_ALIKE": "everybody answers alike",
    "NO_COMPARABLE_PAIR": "no answers could contradict each other",
    "TOO_FEW_POINTS": "too few points in time",
    "TOO_MANY_POINTS": "too many points in time",
    "TOO_FEW_DIFFERENCES": "others' noise is unknown",
    "NO_NOISE": "others never changed",
    "NO_RESIDUALS": "the points lie on a line",
    "VOIDING": "answers of a void simulation are being taken out",
}


def reason_text(reason: "UndefinedReason.ValueType") -> str:
    """Say why a measure has no value; a reason newer than this program by its name."""
    if reason not in UndefinedReason.values():
        return f"reason {reason}"
    name = UndefinedReason.Name(reason).removeprefix("UNDEFINED_REASON_")
    return _REASONS.get(name, name.lower().replace("_", " "))


def number_text(value: float, sign: str = "", places: int = 3) -> str:
    """Return a figure as people write it, with so many places after the point at most."""
    text = f"{value:{sign}.{places}f}".rstrip("0").rstrip(".").replace("-", "−")
    return "0" if text in {"−0", "+0"} else text


def kind_text(question: Question) -> str:
    """Say how a question is answered."""
    if question.kind == QUESTION_KIND_RATING:
        return f"rating {question.min} to {question.max}".replace("-", "−")
    if question.kind == QUESTION_KIND_SENTIMENT:
        return "sentiment −1 to +1"
    if question.kind not in QuestionKind.values():
        return "another kind"
    name = QuestionKind.Name(question.kind).removeprefix("QUESTION_KIND_").lower()
    return f"{name} of {len(question.options)}" if question.options else name


def reliable_text(shift: NumericShift, *, ends: bool = True) -> str:
    """Say how much a number has changed, and whether that is more than noise.

    With `ends` also by how much its last point differs from the first, where that is not judged.
    """
    if not shift.HasField("change"):
        return f"no change to tell: {reason_text(shift.change_reason)}"
    if not shift.HasField("reliable_change"):
        change = number_text(shift.change.value, "+")
        return f"change {change}, not judged: {reason_text(shift.reliable_change_reason)}"
    found = shift.reliable_change
    change = f"change {number_text(found.change, '+')}"
    figures = f"RCI {found.rci:+.2f}, adjusted p {p_text(found.adjusted_p)}".replace("-", "−")
    if ends and (text := ends_text(shift)):
        figures = f"{text}, {figures}"
    if not found.reliable:
        return f"{change}, within the noise ({figures})"
    arrow = "▲" if found.rci > 0 else "▼"
    return f"{arrow} reliable {change} ({figures})"


def ends_text(shift: NumericShift) -> str:
    """Say by how much the last point differs from the first, where halves are judged; else ""."""
    change = number_text(shift.change.value, "+")
    judged = number_text(shift.reliable_change.change, "+")
    halves = shift.HasField("reliable_change") and change != judged
    return f"last − first {change}" if halves else ""


def p_text(p: float) -> str:
    """Write a p as people do."""
    return f"{p:.3f}" if p >= _LEAST_P else f"below {_LEAST_P}"


def others_text(shift: NumericShift) -> str:
    """Say how the others' mean moved meanwhile; "" if that is not known."""
    if not shift.HasField("others_change"):
        return ""
    return f"others' mean {number_text(shift.others_change.value, '+')}"


def slope_text(shift: NumericShift) -> str:
    """Say how steep the trend is, with its interval."""
    if not shift.HasField("slope"):
        return f"no trend to tell: {reason_text(shift.slope_reason)}"
    slope = shift.slope
    per = "simulation" if slope.per == SLOPE_UNIT_SIMULATION else "30 days"
    text = f"trend {number_text(slope.value, '+')} per {per}"
    if not slope.HasField("low"):
        return f"{text} (no interval: {reason_text(shift.interval_reason)})"
    low, high = number_text(slope.low.value, "+"), number_text(slope.high.value, "+")
    return f"{text} (95%: {low} to {high})"


def choice_text(shift: ChoiceShift, number: int) -> str:
    """Say how a choice has changed."""
    if number == 1:
        return "one answer"
    if not shift.switch_count:
        return f"the same in all {number} answers"
    switches = f"{shift.switch_count} switch{'' if shift.switch_count == 1 else 'es'}"
    if not shift.changed:
        return f"{switches}, back to the first"
    return f"{switches}: from {_cut(shift.first)} to {_cut(shift.last)}"


def items_text(timeline: QuestionTimeline) -> str:
    """Say how many answers name how many things."""
    number = len(timeline.points)
    items = {item for point in timeline.points for item in point.items}
    return f"{counted(number, 'answer')}, {len(items)} named"


def _cut(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:23].rstrip()}…"
