"""What a client may keep of an answer, and how it asks whether that still holds."""

import hashlib
from collections.abc import Callable

import pytest
from rest.conftest import Place
from rest.wire import Answer, Headers, Rest

from support.service import Service

GZIP = ("Accept-Encoding", "gzip")


def varies(answer: Answer) -> set[str]:
    """Return what an answer says that it depends on."""
    return {name.strip() for line in answer.headers.get_all("Vary", []) for name in line.split(",")}


def again(
    rest: Rest, path: str, tag: str, *headers: tuple[str, str], method: str = "GET"
) -> Answer:
    """Ask whether there is something else than what has this tag."""
    return rest.call(method, path, headers=[("If-None-Match", tag), *headers])


def assert_unchanged(answer: Answer, tag: str) -> None:
    """Check that an answer says so, and no more than it has to."""
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["ETag"] == tag
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert {"Accept-Encoding", "Authorization", "X-API-Key"} <= varies(answer)
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Content-Type"] is None


@pytest.fixture
def reads(place: Place, filled: Callable[[int], list[str]]) -> list[str]:
    """Paths of every shape of a read: one thing, a page, an object with rows, a number."""
    one = filled(5)[2]
    group = place.path.removesuffix("/personas")
    return [
        f"{place.path}/{one}",
        f"{place.path}?page_size=2",
        f"{place.path}?page_size=2&age_min=1&attributes[a]=1",
        f"{place.path}/{one}/lineage",
        f"{place.path}:count",
        group,
        group.rpartition("/")[0] + "?page_size=10",
        f"/api/v1/projects/{place.project}",
        f"/api/v1/projects/{place.project}/questions?page_size=1",
    ]


def test_what_is_read_has_a_tag_by_which_it_is_known(rest: Rest, reads: list[str]) -> None:
    tags = set()
    for path in reads:
        answer = rest.call("GET", path)
        tag = answer.headers["ETag"]
        assert (
            tag == f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
        )  # strong, and of the bytes
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert {"Accept-Encoding", "Authorization"} <= varies(answer)
        assert_unchanged(again(rest, path, tag), tag)
        tags.add(tag)
    assert len(tags) == len(reads) - 1  # a page with filters that all meet is the page without


@pytest.mark.parametrize("form", ["{}", "W/{}", '"a", {}', '{} , W/"b"', "*"])
def test_a_tag_is_found_among_others(rest: Rest, place: Place, form: str) -> None:
    path = f"/api/v1/projects/{place.project}"
    tag = rest.call("GET", path).headers["ETag"]
    assert_unchanged(again(rest, path, form.format(tag)), tag)
    two_lines = [("If-None-Match", '"a"'), ("If-None-Match", form.format(tag))]
    assert_unchanged(rest.call("GET", path, headers=two_lines), tag)


@pytest.mark.parametrize("form", ['"a"', "", '"*"', "{}x", 'W/"a"', '"{}"'])
def test_another_tag_gets_the_answer(rest: Rest, place: Place, form: str) -> None:
    path = f"/api/v1/projects/{place.project}"
    first = rest.call("GET", path)
    answer = again(rest, path, form.format(first.headers["ETag"].strip('"') + "0"))
    assert (answer.status, answer.body) == (200, first.body)


