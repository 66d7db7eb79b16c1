"""A graph node -> its linear form: terms over the channels of tensors in memory.

Concatenation, slices and channel shuffles vanish here: they only move columns of weights.
"""

import numpy as np

from tdsl.ir import ops
from tdsl.ir.ops import PoolKind
from tdsl.lowering.steps import Array, Term
from tdsl.lowering.terms import (
    Channel,
    Window,
    conv_window,
    dense,
    doubled,
    identity,
    negated,
    pooled,
    terms_over,
)
from tdsl.lowering.unsupported import unsupported
from tdsl.lowering.walk import Walk, shape

LARGEST_STRIDE = 255
"""Pixels from one result to the next that the field `dx` of a DOT can hold."""

_LINEAR = (ops.Conv, ops.Linear, ops.Add, ops.Sub, ops.Shift, ops.Pool)


def channels(walk: Walk, position: int) -> tuple[Channel, ...]:
    """Where each channel of a node lies in memory."""
    node = walk.node(position)
    if position in walk.tensors:
        return tuple((walk.tensors[position], c) for c in range(shape(node)[0]))
    match node.op:
        case ops.Concat():
            return tuple(c for i in node.inputs for c in channels(walk, i))
        case ops.Slice(start=start, stop=stop):
            return channels(walk, node.inputs[0])[start:stop]
        case ops.ChannelShuffle(groups=groups):
            inner = channels(walk, node.inputs[0])
            return tuple(inner[i] for i in np.arange(len(inner)).reshape(groups, -1).T.ravel())
        case ops.Flatten() if shape(walk.source(node))[1:] == (1, 1):
            return channels(walk, node.inputs[0])
        case _:
            tensor = walk.tensor(position)
            return tuple((tensor, c) for c in range(tensor.channels))


def linear_form(walk: Walk, position: int, inline: bool) -> tuple[Term, ...]:
    """The value of a node as terms: by its own operation if `inline`, else by identity."""
    terms = _by_operation(walk, position) if inline else None
    return by_identity(walk, position) if terms is None else terms


def by_identity(walk: Walk, position: int) -> tuple[Term, ...]:
    """The value of a node read as it lies in memory."""
    inner = channels(walk, position)
    return terms_over(inner, identity(len(inner)), Window())


def _by_operation(walk: Walk, position: int) -> tuple[Term, ...] | None:
    """The terms of a node's operation over its operands; None where it is not linear."""
    node = walk.node(position)
    match node.op:
        case ops.Conv(stride=stride) if max(stride) > LARGEST_STRIDE:
            reason = f"its stride is {max(stride)}, the address generators reach {LARGEST_STRIDE}"
            raise unsupported(node, reason, f"use strides up to {LARGEST_STRIDE}")
        case ops.Conv(weight=weight, groups=groups):
            weights = dense(walk.resolve(weight), groups)
            return terms_over(channels(walk, node.inputs[0]), weights, conv_window(node.op))
        case ops.Linear(weight=weight):
            return _matrix(walk, node.inputs[0], walk.resolve(weight))
        case ops.Add():
            return operand(walk, node.inputs[0]) + operand(walk, node.inputs[1])
        case ops.Sub():
            return difference(walk, position)
        case ops.Shift(amount=amount) if amount >= 0:
            return doubled(operand(walk, node.inputs[0]), amount)
        case ops.Pool(kind=PoolKind.SUM | PoolKind.AVG, kernel=kernel, stride=stride):
            return pooled(operand(walk, node.inputs[0]), kernel, stride)
        case ops.GlobalPool():
            return by_identity(walk, node.inputs[0])
        case ops.Sum():
            inner = channels(walk, node.inputs[0])
            return terms_over(inner, np.ones((1, len(inner), 1, 1), np.int64), Window())
        case ops.Flatten():
            return _matrix(walk, position, np.eye(shape(node)[0], dtype=np.int64))
        case _:
            return None


def difference(walk: Walk, position: int) -> tuple[Term, ...]:
    """The first operand of a node less the second."""
    first, second = walk.node(position).inputs
    return operand(walk, first) + negated(operand(walk, second))


def operand(walk: Walk, position: int) -> tuple[Term, ...]:
    """The value of a node inside a larger sum: by its operation where that alone is its value."""
    op = walk.node(position).op
    fits = isinstance(op, _LINEAR) and not (
        (isinstance(op, ops.Shift) and op.amount < 0)
        or (isinstance(op, ops.Pool) and op.kind is not PoolKind.SUM)
    )
    return linear_form(walk, position, fits and walk.private(position))


def _matrix(walk: Walk, position: int, matrix: Array) -> tuple[Term, ...]:
    """A matrix on a vector; a flattened image is read in place, as a window of its size."""
    node = walk.node(position)
    if isinstance(node.op, ops.Flatten) and position not in walk.tensors:
        weights = matrix.reshape(len(matrix), *shape(walk.source(node)))
        return terms_over(channels(walk, node.inputs[0]), weights, Window())
    return terms_over(channels(walk, position), matrix[:, :, None, None], Window())
