"""Example files with a token or two changed for others of their kind: diagnostics, never E0999."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdsl.diagnostics import CompileError
from tdsl.frontend import check_expressions
from tdsl.frontend.checker import check_module
from tdsl.frontend.parser import parse
from tests.frontend.check_cases import BLOCKS, net
from tests.frontend.expectations import EXAMPLES

TOKEN = re.compile(r'\s+|#[^\n]*|"[^"]*"|[0-9]+x[0-9]+|\w+|->|//|\.\.|<<|>>|[<>=!]=|.', re.DOTALL)
SMALL = net("a, b = x -> part(4) -> halves\nreturn mux(a > b, a, x[0..4])", top=BLOCKS)
TOKENS = [TOKEN.findall(text) for text in (SMALL, *(p.read_text("utf-8") for p in EXAMPLES))]
OPERATORS = ["+", "-", "*", "//", "%", "|", "&", "^", ">>", "<<", "==", "<", ">=", "and", "or"]
ATOMS = [
    *sorted({t for tokens in TOKENS for t in tokens if re.fullmatch(r"\w+", t)}),
    *("0", "99999999999", "3x1", "trit", "u33", "f32", "true", "same", "sum", "argmax", "shuffle"),
    *("0.5", '"text"', "[1, 2]", "x[0..2]", "x[1]", "~x", "-x", "ca(rule = 1, seed = 2)", "P.c.w"),
    *("index", "concat(x, x)", "x -> flatten", "linear", "quantize", "clip(x, u8)", "(x >> 1)"),
]


@st.composite
def mutants(draw: st.DrawFn) -> str:
    tokens = list(draw(st.sampled_from(TOKENS)))
    places = [i for i, t in enumerate(tokens) if t.strip() and not t.startswith("#")]
    for _ in range(draw(st.integers(1, 2))):
        index = draw(st.sampled_from(places))
        if tokens[index] in OPERATORS:
            tokens[index] = draw(st.sampled_from(OPERATORS))
        elif re.fullmatch(r"\w+", tokens[index]):
            tokens[index] = draw(st.sampled_from(ATOMS))
        else:
            other = draw(st.sampled_from(places))
            tokens[index], tokens[other] = tokens[other], tokens[index]
    return "".join(tokens)


def failure(text: str) -> CompileError | None:
    """What checking `text` raises, if anything."""
    module, mistakes = parse(text, "f.tnn")
    try:
        check_module(module, EXAMPLES[0].parent, require_weights=False, syntax_errors=mistakes)
    except CompileError as error:
        return error
    return None


@given(mutants())
def test_mutants_give_diagnostics_only(text: str) -> None:
    error = failure(text)
    if error is None:
        return
    assert "E0999" not in {d.code for d in error.diagnostics}, f"{error}\n{text}"
    assert str(error).count("error[") == len(error.diagnostics)
    for diagnostic in error.diagnostics:
        source = error.sources[diagnostic.span.file]
        assert 1 <= diagnostic.span.line <= source.count("\n") + 1


def test_a_failure_of_the_checker_itself_has_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last resort: an exception inside a statement becomes E0999 there."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(check_expressions, "cut", broken)
    module, _ = parse(net("y = x[0..2]\nreturn x"), "f.tnn")
    with pytest.raises(CompileError) as caught:
        check_module(module, Path(), require_weights=False)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line, diagnostic.span.column) == ("E0999", 5, 5)


def test_a_brace_behind_a_swallowed_file_does_not_stop_the_parser() -> None:
    _, mistakes = parse("tnn [\nblock a1C](x: i3[C]) -> i3[C] {\n m = x\n}\n", "f.tnn")
    assert {mistake.code for mistake in mistakes} == {"E0105", "E0102"}
