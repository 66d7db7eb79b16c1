"""Random inputs and weights of the right shapes: to count before anything is trained."""

from collections.abc import Iterator
from dataclasses import fields
from math import prod

import numpy as np

from tdsl.images.port import Array
from tdsl.ir.graph import Graph
from tdsl.ir.ops import Conv, Input, Linear, Stored
from tdsl.ir.parameters import Integers
from tdsl.ir.size import evaluate
from tdsl.ir.tensor_type import Kind
from tdsl.refusal import refusal

MOST_VALUES = 1 << 27
"""Values of inputs and outputs in one execution, 8 bytes each; more are refused."""


def random_inputs(graph: Graph) -> dict[str, Array]:
    """Uniform values for every input of a graph without free sizes; the same at every call.

    Raises CompileError (E0704) where inputs and outputs are too large to be held in memory.
    """
    _check_room(graph)
    random = np.random.default_rng(0)
    arrays: dict[str, Array] = {}
    for node in graph.nodes:
        if isinstance(node.op, Input):
            shape = [evaluate(extent, {}) for extent in node.type.shape]
            element = node.type.element
            values = random.integers(element.low, element.high, shape, endpoint=True)
            arrays[node.name] = np.where(values < 0, -1, 1) if element.kind is Kind.BIN else values
    return arrays


def random_weights(graph: Graph) -> dict[Stored, Integers]:
    """Ternary weights, a third of them zero, and thresholds of 0 for every stored parameter."""
    random = np.random.default_rng(0)
    arrays: dict[Stored, Integers] = {}
    for stored, is_weight in _stored(graph):
        low, high = (-1, 1) if is_weight else (0, 0)
        arrays[stored] = random.integers(low, high, stored.shape, dtype=np.int64, endpoint=True)
    return arrays


def _check_room(graph: Graph) -> None:
    nodes = [node for node in graph.nodes if isinstance(node.op, Input)]
    nodes += [graph.nodes[output.node] for output in graph.outputs]
    values = sum(prod(evaluate(extent, {}) for extent in node.type.shape) for node in nodes)
    if values > MOST_VALUES:
        raise refusal(
            "E0704",
            f"inputs and outputs of `{graph.name}` are {values:,} values at this size, and at "
            f"most {MOST_VALUES:,} are simulated",
            remedy="choose a smaller size: costs grow with the number of pixels",
        )


def _stored(graph: Graph) -> Iterator[tuple[Stored, bool]]:
    """Every stored parameter, and whether it is a weight."""
    for node in graph.nodes:
        for field in fields(node.op):
            value = getattr(node.op, field.name)
            if isinstance(value, Stored):
                yield value, isinstance(node.op, Conv | Linear)
