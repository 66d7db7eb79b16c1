"""A node that the array cannot compute -> the diagnostic E0801."""

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.ir.graph import Node


def unsupported(node: Node, reason: str, *helps: str) -> CompileError:
    """The error to raise for a node, with what to write instead."""
    return CompileError(
        [
            Diagnostic(
                code="E0801",
                message=f"`{node.name}` cannot run on the array: {reason}",
                primary=Label(node.span, "here"),
                helps=helps,
            )
        ]
    )
