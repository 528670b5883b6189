"""Databases in which every table has rows, and what is in them, whichever engine has them."""

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from persona_server.identity.tokens import local_key
from persona_server.services.responses.voiding import void_simulation
from persona_server.storage import tables
from persona_server.storage.keys import id_text
from persona_server.storage.repositories.credentials import KeyRow
from persona_server.storage.store import open_store
from persona_server.transport.methods import Method
from support.answering.erasing import everywhere
from support.answering.measuring import random_batches, record_all
from support.data import persona, uid
from support.databases.compiled import populate
from support.dbfile import connection
from support.probe import Probe
from support.requests.world import World
from support.rpcs import METHODS, Answer, bearer, send
from support.service import Service
from support.stored import TENANT, StoredGroup

NAMES = [model._meta.table_name for model in tables.ALL]
EMPTY = {"erasing"}  # no transaction can be committed with a row in it
CALLER = "caller"  # the tenant of all calls


class Call(NamedTuple):
    """A call that succeeded, and its answer."""

    method: Method
    messages: list[Any]
    answer: Answer


class Called(NamedTuple):
    """A data folder, and the calls that were made to the service that had it."""

    folder: Path
    calls: list[Call]


def called(service: Service) -> list[Call]:
    """Call every RPC, each about a project of its own; return the calls."""
    token, done = service.token(CALLER), []
    caller = service.connect(token)
    for method in METHODS:
        messages = World(caller).messages(method, uid())
        answer = send(caller.channel, method, messages, bearer(token))
        assert answer.error is None, (method.name, answer.text)
        done.append(Call(method, messages, answer))
    caller.close()
    return done


def fill(folder: Path) -> None:
    """Add to a database of a service what is left to have rows in every table."""
    with closing(open_store(folder)) as store:
        local_key(store)
        populate(store)
        people, group = everywhere(store), StoredGroup(store, "long")
        long = random_batches(random.Random(1), group.add(persona()), simulations=12, answers=60)
        record_all(group, long)
        with store.writing(TENANT, None) as repositories:
            repositories.quotas.put("calls_per_second", 5)
            key = KeyRow(bytes(8), "a key", "all", bytes(32), repositories.now, 2**60)
            repositories.credentials.add_key(key)
            repositories.credentials.revoke_token("a token", repositories.now, 2**60)
            simulations = Probe(store).values("simulation", "id", project_id=people.home.project)
            void_simulation(repositories, id_text(min(simulations)), "a bad run")


def content(place: Path | str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of each table, sorted, of a database that may be unfinished."""
    with _cursor(place) as ask:
        rows = {name: [tuple(row) for row in ask(f'SELECT * FROM "{name}"')] for name in NAMES}  # noqa: S608 (ours)
    return {name: sorted(found, key=repr) for name, found in rows.items()}


def change(place: Path | str, sql: str) -> None:
    """Change what no repository would."""
    with _cursor(place) as ask:
        ask(sql)


@contextmanager
def _cursor(place: Path | str) -> Iterator[Any]:
    """Open a database behind the back of every store."""
    if isinstance(place, Path):
        with connection(place) as opened:
            yield opened.execute
    else:
        with psycopg.connect(place) as other:
            yield other.execute
