"""What a summary or a comparison says, in words: the same ones in tables and in pictures."""

from persona.v1.comparison_pb2 import (
    AnswerMoments,
    AnswerShare,
    QuestionComparison,
    QuestionSummary,
)
from persona_cli.terminal.shifts import number_text, p_text


def number_answered(summary: QuestionSummary) -> str:
    """Say how many answered."""
    number = summary.individual_count
    return f"{number} individual{'' if number == 1 else 's'}"


def interval_text(share: AnswerShare) -> str:
    """Say where a share may be."""
    return f"{number_text(share.low)} to {number_text(share.high)}"


def moments_text(moments: AnswerMoments) -> str:
    """Say where numbers lie, and how far apart."""
    mean = f"mean {number_text(moments.mean)}"
    if not moments.HasField("low"):
        return mean
    low, high = number_text(moments.low.value), number_text(moments.high.value)
    spread = number_text(moments.standard_deviation.value)
    return f"{mean} (95%: {low} to {high}), standard deviation {spread}"


def distance_text(one: QuestionComparison) -> str:
    """Say how far two distributions are apart, and whether that is more than chance."""
    if not one.HasField("distance"):
        return ""
    found = one.distance
    interval = f"{number_text(found.low)} to {number_text(found.high)}"
    return f"{number_text(found.value)} ({interval}), adjusted p {p_text(found.adjusted_p)}"


def difference_text(one: QuestionComparison) -> str:
    """Say how far two means are apart."""
    if not one.HasField("mean_difference"):
        return ""
    found = one.mean_difference
    interval = f"{number_text(found.low, '+')} to {number_text(found.high, '+')}"
    return f"{number_text(found.value, '+')} ({interval}), adjusted p {p_text(found.adjusted_p)}"


def agreement_text(one: QuestionComparison) -> str:
    """Say how far individuals gave the same answer twice, beyond chance."""
    if not one.HasField("agreement"):
        return ""
    found = one.agreement
    interval = f"{number_text(found.low)} to {number_text(found.high)}"
    return f"{number_text(found.coefficient)} ({interval})"