def test_what_has_changed_has_another_tag(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    project, page = f"/api/v1/projects/{place.project}", f"{place.path}?page_size=10"
    tags = [rest.call("GET", path).headers["ETag"] for path in (project, page)]
    rest.call("PATCH", project, {"description": "Changed."})
    filled(1)
    for path, tag in zip((project, page), tags, strict=True):
        answer = again(rest, path, tag)
        assert answer.status == 200
        assert answer.headers["ETag"] != tag


def test_a_page_says_where_the_next_one_is_though_it_is_known(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    filled(3)
    page = rest.call("GET", f"{place.path}?page_size=2")
    known = again(rest, f"{place.path}?page_size=2", page.headers["ETag"])
    assert known.status == 304
    for name in ("Link", "X-Next-Page-Token"):
        assert known.headers[name] == page.headers[name]


def test_a_head_is_answered_like_its_get(rest: Rest, reads: list[str]) -> None:
    for path in reads:
        got, head = rest.call("GET", path), rest.call("HEAD", path)
        for name in ("ETag", "Content-Length", "Content-Type", "Cache-Control"):
            assert head.headers[name] == got.headers[name]
        assert_unchanged(again(rest, path, got.headers["ETag"], method="HEAD"), got.headers["ETag"])


def test_what_is_packed_is_another_form_of_the_same(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    filled(20)
    path = f"{place.path}?page_size=20"
    plain, packed = rest.call("GET", path), rest.call("GET", path, headers=[GZIP])
    tags = [plain.headers["ETag"], packed.headers["ETag"]]
    assert tags[1] == f'{tags[0][:-1]}-gzip"'
    for known in tags:
        assert_unchanged(again(rest, path, known), tags[0])
        assert_unchanged(again(rest, path, known, GZIP), tags[1])


def test_a_tag_is_no_key(service: Service, rest: Rest, place: Place) -> None:
    """Who may not read learns nothing by a tag; * would be answered for whatever there is."""
    path = f"/api/v1/projects/{place.project}"
    tag = rest.call("GET", path).headers["ETag"]
    other = Rest(service.rest, service.token(tenant="other"))
    scopeless = Rest(service.rest, service.token(scopes=""))
    for sent in (tag, "*"):
        again(other, path, sent).problem(404, "PROJECT_NOT_FOUND")
        again(scopeless, path, sent).problem(403, "PERMISSION_DENIED")
        again(Rest(service.rest, None), path, sent).problem(401, "UNAUTHENTICATED")


def test_a_whole_list_is_known_by_the_version_of_its_group(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    ids = filled(3)
    tags = [whole_list(rest, place.path)]
    rest.call("DELETE", f"{place.path}/{ids[0]}")
    tags.append(whole_list(rest, place.path))
    filled(1)
    tags.append(whole_list(rest, place.path))
    rest.call("DELETE", place.path)
    tags.append(whole_list(rest, place.path))
    assert len(set(tags)) == 4
    for tag in tags[:-1]:
        assert again(rest, place.path, tag).status == 200


def whole_list(rest: Rest, path: str) -> str:
    """Return the tag of a list without pages, for which it is 304, packed or not."""
    plain = rest.call("GET", path)
    tag = str(plain.headers["ETag"])
    assert tag.startswith('W/"')  # what comes meanwhile may be in it already
    for more in ([], [GZIP]):
        assert_unchanged(again(rest, path, tag, *more), tag)
        got = rest.call("GET", path, headers=more)
        assert (got.status, got.headers["ETag"]) == (200, tag)
        assert got.headers["Cache-Control"] == "private, no-cache"
        assert {"Accept-Encoding", "Authorization"} <= varies(got)
    filtered = again(rest, f"{path}?age_min=1", tag)
    assert filtered.headers["ETag"] == tag  # of another address, so it is another list's
    return tag


def test_nothing_else_is_kept(rest: Rest, place: Place, filled: Callable[[int], list[str]]) -> None:
    ids = filled(2)
    known, nothing = [("If-None-Match", "*")], list[tuple[str, str]]()
    calls: list[tuple[str, str, object, Headers]] = [
        ("GET", "/api/v1/projects", None, known),  # a whole list without a version
        ("GET", f"{place.path}:export", None, known),
        ("POST", f"{place.path}:batchGet", {"persona_ids": ids}, nothing),
        ("POST", place.path, {"full_name": "X"}, nothing),
        ("DELETE", f"{place.path}/{ids[0]}", None, nothing),
        ("GET", f"{place.path}/{ids[0]}", None, known),
    ]
    answers = [rest.call(*call) for call in calls]
    assert [answer.status for answer in answers] == [200, 200, 200, 201, 204, 404]
    for answer in answers:
        assert answer.headers["ETag"] is None
        assert answer.headers["Cache-Control"] == "no-store"
