"""Terms: the hashes by which a persona is found where a whole value of it is known.

One index keeps them all, whatever field they are of. Sixteen bytes stand for a value as good as the
value itself: to find two texts with the same ones takes 2^64 tries, or 2^56 where two bytes of them
are for the order (below), and would harm its finder's tenant alone.

What hardly two personas share, their names and external ids, is a row somewhere in that index for
each of them; in a large one each is on a page of its own, written for it alone. But most of those
are numbered, and come in order. So the first bytes of their terms are of the text without its last
characters: neighbours in number are so in the index, and a batch of them is on few pages.
"""

import hashlib
from zlib import crc32

from persona.v1.library_service_pb2 import ListLibraryPersonasRequest
from persona.v1.persona_pb2 import Persona
from persona_server.validation.fields import check_line, check_name, fold
from persona_server.validation.filters import FilteredRequest
from persona_server.validation.limits import LINES, LISTS, LONGEST_FOUND, MOST_FOUND_BY
from persona_server.validation.remembering import remembered
from persona_server.validation.violations import Violations

TERM_BYTES = 16
_PLACE_BYTES, _PLACES = 2, 0xFFFF  # of a term that is placed; each is of a thousand numbers
_LAST = 3  # characters: a thousand neighbours differ in them


def external_id_term(external_id: str) -> bytes:
    """Return the term of an external id, verbatim."""
    return _placed("external_id", external_id)


def full_name_term(full_name: str) -> bytes:
    """Return the term of the name of a persona, folded."""
    return _placed("name", fold(full_name))


def name_term(name: str) -> bytes:
    """Return the term of the name of a group or a project, folded."""
    return _hash("name", fold(name))


@remembered
def attribute_term(key: str, value: str) -> bytes:
    """Return the term of an attribute, verbatim."""
    return _hash("attribute", key, value)


def _placed(kind: str, text: str) -> bytes:
    """Return a term that stands beside those of texts that differ in their last characters."""
    place = crc32(text[:-_LAST].encode()) & _PLACES
    return place.to_bytes(_PLACE_BYTES) + _hash(kind, text)[_PLACE_BYTES:]


def _hash(*parts: str) -> bytes:
    # No text of the contract contains NUL.
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=TERM_BYTES).digest()


def terms_of(persona: Persona) -> list[bytes]:
    """Return every term that a persona is found by. Longer values can't be asked for."""
    terms = [full_name_term(persona.full_name), *profile_terms(persona)]
    if persona.external_id:
        terms.append(external_id_term(persona.external_id))
    return terms


def profile_terms(persona: Persona) -> list[bytes]:
    """Return the terms that a persona shares with its library persona: those of its attributes."""
    attributes = persona.attributes
    # A message has no quick way to its items.
    return [
        attribute_term(key, value)
        for key in attributes
        if len(value := attributes[key]) <= LONGEST_FOUND
    ]


def wanted_terms(request: FilteredRequest) -> list[bytes]:
    """Return the terms that what is listed must have, those first that tend to be rarer."""
    wanted = []
    if not isinstance(request, ListLibraryPersonasRequest):
        if request.external_id:
            wanted.append(external_id_term(request.external_id))
        if request.full_name:
            wanted.append(full_name_term(request.full_name))
    if attributes := request.attributes:
        wanted += [attribute_term(*each) for each in sorted(attributes.items())]
    return wanted


def check_terms(found: Violations, request: FilteredRequest) -> None:
    """What is asked for has the limits of the fields."""
    if not isinstance(request, ListLibraryPersonasRequest):
        for name in ("external_id", "full_name"):
            if value := getattr(request, name):
                check_line(found, name, value, LINES[name])
    attributes = request.attributes
    if not attributes:
        return
    if len(attributes) > MOST_FOUND_BY:
        found.add("attributes", f"must have at most {MOST_FOUND_BY} keys, has {len(attributes)}")
        return
    for key, value in attributes.items():
        characters = LISTS["attributes"].characters
        path = f'attributes["{key[:characters]}"]'
        check_name(found, path, key, characters)
        if len(value) > LONGEST_FOUND:
            found.add(path, f"must have at most {LONGEST_FOUND} characters, has {len(value)}")
        elif "\0" in value:
            found.add(path, "must not contain NUL")
