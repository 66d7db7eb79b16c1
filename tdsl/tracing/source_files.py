"""Python source by file name -> its syntax tree, searched by the places that code objects give.

Lines come from `linecache`, where notebooks register their cells. Code that was given to `exec`
has no lines: then there is no tree, and diagnostics quote nothing.
"""

import ast
import linecache
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType

from tdsl.diagnostics import Diagnostic
from tdsl.source import Span

Extent = tuple[int, int, int, int]
"""First line, last line, first column, last column, as `co_positions` gives them: in bytes."""

Placed = ast.expr | ast.stmt | ast.arg | ast.keyword


@dataclass(frozen=True, slots=True, eq=False)
class SourceFile:
    """The text of a Python file, its tree, and the parent of each node."""

    name: str
    lines: tuple[str, ...]
    parents: dict[ast.AST, ast.AST]
    ends: dict[tuple[int, int], list[ast.AST]]

    def ending_at(self, place: Extent) -> list[ast.AST]:
        """The nodes that end where `place` does."""
        return self.ends.get((place[1], place[3]), [])

    def span(self, node: ast.AST) -> Span:
        """The place of a node that has one."""
        first, last, start, end = extent(node)
        return self.extent_span((first, last, start, end))

    def extent_span(self, place: Extent) -> Span:
        """The place of an extent, in code points."""
        first, last, start, end = place
        return Span(
            file=self.name,
            line=first,
            column=self._column(first, start),
            end_line=last,
            end_column=self._column(last, end),
        )

    def _column(self, line: int, offset: int) -> int:
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return len(text.encode()[:offset].decode(errors="ignore")) + 1


def extent(node: ast.AST) -> Extent:
    """The extent of an expression, statement, argument or keyword."""
    assert isinstance(node, Placed)
    end_line, end = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return node.lineno, end_line, node.col_offset, end


def source_file(name: str) -> SourceFile | None:
    """The file called `name`, or None where its source is not there or is no Python."""
    lines = tuple(linecache.getlines(name))
    return _parsed(name, lines) if lines else None


def source_texts(diagnostics: Iterable[Diagnostic]) -> dict[str, str]:
    """The texts that diagnostics point into, where they can be read."""
    labels = [label for one in diagnostics for label in (one.primary, *one.secondary)]
    texts = {label.span.file: "".join(linecache.getlines(label.span.file)) for label in labels}
    return {name: text for name, text in texts.items() if text}


def position_in(frame: FrameType) -> tuple[int, Extent | None]:
    """The line that a frame is at, and the extent of the expression it computes there."""
    found = next(islice(_positions(frame.f_code), frame.f_lasti // 2, None))
    if None in found:
        return found[0] or frame.f_lineno, None
    first, last, start, end = (value or 0 for value in found)
    return first, (first, last, start, end)


@lru_cache(maxsize=256)
def _positions(code: CodeType) -> tuple[tuple[int | None, int | None, int | None, int | None], ...]:
    return tuple(code.co_positions())


@lru_cache(maxsize=64)
def _parsed(name: str, lines: tuple[str, ...]) -> SourceFile | None:
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return None
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    ends: dict[tuple[int, int], list[ast.AST]] = {}
    for node in parents:
        if isinstance(node, Placed):
            _, last, _, end = extent(node)
            ends.setdefault((last, end), []).append(node)
    return SourceFile(name, lines, parents, ends)
