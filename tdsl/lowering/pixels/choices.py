"""Comparisons, selections, extremes and bitwise functions on held values."""

from dataclasses import dataclass, field, replace

from tdsl.lowering.pixels.code import Rows
from tdsl.lowering.pixels.held import Alignment, Held, Operand
from tdsl.lowering.pixels.step_writer import (
    AND,
    COPY,
    EQUAL,
    IMMEDIATE,
    NOT,
    NOT_AND,
    OR,
    XOR,
    StepWriter,
    chosen_bits,
)
from tdsl.rows.ir import Arithmetic, Range, Relation
from tdsl_runtime.isa import Opcode
from tdsl_runtime.isa import Relation as Tested

_TABLES = {Arithmetic.AND: AND, Arithmetic.OR: OR, Arithmetic.XOR: XOR}
_TESTS = {Relation.LESS: Tested.LESS, Relation.EQUAL: Tested.EQUAL}


@dataclass(frozen=True, slots=True)
class Choices:
    """Writes decisions; a comparison that was written once is kept for others."""

    writer: StepWriter
    alignment: Alignment
    _known: dict[tuple[Relation, Operand, Operand], Held] = field(
        default_factory=dict[tuple[Relation, Operand, Operand], Held]
    )

    def bitwise(self, op: Arithmetic, a: Operand, b: Operand, result: Range) -> Held:
        """AND, OR, XOR."""
        (x, y), place = self.alignment.numbers((a, b))
        into = self.writer.register(result.bits, signed=result.signed)
        return Held(self.writer.logic(into, x, y, _TABLES[op]), 0, place)

    def opposite(self, a: Held) -> Held:
        """1 - a of a bit."""
        into = self.writer.register(1)
        return Held(self.writer.logic(into, self.alignment.whole(a).rows, 0, NOT), 0, a.at)

    def extreme(self, op: Arithmetic, a: Operand, b: Operand, result: Range) -> Held:
        """The smaller or larger one; both come from one comparison."""
        if isinstance(a, int) or (Relation.LESS, b, a) in self._known:
            a, b = b, a
        condition = self.compare(Relation.LESS, a, b)
        first, second = (a, b) if op is Arithmetic.MIN else (b, a)
        return self.select(condition, first, second, result)

    def compare(self, relation: Relation, a: Operand, b: Operand, inverted: bool = False) -> Held:
        """1 where `a` relates to `b`, or where it does not."""
        key = (relation, a, b)
        if inverted:
            return self._compare(*key, inverted)
        if key not in self._known:
            self._known[key] = self._compare(*key, inverted)
        return self._known[key]

    def select(self, condition: Held, a: Operand, b: Operand, result: Range) -> Held:
        """`a` where the condition is 1, else `b`."""
        (tag, x, y), place = self.alignment.numbers((condition, a, b))
        assert isinstance(tag, Rows)
        into = self.writer.register(result.bits, signed=result.signed)
        if isinstance(x, Rows) and isinstance(y, Rows):
            n = into.count
            self.writer.write(Opcode.SELECT, into, (tag, x.lowest(n), y.lowest(n)))
        else:
            self.writer.bits(into, chosen_bits(tag, x, y, into.count))
        return Held(into, 0, place)

    def _compare(self, relation: Relation, a: Operand, b: Operand, inverted: bool) -> Held:
        if isinstance(a, int):
            assert isinstance(b, Held)
            if relation is Relation.EQUAL:
                return self._constant(relation, b, a, inverted)
            return self._constant(relation, b, a + 1, not inverted)
        if isinstance(b, int):
            return self._constant(relation, a, b, inverted)
        (x, y), place = self.alignment.numbers((a, b))
        assert isinstance(x, Rows)
        assert isinstance(y, Rows)
        into = self.writer.register(1)
        if _is_bit(x) and _is_bit(y):
            table = NOT_AND if relation is Relation.LESS else EQUAL
            self.writer.logic(into, x, y, table ^ 0b1111 * inverted)
        else:
            self._test(Opcode.CMP, relation, inverted, into, (x, y))
        return Held(into, 0, place)

    def _constant(self, relation: Relation, a: Held, constant: int, inverted: bool) -> Held:
        """A comparison with a constant: of the rows above their common zeros alone."""
        if relation is Relation.LESS:
            constant, a = _without_zeros(constant, a)
        elif constant % (1 << a.zeros) == 0:
            constant, a = constant >> a.zeros, replace(a, zeros=0)
        a = self.alignment.whole(a)
        if a.rows.count == 1:
            return self._of_bit(relation, a, constant, inverted)
        into = self.writer.register(1)
        if constant in IMMEDIATE:
            self._test(Opcode.CMPI, relation, inverted, into, (a.rows,), imm=constant)
        else:
            bits = Range(min(constant, 0), max(constant, 0)).bits
            rows = self.writer.constant(constant, bits)
            self._test(Opcode.CMP, relation, inverted, into, (a.rows, rows))
        return Held(into, 0, a.at)

    def _of_bit(self, relation: Relation, a: Held, constant: int, inverted: bool) -> Held:
        """A comparison of a single row: the row itself, its opposite, or no question."""
        one = -1 if a.rows.signed else 1
        at_0, at_1 = (
            (value < constant if relation is Relation.LESS else value == constant) != inverted
            for value in (0, one)
        )
        bit = replace(a, rows=replace(a.rows, signed=False))
        if at_0 != at_1:
            return bit if at_1 else self.opposite(bit)
        into = self.writer.register(1)
        return Held(self.writer.logic(into, int(at_0), 0, COPY), 0, a.at)

    def _test(
        self,
        opcode: Opcode,
        relation: Relation,
        inverted: bool,
        into: Rows,
        reads: tuple[Rows, ...],
        **numbers: int,
    ) -> None:
        self.writer.write(opcode, into, reads, op=_TESTS[relation], inv=int(inverted), **numbers)


def _is_bit(rows: Rows) -> bool:
    return rows.count == 1 and not rows.signed


def _without_zeros(constant: int, a: Held) -> tuple[int, Held]:
    """What tells whether `a` is less than a constant: neither's lowest bits that are 0."""
    above = -(-constant >> a.zeros)
    zeros = (above & -above).bit_length() - 1 if above else a.rows.count
    skipped = min(zeros, a.rows.count - 1)
    return above >> skipped, Held(a.rows.upper(skipped), 0, a.at)
