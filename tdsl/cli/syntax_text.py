"""Syntax tree -> text: one node a line, its place behind it, what it holds below it."""

from collections.abc import Iterator
from dataclasses import fields
from typing import cast

from tdsl.frontend.syntax import Module, Node


def print_syntax(module: Module) -> str:
    """The text of a syntax tree."""
    return "\n".join(_lines(module, "", 0)) + "\n"


def _lines(node: Node, label: str, depth: int) -> Iterator[str]:
    """A node: its name and plain fields, then its parts two columns further in."""
    parts: list[tuple[str, Node]] = []
    plain: list[str] = []
    for field in fields(node):
        if not field.compare:
            continue
        value = getattr(node, field.name)
        nodes = _nodes(value)
        parts += [(field.name, member) for member in nodes]
        if not nodes and value not in ((), None, frozenset()):
            plain.append(f" {field.name}={value!s}")
    place = f"{node.span.line}:{node.span.column}"
    lead = f"{label}: " if label else ""
    yield f"{'  ' * depth}{lead}{type(node).__name__}{''.join(plain)}  @{place}"
    for name, part in parts:
        yield from _lines(part, name, depth + 1)


def _nodes(value: object) -> list[Node]:
    """The nodes that a field holds, one or several."""
    if isinstance(value, Node):
        return [value]
    members = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
    return [member for member in members if isinstance(member, Node)]
