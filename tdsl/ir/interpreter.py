"""Graph and input arrays -> numbers, in plain NumPy: the meaning of the graph."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from tdsl.ir import meaning_kernels as kernels
from tdsl.ir import meaning_pointwise as pointwise
from tdsl.ir import meaning_rearrangements as rearrangements
from tdsl.ir import meaning_thresholds as thresholds
from tdsl.ir import meaning_windows as windows
from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node
from tdsl.ir.parameters import Arrays, Integers, resolve
from tdsl.ir.tensor_type import TensorType
from tdsl.ir.values import check_inputs, first_outside


def run(graph: Graph, arrays: Arrays, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Integers]:
    """The outputs of `graph` by name, in order. Raises InputError if `inputs` do not fit it."""
    values = interpret(graph, arrays, inputs)
    return {output.name: values[output.node] for output in graph.outputs}


def interpret(
    graph: Graph, arrays: Arrays, inputs: Mapping[str, NDArray[Any]]
) -> dict[int, Integers]:
    """The value of every node of `graph` (one without symbols), by position.

    Raises InputError if `inputs` (by name, channels first, integers) do not fit the graph.
    """
    assert not graph.symbols, f"network `{graph.name}` has free sizes: {graph.symbols}"
    given = check_inputs(graph, inputs)
    values: dict[int, Integers] = {}
    for position, node in enumerate(graph.nodes):
        if isinstance(node.op, ops.Input):
            values[position] = given[node.name]
            continue
        operands = [values[i] for i in node.inputs]
        types = [graph.nodes[i].type for i in node.inputs]
        values[position] = evaluate(node.op, operands, types, arrays)
        _check_value(node, values[position])
    return values


def evaluate(
    op: ops.Op, operands: Sequence[Integers], types: Sequence[TensorType], arrays: Arrays
) -> Integers:
    """The value of one operation; `types` are those of its operands."""
    match op:
        case ops.Input():
            raise AssertionError("the value of an input is given, not computed")
        case ops.Conv():
            return windows.conv(op, operands[0], resolve(op.weight, arrays))
        case ops.Linear():
            return windows.linear(operands[0], resolve(op.weight, arrays))
        case ops.Pool():
            return windows.pool(op, operands[0])
        case ops.GlobalPool():
            return windows.global_pool(op, operands[0])
        case ops.Sum():
            return np.array([operands[0].sum()])
        case ops.Ternarize():
            return thresholds.ternarize(operands[0], resolve(op.lo, arrays), resolve(op.hi, arrays))
        case ops.Binarize():
            return thresholds.binarize(operands[0], resolve(op.t, arrays))
        case ops.Step():
            return thresholds.step(operands[0], resolve(op.t, arrays))
        case ops.Quantize():
            return thresholds.quantize(op, operands[0], resolve(op.th, arrays))
        case ops.Thermometer():
            return thresholds.thermometer(op, operands[0], types[0].element)
        case ops.Upsample():
            return rearrangements.upsample(op, operands[0])
        case ops.PixelShuffle():
            return rearrangements.pixel_shuffle(op, operands[0])
        case ops.Concat():
            return np.concatenate(operands)
        case ops.Slice():
            return operands[0][op.start : op.stop]
        case ops.ChannelShuffle():
            return rearrangements.channel_shuffle(op, operands[0])
        case ops.Add():
            return operands[0] + operands[1]
        case ops.Sub():
            return operands[0] - operands[1]
        case ops.Gate():
            return pointwise.gate(op.kind, types[0].element, operands[0], operands[1])
        case ops.Not():
            return pointwise.invert(types[0].element, operands[0])
        case ops.Mux():
            return pointwise.mux(operands[0], operands[1], operands[2])
        case ops.Shift():
            return pointwise.shift(op.amount, operands[0])
        case ops.Compare():
            other = operands[1] if op.constant is None else op.constant
            return pointwise.compare(op.kind, operands[0], other)
        case ops.Clip():
            return operands[0].clip(op.element.low, op.element.high)
        case ops.Flatten():
            return operands[0].reshape(-1)
        case ops.Argmax():
            return np.array([operands[0].argmax()])
        case ops.Kernel():
            return kernels.kernel(op, operands)
        case _:
            assert_never(op)


def _check_value(node: Node, value: Integers) -> None:
    assert value.shape == node.type.shape, f"`{node.name}`: {value.shape} is not {node.type}"
    at = first_outside(value, node.type.element)
    assert at is None, f"`{node.name}`: {value[at]} at {list(at)} is outside {node.type}"
