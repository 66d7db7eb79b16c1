"""Text -> tokens; what can never be a token is reported, and mended where the intent is plain."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from lark import Token

from tdsl.diagnostics import Diagnostic, Label
from tdsl.frontend.lalr import read_raw_tokens
from tdsl.source import Span

LARGEST_INT = 2**63 - 1
ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "t": "\t"}

_MEANT = {
    **dict.fromkeys("\u2212\u2013\u2014\u2010\u2011", ("MINUS", "-")),
    **dict.fromkeys("\u2192\u27f6\u21d2", ("_ARROW", "->")),
    **dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000\u200b\ufeff", ("SPACE", " ")),
    **{chr(code): ("SPACE", " ") for code in range(0x2000, 0x200B)},
    "\u2264": ("COMPARE", "<="),
    "\u2265": ("COMPARE", ">="),
    "\u2260": ("COMPARE", "!="),
    "\u00d7": ("STAR", "*"),
    "\u00f7": ("FLOOR_DIVIDE", "//"),
    "\uff0c": ("COMMA", ","),
    "\uff1a": ("COLON", ":"),
    "\uff1d": ("EQUAL", "="),
    "\uff08": ("LPAR", "("),
    "\uff09": ("RPAR", ")"),
    "\uff3b": ("LSQB", "["),
    "\uff3d": ("RSQB", "]"),
    "\uff5b": ("LBRACE", "{"),
    "\uff5d": ("RBRACE", "}"),
}
"""Look-alikes of what the language has: the terminal and the text that was meant."""

_ADVICE = {
    ";": "a statement ends with its line: leave the `;` out",
    "/": "`//` divides sizes, rounding down",
    "`": "a quoted name ends with another one on the same line",
    "!": "`not x` negates a condition, `!=` compares",
    "\\": "a statement goes on inside brackets, after an operator, and before a line with `->`",
    "\r": "end lines with a line feed, or with carriage return and line feed",
}


@dataclass(frozen=True, slots=True)
class TokenStream:
    """Tokens on their way to the parser, and what has been found wrong with them."""

    tokens: tuple[Token, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    reported: frozenset[int] = frozenset()
    """Offsets of tokens that a diagnostic speaks about: their statement needs no second one."""


def read_tokens(text: str, file: str) -> TokenStream:
    """Return the tokens that carry meaning, newlines among them."""
    tokens: list[Token] = []
    diagnostics: list[Diagnostic] = []
    reported: set[int] = set()
    foreign_line = 0
    for token in read_raw_tokens(text):
        mended, found = _inspect(token, file)
        if found:
            reported.add(start(token))
            if token.type != "FOREIGN" or token.line != foreign_line:
                diagnostics.append(found)
            foreign_line = (token.line or 0) if token.type == "FOREIGN" else foreign_line
        if mended.type not in ("SPACE", "COMMENT"):
            tokens.append(mended)
    return TokenStream(tuple(tokens), tuple(diagnostics), frozenset(reported))


def start(token: Token) -> int:
    """Return the offset of a token's first character in the text."""
    assert token.start_pos is not None
    return token.start_pos


def token_span(token: Token, file: str) -> Span:
    """Return where a token stands."""
    return tokens_span(token, token, file)


def tokens_span(first: Token, last: Token, file: str) -> Span:
    """Return the stretch from one token to another."""
    assert first.line is not None
    assert first.column is not None
    assert last.end_line is not None
    assert last.end_column is not None
    return Span(
        file=file,
        line=first.line,
        column=first.column,
        end_line=last.end_line,
        end_column=last.end_column,
    )


def end_span(token: Token, file: str) -> Span:
    """Return the one place right behind a token."""
    assert token.end_line is not None
    assert token.end_column is not None
    line, column = token.end_line, token.end_column
    return Span(file=file, line=line, column=column, end_line=line, end_column=column + 1)


def unescape(quoted: str) -> str:
    """Return the text that a string token stands for."""
    return re.sub(r"\\(.)", lambda match: ESCAPES[match[1]], quoted[1:-1])


def _inspect(token: Token, file: str) -> tuple[Token, Diagnostic | None]:
    """Return the token, mended if need be, and what is wrong with it."""
    check = _CHECKS.get(token.type)
    return check(token, token_span(token, file)) if check else (token, None)


