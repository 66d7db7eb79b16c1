"""A graph and a batch -> its outputs, with weights and activations from the caller."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from tdsl.diagnostics import CompileError
from tdsl.ir import ops
from tdsl.ir.graph import Graph
from tdsl.ir.ops import Parameter, PoolKind
from tdsl.ir.size import evaluate
from tdsl.refusal import refusal
from tdsl.train.operations import apply, conv
from tdsl.train.straight_through import Activation

SINGLE = 23
"""Bits of integers that float32 computes with exactly, one left for the difference of two."""


def run(
    graph: Graph,
    images: Sequence[Tensor],
    weight: Callable[[Parameter], Tensor],
    activate: Callable[[int, Activation, Tensor], Tensor],
    planes: torch.dtype,
) -> dict[str, Tensor]:
    """The outputs by name; `activate` is given the node's position. New planes are `planes`."""
    given = iter(images)
    values: list[Tensor] = []
    for position, node in enumerate(graph.nodes):
        operands = [values[i] for i in node.inputs]
        match node.op:
            case ops.Input():
                value = next(given)
            case ops.Conv():
                w = weight(node.op.weight).to(operands[0])
                value = conv(node.op, operands[0], w)
            case ops.Linear():
                value = F.linear(operands[0], weight(node.op.weight).to(operands[0]))
            case ops.Ternarize() | ops.Binarize() | ops.Step() | ops.Quantize():
                value = activate(position, node.op, operands[0])
            case ops.Kernel(program=program):
                raise _without_gradient(program.name)
            case _:
                element = graph.nodes[node.inputs[0]].type.element
                value = apply(node.op, operands, element, planes)
        values.append(value)
    return {output.name: values[output.node] for output in graph.outputs}


def _without_gradient(name: str) -> CompileError:
    return refusal(
        "E0803",
        f"kernel `{name}` has no trainable twin",
        note="a kernel is written for the array: its integers have no gradient",
        remedy="train the network on what the kernel gives",
    )


def exact_dtype(graph: Graph) -> torch.dtype:
    """The smaller float type that holds every integer of the network exactly."""
    widest = max(_bits(graph, position) for position in range(len(graph.nodes)))
    return torch.float32 if widest <= SINGLE else torch.float64


def _bits(graph: Graph, position: int) -> int:
    """The bits of a node's values, or of the sum that it averages."""
    node = graph.nodes[position]
    match node.op:
        case ops.Pool(kind=PoolKind.AVG, kernel=(height, width)):
            return graph.nodes[node.inputs[0]].type.element.bits + (height * width).bit_length()
        case ops.GlobalPool(kind=PoolKind.AVG):
            x = graph.nodes[node.inputs[0]].type
            if graph.symbols:
                return SINGLE + 1
            pixels = 1
            for extent in x.shape[1:]:
                pixels *= evaluate(extent, {})
            return x.element.bits + pixels.bit_length()
        case _:
            return node.type.element.bits
