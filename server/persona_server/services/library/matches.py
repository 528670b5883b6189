"""Matches: the library ranked by how well it fits a group, part by part where it is large."""

import math
import struct
from typing import cast

from persona.v1.library_pb2 import LibraryMatch
from persona.v1.library_service_pb2 import MatchLibraryPersonasRequest
from persona_server.measures.matching import Candidate, Match, Matcher
from persona_server.patience import while_awaited
from persona_server.services.framing import ELEMENT, frame
from persona_server.services.library.messages import encoded, entries
from persona_server.services.library.reusing import target_of
from persona_server.services.paging import fitting, page_limit
from persona_server.services.parents import require_group
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.library import BOTTOM, TOP, LibraryEntry, ListKey, Part
from persona_server.storage.store import Repositories

_BEST = (math.inf, b"")  # before every match
SCORE_AND_ID = struct.Struct(">d16s")  # a position in a page token


def match_page(
    repositories: Repositories, request: MatchLibraryPersonasRequest, token: bytes
) -> tuple[list[bytes], bytes | None]:
    """Return a page of those that fit a group, best first, and where the next page begins.

    `repositories` must be one snapshot. `token` is where this page begins, b"" at the best.
    """
    limit = page_limit(request.page_size)
    require_group(repositories, request.project_id, request.group_id)
    matcher = Matcher(target_of(repositories, id_bytes(request.group_id)))
    project = id_bytes(request.project_id) if request.exclude_used_in_project else None
    after, part = _place_of_match(token) if token else (_BEST, None)
    part = part or repositories.library.part(TOP)
    # Plain tuples will do: to make ten thousand named ones costs 3 ms.
    candidates = cast("list[Candidate]", repositories.library.candidates(project, part))
    ranked = matcher.rank(while_awaited(candidates), limit + 1, after)
    found = [match for match in ranked if match.score >= request.min_score]
    chosen = entries(repositories, [match.id for match in found])
    items = (_match(*pair) for pair in zip(found, chosen, strict=True))
    page, more = fitting(items, limit)
    if more:
        last = found[len(page) - 1]
        after = (last.score, last.id)
    elif part.end != BOTTOM:
        after, part, more = _BEST, repositories.library.part(part.end), True
    places = (after, *part) if more else ()
    position = b"".join(SCORE_AND_ID.pack(*place) for place in places)
    return page, position or None


def _place_of_match(token: bytes) -> tuple[tuple[float, bytes], Part | None]:
    """Return after which match a token goes on, and in which part of the library.

    None as the part in a token of an older server, which ranked the library as a whole.
    """
    after, *part = SCORE_AND_ID.iter_unpack(token)
    return after, Part(*(ListKey(*place) for place in part)) if part else None


def _match(match: Match, entry: LibraryEntry) -> bytes:
    message = LibraryMatch(score=match.score)
    parts = (match.age, match.income, match.location, match.occupation)
    for name, part in zip(("age", "income_level", "location", "occupation"), parts, strict=True):
        if part is not None:
            getattr(message.parts, name).value = part
    message.parts.SetInParent()
    return frame(ELEMENT, frame(ELEMENT, encoded(entry)) + message.SerializeToString())
