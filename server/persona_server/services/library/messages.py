"""Library personas on the wire: what is stored, and what still changes behind it."""

from collections.abc import Iterator, Sequence

from persona.v1.library_pb2 import LibraryPersona
from persona_server.storage.repositories.library import LibraryEntry
from persona_server.storage.store import Repositories

_CHUNK = 100  # library personas read at a time: some 13 MiB at most


def encoded(entry: LibraryEntry) -> bytes:
    """Return a library persona's message: fields behind others of a message belong to it too."""
    rest = LibraryPersona(project_count=entry.project_count, response_count=entry.response_count)
    if entry.retired_at is not None:
        rest.retired_at.FromMicroseconds(entry.retired_at)
    return entry.body + rest.SerializeToString()


def entries(repositories: Repositories, ids: Sequence[bytes]) -> Iterator[LibraryEntry]:
    """Yield library personas that are there, in the order of their ids, read as they are needed."""
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        found = repositories.library.entries(chunk)
        yield from (found[raw] for raw in chunk)
