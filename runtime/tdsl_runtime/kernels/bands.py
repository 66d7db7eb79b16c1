"""BANDIN, BANDOUT: tiles of images <-> bit rows, a byte of every value at a time.

The bytes of a tile are laid out column by column first; 64 of them are eight words of bit rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tdsl_runtime.kernels.columns import P_HEIGHT, P_START, P_TYPE, P_WIDTH
from tdsl_runtime.kernels.elements import element_shift, narrow_i8
from tdsl_runtime.kernels.jit import (
    I1,
    I8,
    I64,
    INT,
    cgutils,
    emitted,
    inner,
    ir,
    pointer,
    splat,
    types,
)
from tdsl_runtime.kernels.row_columns import (
    BI_BORDER,
    BI_CHAN,
    BI_DST,
    BI_LINES,
    BI_N,
    BI_PAD,
    BI_PITCH,
    BI_WIDTH,
    BO_A,
    BO_AN,
    BO_AS,
    BO_CHAN,
    BO_FIRST,
    BO_LINES,
    BO_PITCH,
    BO_STEP,
    BO_WIDTH,
    EDGE,
    RO_CHAN,
    RO_N,
    RO_SLOT,
)

WIDE = ir.VectorType(I8, 64)


@emitted
def fill_bytes(typing: Any, target: Any, to: Any, count: Any, value: Any) -> Any:
    """Bytes to..to+count-1 of an array become `value`."""
    signature = types.void(target, INT, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        target, to, count, value = args
        place = b.gep(pointer(context, b, sig.args[0], target, I64(0), I8), [to])
        with b.if_then(b.icmp_signed(">", count, I64(0))):
            cgutils.memset(b, place, count, b.trunc(value, I8))
        return context.get_dummy_value()

    return signature, generate


@emitted
def take_bytes(
    typing: Any, source: Any, start: Any, step: Any, target: Any, to: Any, stride: Any, count: Any,
    shift: Any,
) -> Any:  # fmt: skip
    """target[to + i * stride] = source[start + i * step] >> shift, bytes, for i in 0..count-1."""
    signature = types.void(source, INT, INT, target, INT, INT, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        source, start, step, target, to, stride, count, shift = args
        src = b.gep(pointer(context, b, sig.args[0], source, I64(0), I8), [start])
        dst = b.gep(pointer(context, b, sig.args[3], target, I64(0), I8), [to])
        loose = b.or_(b.xor(step, I64(1)), b.xor(stride, I64(1)))
        whole = b.icmp_signed("==", b.or_(loose, shift), I64(0))
        with b.if_else(whole) as (dense, apart):
            with dense, b.if_then(b.icmp_signed(">", count, I64(0))):
                cgutils.raw_memcpy(b, dst, src, count, I64(1), align=1)
            with apart, cgutils.for_range(b, count) as loop:
                value = b.load(b.gep(src, [b.mul(loop.index, step)]))
                moved = b.ashr(value, b.trunc(shift, I8))
                b.store(moved, b.gep(dst, [b.mul(loop.index, stride)]))
        return context.get_dummy_value()

    return signature, generate


@emitted
def bytes_to_rows(
    typing: Any, columns: Any, words: Any, row_words: Any, macros: Any, mem: Any, plane: Any,
    size: Any, row: Any, rows: Any,
) -> Any:  # fmt: skip
    """Bits 0..rows-1 of the bytes of 64 * `words` columns to the bit rows from `row` on."""
    signature = types.void(columns, INT, INT, INT, mem, INT, INT, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        columns, words, row_words, macros, mem, plane, size, row, rows = args
        source = pointer(context, b, sig.args[0], columns, I64(0), WIDE)
        target = pointer(context, b, sig.args[4], mem, I64(0), I64)
        zero = ir.Constant(WIDE, [0] * 64)
        with cgutils.for_range(b, words) as each:
            value = b.load(b.gep(source, [each.index]), align=8)
            place = word_place(b, each.index, row_words, macros)
            with cgutils.for_range(b, rows) as loop:
                tested = splat(b, b.trunc(b.shl(I64(1), loop.index), I8), 64)
                bits = b.icmp_unsigned("!=", b.and_(value, tested), zero)
                address = row_place(b, b.add(row, loop.index), plane, size)
                word = b.gep(target, [b.add(address, place)])
                b.store(b.bitcast(bits, I64), word, align=8)
        return context.get_dummy_value()

    return signature, generate


@emitted
def rows_to_bytes(
    typing: Any, mem: Any, plane: Any, size: Any, row: Any, rows: Any, signed: Any, first: Any,
    last: Any, row_words: Any, macros: Any, columns: Any,
) -> Any:  # fmt: skip
    """Bytes of the columns of words first..last-1, their bits 0..7 from the bit rows from `row` on.

    Bits beyond `rows` (below 1 if there are none in this byte) repeat the last one, or are 0.
    """
    signature = types.void(mem, INT, INT, INT, INT, INT, INT, INT, INT, INT, columns)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, plane, size, row, rows, signed, first, last, row_words, macros, columns = args
        source = pointer(context, b, sig.args[0], mem, I64(0), I64)
        target = pointer(context, b, sig.args[10], columns, I64(0), WIDE)
        zero = ir.Constant(WIDE, [0] * 64)
        with cgutils.for_range(b, b.sub(last, first)) as each:
            number = b.add(first, each.index)
            place = word_place(b, number, row_words, macros)
            total = zero
            for j in range(8):
                held = b.icmp_signed("<", I64(j), rows)
                at = b.select(held, I64(j), b.sub(rows, I64(1)))
                address = row_place(b, b.add(row, at), plane, size)
                word = b.load(b.gep(source, [b.add(address, place)]), align=8)
                kept = b.select(held, I64(-1), b.neg(signed))
                flags = b.bitcast(b.and_(word, kept), ir.VectorType(I1, 64))
                weight = ir.Constant(WIDE, [1 << j if j < 7 else -128] * 64)
                total = b.or_(total, b.select(flags, weight, zero))
            b.store(total, b.gep(target, [number]), align=8)
        return context.get_dummy_value()

    return signature, generate


def word_place(b: Any, number: Any, row_words: Any, macros: Any) -> Any:
    """Where word `number` of the columns is in a row: word by word, in each macro by macro."""
    return b.add(b.mul(b.urem(number, row_words), macros), b.udiv(number, row_words))


def row_place(b: Any, row: Any, plane: Any, size: Any) -> Any:
    """Where a bit row starts."""
    return b.add(b.mul(b.and_(row, I64(1)), plane), b.mul(b.lshr(row, I64(1)), size))


@inner
def byte_of(value: Any, k: Any) -> Any:
    """Byte k of a number."""
    return (value >> min(8 * k, 63)) & 255


@inner
def band_in(
    op: Any, raw: Any, port: Any, mem: Any, plane: Any, macros: Any, row_words: Any, active: Any,
    y: Any, x: Any, acts: Any,
) -> None:  # fmt: skip
    """Execute a BANDIN of the tile at line y, pixel x."""
    width, height = port[P_WIDTH], port[P_HEIGHT]
    bytes_each = 1 << element_shift(port[P_TYPE])
    image = port[P_START] + op[BI_CHAN] * height * width * bytes_each
    low, high = min(max(-x, 0), op[BI_WIDTH]), max(min(width - x, op[BI_WIDTH]), 0)
    high = max(low, high)
    for k in range((op[BI_N] + 7) >> 3):
        fill_bytes(acts, 0, 64 * active * row_words, 0)
        beyond = k >= bytes_each
        byte = bytes_each - 1 if beyond else k
        shift = 7 if beyond else 0
        unsigned = beyond and port[P_TYPE] & 1 == 0 and bytes_each < 8
        pad = byte_of(op[BI_PAD], k)
        for line in range(op[BI_LINES]):
            to, at = line * op[BI_PITCH], y + line
            if op[BI_BORDER] == EDGE:
                at = max(0, min(height - 1, at))
            if at < 0 or at >= height:
                fill_bytes(acts, to, op[BI_WIDTH], pad)
                continue
            start = image + at * width * bytes_each + byte
            if not unsigned:
                take_bytes(
                    raw, start + (x + low) * bytes_each, bytes_each, acts, to + low, 1, high - low,
                    shift,
                )  # fmt: skip
            if op[BI_BORDER] != EDGE:
                fill_bytes(acts, to, low, pad)
                fill_bytes(acts, to + high, op[BI_WIDTH] - high, pad)
            elif not unsigned:
                last = start + (width - 1) * bytes_each
                take_bytes(raw, start, 0, acts, to, 1, low, shift)
                take_bytes(raw, last, 0, acts, to + high, 1, op[BI_WIDTH] - high, shift)
        rows = min(8, op[BI_N] - 8 * k)
        bytes_to_rows(
            acts, active * row_words, row_words, macros, mem, plane, macros * row_words,
            op[BI_DST] + 8 * k, rows,
        )  # fmt: skip


@inner
def band_out(
    op: Any, out: Any, port: Any, mem: Any, plane: Any, macros: Any, row_words: Any, y: Any, x: Any,
    acts: Any,
) -> None:  # fmt: skip
    """Execute a BANDOUT of the tile at line y, pixel x."""
    width, height = port[P_WIDTH], port[P_HEIGHT]
    bytes_each = 1 << element_shift(port[P_TYPE])
    image = port[P_START] + op[BO_CHAN] * height * width * bytes_each
    low, high = max(-x, 0), min(width - x, op[BO_WIDTH])
    first, last = max(-y, 0), min(height - y, op[BO_LINES])
    if high <= low or last <= first:
        return
    start = op[BO_FIRST] + first * op[BO_PITCH] + low * op[BO_STEP]
    end = op[BO_FIRST] + (last - 1) * op[BO_PITCH] + (high - 1) * op[BO_STEP]
    for k in range(bytes_each):
        rows = min(max(op[BO_AN] - 8 * k, 0), 8)
        row = op[BO_A] + 8 * k
        if rows == 0:
            row = op[BO_A] + op[BO_AN]
        rows_to_bytes(
            mem, plane, macros * row_words, row, rows, op[BO_AS], start >> 6, (end >> 6) + 1,
            row_words, macros, acts,
        )  # fmt: skip
        for line in range(first, last):
            source = op[BO_FIRST] + line * op[BO_PITCH] + low * op[BO_STEP]
            to = image + ((y + line) * width + x + low) * bytes_each + k
            take_bytes(acts, source, op[BO_STEP], out, to, bytes_each, high - low, 0)


@inner
def results_out(op: Any, results: Any, out: Any, port: Any) -> None:
    """Execute a REGOUT; its output has 8 bytes a value."""
    at = (port[P_START] >> 3) + op[RO_CHAN]
    narrow_i8(results, op[RO_SLOT], np.int64(1), out, at, op[RO_N])


@inner
def tile_pixels(y: Any, x: Any, lines: Any, width: Any, height: Any, image_width: Any) -> Any:
    """The pixels of a tile that lie inside an image."""
    rows = min(y + lines, height) - max(y, 0)
    pixels = min(x + width, image_width) - max(x, 0)
    return max(0, rows) * max(0, pixels)
