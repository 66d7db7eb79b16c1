"""Steps written one by one: registers as needed, two-row logic bit by bit joined into few steps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tdsl.lowering.pixels.code import HERE, NO_REGISTER, Channel, Offset, Register, Rows, Step
from tdsl.source import NOWHERE, Span
from tdsl_runtime.isa import Opcode

AND, OR, XOR, EQUAL = 0b1000, 0b1110, 0b0110, 0b1001
AND_NOT, NOT_AND, OR_NOT, COPY, NOT = 0b0100, 0b0010, 0b1101, 0b1100, 0b0011
ZERO, ONE = 0b0000, 0b1111
"""Tables of two-row logic: entry `2 * a + b`; `AND_NOT` is a and not b, `NOT_AND` b and not a."""

IMMEDIATE = range(-(1 << 19), 1 << 19)
"""What SUMI and CMPI can add or compare with."""

Number = Rows | int
"""An operand: rows, or the same integer in every column."""


@dataclass(frozen=True, slots=True)
class Bit:
    """A bit of a result: `table` of the bit rows `a` and `b` (register and bit)."""

    a: tuple[int, int]
    b: tuple[int, int]
    table: int


@dataclass(slots=True)
class StepWriter:
    """Collects the steps of a tile and its registers; `span` marks what is written."""

    registers: list[Register] = field(default_factory=list[Register])
    steps: list[Step] = field(default_factory=list[Step])
    span: Span = NOWHERE

    def register(self, bits: int, *, signed: bool = False, even: bool = False) -> Rows:
        """A new register, as a whole."""
        self.registers.append(Register(bits, even))
        return Rows(len(self.registers) - 1, 0, bits, signed)

    def write(
        self,
        opcode: Opcode,
        into: Rows | None,
        reads: Sequence[Rows],
        **numbers: int,
    ) -> None:
        """Append a step."""
        fields = tuple(numbers.items())
        self.steps.append(Step(opcode, into, tuple(reads), fields, span=self.span))

    def transpose(
        self,
        opcode: Opcode,
        into: Rows | None,
        reads: Sequence[Rows],
        channel: Channel,
        plane: int,
        by: Offset = HERE,
    ) -> None:
        """Append a SPREAD or PACK of a plane of a channel; the tile begins in column `by`."""
        numbers = (("plane", plane),)
        self.steps.append(Step(opcode, into, tuple(reads), numbers, by, channel, self.span))

    def sum(self, into: Rows, a: Rows, b: Rows, *, sub: bool = False) -> Rows:
        """`a + b` or `a - b`."""
        n = into.count
        self.write(Opcode.SUM, into, (a.lowest(n), b.lowest(n)), sub=int(sub))
        return into

    def sum_immediate(self, into: Rows, a: Rows, imm: int, *, negated: bool = False) -> Rows:
        """`a + imm` or `imm - a`; of the immediate, the bits of the result count."""
        n = into.count
        fits = -(1 << n - 1) <= imm < 1 << n
        kept = imm if fits else imm & (1 << n) - 1
        self.write(Opcode.SUMI, into, (a.lowest(n),), neg=int(negated), imm=kept)
        return into

    def move(self, a: Rows, by: Offset) -> Rows:
        """The rows of the pixels `by` further, in a register of their own."""
        into = self.register(a.count, signed=a.signed)
        self.steps.append(Step(Opcode.MOVE, into, (a,), by=by, span=self.span))
        return into

    def logic(self, into: Rows, a: Number, b: Number, table: int) -> Rows:
        """`table` of two numbers, bit by bit; both are extended to the width of the result."""
        bits = [_joined(_bit_of(a, j), _bit_of(b, j), table) for j in range(into.count)]
        self.bits(into, bits)
        return into

    def bits(self, into: Rows, bits: Sequence[Bit]) -> None:
        """The bits of a result, from the lowest, in as few steps as consecutive rows allow."""
        for start, length in _runs(bits):
            first = bits[start]
            step_a, step_b = _strides(bits, start, length)
            reads = (_stretch(first.a, step_a, length), _stretch(first.b, step_b, length))
            self.write(
                Opcode.LOGIC,
                Rows(into.register, into.low + start, length),
                reads,
                astep=step_a,
                bstep=step_b,
                table=first.table,
            )

    def constant(self, value: int, bits: int) -> Rows:
        """The same integer in every column, in a register."""
        into = self.register(bits, signed=value < 0)
        return self.logic(into, value, 0, COPY)


def _bit_of(number: Number, j: int) -> tuple[int, int] | int:
    """Bit `j`: a place, or 0 or 1."""
    if isinstance(number, int):
        return number >> j & 1
    if j < number.count:
        return number.register, number.low + j
    return (number.register, number.low + number.count - 1) if number.signed else 0


def chosen_bits(tag: Rows, a: Number, b: Number, count: int) -> list[Bit]:
    """The bits of `a` where `tag` is 1, else of `b`, of which at least one is a constant."""
    row = (tag.register, tag.low)
    return [_chosen(row, _bit_of(a, j), _bit_of(b, j)) for j in range(count)]


def _chosen(tag: tuple[int, int], a: tuple[int, int] | int, b: tuple[int, int] | int) -> Bit:
    if isinstance(a, int) and isinstance(b, int):
        return _sole(tag, b, a)
    if isinstance(a, int):
        assert not isinstance(b, int)
        return Bit(b, tag, OR if a else AND_NOT)
    if isinstance(b, int):
        return Bit(a, tag, OR_NOT if b else AND)
    raise AssertionError("two rows are selected by SELECT")


_NO_ROW = (NO_REGISTER, 0)


def _joined(a: tuple[int, int] | int, b: tuple[int, int] | int, table: int) -> Bit:
    """A bit of a result from two bits, of which constants become part of the table."""
    if isinstance(a, int) and isinstance(b, int):
        return Bit(_NO_ROW, _NO_ROW, ONE if table >> (2 * a + b) & 1 else ZERO)
    if isinstance(a, int):
        assert not isinstance(b, int)
        return _sole(b, table >> 2 * a & 1, table >> (2 * a + 1) & 1)
    if isinstance(b, int):
        return _sole(a, table >> b & 1, table >> (2 + b) & 1)
    return Bit(a, b, table)


def _sole(row: tuple[int, int], at_0: int, at_1: int) -> Bit:
    """A function of one bit."""
    if at_0 == at_1:
        return Bit(_NO_ROW, _NO_ROW, ONE if at_0 else ZERO)
    return Bit(row, _NO_ROW, COPY if at_1 else NOT)


def _runs(bits: Sequence[Bit]) -> Iterator[tuple[int, int]]:
    """Starts and lengths of stretches that one step makes."""
    start = 0
    while start < len(bits):
        length = 1
        while start + length < len(bits) and _follows(bits, start, length):
            length += 1
        yield start, length
        start += length


def _follows(bits: Sequence[Bit], start: int, length: int) -> bool:
    """Whether a bit continues the stretch before it."""
    first, last, new = bits[start], bits[start + length - 1], bits[start + length]
    if new.table != first.table or not _next_row(last.a, new.a) or not _next_row(last.b, new.b):
        return False
    return length == 1 or _strides(bits, start, length) == _strides(bits, start + length - 1, 2)


def _next_row(last: tuple[int, int], new: tuple[int, int]) -> bool:
    return last[0] == new[0] and new[1] - last[1] in (0, 1)


def _strides(bits: Sequence[Bit], start: int, length: int) -> tuple[int, int]:
    """Rows from bit to bit of both operands."""
    if length == 1:
        return 0, 0
    first, second = bits[start], bits[start + 1]
    return second.a[1] - first.a[1], second.b[1] - first.b[1]


def _stretch(row: tuple[int, int], step: int, length: int) -> Rows:
    return Rows(row[0], row[1], 1 + (length - 1) * step)
