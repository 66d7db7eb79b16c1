"""Graph with free sizes + a value for each -> graph without any, every type inferred anew."""

from collections.abc import Mapping
from dataclasses import replace

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.ir.condition import condition_text, holds
from tdsl.ir.graph import Graph, Node
from tdsl.ir.infer import infer
from tdsl.ir.op_error import OpError
from tdsl.ir.ops import Input
from tdsl.ir.size import evaluate
from tdsl.ir.tensor_type import TensorType


def specialize(graph: Graph, sizes: Mapping[str, int]) -> Graph:
    """Return `graph` with `sizes` in place of its symbols; the same object if it has none.

    Raises CompileError where a size is missing, below 1, or against the network's conditions, and
    where an operation does not fit the sizes (a window larger than the image).
    """
    if not graph.symbols:
        return graph
    values = _checked_sizes(graph, sizes)
    nodes: list[Node] = []
    for node in graph.nodes:
        inputs = tuple(nodes[i].type for i in node.inputs)
        nodes.append(replace(node, type=_type(node, inputs, values)))
    return Graph(graph.name, (), tuple(nodes), graph.outputs)


def _checked_sizes(graph: Graph, sizes: Mapping[str, int]) -> dict[str, int]:
    start = graph.nodes[0]
    missing = [name for name in graph.symbols if name not in sizes]
    if missing:
        raise _refused(start, f"`{graph.name}` needs a value for `{', '.join(missing)}`")
    values = {name: sizes[name] for name in graph.symbols}
    for name, value in values.items():
        if value < 1:
            raise _refused(start, f"`{name} = {value}` is not a size: it has to be 1 or more")
    told = ", ".join(f"{name} = {value}" for name, value in values.items())
    for condition in graph.where:
        if not holds(condition, values):
            text = condition_text(condition)
            raise _refused(start, f"`{graph.name}` does not accept {told}: `{text}` is needed")
    return values


def _type(node: Node, inputs: tuple[TensorType, ...], values: Mapping[str, int]) -> TensorType:
    if isinstance(node.op, Input):
        shape = tuple(evaluate(size, values) for size in node.type.shape)
        if min(shape) < 1:
            raise _refused(
                node, f"input `{node.name}` would be {TensorType(node.type.element, shape)}"
            )
        return TensorType(node.type.element, shape)
    try:
        return infer(node.op, inputs)
    except OpError as error:
        told = ", ".join(f"{name} = {value}" for name, value in values.items())
        raise CompileError(
            [
                Diagnostic(
                    code=error.code,
                    message=error.message,
                    primary=Label(node.span, error.label),
                    notes=(*error.notes, f"for {told}", *(n.text for n in error.operands)),
                    helps=error.helps or ("choose another size, or change this operation",),
                )
            ]
        ) from error


def _refused(node: Node, message: str) -> CompileError:
    return CompileError([Diagnostic(code="E0312", message=message, primary=Label(node.span))])
