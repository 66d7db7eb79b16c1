"""A MOVE: a bit row -> the same, its columns moved within and between macros."""

from __future__ import annotations

from typing import Any

from tdsl_runtime.kernels.bits import copy_words
from tdsl_runtime.kernels.columns import SLACK
from tdsl_runtime.kernels.jit import (
    I64,
    INT,
    V8,
    call_intrinsic,
    cgutils,
    emitted,
    inner,
    iota,
    ir,
    pointer,
    splat,
    types,
)
from tdsl_runtime.kernels.row_columns import MV_A, MV_BY, MV_DST, MV_N


@emitted
def shift_macros(
    typing: Any, words: Any, low: Any, low_first: Any, low_last: Any, high: Any, high_first: Any,
    high_last: Any, shift: Any, mem: Any, to: Any, count: Any,
) -> Any:  # fmt: skip
    """mem[to + m] = 64 bits of (words[high + m], words[low + m]) from bit `shift` on, m < count.

    A word is 0 where m lies outside its first..last-1.
    """
    signature = types.void(words, *[INT] * 7, mem, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        words, low, low_first, low_last, high, high_first, high_last, shift, mem, to, count = args
        zero = ir.Constant(V8, [0] * 8)
        source = pointer(context, b, sig.args[0], words, I64(0), I64)
        target = pointer(context, b, sig.args[8], mem, to, I64)

        def part(number: Any, start: Any, first: Any, last: Any) -> Any:
            place = b.bitcast(b.gep(source, [b.add(start, number)]), V8.as_pointer())
            numbers = b.add(splat(b, number, 8), iota(I64, 8))
            after = b.icmp_signed(">=", numbers, splat(b, first, 8))
            inside = b.and_(after, b.icmp_signed("<", numbers, splat(b, last, 8)))
            return b.select(inside, b.load(place, align=8), zero)

        with cgutils.for_range(b, b.lshr(b.add(count, I64(7)), I64(3))) as loop:
            number = b.shl(loop.index, I64(3))
            lows = part(number, low, low_first, low_last)
            highs = part(number, high, high_first, high_last)
            moved = call_intrinsic(b, "llvm.fshr.v8i64", V8, highs, lows, splat(b, shift, 8))
            place = b.bitcast(b.gep(target, [number]), V8.as_pointer())
            left = splat(b, b.sub(count, number), 8)
            lanes = b.icmp_signed("<", iota(I64, 8), left)
            b.store(b.select(lanes, moved, b.load(place, align=8)), place, align=8)
        return context.get_dummy_value()

    return signature, generate


@inner
def move_rows(
    op: Any, mem: Any, plane: Any, macros: Any, row_words: Any, active: Any, acts: Any
) -> None:
    """Execute a MOVE: every row is copied to acts, then taken from there.

    Word w of a macro takes its bits from two words, which lie as many macros further for all.
    """
    size = macros * row_words
    column = op[MV_BY] >> 6
    start = SLACK + active
    for j in range(op[MV_N]):
        source = ((op[MV_A] + j) & 1) * plane + ((op[MV_A] + j) >> 1) * size
        target = ((op[MV_DST] + j) & 1) * plane + ((op[MV_DST] + j) >> 1) * size
        for w in range(row_words):
            copy_words(mem, source + w * macros, acts, start + w * active, active)
        for w in range(row_words):
            low, high = w + column, w + column + 1
            near = max(-active, min(active, low // row_words))
            far = max(-active, min(active, high // row_words))
            shift_macros(
                acts, start + low % row_words * active + near, -near, active - near,
                start + high % row_words * active + far, -far, active - far, op[MV_BY] & 63, mem,
                target + w * macros, active,
            )  # fmt: skip
