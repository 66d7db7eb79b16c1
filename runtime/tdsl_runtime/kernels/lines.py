"""Descriptors of line buffers, counters -> pixels of a line, their addresses, their trits."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.bits import copy_bits, fill_bits
from tdsl_runtime.kernels.columns import (
    BASE,
    DEPTH,
    HALO,
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    NONE,
    PAD,
    PITCH,
    STEP,
    STRIP,
    WIDTH,
)
from tdsl_runtime.kernels.jit import ALL, inner


@inner
def line_trits(desc: Any, buffer: Any) -> Any:
    """Trits a line takes: whole words."""
    return (desc[buffer, WIDTH] * desc[buffer, PITCH] + 63) >> 6 << 6


@inner
def line_start(desc: Any, buffer: Any, plane: Any, y: Any) -> Any:
    """Trit address of pixel 0 of a line."""
    depth = desc[buffer, DEPTH]
    return desc[buffer, BASE] + (plane * depth + y % depth) * line_trits(desc, buffer)


@inner
def image_shift(desc: Any, buffer: Any, counters: Any) -> Any:
    """Image pixel of the buffer's pixel 0."""
    return counters[desc[buffer, STRIP]] * desc[buffer, STEP] - desc[buffer, HALO]


@inner
def gather(
    mem: Any, wplane: Any, acts: Any, aplane: Any, to: Any, desc: Any, buffer: Any, plane: Any,
    y: Any, first: Any, last: Any, counters: Any,
) -> Any:  # fmt: skip
    """Copy pixels first..last-1 of a line into acts from bit `to` on, pads outside the image.

    Returns whether every one was to be had; those inside the image but outside the buffer are 0.
    """
    pitch, width, pad = desc[buffer, PITCH], desc[buffer, WIDTH], desc[buffer, PAD]
    total = (last - first) * pitch
    shift = image_shift(desc, buffer, counters)
    low = min(max(-shift, first), last)
    high = min(max(desc[buffer, IMAGE_WIDTH] - shift, low), last)
    if y < 0 or y >= desc[buffer, IMAGE_HEIGHT]:
        low = high = last
    whole = low >= high or (low >= 0 and high <= width)
    nonzero = ALL if pad != 0 else np.uint64(0)
    sign = ALL if pad < 0 else np.uint64(0)
    if not whole:
        fill_bits(acts, to, total, np.uint64(0))
        fill_bits(acts, to + (aplane << 6), total, np.uint64(0))
    for p in range(2):
        value = sign if p else nonzero
        target = to + p * (aplane << 6)
        fill_bits(acts, target, (low - first) * pitch, value)
        fill_bits(acts, target + (high - first) * pitch, (last - high) * pitch, value)
        begin, end = max(low, 0), min(high, width)
        if end > begin:
            start = line_start(desc, buffer, plane, y) + begin * pitch + p * (wplane << 6)
            copy_bits(mem, start, acts, target + (begin - first) * pitch, (end - begin) * pitch)
    return whole


@inner
def span_start(op: Any, xcounter: Any, counters: Any) -> Any:
    """First pixel of the span; `xcounter` is the column of that field, span and limit follow."""
    if xcounter == 0:
        return xcounter
    return counters[op[xcounter]] * op[xcounter + 1]


@inner
def span_pixels(op: Any, xcounter: Any, start: Any) -> Any:
    """Pixels of the span: what is left of the line at most."""
    return max(0, min(op[xcounter + 1], op[xcounter + 2] - start))


@inner
def line_of(op: Any, counter: Any, counters: Any) -> Any:
    """The line that the four fields from column `counter` on name; 0 where there are none."""
    if counter == 0:
        return counter
    return counters[op[counter]] // op[counter + 1] * op[counter + 2] + op[counter + 3]


@inner
def missing_pixel(desc: Any, buffer: Any, y: Any, low: Any, high: Any, counters: Any) -> Any:
    """The first pixel of low..high-1 that lies inside the image but outside the buffer, or NONE."""
    shift = image_shift(desc, buffer, counters)
    if y >= 0 and y < desc[buffer, IMAGE_HEIGHT]:
        for x in range(max(low, -shift), min(high, desc[buffer, IMAGE_WIDTH] - shift)):
            if x < 0 or x >= desc[buffer, WIDTH]:
                return x
    return NONE


@inner
def ceil_div(a: Any, b: Any) -> Any:
    """A quotient, rounded up."""
    return (a + b - 1) // b
