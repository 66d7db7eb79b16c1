"""The meaning of operations that act on each position alone."""

from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from tdsl.ir.ops import CompareKind, GateKind
from tdsl.ir.parameters import Integers
from tdsl.ir.tensor_type import U1, Element


def gate(kind: GateKind, element: Element, a: Integers, b: Integers) -> Integers:
    """A gate on two tensors of `element`: trit, bin or u1."""
    match kind:
        case GateKind.AND:
            return np.minimum(a, b)
        case GateKind.OR:
            return np.maximum(a, b)
        case GateKind.XOR:
            return a ^ b if element == U1 else -(a * b)
        case _:
            assert_never(kind)


def invert(element: Element, x: Integers) -> Integers:
    """Negation of trits and bin; 1 - x on u1."""
    return 1 - x if element == U1 else -x


def mux(selector: Integers, a: Integers, b: Integers) -> Integers:
    """`a` where `selector` is 1, else `b`; a selector [C] chooses for whole channels."""
    return np.where(selector.reshape(*selector.shape, *(1,) * (a.ndim - selector.ndim)), a, b)


def shift(amount: int, x: Integers) -> Integers:
    """x << amount if amount >= 0, else x >> -amount, rounding down."""
    return x << amount if amount >= 0 else x >> -amount


def compare(kind: CompareKind, a: Integers, b: Integers | int) -> Integers:
    """1 where the comparison holds, else 0."""
    holds: NDArray[np.bool_]
    match kind:
        case CompareKind.EQ:
            holds = a == b
        case CompareKind.NE:
            holds = a != b
        case CompareKind.LT:
            holds = a < b
        case CompareKind.LE:
            holds = a <= b
        case CompareKind.GT:
            holds = a > b
        case CompareKind.GE:
            holds = a >= b
        case _:
            assert_never(kind)
    return holds.astype(np.int64)
