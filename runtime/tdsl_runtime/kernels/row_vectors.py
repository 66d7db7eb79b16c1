"""Bit rows, eight words of 64 columns at a time -> bit-serial logic, sums, comparisons, counts.

A micro-op changes no column by what another one holds, so a vector of columns goes through all of
its bits at once, with its carry in a register; rows are in memory as macros hold them.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tdsl_runtime.kernels.jit import (
    I1,
    I64,
    INT,
    V8,
    call_intrinsic,
    cgutils,
    emitted,
    iota,
    ir,
    pointer,
    splat,
    types,
)

ZERO, ONES = ir.Constant(V8, [0] * 8), ir.Constant(V8, [-1] * 8)


@dataclass(frozen=True, slots=True)
class Block:
    """Eight words of every bit row, of which those of `lanes` take part."""

    b: Any
    memory: Any
    plane: Any
    size: Any
    at: Any
    lanes: Any

    def read(self, row: Any) -> Any:
        """The eight words of a bit row."""
        return self.b.load(self._place(row), align=8)

    def write(self, row: Any, value: Any) -> None:
        """Change the words that take part."""
        place = self._place(row)
        kept = self.b.load(place, align=8)
        self.b.store(self.b.select(self.lanes, value, kept), place, align=8)

    def _place(self, row: Any) -> Any:
        b = self.b
        plane = b.mul(b.and_(row, I64(1)), self.plane)
        word = b.add(b.add(plane, b.mul(b.lshr(row, I64(1)), self.size)), self.at)
        return b.bitcast(b.gep(self.memory, [word]), V8.as_pointer())


@dataclass(frozen=True, slots=True)
class Operand:
    """A value: its first bit row, its bit rows, and -1 where the last one is repeated, else 0."""

    block: Block
    first: Any
    rows: Any
    repeats: Any
    last: Any

    def bit(self, j: Any) -> Any:
        """Bit j, which must be asked for in order."""
        b = self.block.b
        with b.if_else(b.icmp_signed("<", j, self.rows)) as (held, beyond):
            with held:
                b.store(self.block.read(b.add(self.first, j)), self.last)
            with beyond:
                b.store(b.and_(b.load(self.last), splat(b, self.repeats, 8)), self.last)
        return b.load(self.last)


def operand(block: Block, first: Any, rows: Any, signed: Any) -> Operand:
    """An operand before its first bit."""
    last = cgutils.alloca_once_value(block.b, ZERO)
    block.b.store(ZERO, last)
    return Operand(block, first, rows, block.b.neg(signed), last)


@contextmanager
def blocks(
    context: Any, b: Any, kind: Any, mem: Any, plane: Any, size: Any, base: Any, count: Any
) -> Generator[Block]:
    """Go through `count` words of the rows from word `base` on."""
    memory = pointer(context, b, kind, mem, I64(0), I64)
    with cgutils.for_range(b, b.lshr(b.add(count, I64(7)), I64(3))) as loop:
        done = b.shl(loop.index, I64(3))
        left = splat(b, b.sub(count, done), 8)
        lanes = b.icmp_signed("<", iota(I64, 8), left)
        yield Block(b, memory, plane, size, b.add(base, done), lanes)


def bit_of(b: Any, number: Any, j: Any) -> Any:
    """Bit j of a number in all columns."""
    bit = b.and_(b.ashr(number, j), I64(1))
    return splat(b, b.neg(bit), 8)


@emitted
def logic_rows(
    typing: Any, mem: Any, plane: Any, size: Any, base: Any, count: Any, dst: Any, n: Any, a: Any,
    astep: Any, second: Any, bstep: Any, table: Any,
) -> Any:  # fmt: skip
    """Execute a LOGIC."""
    signature = types.void(mem, *[INT] * 11)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, plane, size, base, count, dst, n, a, astep, second, bstep, table = args
        entries = [bit_of(b, table, I64(entry)) for entry in range(4)]
        with (
            blocks(context, b, sig.args[0], mem, plane, size, base, count) as block,
            cgutils.for_range(b, n) as loop,
        ):
            j = loop.index
            x = block.read(b.add(a, b.mul(j, astep)))
            y = block.read(b.add(second, b.mul(j, bstep)))
            low, high = (
                b.or_(b.and_(b.not_(y), entries[e]), b.and_(y, entries[e + 1])) for e in (0, 2)
            )
            result = b.or_(b.and_(b.not_(x), low), b.and_(x, high))
            block.write(b.add(dst, j), result)
        return context.get_dummy_value()

    return signature, generate


@emitted
def sum_rows(
    typing: Any, mem: Any, plane: Any, size: Any, base: Any, count: Any, dst: Any, n: Any, a: Any,
    an: Any, signed: Any, second: Any, bn: Any, bsigned: Any, inverted: Any, imm: Any,
) -> Any:  # fmt: skip
    """dst = (a ^ -inverted) + (b ^ imm) + carry: the carry is 1 where either operand is inverted.

    SUM: imm is 0, or -1 with the carry to subtract. SUMI: b has no rows, so that it is imm.
    """
    signature = types.void(mem, *[INT] * 14)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, plane, size, base, count, dst, n, a, an, signed, second, bn, bsigned = args[:13]
        inverted, imm = args[13:]
        turned = splat(b, b.neg(inverted), 8)
        subtracts = b.icmp_signed("!=", bn, I64(0))
        start = b.select(subtracts, splat(b, imm, 8), turned)
        carry = cgutils.alloca_once_value(b, ZERO)
        with blocks(context, b, sig.args[0], mem, plane, size, base, count) as block:
            first = operand(block, a, an, signed)
            other = operand(block, second, bn, bsigned)
            b.store(start, carry)
            with cgutils.for_range(b, n) as loop:
                x = b.xor(first.bit(loop.index), turned)
                y = b.xor(other.bit(loop.index), bit_of(b, imm, loop.index))
                either, both, before = b.xor(x, y), b.and_(x, y), b.load(carry)
                b.store(b.or_(both, b.and_(either, before)), carry)
                block.write(b.add(dst, loop.index), b.xor(either, before))
        return context.get_dummy_value()

    return signature, generate


@emitted
def compare_rows(
    typing: Any, mem: Any, plane: Any, size: Any, base: Any, count: Any, dst: Any, n: Any, a: Any,
    an: Any, signed: Any, second: Any, bn: Any, bsigned: Any, imm: Any, equal: Any, inverted: Any,
) -> Any:  # fmt: skip
    """dst = a < (b ^ imm), or equal, over n bits and a last one whose weight is negative."""
    signature = types.void(mem, *[INT] * 15)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, plane, size, base, count, dst, n, a, an, signed, second, bn, bsigned = args[:13]
        imm, equal, inverted = args[13:]
        alike = splat(b, b.neg(equal), 8)
        so_far = cgutils.alloca_once_value(b, ZERO)
        with blocks(context, b, sig.args[0], mem, plane, size, base, count) as block:
            first = operand(block, a, an, signed)
            other = operand(block, second, bn, bsigned)
            b.store(alike, so_far)
            with cgutils.for_range(b, b.add(n, I64(1))) as loop:
                x = first.bit(loop.index)
                y = b.xor(other.bit(loop.index), bit_of(b, imm, loop.index))
                greater = b.select(b.icmp_signed("==", loop.index, n), x, y)
                differ = b.xor(x, y)
                decided = b.and_(differ, b.and_(greater, b.not_(alike)))
                b.store(b.or_(decided, b.and_(b.not_(differ), b.load(so_far))), so_far)
            block.write(dst, b.xor(b.load(so_far), splat(b, b.neg(inverted), 8)))
        return context.get_dummy_value()

    return signature, generate


@emitted
def select_rows(
    typing: Any, mem: Any, plane: Any, size: Any, base: Any, count: Any, dst: Any, n: Any, tag: Any,
    a: Any, an: Any, signed: Any, second: Any, bn: Any, bsigned: Any,
) -> Any:  # fmt: skip
    """Execute a SELECT."""
    signature = types.void(mem, *[INT] * 13)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, plane, size, base, count, dst, n, tag, a, an, signed, second, bn, bsigned = args
        with blocks(context, b, sig.args[0], mem, plane, size, base, count) as block:
            chosen = block.read(tag)
            first = operand(block, a, an, signed)
            other = operand(block, second, bn, bsigned)
            with cgutils.for_range(b, n) as loop:
                x, y = first.bit(loop.index), other.bit(loop.index)
                value = b.or_(b.and_(x, chosen), b.and_(y, b.not_(chosen)))
                block.write(b.add(dst, loop.index), value)
        return context.get_dummy_value()

    return signature, generate


@emitted
def count_rows(
    typing: Any, mem: Any, plane: Any, size: Any, base: Any, count: Any, a: Any, an: Any,
    signed: Any, mask: Any,
) -> Any:  # fmt: skip
    """The sum of the values of the columns that have a 1 in bit row `mask`."""
    signature = types.int64(mem, *[INT] * 8)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, plane, size, base, count, a, an, signed, mask = args
        total = cgutils.alloca_once_value(b, ZERO)
        b.store(ZERO, total)
        last = b.sub(an, I64(1))
        with blocks(context, b, sig.args[0], mem, plane, size, base, count) as block:
            counted = b.and_(block.read(mask), b.select(block.lanes, ONES, ZERO))
            with cgutils.for_range(b, an) as loop:
                row = b.and_(block.read(b.add(a, loop.index)), counted)
                ones = call_intrinsic(b, "llvm.ctpop.v8i64", V8, row)
                weighed = b.shl(ones, splat(b, loop.index, 8))
                negative = b.and_(b.trunc(signed, I1), b.icmp_signed("==", loop.index, last))
                added = b.select(negative, b.sub(ZERO, weighed), weighed)
                b.store(b.add(b.load(total), added), total)
        return call_intrinsic(b, "llvm.vector.reduce.add.v8i64", I64, b.load(total))

    return signature, generate
