"""Bit strings in arrays of words -> copies at any bit, counts of ones."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.jit import (
    ALL,
    I64,
    INT,
    V8,
    call_intrinsic,
    cgutils,
    emitted,
    inner,
    pointer,
    splat,
    types,
)


@emitted
def funnel(typing: Any, source: Any, word: Any, shift: Any, target: Any, to: Any) -> Any:
    """target[to + i] = 64 bits of source from bit 64 * (word + i) + shift, for i in 0..7."""
    signature = types.void(source, INT, INT, target, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        source, word, shift, target, to = args
        low = b.load(pointer(context, b, sig.args[0], source, word, V8), align=8)
        after = b.add(word, I64(1))
        high = b.load(pointer(context, b, sig.args[0], source, after, V8), align=8)
        value = call_intrinsic(b, "llvm.fshr.v8i64", V8, high, low, splat(b, shift, 8))
        b.store(value, pointer(context, b, sig.args[3], target, to, V8), align=8)
        return context.get_dummy_value()

    return signature, generate


@emitted
def copy_words(typing: Any, source: Any, word: Any, target: Any, to: Any, count: Any) -> Any:
    """target[to : to + count] = source[word : word + count]; the two do not overlap."""
    signature = types.void(source, INT, target, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        source, word, target, to, count = args
        src = pointer(context, b, sig.args[0], source, word, I64)
        dst = pointer(context, b, sig.args[2], target, to, I64)
        cgutils.raw_memcpy(b, dst, src, count, I64(8), align=8)
        return context.get_dummy_value()

    return signature, generate


@emitted
def ones(typing: Any, word: Any) -> Any:
    """The set bits of a word."""

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        return call_intrinsic(b, "llvm.ctpop.i64", I64, args[0])

    return types.int64(types.uint64), generate


@inner
def bits_at(source: Any, bit: Any) -> Any:
    """The 64 bits from a bit address."""
    word, shift = bit >> 6, np.uint64(bit & 63)
    return (source[word] >> shift) | ((source[word + 1] << np.uint64(1)) << (np.uint64(63) - shift))


@inner
def put_word(target: Any, word: Any, value: Any, mask: Any) -> None:
    """Change the bits of a word that the mask covers."""
    target[word] = (target[word] & ~mask) | (value & mask)


@inner
def copy_bits(source: Any, bit: Any, target: Any, to: Any, count: Any) -> None:
    """target bits to..to+count-1 = source bits bit..; the rest of target keeps its value."""
    if count <= 0:
        return
    word, last = to >> 6, (to + count - 1) >> 6
    head = ALL << np.uint64(to & 63)
    tail = ALL >> np.uint64(63 - ((to + count - 1) & 63))
    start = bit - (to & 63)
    if word == last:
        put_word(target, word, bits_at(source, start), head & tail)
        return
    if head != ALL:
        put_word(target, word, bits_at(source, start), head)
        word += 1
        start += 64
    whole = last - word if tail != ALL else last - word + 1
    if start & 63 == 0:
        copy_words(source, start >> 6, target, word, whole)
    else:
        i = 0
        while i + 8 <= whole:
            funnel(source, (start >> 6) + i, start & 63, target, word + i)
            i += 8
        while i < whole:
            target[word + i] = bits_at(source, start + 64 * i)
            i += 1
    if tail != ALL:
        put_word(target, last, bits_at(source, start + 64 * whole), tail)


@inner
def fill_bits(target: Any, to: Any, count: Any, value: Any) -> None:
    """target bits to..to+count-1 = value (a word of equal bits)."""
    if count <= 0:
        return
    word, last = to >> 6, (to + count - 1) >> 6
    head = ALL << np.uint64(to & 63)
    tail = ALL >> np.uint64(63 - ((to + count - 1) & 63))
    if word == last:
        put_word(target, word, value, head & tail)
        return
    put_word(target, word, value, head)
    for i in range(word + 1, last):
        target[i] = value
    put_word(target, last, value, tail)
