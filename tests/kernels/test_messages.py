"""Every mistake in a kernel: code, line and column, from Python as from the file alone."""

import importlib.util
import itertools
import re
from pathlib import Path

import pytest

from tdsl.diagnostics import CompileError, Diagnostic
from tdsl.kernel_calls import Kernel
from tdsl.kernels.files import read_kernels
from tdsl.kernels.specialize import look_over
from tdsl.resources import error_pages_folder
from tests.kernels.cases import CASES

NUMBERED = [(code, text) for code, texts in CASES.items() for text in texts]
NUMBERS = itertools.count()


def imported(text: str, folder: Path) -> tuple[Diagnostic, ...]:
    """What importing a file with this text reports, with the lines that it quotes."""
    name = f"kernels_{next(NUMBERS)}"
    path = folder / f"{name}.py"
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        # Kernels that call each other exist only now.
        kernels = [one for one in vars(module).values() if isinstance(one, Kernel)]
        look_over(kernels[-1].definition)
    except CompileError as error:
        return () if " | " not in str(error) else error.diagnostics
    return ()


def read(text: str, folder: Path) -> tuple[Diagnostic, ...]:
    """What reading a file with this text reports of its last kernel; nothing is run."""
    path = folder / "kernels.py"
    path.write_text(text, "utf-8")
    found = read_kernels(path, "kernels.py")
    try:
        look_over(found.find(found.names[-1]))
    except CompileError as error:
        return error.diagnostics
    return ()


def place(text: str) -> tuple[str, int, int]:
    """A text without its mark; the line and column of the mark."""
    at = text.index("«")
    return text.replace("«", ""), text[:at].count("\n") + 1, at - text.rfind("\n", 0, at)


def first(found: tuple[Diagnostic, ...]) -> tuple[str, int, int]:
    """Code, line and column of the first diagnostic."""
    assert found
    return found[0].code, found[0].span.line, found[0].span.column


@pytest.mark.parametrize(("code", "text"), NUMBERED)
def test_a_mistake_is_found_where_it_stands(code: str, text: str, tmp_path: Path) -> None:
    plain, line, column = place(text)
    assert first(read(plain, tmp_path)) == (code, line, column)


@pytest.mark.parametrize(("code", "text"), NUMBERED)
def test_python_itself_finds_the_same(code: str, text: str, tmp_path: Path) -> None:
    plain, line, column = place(_names_first(text))
    assert first(imported(plain, tmp_path)) == (code, line, column)


def _names_first(text: str) -> str:
    """The text with what stands behind the kernel moved to the top, where a decorator sees it."""
    match = re.search(r"^(?:import|def helper|[A-Z]+ = ).*", text, re.DOTALL | re.MULTILINE)
    if match is None:
        return text
    first_line, _, rest = text[: match.start()].partition("\n")
    return f"{first_line}\n{match[0]}{rest}"


PAGES = sorted(error_pages_folder().glob("K01*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_snippets_of_a_page_fail_and_pass(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    fails = re.search(r"```python fails (\d+):(\d+)\n(.*?)```", text, re.DOTALL)
    passes = re.search(r"```python passes\n(.*?)```", text, re.DOTALL)
    if fails is None or passes is None:
        assert page.stem in ("K0100", "K0112")
        return
    assert first(imported(fails[3], tmp_path)) == (page.stem, int(fails[1]), int(fails[2]))
    assert imported(passes[1], tmp_path) == ()
