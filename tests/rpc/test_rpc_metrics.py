"""The metrics of calls and of what they do; test_figures.py has those of what is around them."""

import urllib.request
from pathlib import Path

import pytest
from rpc.test_rpc_interceptors import samples

from persona_server.storage.store import open_store
from support.data import Place, make_place, persona, uid
from support.errors import refusal_of
from support.service import Service, running_service
from support.streams import begun
from support.waiting import eventually


def test_no_label_names_a_tenant(place: Place, service: Service, tenant: str) -> None:
    place.fill(1)
    with urllib.request.urlopen(service.metrics) as answer:
        assert tenant not in answer.read().decode()


def test_calls_are_counted_by_method_and_code(place: Place, service: Service) -> None:
    def count(code: str) -> float:
        return samples(service).get(f'persona_rpc_total{{code="{code}",method="GetPersona"}}', 0)

    before = count("OK"), count("NOT_FOUND"), count("INVALID_ARGUMENT")
    (one,) = place.fill(1)
    for _ in range(3):
        place.get(one.id)
    refusal_of(lambda: place.get(uid()))
    refusal_of(lambda: place.get("x"))
    after = count("OK"), count("NOT_FOUND"), count("INVALID_ARGUMENT")
    assert [a - b for a, b in zip(after, before, strict=True)] == [3, 1, 1]
    seconds = samples(service)['persona_rpc_seconds_count{method="GetPersona"}']
    assert seconds == sum(
        value
        for name, value in samples(service).items()
        if name.startswith("persona_rpc_total{") and 'method="GetPersona"' in name
    )


def test_personas_written_counts_what_became_visible(place: Place, service: Service) -> None:
    def written() -> float:
        return samples(service)["persona_personas_written_total"]

    before = written()
    given = persona(id=uid())
    place.create(given)
    place.create(given)  # there already
    place.fill(3)
    begun(place).batch(1, [given, persona()])
    place.delete(given.id)
    place.create(given)  # visible again
    refusal_of(lambda: place.fill(2, age=-1))
    key = uid()
    place.batch([persona()], request_id=key)
    place.batch([persona()], request_id=key)
    assert written() - before == 1 + 3 + 1 + 1 + 1


@pytest.mark.sqlite("a test's database of PostgreSQL is there before the service starts")
def test_the_demo_is_counted(tmp_path: Path) -> None:
    with running_service(tmp_path, "--rest", "off", "--demo") as service:
        assert samples(service)["persona_personas_written_total"] == 12


def test_sweeping_is_counted(tmp_path: Path) -> None:
    """A first start deletes, a second one finds it due: the clock is the database's own."""
    with running_service(tmp_path, "--rest", "off", "--retention", "60") as service:
        place = make_place(service.connect())
        place.fill(3)
        assert place.delete_all() == 3
        assert samples(service)["persona_sweep_rows_total"] == 0
    store = open_store(service.place)
    with store.database.write(1.0):
        store.database.execute_sql(
            "UPDATE persona_set SET purge_after = purge_after - 61000000 WHERE dropped_at > 0"
        )
    store.close()
    with running_service(tmp_path, "--rest", "off", "--retention", "60") as service:
        assert eventually(lambda: samples(service)["persona_sweep_rows_total"]) == 3


def test_metrics_have_a_port_of_their_own(service: Service) -> None:
    assert service.metrics.split("/")[2] not in (service.grpc, service.rest.split("/")[-1])
