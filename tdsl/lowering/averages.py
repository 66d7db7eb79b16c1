"""Averages: what a node divides by, and the division as thresholds or as a shift."""

import numpy as np

from tdsl.ir import ops
from tdsl.ir.graph import Node
from tdsl.ir.ops import PoolKind
from tdsl.lowering.steps import Count, ShiftRight
from tdsl.lowering.walk import Walk, shape


def average_area(walk: Walk, node: Node) -> int:
    """The number of values that an averaging node divides by; 1 for other nodes."""
    match node.op:
        case ops.Pool(kind=PoolKind.AVG, kernel=kernel):
            return kernel[0] * kernel[1]
        case ops.GlobalPool(kind=PoolKind.AVG):
            _, height, width = shape(walk.source(node))
            return height * width
        case _:
            return 1


def is_power_of_two(area: int) -> bool:
    """True where the division by `area` is a shift."""
    return not area & (area - 1)


def division_by_thresholds(node: Node, area: int) -> Count:
    """floor((x + area // 2) / area): v is reached above v * area - area // 2 - 1."""
    element = node.type.element
    bounds = np.arange(element.low + 1, element.high + 1) * area - area // 2 - 1
    return Count(np.broadcast_to(bounds, (shape(node)[0], len(bounds))), element.low)


def division_by_shift(area: int) -> ShiftRight:
    """The same division where `area` is a power of two."""
    return ShiftRight(area.bit_length() - 1, area // 2)
