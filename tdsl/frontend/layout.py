"""Tokens with comments -> lines as the user broke them, each with its indentation."""

from dataclasses import dataclass, field
from itertools import pairwise

from lark import Token

from tdsl.frontend.grammar import END_OF_LINE
from tdsl.frontend.lines import join_lines

INDENT = 4


@dataclass(slots=True, kw_only=True)
class Line:
    """One line of the formatted file."""

    tokens: list[Token] = field(default_factory=list[Token])
    comment: str = ""
    indent: int = 0
    starts_statement: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing stands on the line."""
        return not self.tokens and not self.comment


def lay_out(raw: tuple[Token, ...]) -> list[Line]:
    """Return the lines, with at most one empty line between two, none at a body's ends."""
    lines = _split(raw)
    _indent(lines, _statement_ends(raw))
    return _without_gaps(lines)


def _split(raw: tuple[Token, ...]) -> list[Line]:
    lines = [Line()]
    for token in raw:
        if token.type == END_OF_LINE:
            lines.append(Line())
        elif token.type == "COMMENT":
            lines[-1].comment = token.rstrip()
        elif token.type != "SPACE":
            lines[-1].tokens.append(token)
    return lines


def _statement_ends(raw: tuple[Token, ...]) -> set[int | None]:
    """Return the offsets of the last tokens of statements."""
    tokens = [token for token in raw if token.type not in ("SPACE", "COMMENT")]
    joined = list(join_lines(tokens))
    ends: set[int | None] = set()
    for token, following in pairwise(joined):
        if following.type == END_OF_LINE or token.type == "LBRACE":
            ends.add(token.start_pos)
    return ends


def _indent(lines: list[Line], ends: set[int | None]) -> None:
    """Set the indentation: braces, then open brackets, then a statement that goes on."""
    braces = brackets = 0
    fresh, goes_on = True, False
    for line in lines:
        first = line.tokens[0].type if line.tokens else ""
        line.starts_statement = fresh and bool(line.tokens)
        goes_on = not fresh and (goes_on or brackets == 0) and first != "LBRACE"
        closers = _leading_closers(line.tokens)
        level = braces - (first == "RBRACE") + brackets - closers + goes_on
        line.indent = INDENT * max(level, 0)
        for token in line.tokens:
            braces += (token.type == "LBRACE") - (token.type == "RBRACE")
            brackets += (token.type in ("LPAR", "LSQB")) - (token.type in ("RPAR", "RSQB"))
        if line.tokens:
            fresh = line.tokens[-1].start_pos in ends


def _leading_closers(tokens: list[Token]) -> int:
    count = 0
    for token in tokens:
        if token.type not in ("RPAR", "RSQB"):
            break
        count += 1
    return count


def _without_gaps(lines: list[Line]) -> list[Line]:
    kept: list[Line] = []
    for line in lines:
        if line.empty and (not kept or kept[-1].empty or _opens(kept[-1])):
            continue
        if line.tokens and line.tokens[0].type == "RBRACE" and kept and kept[-1].empty:
            kept.pop()
        kept.append(line)
    while kept and kept[-1].empty:
        kept.pop()
    return kept


def _opens(line: Line) -> bool:
    return bool(line.tokens) and line.tokens[-1].type == "LBRACE"
