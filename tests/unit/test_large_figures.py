"""What grows without a bound must neither fill the memory nor leave the contract's types."""

from dataclasses import replace

from persona_server.measures.answers import Question
from persona_server.measures.reliability import reliability
from persona_server.services.library.individuals import Measurement
from persona_server.services.library.reliability_messages import reliability_message
from persona_server.storage.derived import series

QUESTION = Question.themes("q")


def test_counts_of_pairs_stop_at_what_int32_holds() -> None:
    found = reliability([], {})
    many = found.contradictions._replace(contradicting_pairs=2**31, pairs=2**40)
    message = reliability_message(Measurement(replace(found, contradictions=many), 0), 1)
    assert (message.contradicting_pair_count, message.pair_count) == (2**31 - 1, 2**31 - 1)


def test_only_short_texts_of_series_are_remembered() -> None:
    caches = (series._short, series._common)
    for cache in caches:
        cache.cache_clear()  # a full one would stay as large as it is
    entry = series.Entry(1, b"r" * 16, b"s" * 16, "t" * 10_000, "model", "prompt")
    assert series.decode(QUESTION, series.encode(QUESTION, [entry])) == [entry]
    assert [cache.cache_info().currsize for cache in caches] == [0, 0]
    short = entry._replace(value="a short text of this test alone")
    for _ in range(2):
        assert series.decode(QUESTION, series.encode(QUESTION, [short])) == [short]
    assert [cache.cache_info().currsize for cache in caches] == [1, 1]
