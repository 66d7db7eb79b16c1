"""A node that the array cannot compute -> the diagnostic E0801; for a kernel E0803."""

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


def kernel_beside_layers(node: Node, argument: str, reason: str) -> CompileError:
    """The error to raise for a kernel whose argument line buffers cannot serve."""
    return CompileError(
        [
            Diagnostic(
                code="E0803",
                message=f"`{node.name}` cannot run inside a network: `{argument}` {reason}",
                primary=Label(node.span, "here"),
                notes=("between layers, pixels outside an image are 0, -1 or +1",),
                helps=(
                    "let the argument read 0 outside the image",
                    "or run the kernel by itself, and give its result to the network as an input",
                ),
            )
        ]
    )
