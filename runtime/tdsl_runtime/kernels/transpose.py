"""Squares of 64 x 64 bits -> the same, turned; bytes <-> bit planes."""

from typing import Any

from tdsl_runtime.kernels.jit import (
    I1,
    I8,
    I32,
    I64,
    INT,
    V8,
    cgutils,
    emitted,
    ir,
    pointer,
    splat,
    types,
)


@emitted
def byte_plane(
    typing: Any, raw: Any, start: Any, count: Any, j: Any, signed: Any, bits: Any, to: Any,
    plane: Any,
) -> Any:  # fmt: skip
    """Bit j of the magnitudes of `count` bytes to bits[to:], the signs `plane` words further."""
    signature = types.void(raw, INT, INT, INT, INT, bits, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        raw, start, count, j, signed, bits, to, plane = args
        wide = ir.VectorType(I8, 64)
        zero = ir.Constant(wide, [0] * 64)
        base = pointer(context, b, sig.args[0], raw, start, I8)
        out = [
            pointer(context, b, sig.args[5], bits, index, I64) for index in (to, b.add(to, plane))
        ]
        tested = splat(b, b.trunc(b.shl(I64(1), j), I8), 64)
        negatives = splat(b, b.icmp_signed("!=", signed, I64(0)), 64)

        def put(block: Any, value: Any, beyond: Any) -> None:
            minus = b.and_(b.icmp_signed("<", value, zero), negatives)
            size = b.select(minus, b.sub(zero, value), value)
            nonzero = b.icmp_unsigned("!=", b.and_(size, tested), zero)
            for plane_bits, place in zip((nonzero, b.and_(nonzero, minus)), out, strict=True):
                word = b.lshr(b.bitcast(plane_bits, I64), beyond)
                b.store(word, b.gep(place, [block]), align=8)

        def block_at(index: Any) -> Any:
            place = b.bitcast(b.gep(base, [index]), wide.as_pointer())
            return b.load(place, align=1)

        blocks, rest = b.lshr(count, I64(6)), b.and_(count, I64(63))
        with cgutils.for_range(b, blocks) as loop:
            put(loop.index, block_at(b.shl(loop.index, I64(6))), I64(0))
        with b.if_then(b.icmp_signed("!=", rest, I64(0))):
            enough = b.icmp_signed(">=", b.add(start, count), I64(64))
            with b.if_else(enough) as (whole, part):
                with whole:
                    put(blocks, block_at(b.sub(count, I64(64))), b.sub(I64(64), rest))
                with part:
                    tail = cgutils.alloca_once_value(b, zero)
                    source = b.gep(base, [b.shl(blocks, I64(6))])
                    target = b.bitcast(tail, I8.as_pointer())
                    cgutils.raw_memcpy(b, target, source, rest, I64(1), align=1)
                    put(blocks, b.load(tail), I64(0))
        return context.get_dummy_value()

    return signature, generate


@emitted
def transpose(typing: Any, bits: Any, at: Any, step: Any, to: Any) -> Any:
    """bits[to + i] = bit i of each of the 64 words bits[at + step * r], r = 0..63."""
    signature = types.void(bits, INT, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        bits, at, step, to = args
        rows = [ir.Constant(V8, ir.Undefined) for _ in range(8)]
        for r in range(64):
            place = pointer(context, b, sig.args[0], bits, b.add(at, b.mul(step, I64(r))), I64)
            rows[r // 8] = b.insert_element(rows[r // 8], b.load(place), I32(r % 8))
        for distance in (32, 16, 8):
            mask = ir.Constant(V8, [low_halves(distance)] * 8)
            shift = ir.Constant(V8, [distance] * 8)
            for i in range(8):
                other = i + distance // 8
                if i & (distance // 8):
                    continue
                swap = b.and_(b.xor(b.lshr(rows[i], shift), rows[other]), mask)
                rows[i] = b.xor(rows[i], b.shl(swap, shift))
                rows[other] = b.xor(rows[other], swap)
        for distance in (4, 2, 1):
            low = ir.Constant(V8, [low_halves(distance)] * 8)
            high = b.not_(low)
            shift = ir.Constant(V8, [distance] * 8)
            order = ir.Constant(ir.VectorType(I32, 8), [lane ^ distance for lane in range(8)])
            upper = ir.Constant(ir.VectorType(I1, 8), [lane & distance != 0 for lane in range(8)])
            for i in range(8):
                partner = b.shuffle_vector(rows[i], ir.Constant(V8, ir.Undefined), order)
                first = b.or_(b.and_(rows[i], low), b.and_(b.shl(partner, shift), high))
                second = b.or_(b.and_(rows[i], high), b.and_(b.lshr(partner, shift), low))
                rows[i] = b.select(upper, second, first)
        for i in range(8):
            place = pointer(context, b, sig.args[0], bits, b.add(to, I64(8 * i)), V8)
            b.store(rows[i], place, align=8)
        return context.get_dummy_value()

    return signature, generate


def low_halves(distance: int) -> int:
    """The low half of every 2 * distance bits of a word."""
    return sum(1 << bit for bit in range(64) if bit & distance == 0)


@emitted
def put_bytes(typing: Any, bits: Any, word: Any, plane: Any, out: Any, at: Any, count: Any) -> Any:
    """out[at:] = the first `count` trits of bits[word], as bytes."""
    signature = types.void(bits, INT, INT, out, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        bits, word, plane, out, at, count = args
        wide, flags = ir.VectorType(I8, 64), ir.VectorType(I1, 64)
        one, minus, zero = (ir.Constant(wide, [v] * 64) for v in (1, -1, 0))
        nonzero, sign = (
            b.bitcast(b.load(pointer(context, b, sig.args[0], bits, index, I64)), flags)
            for index in (word, b.add(word, plane))
        )
        value = b.select(nonzero, b.select(sign, minus, one), zero)
        target = pointer(context, b, sig.args[3], out, at, I8)
        with b.if_else(b.icmp_signed("==", count, I64(64))) as (whole, part):
            with whole:
                b.store(value, b.bitcast(target, wide.as_pointer()), align=1)
            with part:
                place = cgutils.alloca_once_value(b, value)
                source = b.bitcast(place, I8.as_pointer())
                cgutils.raw_memcpy(b, target, source, count, I64(1), align=1)
        return context.get_dummy_value()

    return signature, generate
