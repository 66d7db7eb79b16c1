"""Code that stands in no file: cells of notebooks have their source, `exec` has none."""

import linecache
from typing import Any, cast

import pytest

from tdsl.api import Network
from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.source import Span

NET = """from tdsl import network, trit, weights

P = weights("none.npz")

@network(P)
def n(x: trit[4, 8, 8]):
    c = x.conv(4, 3{label})
    return {result}
"""


def executed(source: str, name: str) -> Network:
    namespace: dict[str, Any] = {}
    exec(compile(source, name, "exec"), namespace)
    return cast("Network", namespace["n"])


def failure(source: str, name: str) -> CompileError:
    with pytest.raises(CompileError) as caught:
        _ = executed(source, name).checked
    return caught.value


@pytest.fixture
def cell() -> str:
    """A name under which a source is registered, as notebooks do."""
    name = "<cell 7>"
    source = NET.format(label="", result="c.ternarise()")
    lines = [str(line) for line in source.splitlines(keepends=True)]
    linecache.cache[name] = (len(source), None, lines, name)
    return name


def test_a_registered_cell_is_quoted(cell: str) -> None:
    (diagnostic,) = failure("".join(linecache.getlines(cell)), cell).diagnostics
    assert (diagnostic.code, diagnostic.span.line, diagnostic.span.column) == ("E0201", 8, 14)
    assert "c.ternarise()\n  |              ^^^^^^^^^ did you mean" in str(
        failure("".join(linecache.getlines(cell)), cell)
    )


def test_steps_of_code_without_a_source_have_no_names() -> None:
    error = failure(NET.format(label="", result="c"), "<string>")
    (diagnostic,) = error.diagnostics
    assert (diagnostic.code, diagnostic.span.line, diagnostic.span.column) == ("N0105", 7, 1)
    assert "\n  |" not in str(error)
    assert 'label="c1"' in str(error)


def test_labels_name_the_steps_of_code_without_a_source() -> None:
    net = executed(NET.format(label=', label="c1"', result="c.maxpool(2)"), "<string>")
    found = net.checked_again(weights=False).checked.graph
    assert [node.name for node in found.nodes] == ["x", "c1", "maxpool"]


def test_mistakes_in_code_without_a_source_have_a_line() -> None:
    error = failure(NET.format(label=', label="c1"', result="c if c else x"), "<string>")
    (diagnostic,) = error.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("N0101", 8)
    assert "--> <string>:8" in str(error)


def test_a_notebook_shows_the_diagnostic_alone() -> None:
    place = Span(file="x.py", line=1, column=1, end_line=1, end_column=2)
    error = CompileError([Diagnostic(code="N0101", message="no", primary=Label(place))])
    assert error._render_traceback_() == str(error).split("\n")  # pyright: ignore[reportPrivateUsage]


def test_a_real_notebook_shell(capsys: pytest.CaptureFixture[str]) -> None:
    shells = pytest.importorskip("IPython.core.interactiveshell")
    shell = shells.InteractiveShell.instance()
    shell.run_cell(NET.format(label="", result="c.ternarise()"))
    shell.run_cell("n.checked")
    shown = "".join(capsys.readouterr())
    assert "error[E0201]: no operation is called `ternarise`" in shown
    assert "return c.ternarise()" in shown
    assert "Traceback" not in shown
