"""Operations on held values: which steps make which operation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from tdsl.lowering.pixels.choices import Choices
from tdsl.lowering.pixels.held import Alignment, Held, Operand
from tdsl.lowering.pixels.step_writer import StepWriter
from tdsl.lowering.pixels.sums import Sums
from tdsl.rows.ir import Arithmetic, Range, Sole
from tdsl.rows.ranges import BIT


@dataclass(slots=True)
class ValueMaker:
    """Makes values from operands."""

    writer: StepWriter
    share: bool
    alignment: Alignment = field(init=False)
    sums: Sums = field(init=False)
    choices: Choices = field(init=False)

    def __post_init__(self) -> None:
        self.alignment = Alignment(self.writer, self.share)
        self.sums = Sums(self.writer, self.alignment)
        self.choices = Choices(self.writer, self.alignment)

    def binary(self, op: Arithmetic, a: Operand, b: Operand, ranges: Sequence[Range]) -> Held:
        """A function of two values; `ranges` are those of the two and of the result."""
        result = ranges[2]
        match op:
            case Arithmetic.ADD:
                return self.sums.add(a, b, result)
            case Arithmetic.SUB:
                return self.sums.subtract(a, b, result)
            case Arithmetic.MUL:
                return self._product(a, b, ranges)
            case Arithmetic.MIN | Arithmetic.MAX if all(r == BIT for r in ranges):
                logic = Arithmetic.AND if op is Arithmetic.MIN else Arithmetic.OR
                return self.choices.bitwise(logic, a, b, result)
            case Arithmetic.MIN | Arithmetic.MAX:
                return self.choices.extreme(op, a, b, result)
            case Arithmetic.AND | Arithmetic.OR | Arithmetic.XOR:
                return self.choices.bitwise(op, a, b, result)
        assert_never(op)

    def unary(self, op: Sole, a: Held, given: Range, result: Range) -> Held:
        """A function of one value, which lies in the range `given`."""
        match op:
            case Sole.NEG:
                return self.sums.negate(a, result)
            case Sole.ABS:
                return self.sums.absolute(a, result)
            case Sole.NOT if BIT.holds(given):
                return self.choices.opposite(a)
            case Sole.NOT:
                return self.sums.complement(a, result)
            case Sole.POPCOUNT:
                return self.sums.ones(a, result)
        assert_never(op)

    def _product(self, a: Operand, b: Operand, ranges: Sequence[Range]) -> Held:
        if isinstance(a, Held) and isinstance(b, Held):
            return self.sums.multiply(a, b, ranges[2])
        if isinstance(a, Held):
            assert isinstance(b, int)
            return self.sums.times(a, b, ranges[0], ranges[2])
        assert isinstance(b, Held)
        return self.sums.times(b, a, ranges[1], ranges[2])
