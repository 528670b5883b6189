"""How much room a persona and an answer take in an SQLite file, with indexes and what is derived.

Prints bytes of the file for each: of personas alone, and of the answers beside them. They do not
depend on how busy the machine is.
"""

import random
import tempfile
from pathlib import Path

from answering import QUESTIONS, batches
from data import make_persona
from library_data import TENANT, add_people, make_place

from persona.v1.project_pb2 import PersonaGroup
from persona.v1.response_service_pb2 import RecordResponsesRequest
from persona_server.services.responses.recording import record_responses
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store, open_store

PEOPLE, ANSWERERS, SIMULATIONS = 20_000, 400, 10


def size(store: Store) -> int:
    """Return the bytes of all pages that are used."""
    ((pages, free, page_size),) = store.database.execute_sql(
        "SELECT * FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
    ).fetchall()
    return int((pages - free) * page_size)


def main() -> None:
    """Fill a database and print what it takes."""
    random_ = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "data")
        empty = size(store)
        project, group = make_place(store, PersonaGroup(name="bench"))
        people: list[bytes] = []
        for _ in range(0, PEOPLE, 1000):
            people += add_people(
                store, project, group, [make_persona(random_) for _ in range(1000)]
            )
        with_people = size(store)
        personas = [id_text(one) for one in people[:ANSWERERS]]
        for raw in batches(personas, SIMULATIONS):
            request = RecordResponsesRequest.FromString(raw)
            with store.writing(TENANT, None) as repositories:
                record_responses(repositories, request.simulation_id, request.responses)
        answers = ANSWERERS * QUESTIONS * SIMULATIONS
        print(f"a persona: {(with_people - empty) / PEOPLE:,.0f} bytes, of {PEOPLE:,}")
        print(f"an answer: {(size(store) - with_people) / answers:,.0f} bytes, of {answers:,}")
        store.close()


if __name__ == "__main__":
    main()
