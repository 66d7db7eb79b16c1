"""A DMAOUT: trits in memory -> a line of an output image."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.bits import bits_at, copy_bits
from tdsl_runtime.kernels.clock import time_dma
from tdsl_runtime.kernels.columns import (
    F_BUFFER,
    MISSING_PIXEL,
    O_CHAN,
    O_FORMAT,
    O_LIMIT,
    O_N,
    O_TO,
    O_X0,
    P_BITS,
    P_HEIGHT,
    P_START,
    P_TYPE,
    P_WIDTH,
    PITCH,
    PLANES,
    SLACK,
    WIDTH,
)
from tdsl_runtime.kernels.elements import element_shift, put_values
from tdsl_runtime.kernels.jit import (
    I1,
    I8,
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
from tdsl_runtime.kernels.lines import gather, image_shift, missing_pixel
from tdsl_runtime.kernels.port_in import MANY_CHANNELS
from tdsl_runtime.kernels.transpose import put_bytes, transpose


@emitted
def expand(
    typing: Any, bits: Any, word: Any, plane: Any, count: Any, j: Any, values: Any, keep: Any
) -> Any:
    """values[i] = keep & values[i] + 2^j * trit i, for `count` trits from bits[word], by 8."""
    signature = types.void(bits, INT, INT, INT, INT, values, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        bits, word, plane, count, j, values, keep = args
        flags = ir.VectorType(I1, 8)
        sources = [
            pointer(context, b, sig.args[0], bits, index, I8)
            for index in (word, b.add(word, plane))
        ]
        target = pointer(context, b, sig.args[5], values, I64(0), I64)
        size, zero = splat(b, b.shl(I64(1), j), 8), ir.Constant(V8, [0] * 8)
        kept = splat(b, keep, 8)
        with cgutils.for_range(b, b.lshr(b.add(count, I64(7)), I64(3))) as loop:
            nonzero, sign = (
                b.bitcast(b.load(b.gep(p, [loop.index]), align=1), flags) for p in sources
            )
            value = b.select(nonzero, b.select(sign, b.sub(zero, size), size), zero)
            place = b.gep(target, [b.shl(loop.index, I64(3))])
            place = b.bitcast(place, V8.as_pointer())
            b.store(b.add(b.and_(b.load(place, align=8), kept), value), place, align=8)
        return context.get_dummy_value()

    return signature, generate


@inner
def bytes_out(
    op: Any, out: Any, port: Any, to: Any, pitch: Any, count: Any, acts: Any, aplane: Any,
    region: Any,
) -> None:  # fmt: skip
    """Write the trits of many channels of a gathered line, as bytes: transposed 64 x 64."""
    size = port[P_HEIGHT] * port[P_WIDTH]
    for block in range((count + 63) >> 6):
        x = max(0, min(64 * block, count - 64))
        pixels = min(64, count - x)
        for first in range(0, op[O_N], 64):
            for p in range(2):
                bit = ((SLACK + p * aplane) << 6) + op[O_CHAN] + first + x * pitch
                square = region + 64 + p * aplane
                if (bit | pitch) & 63 == 0:
                    transpose(acts, bit >> 6, pitch >> 6, square)
                    continue
                for i in range(pixels):
                    acts[region + i + p * aplane] = bits_at(acts, bit + i * pitch)
                transpose(acts, region + p * aplane, np.int64(1), square)
            for c in range(min(64, op[O_N] - first)):
                at = to + (first + c) * size + x
                put_bytes(acts, region + 64 + c, aplane, out, at, pixels)


@inner
def pixels_out(op: Any, port: Any, desc: Any, counters: Any, y: Any) -> Any:
    """The first pixel of the buffer that a DMAOUT sends, and how many."""
    shift = image_shift(desc, op[F_BUFFER], counters)
    low, high = max(op[O_X0], -shift), min(op[O_X0] + op[O_LIMIT], port[P_WIDTH] - shift)
    inside = y >= 0 and y < port[P_HEIGHT]
    return low, max(0, high - low) if inside else 0


@inner
def dma_out(
    op: Any, out: Any, port: Any, mem: Any, wplane: Any, desc: Any, counters: Any, y: Any, low: Any,
    count: Any, values: Any, acts: Any, aplane: Any,
) -> Any:  # fmt: skip
    """Execute a DMAOUT for `count` pixels from `low`; return whether the buffer held them."""
    b = op[F_BUFFER]
    pitch, column = desc[b, PITCH], low + image_shift(desc, b, counters)
    channels, size = op[O_N], port[P_HEIGHT] * port[P_WIDTH]
    whole, start = True, np.int64(SLACK)
    stream = SLACK + ((count * pitch + 63) >> 6) + SLACK
    to = op[O_TO] * size + y * port[P_WIDTH] + column
    for j in range(desc[b, PLANES]):
        whole &= gather(
            mem, wplane, acts, aplane, start << 6, desc, b, j, y, low, low + count, counters
        )
        if channels >= MANY_CHANNELS and desc[b, PLANES] == 1 and not op[O_FORMAT]:
            bytes_out(op, out, port, port[P_START] + to, pitch, count, acts, aplane, stream)
            return whole
        at = start
        if channels != pitch:
            at = stream
            for p in range(2):
                for x in range(count):
                    source = ((start + p * aplane) << 6) + x * pitch + op[O_CHAN]
                    target = ((stream + p * aplane) << 6) + x * channels
                    copy_bits(acts, source, acts, target, channels)
        keep = np.int64(0) if j == 0 else np.int64(-1)
        expand(acts, at, aplane, count * channels, j, values, keep)
    element = port[P_START] >> element_shift(port[P_TYPE])
    if op[O_FORMAT]:
        for x in range(count):
            best = 0
            for c in range(1, channels):
                if values[x * channels + c] > values[x * channels + best]:
                    best = c
            values[x] = best
        put_values(port[P_TYPE], values, np.int64(0), np.int64(1), out, element + to, count)
    else:
        for c in range(channels):
            at = element + to + c * size
            put_values(port[P_TYPE], values, c, channels, out, at, count)
    return whole


@inner
def out_failure(
    op: Any, desc: Any, counters: Any, y: Any, low: Any, pixels: Any, status: Any
) -> None:
    """Tell which pixel no buffer holds."""
    b = op[F_BUFFER]
    status[0], status[3], status[4] = MISSING_PIXEL, y, desc[b, WIDTH] - 1
    status[2] = missing_pixel(desc, b, y, low, low + pixels, counters)


@inner
def time_out(
    op: Any, port: Any, desc: Any, figures: Any, cost: Any, pixels: Any, clock: Any, started: Any,
    row: Any,
) -> None:  # fmt: skip
    """Time a DMAOUT, count its trits."""
    sent = pixels * port[P_BITS] * (1 if op[O_FORMAT] else op[O_N])
    trits = pixels * op[O_N] * desc[op[F_BUFFER], PLANES]
    time_dma(figures, cost, pixels, trits, sent, clock, started, row)