_Finding = tuple[Token, Diagnostic | None]


def _open_string(token: Token, span: Span) -> _Finding:
    return token, Diagnostic(
        code="E0107",
        message='this text has no closing `"`',
        primary=Label(span, "it would go on over the end of the line"),
        helps=('close it with `"` on the same line',),
    )


def _name(token: Token, _: Span) -> _Finding:
    return token.update(value=token.strip("`")), None


def _other_quotes(token: Token, span: Span) -> _Finding:
    text = f'"{token[1:-1]}"'
    return token.update("STRING", text), Diagnostic(
        code="E0108",
        message='a text stands between two straight double quotes `"`',
        primary=Label(span, f"{_described(token[0])} opens it here"),
        helps=(f"write `{text}`",),
    )


def _other_dims(token: Token, span: Span) -> _Finding:
    text = re.sub(r"[X\u00d7]", "x", token)
    return token.update("DIMS", text), Diagnostic(
        code="E0108",
        message="the size of a window is written with a small letter `x`",
        primary=Label(span, f"write `{text}`"),
    )


def _foreign(token: Token, span: Span) -> _Finding:
    kind, meant = _MEANT.get(token[0], ("FOREIGN", ""))
    advice = f"write `{meant}`" if meant.strip() else _ADVICE.get(token[0], "")
    if kind == "SPACE":
        advice = "write an ordinary space"
    return token.update(kind, meant or str(token)), Diagnostic(
        code="E0108",
        message=f"{_described(token[0])} means nothing here",
        primary=Label(span),
        helps=(advice,) if advice else (),
    )


def _int(token: Token, span: Span) -> _Finding:
    return token, None if _fits(token) else _too_large(span)


def _dims(token: Token, span: Span) -> _Finding:
    return token, None if all(map(_fits, token.split("x"))) else _too_large(span)


def _float(token: Token, span: Span) -> _Finding:
    return token, None if float(token) < float("inf") else _too_large(span)


def _string(token: Token, span: Span) -> _Finding:
    for match in re.finditer(r"\\(.)", token):
        if match[1] not in ESCAPES:
            column = span.column + match.start()
            here = Span(
                file=span.file,
                line=span.line,
                column=column,
                end_line=span.line,
                end_column=column + 2,
            )
            return token.update("FOREIGN"), Diagnostic(
                code="E0120",
                message=f"`{match[0]}` means nothing inside a text",
                primary=Label(here),
                notes=('inside a text a backslash makes `\\\\`, `\\"`, `\\n` and `\\t`',),
                helps=("put `/` between the folders of a path",),
            )
    return token, None


def _fits(digits: str) -> bool:
    """Tell whether an integer is small enough; long ones are never converted."""
    return len(digits) <= 80 and int(digits.replace("_", ""), _base(digits)) <= LARGEST_INT


def _base(digits: str) -> int:
    return {"0x": 16, "0b": 2}.get(digits[:2], 10)


def int_value(digits: str) -> int:
    """Return the value of an integer token."""
    return int(digits.replace("_", ""), _base(digits))


def _too_large(span: Span) -> Diagnostic:
    return Diagnostic(
        code="E0121",
        message="this number is too large",
        primary=Label(span),
        notes=(f"the largest number is {LARGEST_INT}",),
    )


def _described(character: str) -> str:
    """Return a character with its code point and its Unicode name."""
    name = unicodedata.name(character, "").lower()
    shown = character if character.isprintable() and not character.isspace() else ""
    code = f"U+{ord(character):04X}" + (f", {name}" if name else "")
    if character == "`":
        return "a single backquote"
    if shown and character.isascii():
        return f"`{shown}`"
    return f"the character `{shown}` ({code})" if shown else f"the character {code}"


_CHECKS: dict[str, Callable[[Token, Span], _Finding]] = {
    "NAME": _name,
    "OPEN_STRING": _open_string,
    "OTHER_QUOTES": _other_quotes,
    "OTHER_DIMS": _other_dims,
    "FOREIGN": _foreign,
    "INT": _int,
    "DIMS": _dims,
    "FLOAT": _float,
    "STRING": _string,
}
