"""Every file of bad/ gives exactly the syntax errors that its comments announce."""

from pathlib import Path

import pytest

from tdsl.frontend.parser import parse
from tdsl.resources import PACKAGE
from tests.frontend.expectations import HERE, PAGES, expected_in, page_with_snippets, places

BAD = sorted((HERE / "bad").glob("*.tnn"))
SYNTAX = [path for path in BAD if all(p.code < "E02" for p in expected_in(path.read_text("utf-8")))]
SYNTAX_PAGES = sorted(PAGES.glob("E01*.md"))
FILE_CODES = {"E0114", "E0115", "E0116", "E0117", "E0118"}


@pytest.mark.parametrize("path", SYNTAX, ids=lambda path: path.stem)
def test_syntax_errors_stand_where_they_are_expected(path: Path) -> None:
    text = path.read_text("utf-8")
    _, diagnostics = parse(text, path.name)
    assert places(diagnostics) == expected_in(text)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_bad_file_expects_something(path: Path) -> None:
    assert expected_in(path.read_text("utf-8"))


@pytest.mark.parametrize("path", SYNTAX_PAGES, ids=lambda path: path.stem)
def test_the_snippets_of_a_page_fail_and_pass(path: Path) -> None:
    page = page_with_snippets(path)
    if page is None:
        assert path.stem in FILE_CODES
        return
    assert places(parse(page.fails, "page.tnn")[1]) == [page.place]
    assert places(parse(page.passes, "page.tnn")[1]) == []


def test_every_syntax_code_has_a_page() -> None:
    sources = (PACKAGE / "frontend").glob("*.py")
    text = "".join(path.read_text("utf-8") for path in sources)
    used = {f"E01{i:02}" for i in range(100) if f'"E01{i:02}"' in text}
    assert used == {path.stem for path in SYNTAX_PAGES}
