"""What code, tests and docs name is there: documents, promises, paths and headings."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMISES = "docs/promises.md"
TEXT = {".go", ".md", ".proto", ".py", ".sh", ".toml", ".yaml", ""}  # "" is that of Makefile
NOT_WRITTEN = {"data", "generated"}
DOCUMENT = re.compile(r"(?<![\w*}])[\w./-]*\w\.md\b")
PROMISE = re.compile(r"\bR\d{1,2}\b")
LINK = re.compile(r"\]\(([^)\s:]+)\)")
# A path in the docs' backticks, from the top of the repository; patterns are not looked for.
PATH = re.compile(r"`((?:clients|docs|examples|protos|server|tests|tools)/[\w./-]+)`")


def written() -> Iterator[str]:
    """Yield every file of text that people write, as named from the top of the repository."""
    for top in sorted(ROOT.iterdir()):
        if top.is_dir() and not top.name.startswith(".") and top.name not in NOT_WRITTEN:
            files = sorted(file for file in top.rglob("*") if file.is_file())
        else:
            files = [top] if top.is_file() else []
        yield from (f.relative_to(ROOT).as_posix() for f in files if f.suffix in TEXT)


FILES = [file for file in written() if file != Path(__file__).relative_to(ROOT).as_posix()]
PAGES = [file for file in FILES if file.endswith(".md")]
EACH_PAGE = pytest.mark.parametrize("page", PAGES)


def text_of(file: str) -> str:
    return (ROOT / file).read_text("utf-8")


def documents(text: str) -> set[str]:
    """Return the documents that a text names, but for those of other places on the web."""
    return set(DOCUMENT.findall(re.sub(r"https?://\S+", "", text)))


def is_there(document: str, file: str) -> bool:
    """Whether a document is there from the top, or from the folder of the file that names it."""
    return any((folder / document.lstrip("/")).is_file() for folder in (ROOT, (ROOT / file).parent))


def promised() -> list[str]:
    """Return the numbers of the rows of the page on promises, in its order."""
    return re.findall(r"^\| (R\d+) \|", text_of(PROMISES), re.M)


def heading_of(line: str) -> str:
    """Return the anchor of a heading, as it is linked to."""
    return re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")


def links(page: str) -> Iterator[tuple[Path, str]]:
    """Yield file and anchor of every link of a page to something of this repository."""
    for target in LINK.findall(text_of(page)):
        file, _, anchor = target.partition("#")
        yield ((ROOT / page).parent / file if file else ROOT / page), anchor


def test_every_document_that_is_named_is_there() -> None:
    assert len(FILES) > 100
    named = {(file, name) for file in FILES for name in documents(text_of(file))}
    assert {(file, name) for file, name in named if not is_there(name, file)} == set()


def test_every_promise_that_is_named_is_on_its_page() -> None:
    rows = promised()
    named = {(file, number) for file in FILES for number in PROMISE.findall(text_of(file))}
    assert {(file, number) for file, number in named if number not in rows} == set()


def test_every_promise_is_there_once() -> None:
    assert sorted(promised(), key=lambda name: int(name[1:])) == [f"R{n}" for n in range(1, 26)]


@EACH_PAGE
def test_every_link_leads_somewhere(page: str) -> None:
    for file, anchor in links(page):
        assert file.exists(), f"{page} links to {file}"
        if anchor:
            headings = re.findall(r"^#+ .*$", file.read_text("utf-8"), re.M)
            assert anchor in map(heading_of, headings), f"{page} links to {file}#{anchor}"


@EACH_PAGE
def test_every_path_of_the_docs_is_there(page: str) -> None:
    assert {path for path in PATH.findall(text_of(page)) if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("as in docs/api.md.", {"docs/api.md"}),
        ("[x](../README.md#start)", {"../README.md"}),
        ("see NOWHERE.md, table", {"NOWHERE.md"}),
        ("https://example.org/a.md and *.md and {name}.md", set()),
        ("x.mdx and readme.mdtext", set()),
    ],
)
def test_documents_are_found(text: str, named: set[str]) -> None:
    assert documents(text) == named
    assert is_there("NOWHERE.md", "README.md") is False
