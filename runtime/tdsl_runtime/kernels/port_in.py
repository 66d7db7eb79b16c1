"""A DMAIN: a line of an input image -> trits in memory."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.bits import copy_bits, fill_bits
from tdsl_runtime.kernels.clock import time_dma
from tdsl_runtime.kernels.columns import (
    F_BUFFER,
    I_FORMAT,
    I_LEVELS,
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    P_BITS,
    P_CHANNELS,
    P_HEIGHT,
    P_START,
    P_TYPE,
    P_WIDTH,
    PITCH,
    PLANES,
    SLACK,
    WIDTH,
)
from tdsl_runtime.kernels.elements import read_line
from tdsl_runtime.kernels.jit import inner
from tdsl_runtime.kernels.levels import thermometer
from tdsl_runtime.kernels.lines import image_shift, line_start
from tdsl_runtime.kernels.store import value_plane
from tdsl_runtime.kernels.transpose import byte_plane, transpose


@inner
def write_pixels(
    acts: Any, aplane: Any, start: Any, size: Any, step: Any, count: Any, mem: Any, wplane: Any,
    address: Any, pitch: Any,
) -> None:  # fmt: skip
    """Write `count` pixels of `size` trits, `step` apart in acts from bit `start`, to memory."""
    if size == pitch and size == step:
        size, count = size * count, 1
    for i in range(count):
        source, to = start + i * step, address + i * pitch
        copy_bits(acts, source, mem, to, size)
        copy_bits(acts, source + (aplane << 6), mem, to + (wplane << 6), size)


MANY_CHANNELS = 16


@inner
def bytes_in(
    raw: Any, port: Any, y: Any, column: Any, count: Any, j: Any, acts: Any, aplane: Any
) -> Any:
    """Plane j of a line of many byte channels, pixel by pixel, to acts; return where and the step.

    The planes of every channel are taken along the line first, then 64 x 64 bits are transposed.
    """
    channels, blocks = port[P_CHANNELS], (count + 63) >> 6
    tall = (channels + 63) >> 6
    signed = np.int64(port[P_TYPE] == 1)
    for c in range(channels):
        start = port[P_START] + (c * port[P_HEIGHT] + y) * port[P_WIDTH] + column
        byte_plane(raw, start, count, j, signed, acts, SLACK + c * blocks, aplane)
    for i in range(SLACK + channels * blocks, SLACK + tall * 64 * blocks):
        acts[i] = acts[i + aplane] = np.uint64(0)
    square = SLACK + tall * 64 * blocks
    to = square + 64
    for p in range(2):
        plane = p * aplane
        for block in range(blocks):
            pixels = min(64, count - 64 * block)
            for t in range(tall):
                at = SLACK + t * 64 * blocks + block + plane
                transpose(acts, at, blocks, square + plane)
                for i in range(pixels):
                    acts[to + (64 * block + i) * tall + t + plane] = acts[square + i + plane]
    return to, tall


@inner
def pixels_in(op: Any, desc: Any, counters: Any, y: Any) -> Any:
    """The first pixel of the buffer that a DMAIN fills, and how many."""
    b = op[F_BUFFER]
    shift = image_shift(desc, b, counters)
    low, high = max(0, -shift), min(desc[b, WIDTH], desc[b, IMAGE_WIDTH] - shift)
    inside = y >= 0 and y < desc[b, IMAGE_HEIGHT]
    return low, max(0, high - low) if inside else 0


@inner
def planes_in(
    op: Any, raw: Any, port: Any, mem: Any, wplane: Any, desc: Any, counters: Any, y: Any, low: Any,
    count: Any, values: Any, acts: Any, aplane: Any,
) -> None:  # fmt: skip
    """Execute a DMAIN of bit planes for `count` pixels of the buffer from `low`."""
    b, channels = op[F_BUFFER], port[P_CHANNELS]
    pitch, column = desc[b, PITCH], low + image_shift(desc, b, counters)
    many = channels >= MANY_CHANNELS and port[P_TYPE] <= 1
    if not many:
        read_line(raw, port, y, column, count, values)
    for j in range(desc[b, PLANES]):
        start, step = np.int64(SLACK << 6), channels
        if many and j < 8:
            to, tall = bytes_in(raw, port, y, column, count, j, acts, aplane)
            start, step = to << 6, tall << 6
        elif many:
            clear_trits(acts, aplane, count * channels)
        else:
            value_plane(values, count * channels, j, acts, SLACK, aplane)
        address = line_start(desc, b, j, y) + low * pitch
        write_pixels(acts, aplane, start, channels, step, count, mem, wplane, address, pitch)


@inner
def levels_in(
    op: Any, raw: Any, port: Any, mem: Any, wplane: Any, desc: Any, counters: Any, y: Any, low: Any,
    count: Any, levels: Any, values: Any, acts: Any, aplane: Any,
) -> None:  # fmt: skip
    """Execute a DMAIN of thermometers, which fill plane 0 and clear the others."""
    b, channels = op[F_BUFFER], port[P_CHANNELS]
    pitch, column = desc[b, PITCH], low + image_shift(desc, b, counters)
    size, start = channels * op[I_LEVELS], np.int64(SLACK << 6)
    read_line(raw, port, y, column, count, values)
    thermometer(op, levels, values, count, channels, acts, aplane)
    for j in range(desc[b, PLANES]):
        if j == 1:
            clear_trits(acts, aplane, count * size)
        address = line_start(desc, b, j, y) + low * pitch
        write_pixels(acts, aplane, start, size, size, count, mem, wplane, address, pitch)


@inner
def clear_trits(acts: Any, aplane: Any, count: Any) -> None:
    """Clear `count` trits where lines are prepared."""
    fill_bits(acts, np.int64(SLACK << 6), count, np.uint64(0))
    fill_bits(acts, (SLACK + aplane) << 6, count, np.uint64(0))


@inner
def time_in(
    op: Any, port: Any, desc: Any, figures: Any, cost: Any, pixels: Any, clock: Any, started: Any,
    row: Any,
) -> None:  # fmt: skip
    """Time a DMAIN, count its trits."""
    moved = pixels * port[P_CHANNELS]
    trits = moved * (op[I_LEVELS] if op[I_FORMAT] else desc[op[F_BUFFER], PLANES])
    time_dma(figures, cost, pixels, trits, moved * port[P_BITS], clock, started, row)
