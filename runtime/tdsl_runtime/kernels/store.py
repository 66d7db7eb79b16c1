"""A STORE: sums in the accumulators -> trits of a line."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.bits import copy_bits
from tdsl_runtime.kernels.columns import (
    F_BUFFER,
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    PITCH,
    PLANES,
    SLACK,
    ST_ACC,
    ST_CHAN,
    ST_COMBINE,
    ST_DX,
    ST_GROUPS,
    ST_MACROS,
    ST_MODE,
    ST_POOL,
    ST_SEGMENTS,
    ST_X0,
    TERN,
    WIDTH,
)
from tdsl_runtime.kernels.jit import (
    I8,
    I16,
    I64,
    INT,
    V8,
    cgutils,
    emitted,
    inner,
    ir,
    pointer,
    splat,
    types,
)
from tdsl_runtime.kernels.lines import ceil_div, image_shift, line_start
from tdsl_runtime.kernels.thresholds import results, ternarize


@emitted
def value_plane(
    typing: Any, values: Any, count: Any, j: Any, bits: Any, to: Any, plane: Any
) -> Any:
    """Bit j of the magnitudes of `count` values to bits[to:], the signs `plane` words further."""
    signature = types.void(values, INT, INT, bits, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        values, count, j, bits, to, plane = args
        zero = ir.Constant(V8, [0] * 8)
        base = pointer(context, b, sig.args[0], values, I64(0), I64)
        out = [
            pointer(context, b, sig.args[3], bits, index, I8) for index in (to, b.add(to, plane))
        ]
        tested = splat(b, b.shl(I64(1), j), 8)
        vectors = b.lshr(b.add(count, I64(7)), I64(3))
        with cgutils.for_range(b, vectors) as loop:
            place = b.gep(base, [b.mul(loop.index, I64(8))])
            value = b.load(b.bitcast(place, V8.as_pointer()), align=8)
            minus = b.icmp_signed("<", value, zero)
            size = b.select(minus, b.sub(zero, value), value)
            nonzero = b.icmp_unsigned("!=", b.and_(size, tested), zero)
            for plane_bits, target in zip((nonzero, b.and_(nonzero, minus)), out, strict=True):
                b.store(b.bitcast(plane_bits, I8), b.gep(target, [loop.index]), align=1)
        return context.get_dummy_value()

    return signature, generate


@inner
def read_value(mem: Any, wplane: Any, desc: Any, buffer: Any, y: Any, trit: Any) -> Any:
    """The value of one channel over all planes; `trit` counts from the start of the line."""
    value = np.int64(0)
    for j in range(desc[buffer, PLANES]):
        address = line_start(desc, buffer, j, y) + trit
        shift = np.uint64(address & 63)
        if (mem[address >> 6] >> shift) & np.uint64(1):
            minus = (mem[(address >> 6) + wplane] >> shift) & np.uint64(1)
            value += (np.int64(1) - np.int64(2) * np.int64(minus)) << j
    return value


@inner
def combine_trits(
    mem: Any, wplane: Any, address: Any, bits: Any, there: Any, bplane: Any, count: Any
) -> None:
    """Maximum of `count` trits with those at a trit address, into `bits`."""
    zero = np.int64(0)
    copy_bits(mem, address, there, zero, count)
    copy_bits(mem, address + (wplane << 6), there, bplane << 6, count)
    for w in range((count + 63) >> 6):
        plus = (bits[w] & ~bits[bplane + w]) | (there[w] & ~there[bplane + w])
        minus = bits[w] & bits[bplane + w] & there[w] & there[bplane + w]
        bits[w] = plus | minus
        bits[bplane + w] = minus


@inner
def write_planes(bits: Any, bplane: Any, count: Any, mem: Any, wplane: Any, address: Any) -> None:
    """Write `count` trits of the planes in `bits` to a trit address."""
    if (address | count) & 63 == 0:
        word = address >> 6
        for w in range(count >> 6):
            mem[word + w] = bits[w]
            mem[word + w + wplane] = bits[bplane + w]
    else:
        copy_bits(bits, np.int64(0), mem, address, count)
        copy_bits(bits, bplane << 6, mem, address + (wplane << 6), count)


@inner
def store_trits(
    op: Any, mem: Any, wplane: Any, start: Any, pitch: Any, low: Any, high: Any, acc: Any,
    thresholds: Any, room: Any, macros: Any, p0: Any, pixels: Any,
) -> None:  # fmt: skip
    """A STORE of single trits that come to lie on 16-bit pieces: group by group, all its pixels."""
    groups, segments, dx = op[ST_GROUPS], op[ST_SEGMENTS], op[ST_DX]
    parallel = groups * segments
    for i in range(min(parallel, pixels)):
        x, step = op[ST_X0] + (p0 + i) * dx, parallel * dx
        skipped = max(0, ceil_div(low - x, step))
        count = min(ceil_div(pixels - i, parallel), max(0, ceil_div(high - x, step))) - skipped
        if count <= 0:
            continue
        macro = i // segments * (macros // groups)
        at = (op[ST_ACC] + skipped) * room + i % segments * macros + macro
        trit = start + (x + skipped * step) * pitch + op[ST_CHAN]
        ternarize(acc, at, room, count, thresholds, macro, macros + macro, op[ST_MACROS], mem,
                   trit >> 4, step * pitch >> 4, wplane)  # fmt: skip


@emitted
def put_pieces(
    typing: Any, source: Any, at: Any, splane: Any, target: Any, to: Any, tplane: Any, count: Any,
    keep: Any,
) -> Any:  # fmt: skip
    """Put `count` pieces of 16 trits over those of a target, or where `keep`, their maximum."""
    signature = types.void(source, INT, INT, target, INT, INT, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        source, at, splane, target, to, tplane, count, keep = args
        one, minus = (pointer(context, b, sig.args[0], source, i, I16) for i in (I64(0), splane))
        old, less = (pointer(context, b, sig.args[3], target, i, I16) for i in (I64(0), tplane))
        kept = b.sext(b.icmp_signed("!=", keep, I64(0)), I16)
        with cgutils.for_range(b, count) as loop:
            here, there = b.add(at, loop.index), b.add(to, loop.index)
            nonzero, sign = (b.load(b.gep(base, [here]), align=2) for base in (one, minus))
            was, negative = (b.load(b.gep(base, [there]), align=2) for base in (old, less))
            plus = b.and_(nonzero, b.not_(sign))
            before = b.and_(b.and_(was, b.not_(negative)), kept)
            below = b.and_(sign, b.or_(b.and_(was, negative), b.not_(kept)))
            b.store(b.or_(b.or_(plus, before), below), b.gep(old, [there]), align=2)
            b.store(below, b.gep(less, [there]), align=2)
        return context.get_dummy_value()

    return signature, generate


@inner
def store_pooled(
    op: Any, mem: Any, wplane: Any, start: Any, pitch: Any, low: Any, high: Any, acc: Any,
    thresholds: Any, acts: Any, aplane: Any, room: Any, macros: Any, p0: Any, pixels: Any,
) -> None:  # fmt: skip
    """A STORE of the largest of some trits that come to lie on 16-bit pieces, one sum a step."""
    pool, size, zero = op[ST_POOL], op[ST_MACROS] >> 4, np.int64(0)
    ternarize(acc, op[ST_ACC] * room, room, pixels, thresholds, zero, macros, op[ST_MACROS], acts,
              np.int64(SLACK << 2), size, aplane)  # fmt: skip
    for i in range(pixels):
        x = op[ST_X0] + (p0 + i) // pool * op[ST_DX]
        if x >= low and x < high:
            later = np.int64(op[ST_COMBINE] != 0 or (p0 + i) % pool != 0)
            to = start + x * pitch + op[ST_CHAN] >> 4
            put_pieces(acts, (SLACK << 2) + i * size, aplane, mem, to, wplane, size, later)


@inner
def store(
    op: Any, mem: Any, wplane: Any, desc: Any, counters: Any, acc: Any, thresholds: Any,
    values: Any, bits: Any, there: Any, bplane: Any, acts: Any, aplane: Any, room: Any, macros: Any,
    y: Any, p0: Any, pixels: Any,
) -> None:  # fmt: skip
    """Execute a STORE."""
    b = op[F_BUFFER]
    if y < 0 or y >= desc[b, IMAGE_HEIGHT]:
        return
    shift = image_shift(desc, b, counters)
    low, high = max(0, -shift), min(desc[b, WIDTH], desc[b, IMAGE_WIDTH] - shift)
    groups, segments, active = op[ST_GROUPS], op[ST_SEGMENTS], op[ST_MACROS]
    pool, dx, pitch = op[ST_POOL], op[ST_DX], desc[b, PITCH]
    zero, one = np.int64(0), np.int64(1)
    trits = desc[b, PLANES] == 1 and op[ST_MODE] == TERN
    start = line_start(desc, b, np.int64(0), y)
    if trits and (start | pitch | op[ST_CHAN] | active) & 15 == 0:
        if pool == 1 and op[ST_COMBINE] == 0 and dx > 0:
            store_trits(op, mem, wplane, start, pitch, low, high, acc, thresholds, room, macros,
                         p0, pixels)  # fmt: skip
            return
        if groups == 1 and segments == 1:
            store_pooled(op, mem, wplane, start, pitch, low, high, acc, thresholds, acts, aplane,
                         room, macros, p0, pixels)  # fmt: skip
            return
    step, group, segment = op[ST_ACC], 0, 0
    x, turn = op[ST_X0] + p0 // pool * dx, p0 % pool
    for _ in range(pixels):
        if x >= low and x < high:
            macro = group * (macros // groups)
            at = step * room + segment * macros + macro
            fresh = op[ST_COMBINE] == 0 and turn == 0
            trit = x * pitch + op[ST_CHAN]
            if trits:
                ternarize(acc, at, zero, one, thresholds, macro, macros + macro, active, bits,
                           zero, zero, bplane)  # fmt: skip
                if not fresh:
                    combine_trits(mem, wplane, start + trit, bits, there, bplane, active)
                write_planes(bits, bplane, active, mem, wplane, start + trit)
            else:
                results(op, acc, at, thresholds, macro, macros, values)
                if not fresh:
                    for m in range(active):
                        values[m] = max(values[m], read_value(mem, wplane, desc, b, y, trit + m))
                for j in range(desc[b, PLANES]):
                    value_plane(values, active, j, bits, 0, bplane)
                    address = line_start(desc, b, j, y) + trit
                    write_planes(bits, bplane, active, mem, wplane, address)
        segment += 1
        if segment == segments:
            segment = 0
            group += 1
            if group == groups:
                group = 0
                step += 1
        turn += 1
        if turn == pool:
            turn = 0
            x += dx
