"""Gates, multiplexers and equality -> LogicSteps, with the DotSteps that prepare their operands."""

from dataclasses import replace

import numpy as np

from tdsl.ir import ops
from tdsl.ir.ops import CompareKind
from tdsl.ir.tensor_type import Kind
from tdsl.lowering import logic
from tdsl.lowering.linear_form import difference, operand
from tdsl.lowering.select_dot import copy_step
from tdsl.lowering.steps import DotStep, LogicStep, Tensor, Tern
from tdsl.lowering.walk import Walk, shape


def gate(walk: Walk, position: int) -> Tensor:
    """A gate of one or two operands."""
    node = walk.node(position)
    operands = [walk.tensor(i) for i in node.inputs]
    boolean = node.type.element.kind is Kind.UNSIGNED
    table = logic.gate_table(node.op, boolean)
    return _logic(walk, walk.new(position), operands[0], operands[-1], table, position)


def mux(walk: Walk, position: int) -> Tensor:
    """s ? a : b as (s ? a : 0) | (s ? 0 : b), plane by plane."""
    node = walk.node(position)
    selector = walk.tensor(node.inputs[0])
    out = walk.new(position)
    a, b = (_as_wide(walk, i, out) for i in node.inputs[1:])
    first = walk.new(position, f"{node.name}.a")
    taken = _logic(walk, first, selector, a, logic.WHERE, position)
    second = walk.new(position, f"{node.name}.b")
    other = _logic(walk, second, selector, b, logic.UNLESS, position)
    return _logic(walk, out, taken, other, logic.JOIN, position)


def equality(walk: Walk, position: int, op: ops.Compare) -> Tensor:
    """x == c: the sign of x - c, then its absolute value, inverted for `==`."""
    node = walk.node(position)
    constant = np.full(shape(node)[0], op.constant or 0, dtype=np.int64)
    two = op.constant is None
    terms = difference(walk, position) if two else operand(walk, node.inputs[0])
    sign = replace(walk.new(position, f"{node.name}.sign"), low=-1, high=1)
    walk.add(DotStep(node.name, sign, terms, Tern(constant, constant), span=node.span))
    table = logic.IS_ZERO if op.kind is CompareKind.EQ else logic.NOT_ZERO
    return _logic(walk, walk.new(position), sign, sign, table, position)


def _logic(
    walk: Walk, out: Tensor, a: Tensor, b: Tensor, table: logic.Table, position: int
) -> Tensor:
    node = walk.node(position)
    planes = range(out.planes)
    a_planes = tuple(0 if a.planes == 1 else j for j in planes)
    b_planes = tuple(0 if b.planes == 1 else j for j in planes)
    return walk.add(LogicStep(node.name, out, a, b, table, a_planes, b_planes, node.span))


def _as_wide(walk: Walk, position: int, like: Tensor) -> Tensor:
    """A node's tensor with as many planes as `like`."""
    tensor = walk.tensor(position)
    if tensor.planes == like.planes:
        return tensor
    wide = replace(tensor, index=next(walk.numbers), low=like.low, high=like.high)
    return walk.add(replace(copy_step(walk, position), out=wide))
