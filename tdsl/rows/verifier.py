"""What every valid row program satisfies.

A failure here is a fault of the compiler: users' mistakes are diagnostics of the front ends.
"""

from tdsl.rows.ir import (
    Border,
    Read,
    RowInput,
    RowOp,
    RowProgram,
    RowValue,
    Scale,
    Select,
    Sole,
    Unary,
    UserOp,
    operands,
)
from tdsl.rows.ranges import BIT, range_of

MOST_BITS = 62
"""Values, and sums over a whole image with them, have to fit 64 bits."""


class VerificationError(AssertionError):
    """The compiler made an invalid row program."""


def verify_rows(program: RowProgram) -> None:
    """Raise VerificationError unless `program` is valid."""
    _require_unique("inputs", [one.name for one in program.inputs])
    _require_unique("results", [one.name for one in program.results])
    _require(bool(program.inputs), "there is no input")
    _require(bool(program.outputs or program.totals), "there is no result")
    _require(min(program.stride) >= 1, f"stride {program.stride}")
    for one in program.inputs:
        _verify_input(one)
    for position, value in enumerate(program.values):
        _verify_value(program, position, value)
    for result in program.results:
        _require(bool(result.values), f"`{result.name}` has no value")
        for position in result.values:
            there = 0 <= position < len(program.values)
            _require(there, f"`{result.name}` is value {position}, which does not exist")
    for output in program.outputs:
        for position in output.values:
            found = program.values[position].range
            _require(output.range.holds(found), f"`{output.name}` is {output.range}, not {found}")


def _verify_input(one: RowInput) -> None:
    _require(one.channels >= 1, f"`{one.name}` has {one.channels} channels")
    _require(one.range.low <= one.range.high, f"`{one.name}` has no values: {one.range}")
    _require(one.border is Border.CONSTANT or one.pad == 0, f"`{one.name}` has two borders")


def _verify_value(program: RowProgram, position: int, value: RowValue) -> None:
    op = value.op
    for a in operands(op):
        _require(0 <= a < position, f"value {position} reads value {a}, which is not before it")
    _verify_attributes(program, position, op)
    found = range_of(op, program.values, program.inputs)
    _require(found == value.range, f"value {position} is {found}, not {value.range}")
    _require(found.bits <= MOST_BITS, f"value {position} has {found.bits} bits")


def _verify_attributes(program: RowProgram, position: int, op: RowOp) -> None:
    values = program.values
    match op:
        case Read(input=number, channel=channel):
            _require(0 <= number < len(program.inputs), f"value {position} reads input {number}")
            there = 0 <= channel < program.inputs[number].channels
            _require(there, f"value {position} reads channel {channel}")
        case Scale(amount=0):
            _require(False, f"value {position} does not scale")
        case Select(condition=condition):
            _require(BIT.holds(values[condition].range), f"value {position} selects by no bit")
        case Unary(op=Sole.POPCOUNT, a=a):
            _require(not values[a].range.signed, f"value {position} counts bits below 0")
        case UserOp(inside=inside, cycles=cycles, femtojoules=femtojoules):
            _require(cycles >= 1 and femtojoules >= 0, f"value {position} costs less than nothing")
            _require(all(0 <= i < position for i in inside), f"value {position} holds later values")
        case _:
            pass


def _require_unique(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    _require(not twice, f"two {what} have one name: {twice}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise VerificationError(message)
