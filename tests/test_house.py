"""Rules of the house that no linter knows: sizes of files, pages of codes, what imports what."""

import ast
import re
from pathlib import Path

import pytest

import tdsl
import tdsl_grammar
import tdsl_runtime
from tdsl.resources import error_pages_folder

MODULES = sorted(
    path
    for package in (tdsl, tdsl_grammar, tdsl_runtime)
    for path in Path(str(package.__file__)).parent.rglob("*.py")
    if "samples" not in path.relative_to(Path(str(package.__file__)).parent).parts
)
LONGEST = 400
CODE = re.compile(r"\b(?:E0[1-9]|N01|K0[12])\d\d\b")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_module_says_what_it_does_and_is_short(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= LONGEST


def test_only_the_simulator_knows_numba() -> None:
    knowing = {path for path in MODULES if re.search(r"\bnumba\b", path.read_text("utf-8"))}
    assert {path.name for path in knowing} <= {"inlined.py", "jit.py", "simulator.py"}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    raised = {code for path in MODULES for code in CODE.findall(path.read_text("utf-8"))}
    pages = {page.stem for page in error_pages_folder().glob("*.md")}
    assert raised - pages == set()
    assert pages - raised == set()


def test_every_page_has_a_title() -> None:
    for page in error_pages_folder().glob("*.md"):
        assert page.read_text("utf-8").startswith(f"# {page.stem}: "), page.name


def test_the_public_face_is_complete() -> None:
    for name in tdsl.__all__:
        assert getattr(tdsl, name).__doc__
    with pytest.raises(AttributeError):
        _ = tdsl.something_else
