"""Tokens with every newline -> tokens with only the newlines that end a statement."""

from collections.abc import Iterator, Sequence

from lark import Token

from tdsl.frontend.grammar import END_OF_LINE

_OPEN = {"LPAR", "LSQB"}
_CLOSE = {"RPAR", "RSQB"}
_GOES_ON_AFTER = {
    "_ARROW", "COMMA", "EQUAL", "COLON", "DOT", "LBRACE", "COMPARE", "_RANGE",
    "PLUS", "MINUS", "STAR", "FLOOR_DIVIDE", "PERCENT", "TILDE",
    "VBAR", "CIRCUMFLEX", "AMPERSAND", "SHIFT_LEFT", "SHIFT_RIGHT", "OR", "AND", "NOT",
}  # fmt: skip
_GOES_ON_BEFORE = {"_ARROW", "WHERE", "LBRACE"}


def join_lines(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens of balanced brackets as statements: each ends with one newline."""
    depth = 0
    last: Token | None = None
    for token, following in zip(tokens, _next_types(tokens), strict=True):
        if token.type in _OPEN:
            depth += 1
        elif token.type in _CLOSE:
            depth -= 1
        elif token.type == END_OF_LINE and (
            depth > 0
            or last is None
            or last.type == END_OF_LINE
            or last.type in _GOES_ON_AFTER
            or following in _GOES_ON_BEFORE
        ):
            continue
        last = token
        yield token
    if last is not None and last.type != END_OF_LINE:
        yield behind(last, END_OF_LINE, "")


def behind(token: Token, kind: str, text: str) -> Token:
    """Return a token that nobody wrote, standing right behind another."""
    return Token(
        kind,
        text,
        start_pos=token.end_pos,
        line=token.end_line,
        column=token.end_column,
        end_line=token.end_line,
        end_column=token.end_column,
        end_pos=token.end_pos,
    )


def _next_types(tokens: Sequence[Token]) -> list[str]:
    """Return, for every token, the type of the next one that is no newline."""
    types: list[str] = []
    following = ""
    for token in reversed(tokens):
        types.append(following)
        if token.type != END_OF_LINE:
            following = token.type
    return types[::-1]
