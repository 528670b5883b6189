"""A person erased, wherever a tenant has it: as it was made, copied, promoted and reused."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import CreatePersonaResponse, ListPersonasResponse
from persona.v1.response_service_pb2 import RecordResponsesResponse
from persona_server.storage.derived.answers import NewAnswer, new_answer
from persona_server.storage.derived.participation import Place
from persona_server.storage.engine.dialect import id_list
from persona_server.storage.erasure.guard import Guard
from persona_server.storage.erasure.kin import Kin, chunks
from persona_server.storage.erasure.statements import PersonStatements
from persona_server.storage.keys import id_text
from persona_server.storage.repositories.audit import AuditEntry
from persona_server.storage.repositories.response_lists import SHOWN
from persona_server.storage.store import Store, Transaction
from persona_server.validation.terms import terms_of

METHOD, OPERATOR = "ErasePerson", "operator"  # as the audit trail names them
CHUNK = 500  # personas or answers of a transaction; each has at most 64 KiB


class Person(NamedTuple):
    """One person: the persona it was named by, all that are the same, and what they have."""

    named: bytes
    full_name: str
    personas: list[bytes]
    library_personas: list[bytes]
    responses: int
    references: int  # answers of the real person that it stands for
    is_erased: bool


class Answers(NamedTuple):
    """Some answers of a persona in one simulation: ids, bytes, and what is counted of them."""

    ids: list[bytes]
    sizes: list[int]
    counted: list[NewAnswer]


class PersonErasure:
    """Finds and erases people of one tenant. No server may be running."""

    def __init__(self, store: Store, tenant: str) -> None:
        self._store = store
        self._tenant = tenant
        self._key = store.tenants.key(tenant)
        self._guard = Guard(store.database)
        self._kin = Kin(store.database, self._key)
        self._do = PersonStatements(store.database)

    def find(self, persona: bytes) -> Person | None:
        """Return the person that a persona is, erased before or not; None if there is no row.

        One that was purged is the same as its copies.
        """
        personas, library = self._kin.of(persona)
        if not personas:
            return None
        persona = persona if persona in personas else personas[0]
        row = self._do.state.first(tenant=self._key, persona=persona)
        assert row is not None  # it is there
        (stored,) = ListPersonasResponse.FromString(row[0]).personas
        with self._store.reading(self._tenant) as repositories:
            responses = sum(repositories.responses.count(one).recorded for one in personas)
            references = sum(len(repositories.references.of_individual(one)) for one in personas)
        counts, is_erased = (responses, references), row[1] is not None
        return Person(persona, stored.full_name, personas, library, *counts, is_erased)

    def erase(self, person: Person) -> Iterator[int]:
        """Erase a person, and yield how many personas, answers or links each transaction took.

        What ties it together goes last: broken off, it goes on when the persona is found again and
        erased. Raises ServiceError if the database is not available.
        """
        for chunk in chunks(person.personas, CHUNK):
            with self._guard.erasing(self._store, self._tenant, chunk) as repositories:
                if person.named in chunk:
                    self._begin(repositories, person)
                self._hide(repositories, chunk)
            yield len(chunk)
        for persona in person.personas:
            yield from self._take_answers(persona)
            yield from self._take_references(persona)
        for library_persona in person.library_personas:
            yield self._untie(person, library_persona)

    def _begin(self, repositories: Transaction, person: Person) -> None:
        """Say in the audit trail what is erased, once; and forget answers that name its library."""
        if not person.is_erased:
            repositories.audit.add(_audit(person), repositories.now)
        for library_persona in person.library_personas:  # before those of its personas: it has both
            self._forget_kept(library_persona)

    def _hide(self, repositories: Transaction, personas: Sequence[bytes]) -> None:
        """Leave of each persona its id and its place, hidden from its group."""
        for persona in personas:
            row = self._do.place.first(tenant=self._key, persona=persona)
            assert row is not None  # it was found, and nobody purges meanwhile
            size, project, group, set_id, hidden_set_id, is_shown, position, stored = row
            terms = terms_of(ListPersonasResponse.FromString(stored).personas[0])
            repositories.terms.remove(set_id, position, terms)
            left = Persona(
                id=id_text(persona), project_id=id_text(project), group_id=id_text(group)
            )
            framed = ListPersonasResponse(personas=[left]).SerializeToString()
            set_id = hidden_set_id if is_shown else set_id
            where = {"tenant": self._key, "persona": persona}
            self._do.hide.run(framed=framed, set=set_id, now=repositories.now, **where)
            self._do.unqueue.run(**where)
            self._forget_kept(persona)
            repositories.store_bytes(len(framed) - size)
            if is_shown:
                repositories.groups.changed(group, -1)

    def _take_answers(self, persona: bytes) -> Iterator[int]:
        """Remove a persona's answers, and what measures made of them with each."""
        count = CHUNK
        while count == CHUNK:
            with self._guard.erasing(self._store, self._tenant, [persona]) as repositories:
                found = self._some_answers(persona)
                for place, answers in found.items():
                    ids = id_list(answers.ids)
                    self._do.drop_marks.run(tenant=self._key, ids=ids)
                    self._do.drop_answers.run(tenant=self._key, ids=ids)
                    repositories.derived.remove(place, answers.counted, is_bounded=False)
                    repositories.store_bytes(-sum(answers.sizes))
                if (count := sum(len(answers.ids) for answers in found.values())) == 0:
                    return
            yield count

    def _take_references(self, persona: bytes) -> Iterator[int]:
        """Remove what the real person answered that a persona stands for."""
        count = CHUNK
        while count == CHUNK:
            with self._guard.erasing(self._store, self._tenant, [persona]) as repositories:
                where = {"tenant": self._key, "persona": persona}
                found = self._do.references.all(chunk=CHUNK, **where)
                if (count := len(found)) == 0:
                    return
                ids = id_list([question for question, _ in found])
                self._do.drop_references.run(ids=ids, **where)
                repositories.store_bytes(-sum(size for _, size in found))
            yield count

    def _some_answers(self, persona: bytes) -> dict[Place, Answers]:
        """Return the next answers of a persona, by where they were given."""
        origin = self._do.origin.first(tenant=self._key, persona=persona)
        individual = persona if origin is None else origin[0]
        rows = self._do.answers.all(tenant=self._key, persona=persona, chunk=CHUNK)
        found: dict[Place, Answers] = {}
        for response_id, counts, project, simulation, position, recorded, framed in rows:
            answers = found.setdefault(Place(project, simulation), Answers([], [], []))
            answers.ids.append(response_id)
            answers.sizes.append(len(framed))
            if counts:  # else it has been taken out before
                (response,) = RecordResponsesResponse.FromString(framed + SHOWN).responses
                counted = new_answer(response, individual, simulation, position, recorded)
                answers.counted.append(counted)
        return found

    def _untie(self, person: Person, library_persona: bytes) -> int:
        """Remove an individual from the library, with its links and the names in them."""
        with self._guard.erasing(self._store, self._tenant, person.personas):
            where = {"tenant": self._key, "library": library_persona}
            count = self._do.drop_links.run(**where)
            self._do.drop_library_terms.run(**where)
            self._do.drop_library.run(**where)
        return count

    def _forget_kept(self, resource: bytes) -> None:
        """Leave only its id in what is kept for the retries of calls that returned it."""
        text = id_text(resource)
        answer = CreatePersonaResponse(persona=Persona(id=text)).SerializeToString()
        self._do.forget_kept.run(tenant=self._key, text=text.encode(), answer=answer)


def _audit(person: Person) -> AuditEntry:
    return AuditEntry(
        METHOD,
        OPERATOR,
        persona_id=person.named,
        persona_count=len(person.personas),
        response_count=person.responses,
    )
