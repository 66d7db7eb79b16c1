"""docs/kernels.md: its code runs, its message is the one that is given, its words are all there."""

import linecache
import re
from pathlib import Path
from typing import Any

import pytest

from tdsl.diagnostics import CompileError
from tdsl.frontend.checker import check_module
from tdsl.frontend.parser import parse
from tdsl.kernels.files import read_kernels
from tdsl.kernels.functions import FUNCTIONS
from tdsl.kernels.specialize import look_over

PAGE = (Path(__file__).parents[2] / "docs" / "kernels.md").read_text("utf-8")
CODE: str = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))


def test_the_code_of_the_page_runs() -> None:
    name = "<docs/kernels.md>"
    lines: list[str] = [str(line) for line in CODE.splitlines(keepends=True)]
    linecache.cache[name] = (len(CODE), None, lines, name)
    found: dict[str, Any] = {}
    exec(compile(CODE, name, "exec"), found)
    assert found["median"](found["a"]).shape == (48, 64)


def test_the_network_of_the_page_is_sound(tmp_path: Path) -> None:
    (tmp_path / "kernels.py").write_text(CODE, "utf-8")
    (text,) = re.findall(r"```tnn\n(.*?)```", PAGE, re.DOTALL)
    module, mistakes = parse(text, "page.tnn")
    assert not mistakes
    check_module(module, tmp_path)


def test_the_message_of_the_page_is_given(tmp_path: Path) -> None:
    (message,) = re.findall(r"```\n(error.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "kernels.py"
    path.write_text(
        "from tdsl import *\n\n@kernel\ndef f(a: U8[L], b: U8[L]) -> U8[L]:\n    return a - b\n",
        "utf-8",
    )
    with pytest.raises(CompileError) as caught:
        look_over(read_kernels(path, "kernels.py").find("f"))
    assert f"{caught.value}\n" == message


def test_the_page_names_every_function() -> None:
    own = set(FUNCTIONS) - {"len", "list", "tuple", "int"}
    assert [name for name in sorted(own) if not re.search(rf"\b{name}\b", PAGE)] == []
