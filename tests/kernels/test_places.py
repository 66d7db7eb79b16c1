"""Where kernels may be written: files, methods, functions, cells; and where they cannot."""

import importlib.util
import linecache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tdsl.diagnostics import CompileError, Diagnostic

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


def cell(text: str, name: str) -> dict[str, Any]:
    """Run a text as a notebook runs a cell: its lines are known to `linecache`."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    found: dict[str, Any] = {}
    exec(compile(text, name, "exec"), found)
    return found


def module(text: str, path: Path) -> Any:
    """Import a text as a file."""
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def refused(text: str, name: str) -> Diagnostic:
    """The one mistake of a cell."""
    with pytest.raises(CompileError) as caught:
        cell(text, name)
    (found,) = caught.value.diagnostics
    return found


def test_a_notebook_cell() -> None:
    found = cell(
        "from tdsl import *\n@kernel\ndef f(a: U8[L]) -> U9[L]:\n    return a + 1\n", "<cell 1>"
    )
    assert np.array_equal(found["f"](GREY), GREY + 1)
    bad = refused(
        "from tdsl import *\n\n@kernel\ndef f(a: U8[L]) -> U8[L]:\n    return a + 1\n", "<cell 2>"
    )
    assert str(bad.span) == "<cell 2>:5:12"


def test_a_method_of_a_class() -> None:
    text = (
        "from tdsl import *\nclass Filters:\n    @staticmethod\n    @kernel\n"
        "    def f(a: Trits[L], b: Trits[L]) -> Trits[L]:\n        return a {} b\n"
    )
    found = cell(text.format("|"), "<class 1>")
    assert np.array_equal(found["Filters"].f([[-1, 0]], [[0, -1]]), [[0, 0]])
    bad = refused(text.format("+"), "<class 2>")
    assert (bad.code, str(bad.span)) == ("K0106", "<class 2>:6:16")
    assert bad.helps[0] == "use a logical gate: `a | b` (max), `a & b` (min)"


def test_a_function_in_a_function() -> None:
    text = (
        "from tdsl import *\ndef make(n):\n    @kernel\n    def inner(a: U8[L]) -> U16[L]:\n"
        "        return a + static(n)\n    @kernel\n    def f(a: U8[L]) -> U16[L]:\n"
        "        return inner(a) * 2\n    return f\n"
    )
    found = cell(text, "<nested>")
    assert np.array_equal(found["make"](5)(GREY), 2 * (GREY + 5))
    assert np.array_equal(found["make"](7)(GREY), 2 * (GREY + 7))


def test_columns_count_characters() -> None:
    text = (
        "from tdsl import *\n@kernel\ndef f(größe: U8[L], ñ: U8[L]) -> U8[L]:\n"
        "    return min(größe, ñ) + größe\n"
    )
    bad = refused(text, "<letters>")
    assert (bad.span.line, bad.span.column, bad.span.end_column) == (4, 12, 33)
    assert "`min(größe, ñ) + größe`" in " ".join(bad.helps) or "größe" in " ".join(bad.helps)


def test_quoted_annotations_and_postponed_ones() -> None:
    text = 'from tdsl import *\n@kernel\ndef f(a: "U8[L]") -> "U8[2, L]":\n    return [a, a]\n'
    assert cell(text, "<quoted>")["f"](GREY).shape == (2, 3, 4)


def test_kernels_may_call_what_is_defined_later() -> None:
    text = (
        "from tdsl import *\n@kernel\ndef f(a: U8[L]) -> U8[L]:\n    return g(a)\n"
        "@kernel\ndef g(a: U8[L]) -> U8[L]:\n    return 255 - a\n"
    )
    assert np.array_equal(cell(text, "<later>")["f"](GREY), 255 - GREY)


def test_without_a_default_what_can_be_seen_is_refused_at_once() -> None:
    head = "from tdsl import *\n@kernel\ndef f(a: U8[L], n: Const[int]) -> U8[L]:\n"
    assert refused(f"{head}    if a < 0:\n        a = n\n    return a\n", "<n 1>").code == "K0102"
    found = cell(f"{head}    b = a + n\n    return b\n", "<n 2>")
    assert np.array_equal(found["f"](GREY, n=0), GREY)
    with pytest.raises(CompileError) as caught:
        found["f"](GREY, n=1)
    assert [str(one.span) for one in caught.value.diagnostics] == ["<n 2>:5:12"]


def test_several_mistakes_are_told_at_once_and_none_follows_from_another() -> None:
    text = (
        "from tdsl import *\n@kernel\ndef f(a: U8[L], b: U8[L]) -> U8[L]:\n"
        "    c = a / b\n    d = c + 1\n    e = nothing\n    return d + e\n"
    )
    with pytest.raises(CompileError) as caught:
        cell(text, "<several>")
    assert [one.code for one in caught.value.diagnostics] == ["K0108", "K0107"]


def test_no_source_no_kernel() -> None:
    text = "from tdsl import *\n@kernel\ndef f(a: U8[L]) -> U8[L]:\n    return a\n"
    with pytest.raises(CompileError) as caught:
        exec(text, {})
    (found,) = caught.value.diagnostics
    assert found.code == "K0100"
    assert str(caught.value).startswith("error[K0100]: the source of kernel `f` cannot be read\n")
    assert "-->" not in str(caught.value)


def test_a_file_that_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "changing.py"
    text = (
        "from tdsl import *\nfrom pathlib import Path\n"
        f"Path({str(path)!r}).write_text('# another file', 'utf-8')\n"
        "@kernel\ndef f(a: U8[L]) -> U8[L]:\n    return a\n"
    )
    with pytest.raises(CompileError) as caught:
        module(text, path)
    (found,) = caught.value.diagnostics
    assert found.code == "K0100"


def test_a_kernel_beyond_the_rows_of_the_array() -> None:
    text = (
        "from tdsl import *\n@kernel\ndef f(a: U12[L], b: U12[L]) -> U24[L]:\n"
        "    c = a * b\n    d = (a ^ b) * b\n    e = (a | b) * a\n    return c ^ d ^ e\n"
    )
    kernel = cell(text, "<rows>")["f"]
    with pytest.raises(CompileError) as caught:
        kernel(GREY, GREY)
    (found,) = caught.value.diagnostics
    assert found.code == "K0112"
    assert found.span.file == "<rows>"
    assert found.span.line in (4, 5, 6)
    assert f"{found.span.line} |     " in str(caught.value)
    a, b = GREY.astype(np.int64), GREY.astype(np.int64)[::-1]
    wanted = (a * b) ^ ((a ^ b) * b) ^ ((a | b) * a)
    assert np.array_equal(kernel(a, b, machine="nearmem-16mb"), wanted)


def test_a_file_that_is_edited_and_imported_again(tmp_path: Path) -> None:
    text = "from tdsl import *\n@kernel\ndef f(a: U8[L]) -> U16[L]:\n    return a + 1\n"
    path = tmp_path / "edited.py"
    assert np.array_equal(module(text, path).f(GREY), GREY + 1)
    again = module(text.replace("\n@", "\n# a line more\n@").replace("+ 1", "+ 200"), path)
    assert np.array_equal(again.f(GREY), GREY.astype(int) + 200)
