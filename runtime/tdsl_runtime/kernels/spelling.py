"""Trits of two bit planes -> the bytes of matrix tiles; their sums -> accumulators."""

from typing import Any

from tdsl_runtime.kernels.jit import (
    I1,
    I8,
    I32,
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


def trit_bytes(b: Any, nonzero: Any, sign: Any) -> Any:
    """64 trits of two plane words as <64 x i8>."""
    wide, flags = ir.VectorType(I8, 64), ir.VectorType(I1, 64)
    one, minus, zero = (ir.Constant(wide, [value] * 64) for value in (1, -1, 0))
    signed = b.select(b.bitcast(sign, flags), minus, one)
    return b.select(b.bitcast(nonzero, flags), signed, zero)


@emitted
def spell_trits(typing: Any, acts: Any, word: Any, aplane: Any, count: Any, trits: Any) -> Any:
    """trits[64 * w ...] = the trits of acts[w], a byte each, for `count` words from `word`."""
    signature = types.void(acts, INT, INT, INT, trits)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        acts, word, aplane, count, trits = args
        with cgutils.for_range(b, count) as loop:
            at = b.add(word, loop.index)
            nonzero = b.load(pointer(context, b, sig.args[0], acts, at, I64))
            sign = b.load(pointer(context, b, sig.args[0], acts, b.add(at, aplane), I64))
            value = trit_bytes(b, nonzero, sign)
            place = pointer(context, b, sig.args[4], trits, b.shl(at, I64(6)), value.type)
            b.store(value, place, align=1)
        return context.get_dummy_value()

    return signature, generate


@emitted
def weight_tile(
    typing: Any, mem: Any, word: Any, wplane: Any, macros: Any, shift: Any, mask: Any, tiles: Any,
    at: Any,
) -> Any:  # fmt: skip
    """tiles[at ...] = 64 columns of a row for 16 macros, as [column / 4][macro][column % 4]."""
    signature = types.void(mem, INT, INT, INT, INT, types.uint64, tiles, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, word, wplane, macros, shift, mask, tiles, at = args
        by, masks = splat(b, shift, 8), splat(b, mask, 8)

        def columns(index: Any) -> Any:
            low, high = (
                b.load(pointer(context, b, sig.args[0], mem, place, V8), align=8)
                for place in (index, b.add(index, macros))
            )
            return b.and_(call_intrinsic(b, "llvm.fshr.v8i64", V8, high, low, by), masks)

        words = ir.VectorType(I32, 16)
        rows: list[Any] = []
        for half in (0, 8):
            first = b.add(word, I64(half))
            nonzero, sign = columns(first), columns(b.add(first, wplane))
            for lane in range(8):
                planes = (b.extract_element(plane, I32(lane)) for plane in (nonzero, sign))
                rows.append(b.bitcast(trit_bytes(b, *planes), words))
        for distance in (8, 4, 2, 1):
            keep = [lane if not lane & distance else 16 + lane - distance for lane in range(16)]
            pull = [lane + distance if not lane & distance else 16 + lane for lane in range(16)]
            orders = [ir.Constant(words, order) for order in (keep, pull)]
            for i in range(16):
                if not i & distance:
                    pair = rows[i], rows[i + distance]
                    rows[i], rows[i + distance] = (b.shuffle_vector(*pair, o) for o in orders)
        for i, row in enumerate(rows):
            place = pointer(context, b, sig.args[6], tiles, b.add(at, I64(64 * i)), words)
            b.store(row, place, align=1)
        return context.get_dummy_value()

    return signature, generate


@emitted
def add_sums(
    typing: Any, sums: Any, at: Any, acc: Any, out: Any, shift: Any, keep: Any, lanes: Any,
    excess: Any,
) -> Any:  # fmt: skip
    """acc[out + i] = (keep & acc[out + i]) + (sums[at + i] << shift), for i < min(lanes, 16).

    A sum that 32 bits do not hold leaves a mark in `excess`.
    """
    signature = types.void(sums, INT, acc, INT, INT, INT, INT, excess)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        sums, at, acc, out, shift, keep, lanes, excess = args
        wide = ir.VectorType(I32, 16)
        source = pointer(context, b, sig.args[0], sums, at, wide)
        place = pointer(context, b, sig.args[2], acc, out, wide)
        by, kept = (splat(b, b.trunc(value, I32), 16) for value in (shift, keep))
        old, total = b.load(place, align=4), b.load(source, align=4)
        base, added = b.and_(old, kept), b.shl(total, by)
        new = b.add(base, added)
        lost = b.xor(b.ashr(added, by), total)
        over = b.lshr(b.and_(b.xor(base, new), b.xor(added, new)), splat(b, I32(31), 16))
        active = b.icmp_signed("<", iota(I32, 16), splat(b, b.trunc(lanes, I32), 16))
        zero = ir.Constant(wide, [0] * 16)
        marks = pointer(context, b, sig.args[7], excess, I64(0), wide)
        found = b.select(active, b.or_(lost, over), zero)
        b.store(b.or_(b.load(marks, align=8), found), marks, align=8)
        b.store(b.select(active, new, old), place, align=4)
        return context.get_dummy_value()

    return signature, generate
