"""A Python function, or a file of them -> its syntax tree and the places of the nodes in it."""

import ast
import inspect
import linecache
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from string import ascii_letters
from types import CodeType
from typing import Any

from tdsl.diagnostics import CompileError, Diagnostic, Label, source_lines
from tdsl.source import NOWHERE, Span

Node = ast.expr | ast.stmt | ast.arg | ast.keyword


@dataclass(frozen=True, eq=False)
class SourceFile:
    """The text of a Python file (or notebook cell), its tree, and the name that spans give it."""

    name: str
    text: str
    tree: ast.Module

    @cached_property
    def lines(self) -> list[str]:
        """The lines as spans count them."""
        return source_lines(self.text)

    def span(self, node: Node) -> Span:
        """Where `node` stands; columns count code points, where Python's count bytes."""
        line = node.lineno
        end_line = node.end_lineno or line
        return Span(
            file=self.name,
            line=line,
            column=self._column(line, node.col_offset),
            end_line=end_line,
            end_column=self._column(end_line, node.end_col_offset or 0),
        )

    def name_span(self, function: ast.FunctionDef) -> Span:
        """Where the name of a function stands."""
        line = function.lineno
        text = self.lines[line - 1]
        start = text.index(function.name, self._column(line, function.col_offset) + 2)
        end = start + len(function.name) + 1
        return Span(file=self.name, line=line, column=start + 1, end_line=line, end_column=end)

    def first_word(self, node: ast.stmt) -> Span:
        """Where the first word of a statement stands."""
        start = self.span(node)
        text = self.lines[start.line - 1][start.column - 1 :]
        end = start.column + (len(text) - len(text.lstrip(ascii_letters + "@")) or 1)
        return replace(start, end_line=start.line, end_column=end)

    def words(self, node: Node) -> str:
        """The source text of a node."""
        return ast.get_source_segment(self.text, node) or ast.unparse(node)

    def _column(self, line: int, offset: int) -> int:
        text = self.lines[line - 1]
        return len(text.encode()[:offset].decode(errors="replace")) + 1


def source_of(function: Callable[..., Any]) -> tuple[SourceFile, ast.FunctionDef]:
    """The file of a function and its definition there. Raises CompileError (K0100)."""
    code: CodeType = function.__code__
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, function.__globals__)
    if not lines:
        raise _without_source(function, "Python keeps no source of what `exec` or a prompt ran")
    try:
        file = parsed("".join(lines), _shown(code.co_filename))
    except SyntaxError as error:
        raise _without_source(function, "its file has changed since it was imported") from error
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if first == code.co_firstlineno:
                return file, node
    raise _without_source(function, "its file has changed since it was imported")


@lru_cache(maxsize=32)
def parsed(text: str, name: str) -> SourceFile:
    """The tree of a text. Raises SyntaxError."""
    return SourceFile(name, text, ast.parse(text))


def _shown(file: str) -> str:
    """The name of a file as a user would write it."""
    inside = os.path.isabs(file) and file.startswith(os.getcwd() + os.sep)
    return os.path.relpath(file) if inside else file


def _without_source(function: Callable[..., Any], reason: str) -> CompileError:
    kind = "kernel" if inspect.isfunction(function) else "object"
    name = getattr(function, "__name__", "?")
    return CompileError(
        [
            Diagnostic(
                code="K0100",
                message=f"the source of {kind} `{name}` cannot be read",
                primary=Label(NOWHERE),
                notes=(f"a kernel is compiled from its source, and {reason}",),
                helps=("write it in a file or in a notebook cell",),
            )
        ]
    )
