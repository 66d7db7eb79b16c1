"""Sums and thresholds -> trits and values."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.columns import (
    COUNT,
    SPACED,
    ST_BIAS,
    ST_LEVELS,
    ST_MACROS,
    ST_MODE,
    ST_SHIFT,
    T_N_FIELD,
    T_ROW_FIELD,
    T_SLOT_FIELD,
    TERN,
)
from tdsl_runtime.kernels.jit import I16, I32, I64, INT, cgutils, emitted, inner, ir, pointer, types


@inner
def load_thresholds(
    op: Any, mem: Any, wplane: Any, thresholds: Any, row_words: Any, macros: Any
) -> None:
    """Execute a TLOAD."""
    for j in range(op[T_N_FIELD]):
        slot = op[T_SLOT_FIELD] + j
        row = op[T_ROW_FIELD] + slot // (4 * row_words)
        slot %= 4 * row_words
        start = (row * row_words + slot // 4) * macros + (wplane if slot // 2 % 2 else 0)
        half = np.uint64(32 * (slot % 2))
        for m in range(macros):
            thresholds[j * macros + m] = np.int32(np.uint32(mem[start + m] >> half))


@emitted
def ternarize(
    typing: Any, acc: Any, at: Any, step: Any, pixels: Any, thresholds: Any, low: Any, high: Any,
    count: Any, bits: Any, to: Any, to_step: Any, plane: Any,
) -> Any:  # fmt: skip
    """+1 above thresholds[high:], -1 below thresholds[low:], for `count` sums of some pixels.

    The sums of pixel i stand at acc[at + i * step ...]; its trits go to `bits` from bit
    16 * (to + i * to_step), 16 at a time, the signs `plane` words further.
    """
    signature = types.void(acc, INT, INT, INT, thresholds, INT, INT, INT, bits, INT, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        acc, at, step, pixels, thresholds, low, high, count, bits, to, to_step, plane = args
        wide = ir.VectorType(I32, 16)
        sums = pointer(context, b, sig.args[0], acc, at, I32)
        planes = [pointer(context, b, sig.args[8], bits, index, I16) for index in (I64(0), plane)]
        vectors = b.lshr(b.add(count, I64(15)), I64(4))
        with cgutils.for_range(b, vectors) as of_macros:
            index = b.shl(of_macros.index, I64(4))
            lows, highs = (
                b.load(pointer(context, b, sig.args[4], thresholds, b.add(t, index), wide), align=4)
                for t in (low, high)
            )
            first = b.add(to, of_macros.index)
            with cgutils.for_range(b, pixels) as of_pixels:
                place = b.gep(sums, [b.add(b.mul(of_pixels.index, step), index)])
                value = b.load(b.bitcast(place, wide.as_pointer()), align=4)
                above = b.icmp_signed(">", value, highs)
                below = b.and_(b.icmp_signed("<", value, lows), b.not_(above))
                where = b.add(first, b.mul(of_pixels.index, to_step))
                for plane_bits, base in zip((b.or_(above, below), below), planes, strict=True):
                    b.store(b.bitcast(plane_bits, I16), b.gep(base, [where]), align=2)
        return context.get_dummy_value()

    return signature, generate


@inner
def results(
    op: Any, acc: Any, at: Any, thresholds: Any, macro: Any, macros: Any, values: Any
) -> None:
    """The values that the sums of the active macros become."""
    count, mode = op[ST_MACROS], op[ST_MODE]
    bias, levels, shift = op[ST_BIAS], op[ST_LEVELS], op[ST_SHIFT]
    if mode == TERN:
        for m in range(count):
            above = acc[at + m] > thresholds[macros + macro + m]
            below = acc[at + m] < thresholds[macro + m]
            values[m] = 1 if above else (-1 if below else 0)
    elif mode == COUNT:
        for m in range(count):
            values[m] = bias
        for j in range(levels):
            for m in range(count):
                values[m] += np.int64(thresholds[j * macros + macro + m] < acc[at + m])
    elif mode == SPACED:
        for m in range(count):
            distance = np.int64(acc[at + m]) - np.int64(thresholds[macro + m])
            values[m] = bias + min(max(((distance - 1) >> shift) + 1, 0), levels)
    else:
        for m in range(count):
            values[m] = acc[at + m]
