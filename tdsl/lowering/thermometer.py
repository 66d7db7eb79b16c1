"""Thermometer codes: the thresholds of their levels, and the terms that repeat each channel."""

import numpy as np

from tdsl.ir.graph import Node
from tdsl.ir.ops import Thermometer
from tdsl.ir.tensor_type import Kind
from tdsl.lowering.linear_form import channels
from tdsl.lowering.steps import Array, Term, Tern
from tdsl.lowering.terms import Window, identity, terms_over
from tdsl.lowering.walk import Walk, shape


def thermometer_levels(op: Thermometer, source: Node) -> Array:
    """The (lo, hi) of each level `[levels, 2]` for the values of `source`, 0 to its highest."""
    n = source.type.element.high + 1
    k, j = op.levels, np.arange(op.levels)
    if op.kind is Kind.BIN:
        first = -(-(n * (j + 1)) // (k + 1))
        return np.stack([first, first - 1], axis=-1)
    hi = -(-(n * (k + 1 + j)) // (2 * k + 1)) - 1
    lo = -(-(n * (k - j)) // (2 * k + 1))
    return np.stack([lo, hi], axis=-1)


def thermometer_threshold(op: Thermometer, source: Node) -> Tern:
    """The thresholds of the code of a computed value, all levels of a channel together."""
    table = np.tile(thermometer_levels(op, source), (shape(source)[0], 1))
    return Tern(table[:, 0], table[:, 1])


def thermometer_terms(walk: Walk, op: Thermometer, source: int) -> tuple[Term, ...]:
    """The value to be coded: each channel as often as there are levels."""
    inner = channels(walk, source)
    return terms_over(inner, np.repeat(identity(len(inner)), op.levels, axis=0), Window())
