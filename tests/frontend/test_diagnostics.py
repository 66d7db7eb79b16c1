"""Diagnostics as text and as JSON."""

import json
from textwrap import dedent

from tdsl.diagnostics import CompileError, Diagnostic, Label, render
from tdsl.frontend.parser import parse
from tdsl.source import NOWHERE, Span


def _span(line: int, column: int, length: int = 1, file: str = "f.tnn") -> Span:
    return Span(file=file, line=line, column=column, end_line=line, end_column=column + length)


def _simple(*labels: Label, notes: tuple[str, ...] = (), helps: tuple[str, ...] = ()) -> Diagnostic:
    primary, *others = labels
    return Diagnostic(
        code="E0999",
        message="wrong",
        primary=primary,
        secondary=tuple(others),
        notes=notes,
        helps=helps,
    )


def _text(block: str) -> str:
    return dedent(block).strip("\n")


def test_a_message_of_the_parser_word_for_word() -> None:
    source = (
        "tnn 1\nnetwork n(a: trit[8]) -> trit[8] {\n    b = a -> conv(8 3x3)\n    return b\n}\n"
    )
    _, diagnostics = parse(source, "f.tnn")
    assert str(CompileError(diagnostics, {"f.tnn": source})) == _text("""
        error[E0101]: a `,` is missing between two arguments
         --> f.tnn:3:20
          |
        3 |     b = a -> conv(8 3x3)
          |                     --- next argument
          |                    ^ expected `,` here
    """)


def test_lines_far_apart_notes_and_helps() -> None:
    source = "\n".join(f"line {i}" for i in range(1, 13))
    diagnostic = _simple(
        Label(_span(9, 1, 4), "first"),
        Label(_span(12, 6, 2), "second"),
        Label(_span(9, 6), "third"),
        notes=("a fact",),
        helps=("an edit\nin two lines",),
    )
    assert render(diagnostic, {"f.tnn": source}) == _text("""
        error[E0999]: wrong
          --> f.tnn:9:1
           |
         9 | line 9
           |      - third
           | ^^^^ first
        ...
        12 | line 12
           |      -- second
           |
           = note: a fact
           = help: an edit
                   in two lines
    """)


def test_carets_stand_under_what_a_terminal_shows() -> None:
    source = "\tab = \u65e5\u672ce\u0301 \x1b x"
    x = source.index("x") + 1
    assert render(_simple(Label(_span(1, x))), {"f.tnn": source}).splitlines()[-2:] == [
        "1 |     ab = \u65e5\u672ce\u0301 \u241b x",
        "  |                  ^",
    ]


def test_a_long_line_is_cut_around_its_labels() -> None:
    source = "a" * 50_000 + "XY" + "b" * 50_000
    rows = render(_simple(Label(_span(1, 50_001, 2), "here")), {"f.tnn": source}).splitlines()
    assert len(rows) == 5
    assert max(map(len, rows)) < 140
    assert rows[-2].index("XY") == rows[-1].index("^^")
    assert rows[-2].startswith("1 | ...")
    assert rows[-2].endswith("b...")


def test_a_file_without_text_is_named() -> None:
    assert render(_simple(Label(_span(3, 4))), {}) == "error[E0999]: wrong\n --> f.tnn:3:4"


def test_a_mistake_without_a_place() -> None:
    text = render(_simple(Label(NOWHERE), helps=("do this",)), {})
    assert text == "error[E0999]: wrong\n  = help: do this"


def test_a_label_in_another_file() -> None:
    diagnostic = _simple(Label(_span(1, 1)), Label(_span(2, 1, file="g.tnn"), "made here"))
    assert render(diagnostic, {"f.tnn": "a", "g.tnn": "b\nc"}) == _text("""
        error[E0999]: wrong
         --> f.tnn:1:1
          |
        1 | a
          | ^
         ::: g.tnn:2:1
          |
        2 | c
          | - made here
    """)


def test_json_holds_the_same() -> None:
    diagnostic = _simple(Label(_span(3, 4, 2), "a"), Label(_span(5, 6), "b"), notes=("n",))
    data = json.loads(json.dumps(diagnostic.to_json()))
    assert (data["code"], data["line"], data["column"], data["end_column"]) == ("E0999", 3, 4, 6)
    assert [label["text"] for label in data["labels"]] == ["a", "b"]
    assert (data["message"], data["notes"], data["helps"]) == ("wrong", ["n"], [])
