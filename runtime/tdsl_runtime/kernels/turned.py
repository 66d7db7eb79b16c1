"""SPREAD, PACK: pixels of many trits <-> a trit row for each trit, 64 x 64 bits at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from tdsl_runtime.kernels.bands import tile_pixels
from tdsl_runtime.kernels.bits import bits_at, copy_bits
from tdsl_runtime.kernels.columns import (
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    M_CHANNEL_TRITS,
    M_GATHER_TRITS,
    MISSING_PIXEL,
    OP_PACK,
    PITCH,
    SLACK,
    WIDTH,
)
from tdsl_runtime.kernels.jit import ALL, inner
from tdsl_runtime.kernels.lines import ceil_div, gather, image_shift, line_start, missing_pixel
from tdsl_runtime.kernels.row_columns import (
    PK_BUFFER,
    PK_CHAN,
    PK_FIRST,
    PK_LINES,
    PK_N,
    PK_PITCH,
    PK_PLANE,
    PK_ROW,
    PK_STEP,
    PK_WIDTH,
    SP_BUFFER,
    SP_CHAN,
    SP_LINES,
    SP_N,
    SP_PITCH,
    SP_PLANE,
    SP_ROW,
    SP_WIDTH,
)
from tdsl_runtime.kernels.rows import time_rows
from tdsl_runtime.kernels.transpose import transpose

SQUARES = 4 * 64
"""Words for two squares of both planes."""


@inner
def put_columns(mem: Any, row: Any, column: Any, bits: Any, row_words: Any, macros: Any) -> None:
    """Set the bits of a row from a column on, which are 0 before; those beyond the last are 0."""
    word, shift = column >> 6, np.uint64(column & 63)
    mem[row + word % row_words * macros + word // row_words] |= bits << shift
    over = (bits >> np.uint64(1)) >> (np.uint64(63) - shift)
    if over != np.uint64(0):
        word += 1
        mem[row + word % row_words * macros + word // row_words] |= over


@inner
def columns_at(mem: Any, row: Any, column: Any, step: Any, count: Any, row_words: Any,
               macros: Any) -> Any:  # fmt: skip
    """`count` bits of a row, from a column on."""
    bits = np.uint64(0)
    if step == 1:
        word, shift = column >> 6, np.uint64(column & 63)
        bits = mem[row + word % row_words * macros + word // row_words] >> shift
        if (column & 63) + count > 64:
            word += 1
            bits |= mem[row + word % row_words * macros + word // row_words] << (
                np.uint64(64) - shift
            )
        return bits & (ALL >> np.uint64(64 - count))
    for i in range(count):
        at = column + i * step
        word = at >> 6
        cell = mem[row + word % row_words * macros + word // row_words]
        bits |= (cell >> np.uint64(at & 63) & np.uint64(1)) << np.uint64(i)
    return bits


@inner
def spread(
    op: Any, mem: Any, wplane: Any, macros: Any, row_words: Any, active: Any, desc: Any,
    counters: Any, y: Any, x: Any, acts: Any, aplane: Any, status: Any,
) -> Any:  # fmt: skip
    """Execute a SPREAD of the tile at line y, pixel x; return whether the buffer held it."""
    buffer, size = op[SP_BUFFER], macros * row_words
    pitch, low = desc[buffer, PITCH], x - image_shift(desc, buffer, counters)
    for r in range(2 * op[SP_N]):
        row = (r & 1) * wplane + (op[SP_ROW] + (r >> 1)) * size
        for w in range(row_words):
            for m in range(active):
                mem[row + w * macros + m] = np.uint64(0)
    start = SLACK + SQUARES
    for line in range(op[SP_LINES]):
        held = gather(
            mem, wplane, acts, aplane, start << 6, desc, buffer, op[SP_PLANE], y + line, low,
            low + op[SP_WIDTH], counters,
        )  # fmt: skip
        if not held:
            status[0], status[3], status[4] = MISSING_PIXEL, y + line, desc[buffer, WIDTH] - 1
            status[2] = missing_pixel(desc, buffer, y + line, low, low + op[SP_WIDTH], counters)
            return False
        for first in range(0, op[SP_WIDTH], 64):
            pixels = min(64, op[SP_WIDTH] - first)
            column = line * op[SP_PITCH] + first
            bit = (start << 6) + first * pitch + op[SP_CHAN]
            for c in range(0, op[SP_N], 64):
                turn_pixels(acts, aplane, bit + c, pitch, pixels)
                for k in range(min(64, op[SP_N] - c)):
                    nonzero, sign = acts[SLACK + 64 + k], acts[SLACK + 192 + k]
                    row = (op[SP_ROW] + c + k) * size
                    put_columns(mem, row, column, nonzero, row_words, macros)
                    put_columns(mem, row + wplane, column, nonzero & sign, row_words, macros)
    return True


@inner
def turn_pixels(acts: Any, aplane: Any, bit: Any, pitch: Any, pixels: Any) -> None:
    """64 trits of up to 64 pixels `pitch` apart: their nonzero bits and signs, trit by trit."""
    for plane in range(2):
        square = SLACK + 128 * plane
        for i in range(64):
            word = np.uint64(0)
            if i < pixels:
                word = bits_at(acts, bit + i * pitch + plane * (aplane << 6))
            acts[square + i] = word
        transpose(acts, square, np.int64(1), square + 64)


@inner
def held_pixels(buffer: Any, count: Any, desc: Any, counters: Any, x: Any) -> Any:
    """The pixels of a tile from image pixel x that lie inside image and buffer: first, last."""
    shift = image_shift(desc, buffer, counters)
    low = max(0, max(-x, shift - x))
    high = min(count, min(desc[buffer, IMAGE_WIDTH] - x, desc[buffer, WIDTH] + shift - x))
    return low, max(low, high)


@inner
def pack(
    op: Any, mem: Any, wplane: Any, macros: Any, row_words: Any, desc: Any, counters: Any, y: Any,
    x: Any, acts: Any,
) -> Any:  # fmt: skip
    """Execute a PACK of the tile at line y, pixel x; return the pixels written."""
    buffer, size = op[PK_BUFFER], macros * row_words
    pitch, shift = desc[buffer, PITCH], image_shift(desc, buffer, counters)
    low, high = held_pixels(buffer, op[PK_WIDTH], desc, counters, x)
    written = 0
    for line in range(op[PK_LINES]):
        if y + line < 0 or y + line >= desc[buffer, IMAGE_HEIGHT]:
            continue
        written += high - low
        to = line_start(desc, buffer, op[PK_PLANE], y + line) + (x - shift) * pitch + op[PK_CHAN]
        for first in range(low, high, 64):
            pixels = min(64, high - first)
            column = op[PK_FIRST] + line * op[PK_PITCH] + first * op[PK_STEP]
            for c in range(0, op[PK_N], 64):
                channels = min(64, op[PK_N] - c)
                row = (op[PK_ROW] + c) * size
                turn_rows(
                    mem, wplane, row, size, channels, column, op[PK_STEP], pixels, row_words,
                    macros, acts,
                )  # fmt: skip
                for i in range(pixels):
                    bit = to + (first + i) * pitch + c
                    copy_bits(acts, (SLACK + 64 + i) << 6, mem, bit, channels)
                    copy_bits(acts, (SLACK + 192 + i) << 6, mem, bit + (wplane << 6), channels)
    return written


@inner
def turn_rows(
    mem: Any, wplane: Any, row: Any, size: Any, channels: Any, column: Any, step: Any, pixels: Any,
    row_words: Any, macros: Any, acts: Any,
) -> None:  # fmt: skip
    """Up to 64 trit rows at 64 columns: their nonzero bits and signs, column by column."""
    for k in range(64):
        nonzero = sign = np.uint64(0)
        if k < channels:
            at = row + k * size
            nonzero = columns_at(mem, at, column, step, pixels, row_words, macros)
            sign = nonzero & columns_at(mem, at + wplane, column, step, pixels, row_words, macros)
        acts[SLACK + k], acts[SLACK + 128 + k] = nonzero, sign
    for plane in range(2):
        square = SLACK + 128 * plane
        transpose(acts, square, np.int64(1), square + 64)


@inner
def turn(
    op: Any, cost: Any, row: Any, mem: Any, wplane: Any, macros: Any, row_words: Any, active: Any,
    desc: Any, counters: Any, y: Any, x: Any, acts: Any, aplane: Any, figures: Any, clock: Any,
    started: Any, status: Any,
) -> Any:  # fmt: skip
    """Execute a SPREAD or PACK of the tile at line y, pixel x; return whether that was possible."""
    if op[0] == OP_PACK:
        n = op[PK_N]
        pixels = pack(op, mem, wplane, macros, row_words, desc, counters, y, x, acts)
    else:
        n, b = op[SP_N], op[SP_BUFFER]
        if not spread(
            op, mem, wplane, macros, row_words, active, desc, counters, y, x, acts, aplane, status
        ):
            return False
        height, width = desc[b, IMAGE_HEIGHT], desc[b, IMAGE_WIDTH]
        pixels = tile_pixels(y, x, op[SP_LINES], op[SP_WIDTH], height, width)
    items = ceil_div(n * pixels, min(figures[M_CHANNEL_TRITS], figures[M_GATHER_TRITS]))
    time_rows(cost, items, 2 * n, active * row_words * 64, pixels, clock, started, row)
    return True
