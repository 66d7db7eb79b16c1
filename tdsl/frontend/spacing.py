"""Tokens of one line -> their text, with the spaces that the formatter puts between them."""

from collections.abc import Sequence

from lark import Token

_TIGHT_BEFORE = {"RPAR", "RSQB", "COMMA", "DOT", "COLON", "_RANGE"}
_TIGHT_AFTER = {"LPAR", "LSQB", "DOT", "_RANGE", "TILDE"}
_CALLABLE = {"NAME", "RPAR", "RSQB", "ELEMENT", "STRING"}
_PREFIX_WORDS = {"and", "or", "not", "if", "times", "return", "assert", "where", "check", "from"}


def spaced(tokens: Sequence[Token], before: Token | None = None) -> str:
    """Return the text of tokens that stand behind the token `before` on one line."""
    text = ""
    unary = False
    for token in tokens:
        if text and not unary and _apart(before, token):
            text += " "
        text += token
        unary = token.type == "TILDE" or (token.type == "MINUS" and not _ends_value(before))
        before = token
    return text


def _apart(before: Token | None, token: Token) -> bool:
    """Tell whether a space stands between two tokens."""
    if before is None or token.type in _TIGHT_BEFORE or before.type in _TIGHT_AFTER:
        return False
    if (before.type, token.type) == ("LBRACE", "RBRACE"):
        return False
    return token.type not in ("LPAR", "LSQB") or not _ends_value(before)


def _ends_value(token: Token | None) -> bool:
    """Tell whether a value or name may end with this token, so that `(` calls it."""
    if token is None or token in _PREFIX_WORDS:
        return False
    return token.type in _CALLABLE | {"INT", "FLOAT", "DIMS"} or token.isidentifier()
