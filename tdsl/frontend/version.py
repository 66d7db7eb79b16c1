"""The first line of a file, `tnn 1`: tokens -> tokens that begin with a version."""

from dataclasses import replace

from lark import Token

from tdsl.diagnostics import Diagnostic, Label
from tdsl.frontend.grammar import END_OF_LINE
from tdsl.frontend.lines import behind
from tdsl.frontend.tokens import TokenStream, int_value, token_span
from tdsl.source import Span

VERSION = 1


def check_version(stream: TokenStream, file: str) -> TokenStream | Diagnostic:
    """Return the tokens with a sound first line, or what is wrong if the rest cannot be read."""
    tokens = stream.tokens
    line = tokens[: _line_length(tokens)]
    types = [token.type for token in line]
    if types[:2] == ["TNN", "INT"]:
        if int_value(line[1]) != VERSION:
            return _other_version(line[1], file)
        return stream if len(line) == 2 else _split_first_line(stream, file)
    written = types[:1] == ["TNN"] or types == ["NAME", "INT"]
    missing = _missing_version(line[0] if line else None, written, file)
    rest = tokens[len(line) :] if written else (_made(END_OF_LINE, ""), *tokens)
    return TokenStream(
        (_made("TNN", "tnn"), _made("INT", str(VERSION)), *(rest or (_made(END_OF_LINE, ""),))),
        (*stream.diagnostics, missing),
        stream.reported,
    )


def _split_first_line(stream: TokenStream, file: str) -> TokenStream:
    """Go on behind the version as if a new line began there."""
    third = stream.tokens[2]
    tokens = (*stream.tokens[:2], behind(stream.tokens[1], END_OF_LINE, ""), *stream.tokens[2:])
    if third.line != stream.tokens[1].line:
        return replace(stream, tokens=tokens)
    alone = Diagnostic(
        code="E0105",
        message="the version of the language stands alone on the first line",
        primary=Label(token_span(third, file), "put this on the next line"),
    )
    return TokenStream(tokens, (*stream.diagnostics, alone), stream.reported)


def _line_length(tokens: tuple[Token, ...]) -> int:
    ends = (i for i, token in enumerate(tokens) if token.type == END_OF_LINE)
    return next(ends, len(tokens))


def _made(kind: str, text: str) -> Token:
    return Token(kind, text, start_pos=-1, line=1, column=1, end_line=1, end_column=1, end_pos=-1)


def _missing_version(token: Token | None, written: bool, file: str) -> Diagnostic:
    top = Span(file=file, line=1, column=1, end_line=1, end_column=2)
    return Diagnostic(
        code="E0105",
        message="the first line does not name the version of the language",
        primary=Label(token_span(token, file) if token else top, f"expected `tnn {VERSION}`"),
        helps=(f"{'write' if written else 'put'} `tnn {VERSION}` on the first line",),
    )


def _other_version(token: Token, file: str) -> Diagnostic:
    newer = int_value(token) > VERSION
    advice = "install a newer tdsl" if newer else f"write `tnn {VERSION}`"
    return Diagnostic(
        code="E0106",
        message=f"this file is written in version {token} of the language",
        primary=Label(token_span(token, file), f"this tdsl reads version {VERSION}"),
        helps=(advice,),
    )
