"""The grammar file -> a Lark parser, kept in the user's cache directory between runs."""

import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from lark import Lark, Token

import tdsl_grammar

END_OF_LINE = "_NL"
BROKEN = "BROKEN"
"""The terminal that stands for a statement or declaration with a mistake."""


class _KeepEveryTerminal:
    """Makes Lark keep the terminals of common mistakes, which no rule uses."""

    always_accept = ("OPEN_STRING", "OTHER_QUOTES", "OTHER_DIMS", "FOREIGN")

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


def grammar_text() -> str:
    """Return the text of the grammar file."""
    return files(tdsl_grammar).joinpath("tnn.lark").read_text("utf-8")


@cache
def load_grammar() -> Lark:
    """Return the parser; built once per process, and once per user where the cache is writable."""
    return build_grammar(_cache_file())


def build_grammar(cache_file: Path | None, *, strict: bool = False) -> Lark:
    """Return the parser, read from `cache_file` if it is sound, else built and written there."""
    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="basic",
        postlex=_KeepEveryTerminal(),
        propagate_positions=True,
        maybe_placeholders=True,
        strict=strict,
        cache=str(cache_file) if cache_file else False,
    )


@cache
def keywords() -> frozenset[str]:
    """Return the words of the language that are terminals of their own."""
    return frozenset(
        terminal.pattern.value
        for terminal in load_grammar().terminals
        if terminal.pattern.type == "str" and terminal.pattern.value.isidentifier()
    )


def _cache_file() -> Path | None:
    """Return where the built parser is kept, or None where no directory can be had."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        folder = (named if named.is_absolute() else Path.home() / ".cache") / "tdsl"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder / f"grammar-{sys.implementation.cache_tag}.pickle"
