"""Turns average pools that only thresholds read into sum pools with exactly scaled thresholds.

With a window of A values, avg = floor((sum + A // 2) / A), so
    avg > t   is   sum + A // 2 >= A (t + 1)   is   sum > A (t + 1) - A // 2 - 1
    avg < t   is   sum + A // 2 <  A t         is   sum < A t - A // 2
and the machine needs no division.
"""

from dataclasses import replace
from math import prod
from typing import Literal

import numpy as np

from tdsl.ir.graph import Graph, Node
from tdsl.ir.infer import infer
from tdsl.ir.op_error import OpError
from tdsl.ir.ops import (
    Automaton,
    Binarize,
    Constant,
    GlobalPool,
    Op,
    Parameter,
    Pool,
    PoolKind,
    Quantize,
    Step,
    Stored,
    Ternarize,
)
from tdsl.ir.parameters import Integers
from tdsl.ir.size import evaluate
from tdsl.passes.pipeline import Model

Threshold = Ternarize | Binarize | Step | Quantize
Side = Literal["above", "below"]

# Beyond every tensor's range (32 bits), so a threshold cut to it decides the same; and small
# enough that no scaled threshold overflows 64 bits.
_LIMIT = 1 << 33


def fold_pools(model: Model) -> Model:
    """Fold every average pool whose value goes to thresholds alone; `model` has no symbols."""
    graph = model.graph
    sums = {
        position: found for position in range(len(graph.nodes)) if (found := _sum(graph, position))
    }
    if not sums:
        return model
    stored: dict[Stored, Integers] = dict(model.arrays)
    nodes: list[Node] = []
    for position, node in enumerate(graph.nodes):
        if position in sums:
            node = sums[position]
        elif node.inputs and node.inputs[0] in sums:
            area = _area(graph, node.inputs[0])
            node = replace(node, op=_scaled(node.op, area, stored))
        nodes.append(node)
    return Model(replace(graph, nodes=tuple(nodes)), stored)


def _sum(graph: Graph, position: int) -> Node | None:
    """The sum pool that can stand for the node at `position`, if there is one."""
    node = graph.nodes[position]
    match node.op:
        case Pool(kind=PoolKind.AVG) | GlobalPool(kind=PoolKind.AVG) as pool:
            readers = [reader.op for reader in graph.nodes if position in reader.inputs]
            named = any(output.node == position for output in graph.outputs)
            if named or not readers or not all(isinstance(op, Threshold) for op in readers):
                return None
            op = replace(pool, kind=PoolKind.SUM)
            try:
                type_ = infer(op, (graph.nodes[node.inputs[0]].type,))
            except OpError:  # The sum does not fit 32 bits: the average stays.
                return None
            return replace(node, op=op, type=type_)
        case _:
            return None


def _area(graph: Graph, position: int) -> int:
    node = graph.nodes[position]
    match node.op:
        case Pool(kernel=kernel):
            return prod(kernel)
        case _:
            return prod(evaluate(size, {}) for size in graph.nodes[node.inputs[0]].type.shape[1:])


def _scaled(op: Op, area: int, stored: dict[Stored, Integers]) -> Op:
    match op:
        case Ternarize(lo=lo, hi=hi):
            below, above = _scale(lo, "below", area, stored), _scale(hi, "above", area, stored)
            return Ternarize(below, above)
        case Binarize(t=t) | Step(t=t):
            return replace(op, t=_scale(t, "above", area, stored))
        case Quantize(th=th):
            return replace(op, th=_scale(th, "above", area, stored))
        case _:
            raise AssertionError(f"{op} is no threshold")


def _scale(
    parameter: Parameter, side: Side, area: int, stored: dict[Stored, Integers]
) -> Parameter:
    match parameter:
        case Constant(values=values):
            return replace(parameter, values=tuple(_scale_one(v, side, area) for v in values))
        case Stored(key=key):
            scaled = replace(parameter, key=f"{key} {side} {area} summed")
            flat = [_scale_one(int(v), side, area) for v in stored[parameter].flat]
            stored[scaled] = np.array(flat, np.int64).reshape(stored[parameter].shape)
            return scaled
        case Automaton():
            raise AssertionError("thresholds are never generated")


def _scale_one(threshold: int, side: Side, area: int) -> int:
    near = max(-_LIMIT, min(_LIMIT, threshold))
    return area * (near + 1) - area // 2 - 1 if side == "above" else area * near - area // 2
