"""Gathered trits -> how many of those that travel over the channels are set."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.bits import ones
from tdsl_runtime.kernels.columns import (
    D_GROUPS,
    D_LINES,
    D_SEGMENTS,
    S_START,
    T_BIT,
    T_LEN,
    T_STRIDE,
    T_STRIP,
)
from tdsl_runtime.kernels.jit import (
    ALL,
    I32,
    I64,
    INT,
    V8,
    call_intrinsic,
    cgutils,
    emitted,
    inner,
    ir,
    pointer,
    types,
)


@emitted
def mark_ones(typing: Any, acts: Any, aplane: Any, marks: Any, first: Any, count: Any) -> Any:
    """marks[first + w] = set bits, both planes, of acts[first : first + w], for w in 0..count."""
    signature = types.void(acts, INT, marks, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        acts, aplane, marks, first, count = args
        zero = ir.Constant(V8, [0] * 8)
        before = cgutils.alloca_once_value(b, zero)
        last = ir.Constant(ir.VectorType(I32, 8), [7] * 8)
        with cgutils.for_range(b, b.add(b.lshr(count, I64(3)), I64(1))) as loop:
            at = b.add(first, b.shl(loop.index, I64(3)))
            own = zero
            for index in (at, b.add(at, aplane)):
                word = b.load(pointer(context, b, sig.args[0], acts, index, V8), align=8)
                own = b.add(own, call_intrinsic(b, "llvm.ctpop.v8i64", V8, word))
            total = own
            for distance in (1, 2, 4):
                order = [lane - distance if lane >= distance else 8 for lane in range(8)]
                order_vector = ir.Constant(ir.VectorType(I32, 8), order)
                total = b.add(total, b.shuffle_vector(total, zero, order_vector))
            carry = b.load(before)
            place = pointer(context, b, sig.args[2], marks, at, V8)
            b.store(b.add(carry, b.sub(total, own)), place, align=8)
            all_of_it = b.shuffle_vector(total, ir.Constant(V8, ir.Undefined), last)
            b.store(b.add(carry, all_of_it), before)
        return context.get_dummy_value()

    return signature, generate


@inner
def ones_before(acts: Any, aplane: Any, marks: Any, bit: Any) -> Any:
    """Set bits of a strip, both planes, in front of a bit."""
    word = bit >> 6
    if bit & 63 == 0:
        return marks[word]
    low = ~(ALL << np.uint64(bit & 63))
    return marks[word] + ones(acts[word] & low) + ones(acts[word + aplane] & low)


@inner
def ones_of_windows(
    acts: Any, aplane: Any, marks: Any, bit: Any, step: Any, count: Any, size: Any
) -> Any:
    """Set bits of `count` windows of `size` trits, `step` trits apart: whole steps telescope."""
    total = 0
    if step == 0:
        one = ones_before(acts, aplane, marks, bit + size)
        return count * (one - ones_before(acts, aplane, marks, bit))
    whole = size // step
    if whole > count:
        whole = 0
    for j in range(whole):
        total += ones_before(acts, aplane, marks, bit + (count + j) * step)
        total -= ones_before(acts, aplane, marks, bit + j * step)
    rest = size - whole * step
    if rest > 0:
        for i in range(count):
            start = bit + (i + whole) * step
            total += ones_before(acts, aplane, marks, start + rest)
            total -= ones_before(acts, aplane, marks, start)
    return total


@inner
def dot_ones(
    op: Any, strips: Any, taps: Any, fresh: Any, acts: Any, aplane: Any, marks: Any, p0: Any,
    pixels: Any,
) -> Any:  # fmt: skip
    """Set bits that travel for a DOT: whole windows at the first step, then `fresh` trits."""
    total = 0
    for t in range(op[D_LINES]):
        step, size = taps[t, T_STRIDE], taps[t, T_LEN]
        bit = strips[taps[t, T_STRIP], S_START] + taps[t, T_BIT] + p0 * step
        whole = min(pixels, op[D_GROUPS] * op[D_SEGMENTS]) if fresh < size else pixels
        total += ones_of_windows(acts, aplane, marks, bit, step, whole, size)
        if whole < pixels:
            bit += whole * step + size - fresh
            total += ones_of_windows(acts, aplane, marks, bit, step, pixels - whole, fresh)
    return total
