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
from tdsl_runtime.kernels.jit import inner
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
def word_place(word: Any, row_words: Any, macros: Any) -> Any:
    """Where a word of 64 columns is in a row."""
    return word % row_words * macros + word // row_words


@inner
def put_columns(
    mem: Any, row: Any, wplane: Any, size: Any, channels: Any, column: Any, pixels: Any,
    row_words: Any, macros: Any, acts: Any,
) -> None:  # fmt: skip
    """Set what was turned in as many trit rows, from a column on; they are 0 there before."""
    shift = np.uint64(column & 63)
    near = far = word_place(column >> 6, row_words, macros)
    if (column & 63) + pixels > 64:
        far = word_place((column >> 6) + 1, row_words, macros)
    for k in range(channels):
        nonzero, at = acts[SLACK + 64 + k], row + k * size
        sign = nonzero & acts[SLACK + 192 + k]
        mem[at + near] |= nonzero << shift
        mem[at + near + wplane] |= sign << shift
        mem[at + far] |= (nonzero >> np.uint64(1)) >> (np.uint64(63) - shift)
        mem[at + far + wplane] |= (sign >> np.uint64(1)) >> (np.uint64(63) - shift)


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
                put_columns(
                    mem, (op[SP_ROW] + c) * size, wplane, size, min(64, op[SP_N] - c), column,
                    pixels, row_words, macros, acts,
                )  # fmt: skip
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
                if op[PK_STEP] == 1:
                    turn_rows(
                        mem, wplane, row, size, channels, column, pixels, row_words, macros, acts
                    )
                else:
                    gather_columns(
                        mem, wplane, row, size, channels, column, op[PK_STEP], pixels, row_words,
                        macros, acts,
                    )  # fmt: skip
                bit = to + first * pitch + c
                for plane in range(2):
                    put_pixels(
                        acts, SLACK + 64 + 128 * plane, mem, bit + plane * (wplane << 6), channels,
                        pitch, pixels,
                    )  # fmt: skip
    return written


@inner
def put_pixels(
    acts: Any, at: Any, mem: Any, bit: Any, channels: Any, pitch: Any, pixels: Any
) -> None:
    """Write the low bits of as many words of acts as pixels: joined, where nothing is between."""
    if channels != pitch:
        for i in range(pixels):
            copy_bits(acts, (at + i) << 6, mem, bit + i * pitch, channels)
        return
    stream = SLACK + SQUARES
    for i in range(((pixels * pitch) >> 6) + 1):
        acts[stream + i] = np.uint64(0)
    for i in range(pixels):
        word, shift = stream + ((i * pitch) >> 6), np.uint64((i * pitch) & 63)
        acts[word] |= acts[at + i] << shift
        if ((i * pitch) & 63) + pitch > 64:
            acts[word + 1] |= acts[at + i] >> (np.uint64(64) - shift)
    copy_bits(acts, stream << 6, mem, bit, pixels * pitch)


@inner
def turn_rows(
    mem: Any, wplane: Any, row: Any, size: Any, channels: Any, column: Any, pixels: Any,
    row_words: Any, macros: Any, acts: Any,
) -> None:  # fmt: skip
    """Up to 64 trit rows at 64 columns: their nonzero bits and signs, column by column."""
    shift, apart = np.uint64(column & 63), (column & 63) + pixels > 64
    near = far = word_place(column >> 6, row_words, macros)
    if apart:
        far = word_place((column >> 6) + 1, row_words, macros)
    for k in range(64):
        nonzero = sign = np.uint64(0)
        if k < channels:
            at = row + k * size
            nonzero = mem[at + near] >> shift
            sign = mem[at + near + wplane] >> shift
            if apart:
                nonzero |= mem[at + far] << (np.uint64(64) - shift)
                sign |= mem[at + far + wplane] << (np.uint64(64) - shift)
        acts[SLACK + k], acts[SLACK + 128 + k] = nonzero, nonzero & sign
    for plane in range(2):
        square = SLACK + 128 * plane
        transpose(acts, square, np.int64(1), square + 64)


@inner
def gather_columns(
    mem: Any, wplane: Any, row: Any, size: Any, channels: Any, column: Any, step: Any, pixels: Any,
    row_words: Any, macros: Any, acts: Any,
) -> None:  # fmt: skip
    """As `turn_rows`, for columns that are `step` apart."""
    for i in range(pixels):
        at, shift = column + i * step, np.uint64((column + i * step) & 63)
        place = row + word_place(at >> 6, row_words, macros)
        nonzero = sign = np.uint64(0)
        for k in range(channels):
            cell = mem[place + k * size] >> shift & np.uint64(1)
            minus = mem[place + k * size + wplane] >> shift & cell
            nonzero |= cell << np.uint64(k)
            sign |= minus << np.uint64(k)
        acts[SLACK + 64 + i], acts[SLACK + 192 + i] = nonzero, sign


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
