"""What grows without a bound must neither fill the memory nor leave the contract's types."""

from dataclasses import replace

from persona_server.measures.individual.reliability import reliability
from persona_server.services.library.individuals import Measurement
from persona_server.services.library.reliability_messages import (
    full_message,
    kept_message,
    reliability_message,
)


def test_counts_of_pairs_stop_at_what_int32_holds() -> None:
    found = reliability([], {})
    many = found.contradictions._replace(contradicting_pairs=2**31, pairs=2**40)
    message = reliability_message(Measurement(replace(found, contradictions=many), 0, ""), 1)
    assert (message.contradicting_pair_count, message.pair_count) == (2**31 - 1, 2**31 - 1)


def test_simulations_are_listed_up_to_a_thousand() -> None:
    found = replace(reliability([], {}), simulations=tuple(f"s{i:04}" for i in range(1001)))
    measurement = Measurement(found, 0, "")
    for message in (
        kept_message(measurement, 1),
        full_message(measurement, 1, None, pending=False),
    ):
        assert [one.simulation_id for one in message.simulations] == list(found.simulations[:1000])
        assert message.simulation_count == 1001
    assert not reliability_message(measurement, 1).simulations
