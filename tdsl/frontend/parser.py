"""Text -> syntax tree, with every syntax error of the file."""

from dataclasses import replace

from tdsl.diagnostics import Diagnostic
from tdsl.frontend.brackets import match_brackets
from tdsl.frontend.lines import join_lines
from tdsl.frontend.reading import read_source
from tdsl.frontend.recovery import MOST_DIAGNOSTICS, parse_tokens
from tdsl.frontend.syntax import Module
from tdsl.frontend.tokens import TokenStream, read_tokens
from tdsl.frontend.tree import TreeBuilder
from tdsl.frontend.version import check_version
from tdsl.source import Span

__all__ = ["parse", "read_source"]


def parse(text: str, file: str) -> tuple[Module, tuple[Diagnostic, ...]]:
    """Return the syntax tree and the first syntax errors, in the order of their places.

    A statement or declaration with an error is `Broken` in the tree, and the names it would
    have defined are poisoned. A file of an unknown version gives an empty module.
    """
    stream = match_brackets(read_tokens(text, file), file)
    stream = replace(stream, tokens=tuple(join_lines(stream.tokens)))
    versioned = check_version(stream, file)
    if isinstance(versioned, Diagnostic):
        return _empty(text, file), (versioned,)
    return _parse_statements(versioned, text, file)


def _parse_statements(
    stream: TokenStream, text: str, file: str
) -> tuple[Module, tuple[Diagnostic, ...]]:
    parsed = parse_tokens(stream, file)
    builder = TreeBuilder(file, text)
    module = builder.module(parsed.tree)
    found = (*parsed.diagnostics, *builder.diagnostics)
    ordered = sorted(found, key=lambda one: (one.span.line, one.span.column))
    return module, tuple(ordered[:MOST_DIAGNOSTICS])


def _empty(text: str, file: str) -> Module:
    top = Span(file=file, line=1, column=1, end_line=1, end_column=1)
    return Module(span=top, file=file, text=text, version=0, declarations=(), poisoned=frozenset())
