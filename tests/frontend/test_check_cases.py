"""Every message of the checker: its code, its place, its text; and that its conditions help."""

import re
from pathlib import Path

import pytest

from tdsl.diagnostics import CompileError
from tdsl.frontend.checker import check_module, load
from tdsl.frontend.parser import parse
from tdsl.resources import PACKAGE
from tests.conftest import Golden
from tests.frontend.check_cases import CASES
from tests.frontend.check_files import write_files
from tests.frontend.expectations import HERE, PAGES, Place, expected_in, page_with_snippets, places


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("check")
    write_files(folder)
    return folder


def failure(text: str, folder: Path, *, require_weights: bool = True) -> CompileError:
    """What checking `text` raises."""
    module, mistakes = parse(text, "case.tnn")
    assert not mistakes, mistakes
    with pytest.raises(CompileError) as caught:
        check_module(module, folder, require_weights=require_weights)
    return caught.value


def marked(text: str) -> tuple[str, int, int]:
    """The text without its mark, and where the mark stood."""
    before, _, after = text.partition("«")
    return before + after, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1


FLAT = [
    pytest.param(code, text, id=f"{code}-{i}")
    for code, texts in CASES.items()
    for i, text in enumerate(texts)
]


@pytest.mark.parametrize(("code", "text"), FLAT)
def test_one_mistake_gives_one_message_at_its_place(code: str, text: str, folder: Path) -> None:
    source, line, column = marked(text)
    error = failure(source, folder)
    assert places(error.diagnostics) == [Place(line, column, code)], str(error)


@pytest.mark.parametrize("code", CASES)
def test_messages_read_as_before(code: str, folder: Path, golden: Golden) -> None:
    texts = [str(failure(marked(text)[0], folder)) for text in CASES[code]]
    golden("messages", code, "\n\n".join(texts).replace(str(folder), "FOLDER") + "\n")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_suggested_conditions_mend_the_source(number: int, folder: Path) -> None:
    source = marked(CASES["E0302"][number])[0]
    (diagnostic,) = failure(source, folder).diagnostics
    where = re.search(r"`(where .*)`", diagnostic.helps[-1])
    assert where is not None
    mended = re.sub(r"from P(?: where .*?)? \{", f"from P {where[1]} {{", source)
    module, _ = parse(mended, "case.tnn")
    assert check_module(module, folder, require_weights=False).networks["n"].graph.where


BAD = sorted((HERE / "bad").glob("*.tnn"))
CHECKED = [p for p in BAD if any(e.code >= "E02" for e in expected_in(p.read_text("utf-8")))]


@pytest.mark.parametrize("path", CHECKED, ids=lambda path: path.stem)
def test_bad_files_give_what_they_announce(path: Path, golden: Golden) -> None:
    with pytest.raises(CompileError) as caught:
        load(path)
    assert places(caught.value.diagnostics) == expected_in(path.read_text("utf-8"))
    golden("messages", path.stem, str(caught.value).replace(str(path.parent), "bad") + "\n")


CHECKER_PAGES = [*sorted(PAGES.glob("E0[234]*.md")), PAGES / "E0999.md"]
FILE_CODES = {"E0401", "E0404", "E0405", "E0406", "E0999"}


@pytest.mark.parametrize("path", CHECKER_PAGES, ids=lambda path: path.stem)
def test_the_snippets_of_a_page_fail_and_pass(path: Path, folder: Path) -> None:
    page = page_with_snippets(path)
    if page is None:
        assert path.stem in FILE_CODES
        return
    error = failure(page.fails, folder, require_weights=False)
    assert places(error.diagnostics) == [page.place], str(error)
    module, mistakes = parse(page.passes, "case.tnn")
    assert not mistakes
    check_module(module, folder, require_weights=False)


def test_every_code_of_the_checker_has_cases_and_a_page() -> None:
    text = "".join(
        p.read_text("utf-8") for f in ("frontend", "ir") for p in (PACKAGE / f).glob("*.py")
    )
    used = set(re.findall(r'"(E0[234]\d\d)"', text))
    assert used == set(CASES)
    assert used == {path.stem for path in CHECKER_PAGES} - {"E0999"}
