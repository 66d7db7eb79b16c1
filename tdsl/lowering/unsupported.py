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


def kernel_beside_layers(node: Node, name: str) -> CompileError:
    """The error to raise for a kernel that would have to run beside layers."""
    return CompileError(
        [
            Diagnostic(
                code="E0803",
                message=f"kernel `{name}` cannot run inside a network on this machine",
                primary=Label(node.span, "here"),
                notes=("layers keep channels side by side, kernels keep pixels side by side",),
                helps=("run the kernel by itself, and give its result to the network as an input",),
            )
        ]
    )
