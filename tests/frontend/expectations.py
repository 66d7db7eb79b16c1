"""What bad files and pages of diagnostics say should be found in them."""

import re
from pathlib import Path
from typing import NamedTuple

from tdsl.diagnostics import Diagnostic

HERE = Path(__file__).parent
EXAMPLES = sorted((HERE / "examples").glob("*.tnn"))
PAGES = HERE.parents[1] / "docs" / "errors"


class Place(NamedTuple):
    """A code, and the line and column of the primary label."""

    line: int
    column: int
    code: str


class Page(NamedTuple):
    """The snippets of one page of docs/errors."""

    fails: str
    place: Place
    passes: str


def places(diagnostics: tuple[Diagnostic, ...]) -> list[Place]:
    """What was found, in the order of a file."""
    return sorted(Place(d.span.line, d.span.column, d.code) for d in diagnostics)


def expected_in(text: str) -> list[Place]:
    """What the comments `# expect E0101 at 5:31` of a text announce."""
    found = re.findall(r"# expect (\w+) at (\d+):(\d+)", text)
    return sorted(Place(int(line), int(column), code) for code, line, column in found)


def page_with_snippets(path: Path) -> Page | None:
    """The snippets of a page; none if it is about files that no snippet can show."""
    text = path.read_text("utf-8")
    fails = re.search(r"```tnn fails (\d+):(\d+)\n(.*?)```", text, re.DOTALL)
    passes = re.search(r"```tnn passes\n(.*?)```", text, re.DOTALL)
    if not fails or not passes:
        return None
    return Page(fails[3], Place(int(fails[1]), int(fails[2]), path.stem), passes[1])
