"""Row program and images -> images and totals, in plain NumPy: the meaning of row programs."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from tdsl.rows.ir import (
    Arithmetic,
    Binary,
    Border,
    Compare,
    Constant,
    Read,
    Reduction,
    Relation,
    RowInput,
    RowProgram,
    RowValue,
    Scale,
    Select,
    Shift,
    Sole,
    Unary,
    UserOp,
    operands,
)
from tdsl.rows.ranges import BIT

Integers = NDArray[np.int64]
Place = tuple[int, int, int]
"""A value, and the lines below and pixels to the right at which it is worked out."""

_ARITHMETIC = {
    Arithmetic.ADD: np.add,
    Arithmetic.SUB: np.subtract,
    Arithmetic.MUL: np.multiply,
    Arithmetic.MIN: np.minimum,
    Arithmetic.MAX: np.maximum,
    Arithmetic.AND: np.bitwise_and,
    Arithmetic.OR: np.bitwise_or,
    Arithmetic.XOR: np.bitwise_xor,
}


def evaluate(program: RowProgram, images: Mapping[str, NDArray[Any]]) -> dict[str, Integers]:
    """The outputs `[C, h, w]` and totals `[n, 1, 1]` of `program`, by name.

    `images` are integers `[C, H, W]` by name, one for each input, of one height and width.
    """
    given = [images[one.name].astype(np.int64) for one in program.inputs]
    plane = given[0].shape[1:]
    values = _values(program, given, plane)
    rows, columns = program.stride
    found: dict[str, Integers] = {}
    for output in program.outputs:
        found[output.name] = np.stack([values[v, 0, 0] for v in output.values])[
            :, ::rows, ::columns
        ]
    for total in program.totals:
        numbers = [_reduced(total.reduction, values[v, 0, 0]) for v in total.values]
        found[total.name] = np.array(numbers, dtype=np.int64).reshape(-1, 1, 1)
    return found


def _values(
    program: RowProgram, given: Sequence[Integers], plane: Sequence[int]
) -> dict[Place, Integers]:
    """Every value that the results need, at every neighbour where they need it."""
    places = _places(program)
    values: dict[Place, Integers] = {}
    for position, value in enumerate(program.values):
        for dy, dx in places[position]:
            op = value.op
            if isinstance(op, Read):
                image = given[op.input][op.channel]
                found = _neighbour(program.inputs[op.input], image, dy, dx)
            elif isinstance(op, Shift):
                found = values[op.a, dy + op.dy, dx + op.dx]
            else:
                found = _computed(op, [values[a, dy, dx] for a in operands(op)], program.values)
            held = value.range.low <= found.min() and found.max() <= value.range.high
            assert held, f"value {position} leaves {value.range}"
            values[position, dy, dx] = np.broadcast_to(found, tuple(plane))
    return values


def _places(program: RowProgram) -> list[set[tuple[int, int]]]:
    """For every value, the neighbours at which it is needed."""
    places: list[set[tuple[int, int]]] = [set() for _ in program.values]
    for result in program.results:
        for position in result.values:
            places[position].add((0, 0))
    for position in reversed(range(len(program.values))):
        op = program.values[position].op
        dy, dx = (op.dy, op.dx) if isinstance(op, Shift) else (0, 0)
        for a in operands(op):
            places[a] |= {(y + dy, x + dx) for y, x in places[position]}
    return places


def _neighbour(given: RowInput, image: Integers, dy: int, dx: int) -> Integers:
    """The pixel `dy` lines below and `dx` to the right of every pixel."""
    height, width = image.shape
    more = (abs(dy), abs(dy)), (abs(dx), abs(dx))
    if given.border is Border.EDGE:
        padded = np.pad(image, more, mode="edge")
    else:
        padded = np.pad(image, more, constant_values=given.pad)
    top, left = abs(dy) + dy, abs(dx) + dx
    return padded[top : top + height, left : left + width]


Computed = Constant | Binary | Unary | Scale | Compare | Select | UserOp


def _computed(op: Computed, x: Sequence[Integers], values: Sequence[RowValue]) -> Integers:
    """The value of an operation from those of its operands `x`, all in the same place."""
    match op:
        case Constant(value=value):
            return np.array(value, dtype=np.int64)
        case Binary(op=arithmetic):
            return np.asarray(_ARITHMETIC[arithmetic](x[0], x[1]))
        case Unary(op=sole, a=a):
            return _unary(sole, x[0], BIT.holds(values[a].range))
        case Scale(amount=amount):
            return x[0] << amount if amount >= 0 else x[0] >> -amount
        case Compare(relation=relation, inverted=inverted):
            holds = np.less(*x) if relation is Relation.LESS else np.equal(*x)
            return np.asarray(holds != inverted, dtype=np.int64)
        case Select():
            return np.asarray(np.where(x[0] == 1, x[1], x[2]), dtype=np.int64)
        case UserOp():
            return x[0]
    assert_never(op)


def _unary(op: Sole, a: Integers, bit: bool) -> Integers:
    match op:
        case Sole.NEG:
            return np.negative(a)
        case Sole.ABS:
            return np.asarray(np.abs(a))
        case Sole.NOT:
            return 1 - a if bit else -1 - a
        case Sole.POPCOUNT:
            return np.bitwise_count(a).astype(np.int64)
    assert_never(op)


def _reduced(reduction: Reduction, value: Integers) -> int:
    match reduction:
        case Reduction.SUM:
            return int(value.sum())
        case Reduction.ANY:
            return int(bool(value.any()))
    assert_never(reduction)
