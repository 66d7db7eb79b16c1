"""A LUT: trits of two lines -> trits of a third."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.bits import copy_bits
from tdsl_runtime.kernels.columns import (
    F_BUFFER,
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    L_A,
    L_AHOLD,
    L_APLANE,
    L_B,
    L_BHOLD,
    L_BPLANE,
    L_PLANE,
    L_TABLE,
    MISSING_PIXEL,
    NONE,
    PITCH,
    SLACK,
    WIDTH,
)
from tdsl_runtime.kernels.jit import inner
from tdsl_runtime.kernels.lines import gather, image_shift, line_start, line_trits, missing_pixel


@inner
def operand(
    mem: Any, wplane: Any, acts: Any, aplane: Any, region: Any, desc: Any, buffer: Any, plane: Any,
    hold: Any, y: Any, first: Any, count: Any, counters: Any,
) -> Any:  # fmt: skip
    """Gather an operand of a LUT; a held one is repeated for every pixel."""
    if not hold:
        return gather(mem, wplane, acts, aplane, region << 6, desc, buffer, plane, y, first,
                       first + count, counters)  # fmt: skip
    zero, one = np.int64(0), np.int64(1)
    whole = gather(
        mem, wplane, acts, aplane, region << 6, desc, buffer, plane, zero, zero, one, counters
    )
    pitch, done = desc[buffer, PITCH], one
    while done < count:
        more = min(done, count - done)
        to = (region << 6) + done * pitch
        copy_bits(acts, region << 6, acts, to, more * pitch)
        copy_bits(acts, (region + aplane) << 6, acts, to + (aplane << 6), more * pitch)
        done += more
    return whole


@inner
def combine(table: Any, acts: Any, aplane: Any, a: Any, b: Any, out: Any, words: Any) -> None:
    """64 trits at a time: OR the products of indicator words that the table selects."""
    for w in range(words):
        nonzero = sign = np.uint64(0)
        an, asg = acts[a + w], acts[a + w] & acts[a + w + aplane]
        bn, bsg = acts[b + w], acts[b + w] & acts[b + w + aplane]
        for entry in range(9):
            code = (table >> (2 * entry)) & 3
            if code == 0:
                continue
            i, j = entry // 3, entry % 3
            left = asg if i == 0 else (~an if i == 1 else an & ~asg)
            right = bsg if j == 0 else (~bn if j == 1 else bn & ~bsg)
            hit = left & right
            if code & 1:
                nonzero |= hit
            if code & 2:
                sign |= hit
        acts[out + w] = nonzero
        acts[out + w + aplane] = sign


@inner
def interferes(
    desc: Any, a: Any, plane: Any, hold: Any, y: Any, low: Any, high: Any, start: Any
) -> Any:
    """Whether writing trits low..high-1 one by one changes what is read later from an operand."""
    first = line_start(desc, a, plane, 0 if hold else y)
    last = first + (desc[a, PITCH] if hold else line_trits(desc, a))
    return first < high and low < last and (hold or first != start)


@inner
def look_up(
    op: Any, mem: Any, wplane: Any, desc: Any, counters: Any, acts: Any, aplane: Any, y: Any,
    p0: Any, pixels: Any,
) -> Any:  # fmt: skip
    """Execute a LUT; return whether its operands were held by their buffers."""
    b = op[F_BUFFER]
    region = (pixels * desc[b, PITCH] >> 6) + SLACK
    pitch, shift = desc[b, PITCH], image_shift(desc, b, counters)
    low, high = max(0, -shift), min(desc[b, WIDTH], desc[b, IMAGE_WIDTH] - shift)
    if y < 0 or y >= desc[b, IMAGE_HEIGHT]:
        low = high = 0
    start = line_start(desc, b, op[L_PLANE], y)
    end = start + line_trits(desc, b)
    entangled = interferes(
        desc, op[L_A], op[L_APLANE], op[L_AHOLD], y, start, end, start
    ) or interferes(desc, op[L_B], op[L_BPLANE], op[L_BHOLD], y, start, end, start)
    turn = 1 if entangled else pixels
    left, right = np.int64(SLACK), np.int64(SLACK) + region
    whole = True
    for i in range(0, pixels, max(turn, 1)):
        x = p0 + i
        whole &= operand(mem, wplane, acts, aplane, left, desc, op[L_A], op[L_APLANE],
                          op[L_AHOLD], y, x, turn, counters)  # fmt: skip
        whole &= operand(mem, wplane, acts, aplane, right, desc, op[L_B], op[L_BPLANE],
                          op[L_BHOLD], y, x, turn, counters)  # fmt: skip
        words = (turn * pitch + 63) >> 6
        combine(op[L_TABLE], acts, aplane, left, right, left, words)
        first, last = max(x, low), min(x + turn, high)
        if last > first:
            source = (SLACK << 6) + (first - x) * pitch
            count = (last - first) * pitch
            copy_bits(acts, source, mem, start + first * pitch, count)
            copy_bits(
                acts, source + (aplane << 6), mem, start + first * pitch + (wplane << 6), count
            )
    return whole


@inner
def lut_failure(
    op: Any, desc: Any, counters: Any, y: Any, p0: Any, pixels: Any, status: Any
) -> None:
    """Tell which pixel of an operand no buffer holds."""
    for x in range(p0, p0 + pixels):
        for f in (L_A, L_B):
            at, line = (0, 0) if op[f + 2] else (x, y)
            missing = missing_pixel(desc, op[f], line, at, at + 1, counters)
            if missing != NONE:
                status[0], status[2], status[3] = MISSING_PIXEL, missing, line
                status[4] = desc[op[f], WIDTH] - 1
                return
