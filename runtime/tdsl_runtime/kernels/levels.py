"""Pixels and levels -> thermometer trits."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.columns import I_BASE, I_EACH, I_LEVELS, LEVELS, SLACK
from tdsl_runtime.kernels.jit import I32, I64, INT, emitted, inner, ir, pointer, splat, types


@emitted
def compare_levels(typing: Any, levels: Any, low: Any, high: Any, value: Any) -> Any:
    """Bit j: value > levels[high + j]; bit 32 + j: value < levels[low + j]; j = 0..31."""
    signature = types.int64(levels, INT, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        levels, low, high, value = args
        wide = ir.VectorType(I32, 32)
        lows, highs = (
            b.load(pointer(context, b, sig.args[0], levels, index, wide), align=4)
            for index in (low, high)
        )
        values = splat(b, b.trunc(value, I32), 32)
        above = b.zext(b.bitcast(b.icmp_signed(">", values, highs), I32), I64)
        below = b.zext(b.bitcast(b.icmp_signed("<", values, lows), I32), I64)
        return b.or_(above, b.shl(below, I64(32)))

    return signature, generate


LEVEL_LIMIT = 1 << 24


@inner
def thermometer(
    op: Any, levels: Any, values: Any, count: Any, channels: Any, acts: Any, aplane: Any
) -> None:
    """Trits of the values of a line, as two bit strings in acts from word SLACK."""
    k, word, fill = op[I_LEVELS], np.int64(SLACK), np.int64(0)
    nonzero = sign = np.uint64(0)
    for i in range(count * channels):
        value = min(max(values[i], -LEVEL_LIMIT), LEVEL_LIMIT)
        entry = op[I_BASE] + (i % channels * k if op[I_EACH] else 0)
        for j in range(0, k, 32):
            size = min(32, k - j)
            mask = (np.uint64(1) << np.uint64(size)) - np.uint64(1)
            both = np.uint64(compare_levels(levels, entry + j, 2 * LEVELS + entry + j, value))
            above = both & mask
            below = (both >> np.uint64(32)) & mask & ~above
            either = above | below
            nonzero |= either << np.uint64(fill)
            sign |= below << np.uint64(fill)
            fill += size
            if fill >= 64:
                acts[word], acts[word + aplane] = nonzero, sign
                fill -= 64
                word += 1
                nonzero = either >> np.uint64(size - fill)
                sign = below >> np.uint64(size - fill)
    acts[word], acts[word + aplane] = nonzero, sign
