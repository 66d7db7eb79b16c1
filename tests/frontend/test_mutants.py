"""Example files with a token or two changed: only diagnostics, never another exception."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tdsl.diagnostics import render_all
from tdsl.frontend.lalr import read_raw_tokens
from tdsl.frontend.parser import parse
from tests.frontend.expectations import EXAMPLES

TOKENS = [[str(t) for t in read_raw_tokens(path.read_text("utf-8"))] for path in EXAMPLES]
ODD = [
    *["\0", "\r", "\u201c", "\u2212", "\ufeff", "\U0001f600", "'", '"', ";", "\\", "@"],
    *["0x", "1e9", "99999999999999999999", "tnn", "schedule", "system", "kernel", "else"],
]
OTHERS = [*sorted({token for tokens in TOKENS for token in tokens if len(token) < 20}), *ODD]


@st.composite
def mutants(draw: st.DrawFn) -> str:
    tokens = list(draw(st.sampled_from(TOKENS)))
    for _ in range(draw(st.integers(1, 2))):
        index = draw(st.integers(0, len(tokens) - 1))
        match draw(st.sampled_from(["replace", "insert", "delete", "swap", "cut"])):
            case "replace":
                tokens[index] = draw(st.sampled_from(OTHERS))
            case "insert":
                tokens.insert(index, draw(st.sampled_from(OTHERS)))
            case "delete":
                tokens[index] = ""
            case "swap":
                other = draw(st.integers(0, len(tokens) - 1))
                tokens[index], tokens[other] = tokens[other], tokens[index]
            case _:
                tokens = tokens[: index + 1]
    return "".join(tokens)


@settings(deadline=None)
@given(mutants())
def test_one_or_two_changed_tokens(text: str) -> None:
    _check(text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(OTHERS), max_size=40).map(" ".join))
def test_token_soup(text: str) -> None:
    _check("tnn 1\n" + text)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    _check(text)


def _check(text: str) -> None:
    """Parse; every place must lie in the text, and every message must render."""
    _, diagnostics = parse(text, "f.tnn")
    lines = text.split("\n")
    for diagnostic in diagnostics:
        span = diagnostic.span
        assert 1 <= span.line <= len(lines)
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1
    assert render_all(diagnostics, {"f.tnn": text}).count("error[") == len(diagnostics)
