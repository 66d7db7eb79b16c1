"""A graph node -> the thresholds that its step ends with, and the node they are applied to."""

from dataclasses import dataclass

import numpy as np

from tdsl.ir import ops
from tdsl.ir.graph import Node
from tdsl.ir.ops import CompareKind
from tdsl.lowering.averages import average_area, division_by_thresholds, is_power_of_two
from tdsl.lowering.steps import Array, Count, Raw, Tern, Threshold
from tdsl.lowering.thermometer import thermometer_threshold
from tdsl.lowering.walk import Walk, shape

_FLIP = {CompareKind.LT: CompareKind.GT, CompareKind.LE: CompareKind.GE}


@dataclass(frozen=True, slots=True, eq=False)
class Thresholded:
    """`threshold` of `sign` times the value of the node at `source`."""

    threshold: Threshold
    source: int
    sign: int = 1


def thresholded(walk: Walk, position: int) -> Thresholded:
    """The thresholds of a node: of its input, or of the node itself where it has none."""
    node = walk.node(position)
    match node.op:
        case ops.Ternarize(lo=lo, hi=hi):
            tern = Tern(_per_channel(walk, lo, node), _per_channel(walk, hi, node))
            return Thresholded(tern, node.inputs[0])
        case ops.Binarize(t=t):
            at = _per_channel(walk, t, node)
            return Thresholded(Tern(at + 1, at), node.inputs[0])
        case ops.Step(t=t):
            return Thresholded(Count(_per_channel(walk, t, node)[:, None], 0), node.inputs[0])
        case ops.Quantize(element=element, th=th):
            values = walk.resolve(th)
            full = np.broadcast_to(values, (shape(node)[0], values.shape[-1]))
            return Thresholded(Count(full, element.low), node.inputs[0])
        case ops.Thermometer():
            return Thresholded(thermometer_threshold(node.op, walk.source(node)), node.inputs[0])
        case ops.Compare():
            return _comparison(node, node.op, position)
        case _:
            area = average_area(walk, node)
            exact = is_power_of_two(area)
            return Thresholded(Raw() if exact else division_by_thresholds(node, area), position)


def _per_channel(walk: Walk, parameter: ops.Parameter, node: Node) -> Array:
    return np.broadcast_to(walk.resolve(parameter), (shape(node)[0],))


def _comparison(node: Node, op: ops.Compare, position: int) -> Thresholded:
    """x > c counts one threshold; x < c is -x > -c; operands compare their difference to 0."""
    sign = -1 if op.kind in _FLIP else 1
    at_least = _FLIP.get(op.kind, op.kind) is CompareKind.GE
    bound = sign * (op.constant or 0) - (1 if at_least else 0)
    threshold = Count(np.full((shape(node)[0], 1), bound, dtype=np.int64), 0)
    return Thresholded(threshold, position if op.constant is None else node.inputs[0], sign)
