"""What a selection answered to a question, as a message."""

from collections.abc import Sequence

from persona.v1.comparison_pb2 import AnswerMoments, AnswerShare, QuestionSummary
from persona_server.measures.answers import Kind, Question
from persona_server.measures.comparison.moments import exact_moments, mean_interval, moments
from persona_server.measures.comparison.shares import Share, share, shares
from persona_server.measures.individual.points import unit
from persona_server.measures.populations import Numbers
from persona_server.services.comparison.scales import scale_of
from persona_server.services.library.reliability_messages import question_message
from persona_server.storage.derived.counts import by_value
from persona_server.storage.derived.selections import Counts, Selections

MOST_THEMES = 100


def summary_message(
    selections: Selections,
    question: Question,
    declared: Sequence[str],
    counted: Counts | Numbers | None,
) -> QuestionSummary:
    """Return the summary of one question, with its options in declared order."""
    message = QuestionSummary(question=question_message(question, declared))
    if counted is None:
        message.too_many_sets = True
    elif isinstance(counted, Numbers):
        message.individual_count = counted.total
        if counted.total:
            scale = unit(question.kind)
            message.moments.CopyFrom(_moments(*exact_moments(counted, scale)))
    elif counted:
        message.individual_count = sum(counted.values())
        _add_counts(message, selections, question, counted)
    return message


def most_shares(question: Question) -> int:
    """Return how many shares the summary of a question may have."""
    if not by_value(question):
        return 0
    if question.kind is Kind.RATING:
        return question.maximum - question.minimum + 1
    return MOST_THEMES if question.kind is Kind.THEMES else len(question.options)


def _add_counts(
    message: QuestionSummary, selections: Selections, question: Question, counts: Counts
) -> None:
    scale = scale_of(question, message.question.options)
    if scale is None:
        _add_sets(message, selections, question, counts)
        return
    given = scale.counts(counts)
    if question.kind is Kind.RATING:
        message.moments.CopyFrom(_moments(*moments(given, scale.numbers)))
        for value, one in zip(scale.numbers, shares(given), strict=True):
            message.shares.add(rating=value).MergeFrom(_share(one))
    else:
        for option, one in zip(message.question.options, shares(given), strict=True):
            message.shares.add(option=option).MergeFrom(_share(one))


def _add_sets(
    message: QuestionSummary, selections: Selections, question: Question, counts: Counts
) -> None:
    options = message.question.options
    if question.kind is Kind.THEMES:
        themes = selections.themes_named(counts, MOST_THEMES)
        message.other_theme_count = themes.others
        named = themes.counts
    else:
        named = list(zip(options, selections.options_named(counts, options), strict=True))
    for option, count in named:
        one = share(count, message.individual_count)
        message.shares.add(option=option).MergeFrom(_share(one))


def _share(one: Share) -> AnswerShare:
    return AnswerShare(count=one.given, share=one.value, low=one.low, high=one.high)


def _moments(n: int, mean: float, variance: float) -> AnswerMoments:
    message = AnswerMoments(mean=mean)
    if (interval := mean_interval(n, mean, variance)) is not None:
        message.low.value, message.high.value = interval.low, interval.high
        message.standard_deviation.value = variance**0.5
    return message
