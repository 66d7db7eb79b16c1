"""DMAIN and DMAOUT at ports of packed trits: lines of bits <-> trits in memory."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.bits import copy_bits
from tdsl_runtime.kernels.columns import (
    F_BUFFER,
    O_CHAN,
    O_N,
    O_TO,
    P_CHANNELS,
    P_HEIGHT,
    P_START,
    P_WIDTH,
    PITCH,
    PLANES,
    SLACK,
)
from tdsl_runtime.kernels.jit import I8, I64, INT, cgutils, emitted, inner, pointer, types
from tdsl_runtime.kernels.lines import gather, image_shift, line_start
from tdsl_runtime.kernels.port_in import clear_trits, write_pixels


@emitted
def load_words(typing: Any, raw: Any, start: Any, target: Any, to: Any, count: Any) -> Any:
    """target[to : to + count] = words from byte `start` of `raw`."""
    signature = types.void(raw, INT, target, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        raw, start, target, to, count = args
        source = pointer(context, b, sig.args[0], raw, start, I8)
        place = b.bitcast(pointer(context, b, sig.args[2], target, to, I64), I8.as_pointer())
        cgutils.raw_memcpy(b, place, source, count, I64(8), align=1)
        return context.get_dummy_value()

    return signature, generate


@inner
def line_words(port: Any) -> Any:
    """Words of a line of the port in each plane."""
    return (port[P_WIDTH] * port[P_CHANNELS] + 63) >> 6


@inner
def keep_signs(acts: Any, aplane: Any, first: Any, count: Any) -> None:
    """Clear the signs of trits that are 0."""
    for w in range(first, first + count):
        acts[w + aplane] &= acts[w]


@inner
def packed_in(
    op: Any, raw: Any, port: Any, mem: Any, wplane: Any, desc: Any, counters: Any, y: Any, low: Any,
    count: Any, acts: Any, aplane: Any,
) -> None:  # fmt: skip
    """Execute a DMAIN for `count` pixels of the buffer from `low`: plane 0; the others are 0."""
    b, channels, words = op[F_BUFFER], port[P_CHANNELS], line_words(port)
    pitch = desc[b, PITCH]
    bit = (low + image_shift(desc, b, counters)) * channels
    line = port[P_START] + 8 * (y * words + (bit >> 6))
    taken = ((bit & 63) + count * channels + 63) >> 6
    load_words(raw, line, acts, np.int64(SLACK), taken)
    load_words(raw, line + 8 * port[P_HEIGHT] * words, acts, SLACK + aplane, taken)
    keep_signs(acts, aplane, np.int64(SLACK), taken)
    start = (SLACK << 6) + (bit & 63)
    for j in range(desc[b, PLANES]):
        if j == 1:
            start = np.int64(SLACK << 6)
            clear_trits(acts, aplane, count * channels)
        address = line_start(desc, b, j, y) + low * pitch
        write_pixels(acts, aplane, start, channels, channels, count, mem, wplane, address, pitch)


@inner
def packed_out(
    op: Any, out: Any, port: Any, mem: Any, wplane: Any, desc: Any, counters: Any, y: Any, low: Any,
    count: Any, acts: Any, aplane: Any,
) -> Any:  # fmt: skip
    """Execute a DMAOUT of plane 0 for `count` pixels; return whether the buffer held them."""
    b, channels, size = op[F_BUFFER], port[P_CHANNELS], op[O_N]
    pitch, column = desc[b, PITCH], low + image_shift(desc, b, counters)
    start, zero = np.int64(SLACK << 6), np.int64(0)
    whole = gather(
        mem, wplane, acts, aplane, start, desc, b, zero, y, low, low + count, counters
    )  # fmt: skip
    keep_signs(acts, aplane, np.int64(SLACK), (count * pitch + 63) >> 6)
    words = line_words(port)
    to = ((port[P_START] >> 3) + y * words << 6) + column * channels + op[O_TO]
    start += op[O_CHAN]
    if size == pitch and size == channels:
        size, count = size * count, np.int64(1)
    for x in range(count):
        for p in range(2):
            source = start + x * pitch + p * (aplane << 6)
            copy_bits(
                acts, source, out, to + x * channels + p * (port[P_HEIGHT] * words << 6), size
            )
    return whole
