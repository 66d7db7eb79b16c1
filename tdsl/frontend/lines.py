"""Tokens with every newline -> tokens with only the newlines that end a statement."""

from collections.abc import Iterator, Sequence

from lark import Token

from tdsl.frontend.grammar import END_OF_LINE

_OPEN = {"LPAR", "LSQB"}
_CLOSE = {"RPAR", "RSQB"}
_GOES_ON_AFTER = {
    "_ARROW", "COMMA", "EQUAL", "COLON", "DOT", "COMPARE", "_RANGE",
    "PLUS", "MINUS", "STAR", "FLOOR_DIVIDE", "PERCENT", "TILDE",
    "VBAR", "CIRCUMFLEX", "AMPERSAND", "SHIFT_LEFT", "SHIFT_RIGHT", "OR", "AND", "NOT",
}  # fmt: skip
DECLARATIONS = frozenset(
    {"use", "kernel", "weights", "target", "const", "block", "network", "check"}
    | {"schedule", "system"}
)
_GOES_ON_BEFORE = {"_ARROW", "WHERE", "LBRACE"}


def join_lines(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens of balanced brackets as statements: each ends with one newline."""
    depth = 0
    last: Token | None = None
    for token, following in zip(tokens, _following(tokens), strict=True):
        if token.type in _OPEN:
            depth += 1
        elif token.type in _CLOSE:
            depth -= 1
        elif token.type == END_OF_LINE and (
            depth > 0
            or last is None
            or last.type in (END_OF_LINE, "LBRACE")
            or (last.type in _GOES_ON_AFTER and not _begins_anew(tokens, following, last))
            or (
                _type(tokens, following) in _GOES_ON_BEFORE
                and not begins_statement(tokens, following)
            )
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


def begins_declaration(tokens: Sequence[Token], index: int) -> bool:
    """Tell whether the line that starts at `index` can only be a new declaration."""
    token, *rest = tokens[index : index + 2]
    named = bool(rest) and (rest[0].type == "STRING" or rest[0].isidentifier())
    return str(token) in DECLARATIONS and named and token.column == 1


def begins_statement(tokens: Sequence[Token], index: int) -> bool:
    """Tell whether a line that starts at `index` looks like a statement or ends a body."""
    for token in (tokens[i] for i in range(index, len(tokens))):
        if token.type in ("RETURN", "ASSERT", "RBRACE"):
            return True
        if not token.isidentifier() and token.type != "COMMA":
            return token.type == "EQUAL"
    return False


def _begins_anew(tokens: Sequence[Token], index: int, last: Token) -> bool:
    """Tell whether the next line cannot belong to `last`, which waits for something."""
    if index == len(tokens) or begins_declaration(tokens, index):
        return True
    return begins_statement(tokens, index) and (
        last.type != "COMMA" or tokens[index].type in ("RETURN", "ASSERT", "RBRACE")
    )


def _type(tokens: Sequence[Token], index: int) -> str:
    return tokens[index].type if index < len(tokens) else ""


def _following(tokens: Sequence[Token]) -> list[int]:
    """Return, for every token, the index of the next one that is no newline."""
    indexes: list[int] = []
    following = len(tokens)
    for index in range(len(tokens) - 1, -1, -1):
        indexes.append(following)
        if tokens[index].type != END_OF_LINE:
            following = index
    return indexes[::-1]
