"""Row program -> row program of the same formulas: without dead values, or for several channels."""

from dataclasses import replace
from typing import TypeVar, assert_never

from tdsl.rows.ir import (
    Binary,
    Compare,
    Constant,
    Read,
    RowOp,
    RowOutput,
    RowProgram,
    RowTotal,
    RowValue,
    Scale,
    Select,
    Shift,
    Unary,
    UserOp,
    operands,
)

T = TypeVar("T", RowOutput, RowTotal)


def without_dead_values(program: RowProgram) -> RowProgram:
    """`program` with only the values that its results need; every input stays."""
    needed = {v for result in program.results for v in result.values}
    for position in reversed(range(len(program.values))):
        if position in needed:
            needed.update(operands(program.values[position].op))
    kept = [position for position in range(len(program.values)) if position in needed]
    moved = {old: new for new, old in enumerate(kept)}
    return replace(
        program,
        values=tuple(_moved(program.values[old], moved) for old in kept),
        outputs=tuple(_renumbered(one, moved) for one in program.outputs),
        totals=tuple(_renumbered(one, moved) for one in program.totals),
    )


def for_channels(program: RowProgram, channels: int) -> RowProgram:
    """`program`, whose inputs have one channel each, done for every channel of larger images.

    An output or total of n values becomes one of `n * channels`: those of channel 0 first.
    """
    assert all(one.channels == 1 for one in program.inputs)
    count = len(program.values)
    values: list[RowValue] = []
    for channel in range(channels):
        moved = {old: channel * count + old for old in range(count)}
        values += [_moved(value, moved, channel) for value in program.values]
    return replace(
        program,
        inputs=tuple(replace(one, channels=channels) for one in program.inputs),
        values=tuple(values),
        outputs=tuple(_repeated(one, channels, count) for one in program.outputs),
        totals=tuple(_repeated(one, channels, count) for one in program.totals),
    )


def _repeated(result: T, channels: int, count: int) -> T:
    values = tuple(c * count + v for c in range(channels) for v in result.values)
    return replace(result, values=values)


def _renumbered(result: T, moved: dict[int, int]) -> T:
    return replace(result, values=tuple(moved[v] for v in result.values))


def _moved(value: RowValue, moved: dict[int, int], channel: int = 0) -> RowValue:
    return replace(value, op=_renamed(value.op, moved, channel))


def _renamed(op: RowOp, moved: dict[int, int], channel: int) -> RowOp:
    match op:
        case Read():
            return replace(op, channel=op.channel + channel)
        case Constant():
            return op
        case Shift() | Unary() | Scale():
            return replace(op, a=moved[op.a])
        case Binary() | Compare():
            return replace(op, a=moved[op.a], b=moved[op.b])
        case Select():
            return replace(op, condition=moved[op.condition], a=moved[op.a], b=moved[op.b])
        case UserOp():
            inside = tuple(moved[i] for i in op.inside if i in moved)
            return replace(op, body=moved[op.body], inside=inside)
    assert_never(op)
