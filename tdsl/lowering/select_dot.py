"""A graph node -> the DotStep that computes it, with all that fuses into it."""

import numpy as np

from tdsl.ir import ops
from tdsl.lowering.linear_form import by_identity, difference, linear_form, operand
from tdsl.lowering.peel import Peeled, peel
from tdsl.lowering.steps import DotStep, Pooling, Raw, Tensor, Term
from tdsl.lowering.terms import negated
from tdsl.lowering.thermometer import thermometer_terms
from tdsl.lowering.thresholds import Thresholded, thresholded
from tdsl.lowering.walk import Walk, shape


def dot_step(walk: Walk, position: int) -> DotStep:
    """The step of a node: thresholds, clamps, pooling and sums are peeled off outside in."""
    node = walk.node(position)
    outer = thresholded(walk, position)
    # Clamps, shifts and maxima are not odd functions: no fusion under a minus. A thermometer
    # code repeats the channels of a finished tensor.
    alone = outer.sign < 0 or isinstance(node.op, ops.Thermometer)
    inner = Peeled(outer.source) if alone else peel(walk, position, outer.source)
    terms = _terms(walk, position, outer, inner)
    out = walk.new(position)
    return DotStep(
        name=node.name,
        out=out,
        terms=negated(terms) if outer.sign < 0 else terms,
        threshold=outer.threshold,
        ops=inner.ops,
        pooling=_pooling(inner, out),
        pool=inner.pool,
        pool_stride=inner.pool_stride,
        whole=inner.whole,
        span=node.span,
        macs=_macs(walk, position),
    )


def copy_step(walk: Walk, position: int) -> DotStep:
    """A step that copies a node's value into a new tensor."""
    node = walk.node(position)
    return DotStep(
        node.name, walk.new(position), by_identity(walk, position), Raw(), span=node.span
    )


def _terms(walk: Walk, position: int, outer: Thresholded, inner: Peeled) -> tuple[Term, ...]:
    op = walk.node(position).op
    if isinstance(op, ops.Thermometer):
        return thermometer_terms(walk, op, walk.node(position).inputs[0])
    if isinstance(op, ops.Compare) and op.constant is None:
        return difference(walk, position)
    if outer.sign < 0:
        return operand(walk, outer.source)
    return linear_form(walk, inner.source, walk.fusible(position, inner.source))


def _pooling(peeled: Peeled, out: Tensor) -> Pooling:
    """Stored trits can be maximised in place only in one plane and in windows side by side."""
    side_by_side = peeled.pool == peeled.pool_stride
    if peeled.pooling is Pooling.STORE_MAX and (out.planes > 1 or not side_by_side):
        return Pooling.SUM_MAX
    return peeled.pooling


def _macs(walk: Walk, position: int) -> int:
    """MACs of the convolutions and matrices fused into the step of a node, padding counted."""
    total, pending = 0, [position]
    while pending:
        node = walk.node(pending.pop())
        _, height, width = shape(node)
        match node.op:
            case ops.Conv(weight=weight):
                total += int(np.prod(weight.shape)) * height * width
            case ops.Linear(weight=weight):
                total += int(np.prod(weight.shape))
            case _:
                pending += [i for i in node.inputs if i not in walk.tensors and walk.private(i)]
    return total
