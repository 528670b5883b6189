"""What a summary or a comparison says, in words: the same ones in tables and in pictures."""

from collections.abc import Sequence

from persona.v1.comparison_pb2 import (
    AnswerMoments,
    AnswerShare,
    QuestionComparison,
    QuestionSummary,
)
from persona.v1.fidelity_pb2 import EqualAnswers, Fidelity, NormalizedAccuracy
from persona_cli.terminal.output import counted
from persona_cli.terminal.shifts import number_text, p_text


def number_answered(summary: QuestionSummary) -> str:
    """Say how many answered, if they were counted."""
    if summary.too_many_sets:
        return "too many different answers to count them"
    number = summary.individual_count
    return counted(number, "individual")


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
    """Say how far two distributions are apart."""
    if not one.HasField("distance"):
        return ""
    found = one.distance
    interval = f"{number_text(found.low)} to {number_text(found.high)}"
    return f"{number_text(found.value)} ({interval})"


def distance_p_text(one: QuestionComparison) -> str:
    """Say whether that is more than chance."""
    return p_text(one.distance.adjusted_p) if one.HasField("distance") else ""


def difference_text(one: QuestionComparison) -> str:
    """Say how far two means are apart."""
    if not one.HasField("mean_difference"):
        return ""
    found = one.mean_difference
    interval = f"{number_text(found.low, '+')} to {number_text(found.high, '+')}"
    return f"{number_text(found.value, '+')} ({interval})"


def difference_p_text(one: QuestionComparison) -> str:
    """Say whether that is more than chance."""
    return p_text(one.mean_difference.adjusted_p) if one.HasField("mean_difference") else ""


def variance_text(one: QuestionComparison) -> str:
    """Say how far apart the first's numbers lie, by the second's."""
    if not one.HasField("variance_ratio"):
        return ""
    found = one.variance_ratio
    return f"{number_text(found.value)} ({number_text(found.low)} to {number_text(found.high)})"


def agreement_text(one: QuestionComparison) -> str:
    """Say how far individuals gave the same answer twice, beyond chance."""
    if not one.HasField("agreement"):
        return ""
    found = one.agreement
    interval = f"{number_text(found.low)} to {number_text(found.high)}"
    return f"{number_text(found.coefficient)} ({interval})"


def equal_text(found: EqualAnswers) -> str:
    """Say how many answers are equal, as a share."""
    return f"{number_text(found.share)} ({number_text(found.low)} to {number_text(found.high)})"


def ratio_text(found: NormalizedAccuracy) -> str:
    """Say how often a persona answers as a person, by how often the person does."""
    return f"{number_text(found.value)} ({number_text(found.low)} to {number_text(found.high)})"


def means_text(found: Sequence[Fidelity]) -> str:
    """Say what accuracy and normalised accuracy are on average, over those that have them."""
    shares = [one.accuracy.share for one in found if one.HasField("accuracy")]
    ratios = [one.normalized_accuracy.value for one in found if one.HasField("normalized_accuracy")]
    said = [
        f"mean {what} {number_text(sum(values) / len(values))} (n = {len(values)})"
        for what, values in (("accuracy", shares), ("normalised accuracy", ratios))
        if values
    ]
    return ", ".join(said) or "no persona has answers to compare"
