"""Checked graph with concrete sizes -> the steps that compute it on the array.

A node is fused into the step of its only user where the machine can do both at once: sums of
convolutions, then pooling, then clamps and shifts, then thresholds, then up-sampling.
"""

from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node, Output
from tdsl.ir.ops import CompareKind
from tdsl.ir.parameters import Arrays
from tdsl.lowering.port_levels import input_positions, input_step, levels_step, port_levels
from tdsl.lowering.select_dot import dot_step
from tdsl.lowering.select_kernel import kernel
from tdsl.lowering.select_logic import equality, gate, mux
from tdsl.lowering.select_rise import shuffled, upsampled
from tdsl.lowering.steps import InputPort, Result, Selection, Step, Tensor
from tdsl.lowering.unsupported import unsupported
from tdsl.lowering.walk import Walk, shape, walk_over


def select(graph: Graph, arrays: Arrays) -> Selection:
    """The steps of a graph without free sizes. Raises CompileError for what the machine lacks."""
    walk = walk_over(graph, arrays, _compute)
    results = tuple(_result(walk, output) for output in graph.outputs)
    inputs = tuple(_port(graph.nodes[position]) for position in input_positions(graph))
    return Selection(graph.name, inputs, tuple(walk.steps), results)


def _result(walk: Walk, output: Output) -> Result:
    node = walk.node(output.node)
    element = node.type.element
    argmax = isinstance(node.op, ops.Argmax)
    tensor = walk.tensor(node.inputs[0] if argmax else output.node)
    return Result(output.name, tensor, argmax, element.low, element.high)


def _port(node: Node) -> InputPort:
    element = node.type.element
    return InputPort(node.name, *shape(node), element.low, element.high)


def _compute(walk: Walk, position: int) -> Tensor:
    """The tensor of a node, by one step or more."""
    node = walk.node(position)
    match node.op:
        case ops.Gate() | ops.Not():
            return gate(walk, position)
        case ops.Mux():
            return mux(walk, position)
        case ops.Compare(kind=CompareKind.EQ | CompareKind.NE):
            return equality(walk, position, node.op)
        case ops.Upsample(factor=factor):
            return upsampled(walk, position, factor)
        case ops.PixelShuffle(factor=factor):
            return shuffled(walk, position, factor)
        case ops.Argmax():
            raise unsupported(node, "the index of the largest element can only be a network output")
        case ops.Kernel():
            return kernel(walk, position, node.op)
        case _:
            return walk.add(_step(walk, position))


def _step(walk: Walk, position: int) -> Step:
    """The one step of a node: by the port where it can, else by the array."""
    node = walk.node(position)
    if isinstance(node.op, ops.Input):
        return input_step(walk, position)
    levels = port_levels(walk, node)
    return dot_step(walk, position) if levels is None else levels_step(walk, position, levels)
