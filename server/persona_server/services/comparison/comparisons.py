"""How the answers of two selections to a question differ, as a message."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import fsum
from typing import cast

from persona.v1.comparison_pb2 import (
    AnswerAgreement,
    DistributionDistance,
    MeanDifference,
    QuestionComparison,
    TargetDistribution,
    VarianceRatio,
)
from persona_server.measures.answers import Question, Value
from persona_server.measures.comparison.moments import (
    Spread,
    exact,
    exact_moments,
    spread,
    spread_of_sample,
    spread_of_sums,
    variance_ratio,
    welch,
)
from persona_server.measures.comparison.pairs import (
    Agreement,
    agreement,
    agreement_of_numbers,
    are_paired,
    distance_of_pairs,
    mean_of_moves,
)
from persona_server.measures.comparison.steps import shares_of
from persona_server.measures.comparison.targets import Distance, against_target
from persona_server.measures.individual.points import unit
from persona_server.measures.individual.terms import largest_unit
from persona_server.measures.individual.trend import benjamini_hochberg
from persona_server.measures.populations import Numbers, Weights
from persona_server.services.comparison.scales import Scale, scale_of
from persona_server.services.library.reliability_messages import question_message
from persona_server.storage.derived.selections import Counts

Given = Mapping[bytes, int]  # what individuals answered, in the form of a series' records


def target_message(
    question: Question, declared: Sequence[str], counts: Counts, target: TargetDistribution
) -> QuestionComparison:
    """Compare what one or more answered with a target of the same question."""
    scale = scale_of(question, declared)
    assert scale is not None  # a target has no other questions
    message = _message(question, declared, sum(counts.values()), target.sample_size)
    total = fsum(target.shares)  # they may be rounded: a little less, or more, than all
    normed = [share / total for share in target.shares]
    by_option = dict(zip(target.question.options or declared, normed, strict=False))
    shares = [by_option[each] for each in declared] if declared else normed
    given = scale.counts(counts)
    message.shares[:], message.other_shares[:] = shares_of(given), shares
    if (steps := scale.steps) is not None:
        found = against_target(steps, given, shares, target.sample_size or None)
        message.distance.CopyFrom(_distance(found))
    if scale.cumulated:
        theirs = (
            spread_of_sample(shares, target.sample_size, scale.numbers)
            if target.sample_size
            else exact(shares, scale.numbers)
        )
        _add_ratio(message, variance_ratio(spread(given, scale.numbers), theirs))
    return message


def selections_message(
    question: Question, declared: Sequence[str], one: Given, other: Given
) -> QuestionComparison:
    """Compare what two selections answered, at least one individual of each."""
    both = sorted(one.keys() & other.keys())
    paired = are_paired(len(both), len(one), len(other))
    if paired:
        one, other = {who: one[who] for who in both}, {who: other[who] for who in both}
    message = _message(question, declared, len(one), len(other))
    message.paired = paired
    scale = scale_of(question, declared)
    if scale is not None:
        message.shares[:] = shares_of(scale.counts(Counter(one.values())))
        message.other_shares[:] = shares_of(scale.counts(Counter(other.values())))
    if paired:
        _add_pairs(message, question, scale, [(one[who], other[who]) for who in both])
    else:
        _add_groups(message, question, scale, Counter(one.values()), Counter(other.values()))
    return message


def adjust(messages: Sequence[QuestionComparison]) -> None:
    """Set the adjusted p of all distances, and of all differences of means."""
    for name in ("distance", "mean_difference"):
        found = [getattr(message, name) for message in messages if message.HasField(name)]
        adjusted = benjamini_hochberg([one.p for one in found])
        for one, p in zip(found, adjusted, strict=True):
            one.adjusted_p = p


def _add_pairs(
    message: QuestionComparison,
    question: Question,
    scale: Scale | None,
    pairs: Sequence[tuple[int, int]],
) -> None:
    if question.kind.numeric:
        moved = Counter[Value](b - a for a, b in pairs)
        if (found := mean_of_moves(moved, unit(question.kind))) is not None:
            message.mean_difference.CopyFrom(MeanDifference(**found._asdict()))
    counted = Counter(pairs)
    if scale is None:
        if question.kind.numeric:
            _add_agreement(message, pairs, agreement_of_numbers(counted, float(question.unit)))
        return
    if (steps := scale.steps) is None:
        return
    table = [[counted[a, b] for b in scale.numbers] for a in scale.numbers]
    message.distance.CopyFrom(_distance(distance_of_pairs(steps, table)))
    beyond = agreement(table, _disagreement(question, scale), largest_unit(question))
    _add_agreement(message, pairs, beyond)


def _add_agreement(
    message: QuestionComparison, pairs: Sequence[tuple[int, int]], beyond: Agreement | None
) -> None:
    if beyond is not None:
        equal = sum(a == b for a, b in pairs) / len(pairs)
        message.agreement.CopyFrom(
            AnswerAgreement(
                equal_share=equal, coefficient=beyond.value, low=beyond.low, high=beyond.high
            )
        )


def _add_groups(
    message: QuestionComparison,
    question: Question,
    scale: Scale | None,
    one: Counts,
    other: Counts,
) -> None:
    if question.kind.numeric:
        per = unit(question.kind)
        # A mapping of whole numbers is one of values: only the type checker does not know.
        first, second = (Numbers.of(cast("Weights", counts)) for counts in (one, other))
        found = welch(exact_moments(first, per), exact_moments(second, per))
        if found is not None:
            message.mean_difference.CopyFrom(MeanDifference(**found._asdict()))
        ratio = variance_ratio(_spread(question, scale, one), _spread(question, scale, other))
        _add_ratio(message, ratio)
    if scale is not None and (steps := scale.steps) is not None:
        given, theirs = scale.counts(one), scale.counts(other)
        found_distance = against_target(steps, given, shares_of(theirs), sum(theirs))
        message.distance.CopyFrom(_distance(found_distance))


def _spread(question: Question, scale: Scale | None, counts: Counts) -> Spread:
    """Return how far apart numbers lie; of what has no scale by sums, which cost no more."""
    if scale is not None:
        return spread(scale.counts(counts), scale.numbers)
    sums = [sum(count * x**power for x, count in counts.items()) for power in range(5)]
    return spread_of_sums(sums, unit(question.kind))


def _disagreement(question: Question, scale: Scale) -> list[list[float]]:
    """Return δ of each two answers: 1 on average between answers at random."""
    per = float(question.unit)
    if scale.cumulated:
        return [[per * (a - b) ** 2 for b in scale.numbers] for a in scale.numbers]
    return [[per * (a != b) for b in scale.numbers] for a in scale.numbers]


def _message(
    question: Question, declared: Sequence[str], number: int, other: int
) -> QuestionComparison:
    return QuestionComparison(
        question=question_message(question, declared),
        individual_count=number,
        other_individual_count=other,
    )


def _distance(found: Distance) -> DistributionDistance:
    return DistributionDistance(**found._asdict())


def _add_ratio(message: QuestionComparison, ratio: tuple[float, float, float] | None) -> None:
    if ratio is not None:
        value, low, high = ratio
        message.variance_ratio.CopyFrom(VarianceRatio(value=value, low=low, high=high))
