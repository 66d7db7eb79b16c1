"""The formatter changes the layout and nothing else."""

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdsl.diagnostics import CompileError
from tdsl.frontend.formatter import format_source
from tdsl.frontend.lalr import read_raw_tokens
from tdsl.frontend.parser import parse
from tests.frontend.expectations import EXAMPLES

TEXTS = [path.read_text("utf-8") for path in EXAMPLES]


def _check(text: str) -> None:
    formatted = format_source(text)
    assert format_source(formatted) == formatted
    assert parse(formatted, "f") == parse(text, "f")
    assert _comments(formatted) == _comments(text)


def _comments(text: str) -> list[str]:
    return [str(token).rstrip() for token in read_raw_tokens(text) if token.type == "COMMENT"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path) -> None:
    _check(path.read_text("utf-8"))


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_any_spacing_comes_out_the_same(data: st.DataObject) -> None:
    """Spaces, and line breaks where a statement goes on anyway, are drawn anew."""
    text = data.draw(st.sampled_from(TEXTS))
    gaps = st.sampled_from([" ", "  ", "\t", " \t "])
    breaks = st.sampled_from(["\n", "\r\n", "\n\n\n", " \n    ", "  # why\n", "\n# why\n"])
    pieces: list[str] = []
    for token in read_raw_tokens(text):
        if token.type == "SPACE":
            pieces.append(data.draw(gaps))
        elif token.type == "_NL":
            pieces.append(data.draw(breaks))
        else:
            pieces.append(str(token))
            if token.type in ("COMMA", "_ARROW", "LPAR", "LSQB") and data.draw(st.booleans()):
                pieces.append(data.draw(breaks))
    spaced = "".join(pieces)
    _check(spaced)
    assert parse(spaced, "f") == parse(text, "f")


def test_the_layout() -> None:
    text = """\


        tnn 1
        const A=3   # three
        weights   Params="p.npz"
        network n[ H ]( x:trit[8,H],k : int=-1 )->trit[ 8,H ]from Params
        where H>3
        {

        y=x->a:conv ( 8,pad=- 2 )   #  one


        long=y->lib . f times ( 3 ) if not(k==1)
        z=f(y,
        [ 1,2 ],
        )
        # what is returned
        return z[0 .. 3 , *]
          ->g

        }
        check n( 3 )==~ P . s
    """
    assert format_source(dedent(text)) == dedent("""\
        tnn 1
        const   A      = 3  # three
        weights Params = "p.npz"
        network n[H](x: trit[8, H], k: int = -1) -> trit[8, H] from Params
            where H > 3
        {
            y = x -> a: conv(8, pad = -2)  #  one

            long = y -> lib.f times (3) if not (k == 1)
            z    = f(y,
                [1, 2],
            )
            # what is returned
            return z[0..3, *]
                -> g
        }
        check n(3) == ~P.s
    """)


def test_columns_are_aligned_in_runs_of_lines() -> None:
    text = dedent("""\
        tnn 1
        network n(img: trit[8]) -> trit[8] {
            a = img -> f
            bcd = a -> g
            e = a | bcd
            return e
        }
    """)
    assert format_source(text).splitlines()[2:5] == [
        "    a   = img -> f",
        "    bcd = a   -> g",
        "    e   = a | bcd",
    ]


def test_a_broken_file_is_left_alone() -> None:
    with pytest.raises(CompileError):
        format_source("tnn 1\nconst A 3\n")
