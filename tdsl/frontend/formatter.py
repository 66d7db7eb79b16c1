"""Text -> the same program in the one layout: indentation, spaces, `=` and `->` in columns.

The user's line breaks and comments stay; nothing but spaces and empty lines changes.
"""

from collections.abc import Callable, Iterator
from itertools import groupby

from lark import Token

from tdsl.diagnostics import CompileError
from tdsl.frontend.lalr import read_raw_tokens
from tdsl.frontend.layout import Line, lay_out
from tdsl.frontend.parser import parse
from tdsl.frontend.spacing import spaced

_DECLARED = {"WEIGHTS", "TARGET", "CONST"}


def format_source(text: str, file: str = "<text>") -> str:
    """Return the text in the one layout; formatting it again changes nothing.

    Raises CompileError if the text has syntax errors.
    """
    _, diagnostics = parse(text, file)
    if diagnostics:
        raise CompileError(diagnostics, {file: text})
    lines = lay_out(read_raw_tokens(text))
    codes = [" " * line.indent + code for line, code in zip(lines, _codes(lines), strict=True)]
    written = _with_comments(lines, codes)
    return "\n".join(one.rstrip() for one in written) + "\n"


def _codes(lines: list[Line]) -> Iterator[str]:
    """Yield the code of every line; neighbours of one kind have their columns aligned."""
    for kind, run in groupby(lines, key=_kind):
        members = list(run)
        yield from _ALIGNED[kind](members) if kind else [spaced(line.tokens) for line in members]


def _kind(line: Line) -> str:
    """Return what the columns of a line are, or nothing if it has none."""
    types = [token.type for token in line.tokens]
    if not line.starts_statement or "EQUAL" not in types:
        return ""
    if types[0] in _DECLARED and types.index("EQUAL") == 2:
        return "declaration"
    targets = types[: types.index("EQUAL")]
    plain = all(_is_name(token) or token == "," for token in line.tokens[: len(targets)])
    return "assignment" if plain and line.indent > 0 and len(types) > len(targets) + 1 else ""


def _is_name(token: Token) -> bool:
    return token.type == "NAME" or token.isidentifier()


def _aligned_declarations(run: list[Line]) -> list[str]:
    keyword = max(len(line.tokens[0]) for line in run)
    name = max(len(line.tokens[1]) for line in run)
    return [
        f"{line.tokens[0]:<{keyword}} {line.tokens[1]:<{name}} = "
        + spaced(line.tokens[3:], line.tokens[2])
        for line in run
    ]


def _aligned_assignments(run: list[Line]) -> list[str]:
    targets, values = zip(*map(_sides, run), strict=True)
    width = max(map(len, targets))
    return [
        f"{target:<{width}} = {value}"
        for target, value in zip(targets, _aligned_pipes(list(values)), strict=True)
    ]


def _sides(line: Line) -> tuple[str, tuple[str, str]]:
    """Return the targets, and the value: cut behind a name that starts a pipe, else whole."""
    types = [token.type for token in line.tokens]
    equal = types.index("EQUAL")
    target = spaced(line.tokens[:equal])
    value = line.tokens[equal + 1 :]
    if len(value) > 1 and _is_name(value[0]) and value[1].type == "_ARROW":
        return target, (str(value[0]), spaced(value[1:], value[0]))
    return target, (spaced(value, line.tokens[equal]), "")


def _aligned_pipes(values: list[tuple[str, str]]) -> list[str]:
    width = max((len(source) for source, steps in values if steps), default=0)
    return [f"{source:<{width}} {steps}" if steps else source for source, steps in values]


def _with_comments(lines: list[Line], codes: list[str]) -> Iterator[str]:
    """Yield whole lines; comments behind the code of neighbouring lines share a column."""
    for (has_code, _), run in groupby(
        zip(lines, codes, strict=True), key=lambda pair: (bool(pair[0].tokens), pair[0].indent)
    ):
        pairs = list(run)
        width = max((len(code) for line, code in pairs if line.comment), default=0)
        for line, code in pairs:
            yield f"{code:<{width}}  {line.comment}" if has_code else code + line.comment


_ALIGNED: dict[str, Callable[[list[Line]], list[str]]] = {
    "declaration": _aligned_declarations,
    "assignment": _aligned_assignments,
}
