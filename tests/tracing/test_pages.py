"""The pages of docs/errors about Python networks: their snippets fail where they say, and pass."""

import re
from pathlib import Path

import pytest

from tdsl.api import load_all
from tdsl.diagnostics import CompileError
from tdsl.resources import error_pages_folder
from tests.frontend.expectations import Place, places

PAGES = sorted(error_pages_folder().glob("N01*.md"))
WITHOUT_FILES = {"N0105", "N0111"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_snippets_of_a_page_fail_and_pass(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    fails = re.search(r"```python fails (\d+):(\d+)\n(.*?)```", text, re.DOTALL)
    passes = re.search(r"```python passes\n(.*?)```", text, re.DOTALL)
    if fails is None or passes is None:
        assert page.stem in WITHOUT_FILES
        return
    file = tmp_path / "page.py"
    file.write_text(fails[3], "utf-8")
    with pytest.raises(CompileError) as caught:
        load_all(file)
    expected = Place(int(fails[1]), int(fails[2]), page.stem)
    assert places(caught.value.diagnostics) == [expected], str(caught.value)
    file.write_text(passes[1], "utf-8")
    assert load_all(file)
