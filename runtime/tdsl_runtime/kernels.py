"""The jitted machine: a field table, memory planes and input bytes -> output values and counters.

Every Numba function stands in this one file, since the compile cache does not see edits in others.
The file runs from the vector instructions up to `execute`, the one entry point:
vector intrinsics, bit strings, line buffers, plans of fused DOTs, DOT, ACC, STORE, LUT, DMA, time.

Memory is uint64 [2 planes x `plane` words], flat: plane 0 the nonzero bits, plane 1 the signs, word
address `(row * W + word) * M + macro`, so that one vector register holds the same word of eight
macros, and a feature line is a linear string of bits in each plane.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar, cast

import numpy as np

# Neither llvmlite nor most of Numba has type annotations.
ir: Any = import_module("llvmlite.ir")
binding: Any = import_module("llvmlite.binding")
cgutils: Any = import_module("numba.core.cgutils")
config: Any = import_module("numba.core.config")
extending: Any = import_module("numba.extending")
types: Any = import_module("numba.core.types")
njit: Any = import_module("numba").njit

I1, I8, I16, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))
V8 = ir.VectorType(I64, 8)
INT = types.int64
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)

DONE, MISSING_PIXEL, MISSING_TOKEN, EXCESS, MORE_POSTS = range(5)
"""How a run ended, in status[0]; status[1] is the micro-op, the rest details."""
NONE = -(1 << 62)

_Function = TypeVar("_Function", bound=Callable[..., Any])


def inner(function: _Function) -> _Function:
    """Compile a function that kernels alone call.

    Without wrappers and reference counts that takes half the time, and views cost nothing.
    """
    jit = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy", _nrt=False)
    return cast("_Function", jit(function))


def entry(function: Callable[..., None]) -> Any:
    """Compile a function that Python calls, and keep it for the next process."""
    jit = njit(nogil=True, cache=True, no_cfunc_wrapper=True, error_model="numpy", _nrt=False)
    return jit(function)


def emitted(function: Callable[..., Any]) -> Any:
    """Let a function write the vector instructions of a call itself."""
    return extending.intrinsic(function)


# --- vector intrinsics -------------------------------------------------------------------------


def _splat(b: Any, value: Any, lanes: int) -> Any:
    """One scalar in all lanes."""
    vector = ir.VectorType(value.type, lanes)
    empty = ir.Constant(vector, ir.Undefined)
    first = b.insert_element(empty, value, I32(0))
    return b.shuffle_vector(first, empty, ir.Constant(ir.VectorType(I32, lanes), [0] * lanes))


def _iota(kind: Any, lanes: int) -> Any:
    return ir.Constant(ir.VectorType(kind, lanes), list(range(lanes)))


def _call(b: Any, name: str, result: Any, *args: Any) -> Any:
    """Call an LLVM intrinsic by its mangled name."""
    kind = ir.FunctionType(result, [a.type for a in args])
    return b.call(cgutils.get_or_insert_function(b.module, kind, name), list(args))


def _at(context: Any, b: Any, kind: Any, array: Any, index: Any, wanted: Any) -> Any:
    """Pointer to `array[index]` as a pointer to the wanted type."""
    data = context.make_array(kind)(context, b, array).data
    return b.bitcast(b.gep(data, [index]), wanted.as_pointer())


def _dot_tile(pixels: int, vectors: int) -> Any:
    """A register-blocked tile: `pixels` windows against 8 * `vectors` macros, over n_k words.

    Word k of window q stands at `acts[kbase[k] + q * kstep[k]]`, its signs `aplane` words
    further, its weights for 16 macros at `panel[32 * k]` and their signs behind them. The sums,
    times 2^shift, go to `acc[out + q * ostep ...]`, added to what `keep` (0 or -1) leaves of it,
    the first `lanes` lanes alone; one that 32 bits do not hold leaves a mark in `excess`.
    """

    @emitted
    def tile(
        typing: Any, panel: Any, acts: Any, aplane: Any, kbase: Any, kstep: Any, n_k: Any,
        first: Any, acc: Any, out: Any, ostep: Any, shift: Any, keep: Any, lanes: Any, excess: Any,
    ) -> Any:  # fmt: skip
        signature = types.void(
            panel, acts, INT, kbase, kstep, INT, INT, acc, INT, INT, INT, INT, INT, excess
        )

        def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
            (panel, acts, aplane, kbase, kstep, n_k, first,
             acc, out, ostep, shift, keep, lanes, excess) = args  # fmt: skip
            zero = ir.Constant(V8, [0] * 8)
            sums = [
                [[cgutils.alloca_once_value(b, zero) for _ in range(2)] for _ in range(vectors)]
                for _ in range(pixels)
            ]

            def scalar(position: int, array: Any, index: Any) -> Any:
                return b.load(_at(context, b, sig.args[position], array, index, I64))

            def weight(index: Any) -> Any:
                return b.load(_at(context, b, sig.args[0], panel, index, V8), align=8)

            with cgutils.for_range(b, n_k) as loop:
                step = scalar(4, kstep, loop.index)
                word = b.add(scalar(3, kbase, loop.index), b.mul(first, step))
                rows = [b.add(b.mul(loop.index, I64(32)), I64(8 * v)) for v in range(vectors)]
                planes = [(weight(r), weight(b.add(r, I64(16)))) for r in rows]
                for p in range(pixels):
                    nonzero = _splat(b, scalar(1, acts, word), 8)
                    sign = _splat(b, scalar(1, acts, b.add(word, aplane)), 8)
                    word = b.add(word, step)
                    for (wide, minus), slots in zip(planes, sums[p], strict=True):
                        both = b.and_(wide, nonzero)
                        negative = b.and_(both, b.xor(minus, sign))
                        for bits, slot in zip((both, negative), slots, strict=True):
                            count = _call(b, "llvm.ctpop.v8i64", V8, bits)
                            b.store(b.add(b.load(slot), count), slot)

            narrow = ir.VectorType(I32, 8)
            one = _splat(b, I64(1), 8)

            def finished(p: int, v: int) -> tuple[Any, Any]:
                both, negative = (b.load(slot) for slot in sums[p][v])
                index = b.add(b.mul(b.add(first, I64(p)), ostep), b.add(out, I64(8 * v)))
                place = _at(context, b, sig.args[7], acc, index, narrow)
                return b.sub(both, b.shl(negative, one)), place

            whole = b.icmp_signed(">=", lanes, I64(8 * vectors))
            plain = b.icmp_signed("==", b.or_(keep, shift), I64(0))
            with b.if_else(b.and_(whole, plain)) as (simple, general):
                with simple:
                    for v in range(vectors):
                        for p in range(pixels):
                            total, place = finished(p, v)
                            b.store(b.trunc(total, narrow), place, align=4)
                with general:
                    kept, shifts = _splat(b, b.trunc(keep, I32), 8), _splat(b, shift, 8)
                    over = zero
                    for v in range(vectors):
                        left = _splat(b, b.sub(lanes, I64(8 * v)), 8)
                        active = b.icmp_signed("<", _iota(I64, 8), left)
                        for p in range(pixels):
                            total, place = finished(p, v)
                            old = b.load(place, align=4)
                            wide = b.add(b.sext(b.and_(old, kept), V8), b.shl(total, shifts))
                            new = b.trunc(wide, narrow)
                            lost = b.xor(wide, b.sext(new, V8))
                            over = b.or_(over, b.select(active, lost, zero))
                            b.store(b.select(active, new, old), place, align=4)
                    marks = _at(context, b, sig.args[13], excess, I64(0), V8)
                    b.store(b.or_(b.load(marks, align=8), over), marks, align=8)
            return context.get_dummy_value()

        return signature, generate

    return tile


_tile_6x2, _tile_6x1 = _dot_tile(6, 2), _dot_tile(6, 1)
_tile_4x2, _tile_4x1 = _dot_tile(4, 2), _dot_tile(4, 1)
_tile_2x2, _tile_2x1 = _dot_tile(2, 2), _dot_tile(2, 1)
_tile_1x2, _tile_1x1 = _dot_tile(1, 2), _dot_tile(1, 1)


def _host_has_tiles() -> bool:
    """Whether LLVM compiles for a CPU with int8 matrix tiles (AMX)."""
    features = binding.get_host_cpu_features()
    chosen = config.CPU_NAME in (None, "host") and config.CPU_FEATURES is None
    return chosen and bool(features.get("amx-tile") and features.get("amx-int8"))


TILES = _host_has_tiles()
TILE = 1024
"""Bytes of a matrix tile: 16 rows of 64."""
TILE_CONFIG = bytes([1, *[0] * 15, *[64, 0] * 8, *[0] * 16, *[16] * 8, *[0] * 8])
"""Eight tiles of 16 rows of 64 bytes each, as `ldtilecfg` reads it."""


def _tile_call(b: Any, name: str, *args: Any) -> None:
    """Call an AMX intrinsic; nothing where LLVM has none, since it is never reached there."""
    if TILES:
        _call(b, f"llvm.x86.{name}", ir.VoidType(), *args)


@emitted
def _start_tiles(typing: Any, layout: Any) -> Any:
    """Configure the tiles of this thread."""

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        _tile_call(b, "ldtilecfg", _at(context, b, sig.args[0], args[0], I64(0), I8))
        return context.get_dummy_value()

    return types.void(layout), generate


@emitted
def _end_tiles(typing: Any) -> Any:
    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        _tile_call(b, "tilerelease")
        return context.get_dummy_value()

    return types.void(), generate


def _matrix_block(rows: int, columns: int) -> Any:
    """Windows `first`.. against macros: `rows` x `columns` tiles of 16 windows by 16 macros.

    Step k of window q stands in the bytes `trits[kbase[k] + q * kstep[k] ...]`, its weights for
    16 macros in the tile at `tiles[at + k * TILE]`, those of the next 16 `next_at` bytes further.
    The sums go to `sums[to ...]`, window by window `line` apart.
    """

    @emitted
    def block(
        typing: Any, trits: Any, kbase: Any, kstep: Any, n_k: Any, first: Any, tiles: Any, at: Any,
        next_at: Any, sums: Any, to: Any, line: Any,
    ) -> Any:  # fmt: skip
        signature = types.void(trits, kbase, kstep, INT, INT, tiles, INT, INT, sums, INT, INT)

        def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
            trits, kbase, kstep, n_k, first, tiles, at, next_at, sums, to, line = args
            pairs = [(r, c) for r in range(rows) for c in range(columns)]
            for r, c in pairs:
                _tile_call(b, "tilezero", I8(2 * r + c))
            width = I64(64)
            with cgutils.for_range(b, n_k) as loop:
                step = b.load(_at(context, b, sig.args[2], kstep, loop.index, I64))
                base = b.load(_at(context, b, sig.args[1], kbase, loop.index, I64))
                window = b.add(base, b.mul(first, step))
                weight = b.add(at, b.mul(loop.index, I64(TILE)))
                # A load before each product, no more: the tile unit works while the next one loads.
                loaded: set[int] = set()
                for r, c in pairs:
                    if 6 + c not in loaded:
                        place = b.add(weight, b.mul(next_at, I64(c)))
                        source = _at(context, b, sig.args[5], tiles, place, I8)
                        _tile_call(b, "tileloadd64", I8(6 + c), source, width)
                    if 4 + r not in loaded:
                        place = b.add(window, b.mul(step, I64(16 * r)))
                        source = _at(context, b, sig.args[0], trits, place, I8)
                        _tile_call(b, "tileloadd64", I8(4 + r), source, step)
                    loaded |= {4 + r, 6 + c}
                    _tile_call(b, "tdpbssd", I8(2 * r + c), I8(4 + r), I8(6 + c))
            for r, c in pairs:
                place = b.add(b.add(to, b.mul(line, I64(16 * r))), I64(16 * c))
                target = b.bitcast(_at(context, b, sig.args[8], sums, place, I32), I8.as_pointer())
                _tile_call(b, "tilestored64", I8(2 * r + c), target, b.mul(line, I64(4)))
            return context.get_dummy_value()

        return signature, generate

    return block


_matrix_2x2, _matrix_2x1 = _matrix_block(2, 2), _matrix_block(2, 1)
_matrix_1x2, _matrix_1x1 = _matrix_block(1, 2), _matrix_block(1, 1)


def _trit_bytes(b: Any, nonzero: Any, sign: Any) -> Any:
    """64 trits of two plane words as <64 x i8>."""
    wide, flags = ir.VectorType(I8, 64), ir.VectorType(I1, 64)
    one, minus, zero = (ir.Constant(wide, [value] * 64) for value in (1, -1, 0))
    signed = b.select(b.bitcast(sign, flags), minus, one)
    return b.select(b.bitcast(nonzero, flags), signed, zero)


@emitted
def _spell_trits(typing: Any, acts: Any, word: Any, aplane: Any, count: Any, trits: Any) -> Any:
    """trits[64 * w ...] = the trits of acts[w], a byte each, for `count` words from `word`."""
    signature = types.void(acts, INT, INT, INT, trits)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        acts, word, aplane, count, trits = args
        with cgutils.for_range(b, count) as loop:
            at = b.add(word, loop.index)
            nonzero = b.load(_at(context, b, sig.args[0], acts, at, I64))
            sign = b.load(_at(context, b, sig.args[0], acts, b.add(at, aplane), I64))
            value = _trit_bytes(b, nonzero, sign)
            place = _at(context, b, sig.args[4], trits, b.shl(at, I64(6)), value.type)
            b.store(value, place, align=1)
        return context.get_dummy_value()

    return signature, generate


@emitted
def _weight_tile(
    typing: Any, mem: Any, word: Any, wplane: Any, macros: Any, shift: Any, mask: Any, tiles: Any,
    at: Any,
) -> Any:  # fmt: skip
    """tiles[at ...] = 64 columns of a row for 16 macros, as [column / 4][macro][column % 4]."""
    signature = types.void(mem, INT, INT, INT, INT, types.uint64, tiles, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, word, wplane, macros, shift, mask, tiles, at = args
        by, masks = _splat(b, shift, 8), _splat(b, mask, 8)

        def columns(index: Any) -> Any:
            low, high = (
                b.load(_at(context, b, sig.args[0], mem, place, V8), align=8)
                for place in (index, b.add(index, macros))
            )
            return b.and_(_call(b, "llvm.fshr.v8i64", V8, high, low, by), masks)

        words = ir.VectorType(I32, 16)
        rows: list[Any] = []
        for half in (0, 8):
            first = b.add(word, I64(half))
            nonzero, sign = columns(first), columns(b.add(first, wplane))
            for lane in range(8):
                planes = (b.extract_element(plane, I32(lane)) for plane in (nonzero, sign))
                rows.append(b.bitcast(_trit_bytes(b, *planes), words))
        for distance in (8, 4, 2, 1):
            keep = [lane if not lane & distance else 16 + lane - distance for lane in range(16)]
            pull = [lane + distance if not lane & distance else 16 + lane for lane in range(16)]
            orders = [ir.Constant(words, order) for order in (keep, pull)]
            for i in range(16):
                if not i & distance:
                    pair = rows[i], rows[i + distance]
                    rows[i], rows[i + distance] = (b.shuffle_vector(*pair, o) for o in orders)
        for i, row in enumerate(rows):
            place = _at(context, b, sig.args[6], tiles, b.add(at, I64(64 * i)), words)
            b.store(row, place, align=1)
        return context.get_dummy_value()

    return signature, generate


@emitted
def _add_sums(
    typing: Any, sums: Any, at: Any, acc: Any, out: Any, shift: Any, keep: Any, lanes: Any,
    excess: Any,
) -> Any:  # fmt: skip
    """acc[out + i] = (keep & acc[out + i]) + (sums[at + i] << shift), for i < min(lanes, 16).

    A sum that 32 bits do not hold leaves a mark in `excess`.
    """
    signature = types.void(sums, INT, acc, INT, INT, INT, INT, excess)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        sums, at, acc, out, shift, keep, lanes, excess = args
        wide = ir.VectorType(I32, 16)
        source = _at(context, b, sig.args[0], sums, at, wide)
        place = _at(context, b, sig.args[2], acc, out, wide)
        by, kept = (_splat(b, b.trunc(value, I32), 16) for value in (shift, keep))
        old, total = b.load(place, align=4), b.load(source, align=4)
        base, added = b.and_(old, kept), b.shl(total, by)
        new = b.add(base, added)
        lost = b.xor(b.ashr(added, by), total)
        over = b.lshr(b.and_(b.xor(base, new), b.xor(added, new)), _splat(b, I32(31), 16))
        active = b.icmp_signed("<", _iota(I32, 16), _splat(b, b.trunc(lanes, I32), 16))
        zero = ir.Constant(wide, [0] * 16)
        marks = _at(context, b, sig.args[7], excess, I64(0), wide)
        found = b.select(active, b.or_(lost, over), zero)
        b.store(b.or_(b.load(marks, align=8), found), marks, align=8)
        b.store(b.select(active, new, old), place, align=4)
        return context.get_dummy_value()

    return signature, generate


@emitted
def _funnel(typing: Any, source: Any, word: Any, shift: Any, target: Any, to: Any) -> Any:
    """target[to + i] = 64 bits of source from bit 64 * (word + i) + shift, for i in 0..7."""
    signature = types.void(source, INT, INT, target, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        source, word, shift, target, to = args
        low = b.load(_at(context, b, sig.args[0], source, word, V8), align=8)
        after = b.add(word, I64(1))
        high = b.load(_at(context, b, sig.args[0], source, after, V8), align=8)
        value = _call(b, "llvm.fshr.v8i64", V8, high, low, _splat(b, shift, 8))
        b.store(value, _at(context, b, sig.args[3], target, to, V8), align=8)
        return context.get_dummy_value()

    return signature, generate


@emitted
def _merge(typing: Any, acts: Any, word: Any, shift: Any, masks: Any, mask: Any, to: Any) -> Any:
    """Put 8 words from bit 64 * word + shift into acts[to:].

    They go under masks[mask:], over what masks[mask + 8:] keeps of those there.
    """
    signature = types.void(acts, INT, INT, masks, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        acts, word, shift, masks, mask, to = args

        def load(position: int, array: Any, index: Any) -> Any:
            return b.load(_at(context, b, sig.args[position], array, index, V8), align=8)

        low, high = load(0, acts, word), load(0, acts, b.add(word, I64(1)))
        value = _call(b, "llvm.fshr.v8i64", V8, high, low, _splat(b, shift, 8))
        taken = b.and_(value, load(3, masks, mask))
        kept = b.and_(load(0, acts, to), load(3, masks, b.add(mask, I64(8))))
        b.store(b.or_(taken, kept), _at(context, b, sig.args[0], acts, to, V8), align=8)
        return context.get_dummy_value()

    return signature, generate


@emitted
def _copy_words(typing: Any, source: Any, word: Any, target: Any, to: Any, count: Any) -> Any:
    """target[to : to + count] = source[word : word + count]; the two do not overlap."""
    signature = types.void(source, INT, target, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        source, word, target, to, count = args
        src = _at(context, b, sig.args[0], source, word, I64)
        dst = _at(context, b, sig.args[2], target, to, I64)
        cgutils.raw_memcpy(b, dst, src, count, I64(8), align=8)
        return context.get_dummy_value()

    return signature, generate


@emitted
def _copy_panel(typing: Any, mem: Any, word: Any, wplane: Any, panel: Any, to: Any) -> Any:
    """panel[to:] = 16 words from both planes, one behind the other."""
    signature = types.void(mem, INT, INT, panel, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, word, wplane, panel, to = args
        for plane, index in ((0, word), (1, b.add(word, wplane))):
            for v in range(2):
                source = _at(context, b, sig.args[0], mem, b.add(index, I64(8 * v)), V8)
                place = b.add(to, I64(16 * plane + 8 * v))
                target = _at(context, b, sig.args[3], panel, place, V8)
                b.store(b.load(source, align=8), target, align=8)
        return context.get_dummy_value()

    return signature, generate


@emitted
def _mark_ones(typing: Any, acts: Any, aplane: Any, marks: Any, first: Any, count: Any) -> Any:
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
                word = b.load(_at(context, b, sig.args[0], acts, index, V8), align=8)
                own = b.add(own, _call(b, "llvm.ctpop.v8i64", V8, word))
            total = own
            for distance in (1, 2, 4):
                order = [lane - distance if lane >= distance else 8 for lane in range(8)]
                order_vector = ir.Constant(ir.VectorType(I32, 8), order)
                total = b.add(total, b.shuffle_vector(total, zero, order_vector))
            carry = b.load(before)
            place = _at(context, b, sig.args[2], marks, at, V8)
            b.store(b.add(carry, b.sub(total, own)), place, align=8)
            all_of_it = b.shuffle_vector(total, ir.Constant(V8, ir.Undefined), last)
            b.store(b.add(carry, all_of_it), before)
        return context.get_dummy_value()

    return signature, generate


@emitted
def _ones(typing: Any, word: Any) -> Any:
    """The set bits of a word."""

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        return _call(b, "llvm.ctpop.i64", I64, args[0])

    return types.int64(types.uint64), generate


# --- bit strings -------------------------------------------------------------------------------


@inner
def _bits_at(source: Any, bit: Any) -> Any:
    """The 64 bits from a bit address."""
    word, shift = bit >> 6, np.uint64(bit & 63)
    return (source[word] >> shift) | ((source[word + 1] << np.uint64(1)) << (np.uint64(63) - shift))


@inner
def _put(target: Any, word: Any, value: Any, mask: Any) -> None:
    target[word] = (target[word] & ~mask) | (value & mask)


@inner
def _copy_bits(source: Any, bit: Any, target: Any, to: Any, count: Any) -> None:
    """target bits to..to+count-1 = source bits bit..; the rest of target keeps its value."""
    if count <= 0:
        return
    word, last = to >> 6, (to + count - 1) >> 6
    head = ALL << np.uint64(to & 63)
    tail = ALL >> np.uint64(63 - ((to + count - 1) & 63))
    start = bit - (to & 63)
    if word == last:
        _put(target, word, _bits_at(source, start), head & tail)
        return
    if head != ALL:
        _put(target, word, _bits_at(source, start), head)
        word += 1
        start += 64
    whole = last - word if tail != ALL else last - word + 1
    if start & 63 == 0:
        _copy_words(source, start >> 6, target, word, whole)
    else:
        i = 0
        while i + 8 <= whole:
            _funnel(source, (start >> 6) + i, start & 63, target, word + i)
            i += 8
        while i < whole:
            target[word + i] = _bits_at(source, start + 64 * i)
            i += 1
    if tail != ALL:
        _put(target, last, _bits_at(source, start + 64 * whole), tail)


@inner
def _fill_bits(target: Any, to: Any, count: Any, value: Any) -> None:
    """target bits to..to+count-1 = value (a word of equal bits)."""
    if count <= 0:
        return
    word, last = to >> 6, (to + count - 1) >> 6
    head = ALL << np.uint64(to & 63)
    tail = ALL >> np.uint64(63 - ((to + count - 1) & 63))
    if word == last:
        _put(target, word, value, head & tail)
        return
    _put(target, word, value, head)
    for i in range(word + 1, last):
        target[i] = value
    _put(target, last, value, tail)


# --- line buffers ------------------------------------------------------------------------------

# Columns of the descriptor table: the fields of BUF after the buffer's number, in their order.
BASE, PITCH, WIDTH, DEPTH, PLANES, IMAGE_WIDTH, IMAGE_HEIGHT, PAD, STRIP, STEP, HALO = range(11)
DESCRIPTOR_COLUMNS = 11


@inner
def _line_trits(desc: Any, buffer: Any) -> Any:
    """Trits a line takes: whole words."""
    return (desc[buffer, WIDTH] * desc[buffer, PITCH] + 63) >> 6 << 6


@inner
def _line_start(desc: Any, buffer: Any, plane: Any, y: Any) -> Any:
    """Trit address of pixel 0 of a line."""
    depth = desc[buffer, DEPTH]
    return desc[buffer, BASE] + (plane * depth + y % depth) * _line_trits(desc, buffer)


@inner
def _image_shift(desc: Any, buffer: Any, counters: Any) -> Any:
    """Image pixel of the buffer's pixel 0."""
    return counters[desc[buffer, STRIP]] * desc[buffer, STEP] - desc[buffer, HALO]


@inner
def _gather(
    mem: Any, wplane: Any, acts: Any, aplane: Any, to: Any, desc: Any, buffer: Any, plane: Any,
    y: Any, first: Any, last: Any, counters: Any,
) -> Any:  # fmt: skip
    """Copy pixels first..last-1 of a line into acts from bit `to` on, pads outside the image.

    Returns whether every one was to be had; those inside the image but outside the buffer are 0.
    """
    pitch, width, pad = desc[buffer, PITCH], desc[buffer, WIDTH], desc[buffer, PAD]
    total = (last - first) * pitch
    shift = _image_shift(desc, buffer, counters)
    low = min(max(-shift, first), last)
    high = min(max(desc[buffer, IMAGE_WIDTH] - shift, low), last)
    if y < 0 or y >= desc[buffer, IMAGE_HEIGHT]:
        low = high = last
    whole = low >= high or (low >= 0 and high <= width)
    nonzero = ALL if pad != 0 else np.uint64(0)
    sign = ALL if pad < 0 else np.uint64(0)
    if not whole:
        _fill_bits(acts, to, total, np.uint64(0))
        _fill_bits(acts, to + (aplane << 6), total, np.uint64(0))
    for p in range(2):
        value = sign if p else nonzero
        target = to + p * (aplane << 6)
        _fill_bits(acts, target, (low - first) * pitch, value)
        _fill_bits(acts, target + (high - first) * pitch, (last - high) * pitch, value)
        begin, end = max(low, 0), min(high, width)
        if end > begin:
            start = _line_start(desc, buffer, plane, y) + begin * pitch + p * (wplane << 6)
            _copy_bits(mem, start, acts, target + (begin - first) * pitch, (end - begin) * pitch)
    return whole


# --- plans of fused DOTs -----------------------------------------------------------------------
#
# A run is a maximal sequence of DOTs that work on the same pixels with the same accumulators. Its
# plan says which stretches of source lines to gather once (strips), how their bits make up the
# words of a window, and which weight words these meet. A window word whose trits stand word-aligned
# in a strip is read from there (direct); any other is assembled, pixel by pixel, by entries.
# A plan stays valid until a BUF changes a descriptor.

# Columns of the field table that kernels read; a test holds them against the instruction table.
F_BUFFER = 1
D_PLANE, D_COUNTER, D_DIV, D_MUL, D_OFF, D_LINES, D_LDIL, D_X0, D_DX, D_TOFF, D_LEN = range(2, 13)
D_ROW, D_COL, D_XCOUNTER, D_SPAN, D_LIMIT, D_GROUPS, D_SEGMENTS, D_MACROS = range(13, 21)
D_ACC, D_ASTEP, D_SHIFT, D_CLEAR = range(21, 25)

# Columns of a run: first DOT, DOTs, where its tables start, and what its plan found.
(R_FIRST, R_COUNT, R_TAPS, R_WORDS, R_STAMP, R_STRIPS, R_PIECES, R_K, R_ENTRIES, R_ROW, R_WINDOWS,
 R_STEPS, R_TILES, R_FIXED, R_SET) = range(15)  # fmt: skip
RUN_COLUMNS = 15
NEVER, UNTIL_LOADED, ALWAYS = range(3)
"""How long the expanded weights of a run hold (R_FIXED): features may overwrite them, DMAW may,
nothing does."""
# Columns of a strip, per tap at most one: the line's formula, its pixels, its place in acts.
(S_BUFFER, S_PLANE, S_COUNTER, S_DIV, S_MUL, S_OFF, S_FIRST, S_LAST, S_START) = range(9)
STRIP_COLUMNS = 9
# Columns of a tap (one line of one DOT) and of a piece (taps that join seamlessly).
T_STRIP, T_BIT, T_LEN, T_ROW, T_COL, T_STRIDE = range(6)
TAP_COLUMNS = 6
# Columns of a window word: weight word, place, step and stepping of its trits, fill.
K_WEIGHT, K_BASE, K_STRIDE, K_SLOT, K_FILL = range(5)
WORD_COLUMNS = 5
# Columns of an entry: up to eight neighbouring words of a piece that are assembled at once.
E_BIT, E_STRIDE, E_SLOT = range(3)
ENTRY_COLUMNS = 3
# Columns of a step of matrix tiles: up to 64 trits of a piece, and the weights they meet.
STEP_ROW, STEP_COL, STEP_VALID, STEP_BASE, STEP_STRIDE = range(5)
STEP_COLUMNS = 5
LANES = 8
CHUNK = 48
SLACK = 16
TILE_PIXELS = 4
"""Windows a group and segment must have for matrix tiles to be worth while."""
TILE_STEPS = 3
"""Tile steps that cost as much as one window word by popcounts."""


@inner
def _same_strip(strip: Any, op: Any, off: Any) -> Any:
    return (
        strip[S_BUFFER] == op[F_BUFFER]
        and strip[S_PLANE] == op[D_PLANE]
        and strip[S_COUNTER] == op[D_COUNTER]
        and strip[S_DIV] == op[D_DIV]
        and strip[S_MUL] == op[D_MUL]
        and strip[S_OFF] == off
    )


@inner
def _plan_strip(strips: Any, count: Any, op: Any, line: Any, pitch: Any) -> Any:
    """Find or add the strip of a tap and widen it to the tap's pixels; return its number."""
    off = op[D_OFF] + line * op[D_LDIL]
    first = op[D_X0] + op[D_TOFF] // pitch
    last = op[D_X0] + (op[D_TOFF] + op[D_LEN] - 1) // pitch + 1
    for s in range(count):
        if _same_strip(strips[s], op, off):
            strips[s, S_FIRST] = min(strips[s, S_FIRST], first)
            strips[s, S_LAST] = max(strips[s, S_LAST], last)
            return s
    strip = strips[count]
    strip[S_BUFFER], strip[S_PLANE], strip[S_COUNTER] = op[F_BUFFER], op[D_PLANE], op[D_COUNTER]
    strip[S_DIV], strip[S_MUL], strip[S_OFF] = op[D_DIV], op[D_MUL], off
    strip[S_FIRST], strip[S_LAST] = first, last
    return count


@inner
def _plan_taps(run: Any, table: Any, desc: Any, strips: Any, taps: Any) -> Any:
    """Fill strips and taps; return the words of acts that the strips take."""
    n_strips, n_taps = np.int64(0), np.int64(0)
    for d in range(run[R_FIRST], run[R_FIRST] + run[R_COUNT]):
        op = table[d]
        pitch = desc[op[F_BUFFER], PITCH]
        for line in range(op[D_LINES]):
            s = _plan_strip(strips, n_strips, op, line, pitch)
            n_strips = max(n_strips, s + 1)
            tap = taps[n_taps]
            tap[T_STRIP], tap[T_LEN], tap[T_ROW] = s, op[D_LEN], op[D_ROW]
            tap[T_COL] = op[D_COL] + line * op[D_LEN]
            tap[T_BIT] = op[D_X0] * pitch + op[D_TOFF]
            tap[T_STRIDE] = op[D_DX] * pitch
            n_taps += 1
    op = table[run[R_FIRST]]
    pixels = min(op[D_SPAN], op[D_LIMIT])
    region = SLACK
    for s in range(n_strips):
        strip = strips[s]
        pitch = desc[strip[S_BUFFER], PITCH]
        strip[S_START] = (region << 6) + (strip[S_FIRST] * pitch & 63)
        span = (max(pixels, 1) - 1) * op[D_DX] + strip[S_LAST] - strip[S_FIRST]
        region += (((span * pitch + 127) >> 6) + SLACK + 7) >> 3 << 3
    for t in range(n_taps):
        strip = strips[taps[t, T_STRIP]]
        pitch = desc[strip[S_BUFFER], PITCH]
        taps[t, T_BIT] += strip[S_START] - strip[S_FIRST] * pitch
    run[R_STRIPS] = n_strips
    return region


@inner
def _join_taps(taps: Any, n_taps: Any, pieces: Any) -> Any:
    """Join taps that go on where the one before ends, in the line and in the row."""
    count = 0
    for t in range(n_taps):
        tap, last = taps[t], pieces[max(count - 1, 0)]
        joins = (
            count > 0
            and last[T_STRIP] == tap[T_STRIP]
            and last[T_ROW] == tap[T_ROW]
            and last[T_STRIDE] == tap[T_STRIDE]
            and last[T_BIT] + last[T_LEN] == tap[T_BIT]
            and last[T_COL] + last[T_LEN] == tap[T_COL]
        )
        if joins:
            last[T_LEN] += tap[T_LEN]
        else:
            for f in range(TAP_COLUMNS):
                pieces[count, f] = tap[f]
            count += 1
    return count


@inner
def _column_mask(piece: Any, word: Any) -> Any:
    """Which columns of a row's word a piece covers."""
    low = max(piece[T_COL] - 64 * word, 0)
    high = min(piece[T_COL] + piece[T_LEN] - 64 * word, 64)
    return (ALL << np.uint64(low)) & (ALL >> np.uint64(64 - high))


@inner
def _plan_word(words: Any, fills: Any, count: Any, weight: Any, mask: Any) -> Any:
    """Find a window word with this weight word and these columns free, or add one."""
    for k in range(count):
        if words[k, K_WEIGHT] == weight and fills[k] & mask == 0:
            return k
    words[count, K_WEIGHT] = weight
    words[count, K_FILL] = 0
    fills[count] = np.uint64(0)
    return count


@inner
def _plan_words(
    pieces: Any, n_pieces: Any, words: Any, fills: Any, homes: Any, row_words: Any
) -> Any:
    """Give every word of every piece its window word (homes, in order); return their number."""
    count, h = np.int64(0), np.int64(0)
    for i in range(n_pieces):
        piece = pieces[i]
        for w in range(piece[T_COL] >> 6, ((piece[T_COL] + piece[T_LEN] - 1) >> 6) + 1):
            mask = _column_mask(piece, w)
            k = _plan_word(words, fills, count, piece[T_ROW] * row_words + w, mask)
            count = max(count, k + 1)
            fills[k] |= mask
            words[k, K_FILL] += 1
            words[k, K_BASE] = piece[T_BIT] + 64 * w - piece[T_COL]
            words[k, K_STRIDE] = piece[T_STRIDE]
            homes[h] = k
            h += 1
    slots = 0
    for k in range(count):
        aligned = words[k, K_BASE] & 63 == 0 and words[k, K_STRIDE] & 63 == 0
        if aligned and words[k, K_FILL] == 1 and fills[k] == ALL:
            words[k, K_SLOT] = -1
            words[k, K_BASE] >>= 6
            words[k, K_STRIDE] >>= 6
        else:
            words[k, K_SLOT] = slots
            words[k, K_FILL] = 0
            slots += 1
    return count


@inner
def _plan_entries(
    pieces: Any, n_pieces: Any, words: Any, homes: Any, entries: Any, masks: Any
) -> Any:
    """Lay out how assembled words are filled; return the entries and the words of a window."""
    count = h = wide = 0
    for i in range(n_pieces):
        piece = pieces[i]
        lane = LANES
        for w in range(piece[T_COL] >> 6, ((piece[T_COL] + piece[T_LEN] - 1) >> 6) + 1):
            word = words[homes[h]]
            h += 1
            if word[K_SLOT] < 0:
                lane = LANES
                continue
            if lane == LANES or entries[count - 1, E_SLOT] + lane != word[K_SLOT]:
                entries[count, E_BIT] = piece[T_BIT] + 64 * w - piece[T_COL]
                entries[count, E_STRIDE] = piece[T_STRIDE]
                entries[count, E_SLOT] = word[K_SLOT]
                for i in range(LANES):
                    masks[count, i], masks[count, LANES + i] = np.uint64(0), ALL
                wide = max(wide, word[K_SLOT] + LANES)
                lane = 0
                count += 1
            masks[count - 1, lane] = _column_mask(piece, w)
            if word[K_FILL] == 0:
                masks[count - 1, LANES + lane] = np.uint64(0)
            word[K_FILL] = 1
            lane += 1
    return count, wide


@inner
def _plan_steps(pieces: Any, n_pieces: Any, steps: Any) -> Any:
    """Cut the pieces into steps of 64 trits; return their number."""
    count = 0
    for i in range(n_pieces):
        piece = pieces[i]
        for done in range(0, piece[T_LEN], 64):
            step = steps[count]
            step[STEP_ROW], step[STEP_COL] = piece[T_ROW], piece[T_COL] + done
            step[STEP_VALID] = min(64, piece[T_LEN] - done)
            step[STEP_BASE], step[STEP_STRIDE] = piece[T_BIT] + done, piece[T_STRIDE]
            count += 1
    return count


@inner
def _chunk(parallel: Any) -> Any:
    """Pixels whose windows are assembled at a time: whole steps."""
    return (CHUNK + parallel - 1) // parallel * parallel


@inner
def _plan(
    run: Any, table: Any, desc: Any, strips: Any, taps: Any, pieces: Any, words: Any, fills: Any,
    homes: Any, entries: Any, masks: Any, steps: Any, loads: Any, row_words: Any,
) -> None:  # fmt: skip
    """Plan a run: the table slices given are its own."""
    region = _plan_taps(run, table, desc, strips, taps)
    n_taps = np.int64(0)
    for d in range(run[R_FIRST], run[R_FIRST] + run[R_COUNT]):
        n_taps += table[d, D_LINES]
    run[R_PIECES] = _join_taps(taps, n_taps, pieces)
    run[R_K] = _plan_words(pieces, run[R_PIECES], words, fills, homes, row_words)
    run[R_ENTRIES], run[R_ROW] = _plan_entries(pieces, run[R_PIECES], words, homes, entries, masks)
    run[R_WINDOWS] = region
    run[R_STEPS] = _plan_steps(pieces, run[R_PIECES], steps)
    loads[run[R_SET]] = 0


# --- DOT ---------------------------------------------------------------------------------------


@inner
def _span_start(op: Any, xcounter: Any, counters: Any) -> Any:
    """First pixel of the span; `xcounter` is the column of that field, span and limit follow."""
    if xcounter == 0:
        return xcounter
    return counters[op[xcounter]] * op[xcounter + 1]


@inner
def _span_pixels(op: Any, xcounter: Any, start: Any) -> Any:
    """Pixels of the span: what is left of the line at most."""
    return max(0, min(op[xcounter + 1], op[xcounter + 2] - start))


@inner
def _line_of(op: Any, counter: Any, counters: Any) -> Any:
    """The line that the four fields from column `counter` on name; 0 where there are none."""
    if counter == 0:
        return counter
    return counters[op[counter]] // op[counter + 1] * op[counter + 2] + op[counter + 3]


@inner
def _missing_pixel(desc: Any, buffer: Any, y: Any, low: Any, high: Any, counters: Any) -> Any:
    """The first pixel of low..high-1 that lies inside the image but outside the buffer, or NONE."""
    shift = _image_shift(desc, buffer, counters)
    if y >= 0 and y < desc[buffer, IMAGE_HEIGHT]:
        for x in range(max(low, -shift), min(high, desc[buffer, IMAGE_WIDTH] - shift)):
            if x < 0 or x >= desc[buffer, WIDTH]:
                return x
    return NONE


@inner
def _find_missing(
    run: Any, table: Any, desc: Any, counters: Any, p0: Any, pixels: Any, status: Any
) -> Any:
    """Tell in `status` which DOT of a run first reads what no buffer holds, if one does."""
    for d in range(run[R_FIRST], run[R_FIRST] + run[R_COUNT]):
        op = table[d]
        b, pitch = op[F_BUFFER], desc[op[F_BUFFER], PITCH]
        for p in range(p0, p0 + pixels):
            x = op[D_X0] + p * op[D_DX]
            first = x + op[D_TOFF] // pitch
            last = x + (op[D_TOFF] + op[D_LEN] - 1) // pitch + 1
            for line in range(op[D_LINES]):
                y = counters[op[D_COUNTER]] // op[D_DIV] * op[D_MUL] + op[D_OFF]
                y += line * op[D_LDIL]
                missing = _missing_pixel(desc, b, y, first, last, counters)
                if missing != NONE:
                    status[0], status[1], status[2], status[3] = MISSING_PIXEL, d, missing, y
                    status[4] = desc[b, WIDTH] - 1
                    return True
    return False


@inner
def _gather_strips(
    run: Any, table: Any, mem: Any, wplane: Any, acts: Any, aplane: Any, marks: Any, desc: Any,
    strips: Any, counters: Any, p0: Any, pixels: Any,
) -> Any:  # fmt: skip
    """Gather the source lines of a run and count their bits; return whether all were held."""
    dx = table[run[R_FIRST], D_DX]
    whole = True
    for s in range(run[R_STRIPS]):
        strip = strips[s]
        y = counters[strip[S_COUNTER]] // strip[S_DIV] * strip[S_MUL] + strip[S_OFF]
        first = strip[S_FIRST] + p0 * dx
        last = strip[S_LAST] + (p0 + pixels - 1) * dx
        b, start = strip[S_BUFFER], strip[S_START]
        whole &= _gather(
            mem, wplane, acts, aplane, start, desc, b, strip[S_PLANE], y, first, last, counters
        )
        count = ((start & 63) + (last - first) * desc[b, PITCH] + 63) >> 6
        _mark_ones(acts, aplane, marks, start >> 6, count)
    return whole


@inner
def _ones_before(acts: Any, aplane: Any, marks: Any, bit: Any) -> Any:
    """Set bits of a strip, both planes, in front of a bit."""
    word = bit >> 6
    if bit & 63 == 0:
        return marks[word]
    low = ~(ALL << np.uint64(bit & 63))
    return marks[word] + _ones(acts[word] & low) + _ones(acts[word + aplane] & low)


@inner
def _ones_of_windows(
    acts: Any, aplane: Any, marks: Any, bit: Any, step: Any, count: Any, size: Any
) -> Any:
    """Set bits of `count` windows of `size` trits, `step` trits apart: whole steps telescope."""
    total = 0
    if step == 0:
        one = _ones_before(acts, aplane, marks, bit + size)
        return count * (one - _ones_before(acts, aplane, marks, bit))
    whole = size // step
    if whole > count:
        whole = 0
    for j in range(whole):
        total += _ones_before(acts, aplane, marks, bit + (count + j) * step)
        total -= _ones_before(acts, aplane, marks, bit + j * step)
    rest = size - whole * step
    if rest > 0:
        for i in range(count):
            start = bit + (i + whole) * step
            total += _ones_before(acts, aplane, marks, start + rest)
            total -= _ones_before(acts, aplane, marks, start)
    return total


@inner
def _dot_ones(
    op: Any, taps: Any, first: Any, fresh: Any, acts: Any, aplane: Any, marks: Any, pixels: Any
) -> Any:
    """Set bits that travel for a DOT: whole windows at the first step, then `fresh` trits."""
    total = 0
    for t in range(first, first + op[D_LINES]):
        bit, step, size = taps[t, T_BIT], taps[t, T_STRIDE], taps[t, T_LEN]
        whole = min(pixels, op[D_GROUPS] * op[D_SEGMENTS]) if fresh < size else pixels
        total += _ones_of_windows(acts, aplane, marks, bit, step, whole, size)
        if whole < pixels:
            bit += whole * step + size - fresh
            total += _ones_of_windows(acts, aplane, marks, bit, step, pixels - whole, fresh)
    return total


@inner
def _assemble(
    run: Any, acts: Any, aplane: Any, entries: Any, masks: Any, start: Any, pixels: Any
) -> None:
    """Build the assembled words of the windows of some pixels."""
    flat = masks.reshape(-1)
    for e in range(run[R_ENTRIES]):
        entry = entries[e]
        stride, to = entry[E_STRIDE], run[R_WINDOWS] + entry[E_SLOT]
        bit = entry[E_BIT] + start * stride
        for _ in range(pixels):
            _merge(acts, bit >> 6, bit & 63, flat, e * 2 * LANES, to)
            _merge(acts, (bit >> 6) + aplane, bit & 63, flat, e * 2 * LANES, to + aplane)
            bit += stride
            to += run[R_ROW]


@inner
def _tiles(
    panel: Any, acts: Any, aplane: Any, kbase: Any, kstep: Any, n_k: Any, first: Any, end: Any,
    acc: Any, out: Any, ostep: Any, shift: Any, keep: Any, lanes: Any, excess: Any,
) -> None:  # fmt: skip
    """Windows first..end-1 against up to 16 macros."""
    q = first
    if lanes > LANES:
        while end - q >= 6:
            _tile_6x2(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 6
        if end - q >= 4:
            _tile_4x2(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 4
        if end - q >= 2:
            _tile_2x2(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 2
        if end > q:
            _tile_1x2(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
    else:
        while end - q >= 6:
            _tile_6x1(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 6
        if end - q >= 4:
            _tile_4x1(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 4
        if end - q >= 2:
            _tile_2x1(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 2
        if end > q:
            _tile_1x1(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip


@inner
def _windows_of(
    run: Any, words: Any, start: Any, begin: Any, parallel: Any, kbase: Any, kstep: Any
) -> None:
    """Where window q of a group and segment stands: kbase + q * kstep, q = 0 at pixel `begin`.

    Assembled words are those of the chunk that starts at pixel `start`.
    """
    for k in range(run[R_K]):
        if words[k, K_SLOT] < 0:
            kbase[k] = words[k, K_BASE] + begin * words[k, K_STRIDE]
            kstep[k] = parallel * words[k, K_STRIDE]
        else:
            kbase[k] = run[R_WINDOWS] + words[k, K_SLOT] + (begin - start) * run[R_ROW]
            kstep[k] = parallel * run[R_ROW]


@inner
def _compute(
    run: Any, op: Any, words: Any, mem: Any, wplane: Any, acts: Any, aplane: Any, kw: Any,
    kbase: Any, kstep: Any, panel: Any, acc: Any, room: Any, macros: Any, row_words: Any,
    start: Any, pixels: Any, excess: Any,
) -> None:  # fmt: skip
    """Sum the windows of pixels start.. against the weights of their groups and segments."""
    groups, segments, active = op[D_GROUPS], op[D_SEGMENTS], op[D_MACROS]
    parallel = groups * segments
    n_k, zero = run[R_K], np.int64(0)
    step = op[D_ASTEP] * room
    for i in range(min(parallel, pixels)):
        group, segment = i // segments, i % segments
        count = (pixels - i + parallel - 1) // parallel
        _windows_of(run, words, start, start + i, parallel, kbase, kstep)
        base = group * (macros // groups)
        offset = segment * (row_words // segments) * macros
        out = (op[D_ACC] + start // parallel * op[D_ASTEP]) * room + segment * macros + base
        keep = 0 if op[D_CLEAR] == 1 and (op[D_ASTEP] == 1 or start == 0) else -1
        alone = np.int64(keep == 0 and step == 0)
        for m in range(0, active, 2 * LANES):
            left = active - m
            for k in range(n_k):
                _copy_panel(mem, kw[k] + offset + base + m, wplane, panel, 32 * k)
            if alone:
                _tiles(panel, acts, aplane, kbase, kstep, n_k, zero, alone,
                       acc, out + m, step, op[D_SHIFT], keep, left, excess)  # fmt: skip
            _tiles(panel, acts, aplane, kbase, kstep, n_k, alone, count,
                   acc, out + m, step, op[D_SHIFT], -1 if alone else keep, left,
                   excess)  # fmt: skip


@inner
def _load_tiles(
    run: Any, op: Any, steps: Any, mem: Any, wplane: Any, tiles: Any, macros: Any, row_words: Any
) -> None:
    """Expand the weights of a run, for every group and segment, into tiles of 16 macros."""
    groups, segments = op[D_GROUPS], op[D_SEGMENTS]
    at = run[R_TILES]
    for i in range(groups * segments):
        for m in range(0, op[D_MACROS], 16):
            macro = i // segments * (macros // groups) + m
            for k in range(run[R_STEPS]):
                word = steps[k, STEP_ROW] * row_words + i % segments * (row_words // segments)
                word += steps[k, STEP_COL] >> 6
                mask = ALL >> np.uint64(64 - steps[k, STEP_VALID])
                _weight_tile(mem, word * macros + macro, wplane, macros, steps[k, STEP_COL] & 63,
                             mask, tiles, at)  # fmt: skip
                at += TILE


@inner
def _multiply(
    trits: Any, kbase: Any, kstep: Any, n_k: Any, first: Any, rows: Any, tiles: Any, at: Any,
    columns: Any, sums: Any, to: Any, line: Any,
) -> None:  # fmt: skip
    """A block of up to 32 windows by up to 32 macros."""
    next_at = n_k * TILE
    if rows > 16 and columns > 16:
        _matrix_2x2(trits, kbase, kstep, n_k, first, tiles, at, next_at, sums, to, line)
    elif rows > 16:
        _matrix_2x1(trits, kbase, kstep, n_k, first, tiles, at, next_at, sums, to, line)
    elif columns > 16:
        _matrix_1x2(trits, kbase, kstep, n_k, first, tiles, at, next_at, sums, to, line)
    else:
        _matrix_1x1(trits, kbase, kstep, n_k, first, tiles, at, next_at, sums, to, line)


@inner
def _compute_by_tiles(
    run: Any, op: Any, steps: Any, trits: Any, kbase: Any, kstep: Any, tiles: Any, sums: Any,
    acc: Any, loose: Any, room: Any, macros: Any, pixels: Any, excess: Any,
) -> None:  # fmt: skip
    """The same sums as `_compute`, by int8 matrix tiles.

    Where `loose`, tiles may spill over the accumulators behind, whose sums nobody takes.
    """
    groups, segments, active = op[D_GROUPS], op[D_SEGMENTS], op[D_MACROS]
    parallel, n_k = groups * segments, run[R_STEPS]
    line = op[D_ASTEP] * room
    blocks = (active + 15) >> 4
    for i in range(min(parallel, pixels)):
        count = (pixels - i + parallel - 1) // parallel
        for k in range(n_k):
            kbase[k] = steps[k, STEP_BASE] + i * steps[k, STEP_STRIDE]
            kstep[k] = parallel * steps[k, STEP_STRIDE]
        base = i // segments * (macros // groups)
        out = op[D_ACC] * room + i % segments * macros + base
        plain = op[D_CLEAR] == 1 and op[D_SHIFT] == 0 and op[D_ASTEP] == 1
        for m in range(0, active, 32):
            columns = min(32, active - m)
            at = run[R_TILES] + (i * blocks + (m >> 4)) * n_k * TILE
            done = np.int64(0)
            for q in range(0, count, 16):
                if q < done:
                    continue
                left = count - q
                if loose:
                    rows = min(left, 32)
                else:
                    rows = left if left < 16 else (16 if left < 32 else 32)
                if plain and (loose or left >= 16) and columns & 15 == 0:
                    _multiply(trits, kbase, kstep, n_k, q, rows, tiles, at, columns,
                              acc, out + q * line + m, line)  # fmt: skip
                    done = q + rows
                    continue
                _multiply(trits, kbase, kstep, n_k, q, rows, tiles, at, columns,
                          sums, np.int64(0), np.int64(32))  # fmt: skip
                for r in range(rows):
                    sets = op[D_CLEAR] == 1 and (op[D_ASTEP] == 1 or q + r == 0)
                    keep = 0 if sets else -1
                    for c in range(0, columns, 16):
                        _add_sums(sums, 32 * r + c, acc, out + (q + r) * line + m + c,
                                  op[D_SHIFT], keep, columns - c, excess)  # fmt: skip
                done = q + rows


@inner
def _dot(
    run: Any, table: Any, mem: Any, wplane: Any, acts: Any, aplane: Any, marks: Any, desc: Any,
    strips: Any, words: Any, entries: Any, masks: Any, kw: Any, kbase: Any, kstep: Any, panel: Any,
    tiled: Any, loads: Any, loaded: Any, steps: Any, trits: Any, tiles: Any, sums: Any, acc: Any,
    excess: Any, loose: Any, room: Any, macros: Any, row_words: Any, counters: Any, p0: Any,
    pixels: Any, status: Any,
) -> None:  # fmt: skip
    """Execute a run of fused DOTs; `status` tells of one that reads what no buffer holds."""
    op = table[run[R_FIRST]]
    whole = _gather_strips(
        run, table, mem, wplane, acts, aplane, marks, desc, strips, counters, p0, pixels
    )
    if not whole and _find_missing(run, table, desc, counters, p0, pixels, status):
        return
    parallel = op[D_GROUPS] * op[D_SEGMENTS]
    if tiled and pixels >= TILE_PIXELS * parallel and run[R_STEPS] <= TILE_STEPS * run[R_K]:
        if loads[run[R_SET]] != loaded or run[R_FIXED] == NEVER:
            _load_tiles(run, op, steps, mem, wplane, tiles, macros, row_words)
            loads[run[R_SET]] = loaded
        _spell_trits(acts, np.int64(SLACK), aplane, run[R_WINDOWS] - SLACK, trits)
        _compute_by_tiles(
            run,
            op,
            steps,
            trits,
            kbase,
            kstep,
            tiles,
            sums,
            acc,
            loose,
            room,
            macros,
            pixels,
            excess,
        )
        return
    for k in range(run[R_K]):
        kw[k] = words[k, K_WEIGHT] * macros
    chunk = pixels if run[R_ENTRIES] == 0 else _chunk(op[D_GROUPS] * op[D_SEGMENTS])
    for start in range(0, pixels, chunk):
        count = min(chunk, pixels - start)
        _assemble(run, acts, aplane, entries, masks, start, count)
        _compute(
            run, op, words, mem, wplane, acts, aplane, kw, kbase, kstep, panel, acc, room, macros,
            row_words,             start, count, excess,
        )  # fmt: skip


@inner
def _ceil(a: Any, b: Any) -> Any:
    return (a + b - 1) // b


# --- ACC ---------------------------------------------------------------------------------------

# Columns of ACC, and the numbers of its operations.
(A_OP, A_DST, A_DSTEP, A_SRC, A_SSTEP, A_IMM, A_XCOUNTER, A_SPAN, A_LIMIT, A_GROUPS,
 A_SEGMENTS) = range(1, 12)  # fmt: skip
SET, COPY, ADD, MAX, MIN, ADDI, MAXI, MINI, SHR = range(9)


@inner
def _accumulated(operation: Any, old: Any, source: Any, imm: Any) -> Any:
    if operation == SET:
        return imm
    if operation == COPY:
        return source
    if operation == ADD:
        return old + source
    if operation == MAX:
        return max(old, source)
    if operation == MIN:
        return min(old, source)
    if operation == ADDI:
        return old + imm
    if operation == MAXI:
        return max(old, imm)
    if operation == MINI:
        return min(old, imm)
    return old >> min(imm, 63)


@inner
def _accumulate(op: Any, acc: Any, excess: Any, steps: Any, room: Any, macros: Any) -> None:
    """Execute an ACC; values that 32 bits do not hold leave a mark in `excess`."""
    size = op[A_SEGMENTS] * macros
    operation, imm = op[A_OP], op[A_IMM]
    for q in range(steps):
        into = (op[A_DST] + q * op[A_DSTEP]) * room
        source = (op[A_SRC] + q * op[A_SSTEP]) * room
        for i in range(size):
            value = _accumulated(operation, np.int64(acc[into + i]), np.int64(acc[source + i]), imm)
            acc[into + i] = value
            if acc[into + i] != value:
                excess[0] = 1


# --- TLOAD, STORE ------------------------------------------------------------------------------

T_ROW_FIELD, T_SLOT_FIELD, T_N_FIELD = range(1, 4)
(ST_COUNTER, ST_DIV, ST_MUL, ST_OFF, ST_X0, ST_DX, ST_POOL, ST_COMBINE, ST_CHAN, ST_XCOUNTER,
 ST_SPAN, ST_LIMIT, ST_GROUPS, ST_SEGMENTS, ST_MACROS, ST_ACC, ST_MODE, ST_LEVELS, ST_BIAS,
 ST_SHIFT) = range(2, 22)  # fmt: skip
TERN, COUNT, SPACED, RAW = range(4)


@inner
def _load_thresholds(
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
def _ternarize(
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
        sums = _at(context, b, sig.args[0], acc, at, I32)
        planes = [_at(context, b, sig.args[8], bits, index, I16) for index in (I64(0), plane)]
        vectors = b.lshr(b.add(count, I64(15)), I64(4))
        with cgutils.for_range(b, vectors) as of_macros:
            index = b.shl(of_macros.index, I64(4))
            lows, highs = (
                b.load(_at(context, b, sig.args[4], thresholds, b.add(t, index), wide), align=4)
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


@emitted
def _value_plane(
    typing: Any, values: Any, count: Any, j: Any, bits: Any, to: Any, plane: Any
) -> Any:
    """Bit j of the magnitudes of `count` values to bits[to:], the signs `plane` words further."""
    signature = types.void(values, INT, INT, bits, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        values, count, j, bits, to, plane = args
        zero = ir.Constant(V8, [0] * 8)
        base = _at(context, b, sig.args[0], values, I64(0), I64)
        out = [_at(context, b, sig.args[3], bits, index, I8) for index in (to, b.add(to, plane))]
        tested = _splat(b, b.shl(I64(1), j), 8)
        vectors = b.lshr(b.add(count, I64(7)), I64(3))
        with cgutils.for_range(b, vectors) as loop:
            place = b.gep(base, [b.mul(loop.index, I64(8))])
            value = b.load(b.bitcast(place, V8.as_pointer()), align=8)
            minus = b.icmp_signed("<", value, zero)
            size = b.select(minus, b.sub(zero, value), value)
            nonzero = b.icmp_unsigned("!=", b.and_(size, tested), zero)
            for plane_bits, target in zip((nonzero, b.and_(nonzero, minus)), out, strict=True):
                b.store(b.bitcast(plane_bits, I8), b.gep(target, [loop.index]), align=1)
        return context.get_dummy_value()

    return signature, generate


@inner
def _read_value(mem: Any, wplane: Any, desc: Any, buffer: Any, y: Any, trit: Any) -> Any:
    """The value of one channel over all planes; `trit` counts from the start of the line."""
    value = np.int64(0)
    for j in range(desc[buffer, PLANES]):
        address = _line_start(desc, buffer, j, y) + trit
        shift = np.uint64(address & 63)
        if (mem[address >> 6] >> shift) & np.uint64(1):
            minus = (mem[(address >> 6) + wplane] >> shift) & np.uint64(1)
            value += (np.int64(1) - np.int64(2) * np.int64(minus)) << j
    return value


@inner
def _results(
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


@inner
def _combine_trits(
    mem: Any, wplane: Any, address: Any, bits: Any, there: Any, bplane: Any, count: Any
) -> None:
    """Maximum of `count` trits with those at a trit address, into `bits`."""
    zero = np.int64(0)
    _copy_bits(mem, address, there, zero, count)
    _copy_bits(mem, address + (wplane << 6), there, bplane << 6, count)
    for w in range((count + 63) >> 6):
        plus = (bits[w] & ~bits[bplane + w]) | (there[w] & ~there[bplane + w])
        minus = bits[w] & bits[bplane + w] & there[w] & there[bplane + w]
        bits[w] = plus | minus
        bits[bplane + w] = minus


@inner
def _write_planes(bits: Any, bplane: Any, count: Any, mem: Any, wplane: Any, address: Any) -> None:
    """Write `count` trits of the planes in `bits` to a trit address."""
    if (address | count) & 63 == 0:
        word = address >> 6
        for w in range(count >> 6):
            mem[word + w] = bits[w]
            mem[word + w + wplane] = bits[bplane + w]
    else:
        _copy_bits(bits, np.int64(0), mem, address, count)
        _copy_bits(bits, bplane << 6, mem, address + (wplane << 6), count)


@inner
def _store_trits(
    op: Any, mem: Any, wplane: Any, start: Any, pitch: Any, low: Any, high: Any, acc: Any,
    thresholds: Any, room: Any, macros: Any, p0: Any, pixels: Any,
) -> None:  # fmt: skip
    """A STORE of single trits that come to lie on 16-bit pieces: group by group, all its pixels."""
    groups, segments, dx = op[ST_GROUPS], op[ST_SEGMENTS], op[ST_DX]
    parallel = groups * segments
    for i in range(min(parallel, pixels)):
        x, step = op[ST_X0] + (p0 + i) * dx, parallel * dx
        skipped = max(0, _ceil(low - x, step))
        count = min(_ceil(pixels - i, parallel), max(0, _ceil(high - x, step))) - skipped
        if count <= 0:
            continue
        macro = i // segments * (macros // groups)
        at = (op[ST_ACC] + skipped) * room + i % segments * macros + macro
        trit = start + (x + skipped * step) * pitch + op[ST_CHAN]
        _ternarize(acc, at, room, count, thresholds, macro, macros + macro, op[ST_MACROS], mem,
                   trit >> 4, step * pitch >> 4, wplane)  # fmt: skip


@inner
def _store(
    op: Any, mem: Any, wplane: Any, desc: Any, counters: Any, acc: Any, thresholds: Any,
    values: Any, bits: Any, there: Any, bplane: Any, room: Any, macros: Any, y: Any, p0: Any,
    pixels: Any,
) -> None:  # fmt: skip
    """Execute a STORE."""
    b = op[F_BUFFER]
    if y < 0 or y >= desc[b, IMAGE_HEIGHT]:
        return
    shift = _image_shift(desc, b, counters)
    low, high = max(0, -shift), min(desc[b, WIDTH], desc[b, IMAGE_WIDTH] - shift)
    groups, segments, active = op[ST_GROUPS], op[ST_SEGMENTS], op[ST_MACROS]
    pool, dx, pitch = op[ST_POOL], op[ST_DX], desc[b, PITCH]
    zero, one = np.int64(0), np.int64(1)
    trits = desc[b, PLANES] == 1 and op[ST_MODE] == TERN
    start = _line_start(desc, b, np.int64(0), y)
    if trits and (start | pitch | op[ST_CHAN] | active) & 15 == 0:
        if pool == 1 and op[ST_COMBINE] == 0 and dx > 0:
            _store_trits(op, mem, wplane, start, pitch, low, high, acc, thresholds, room, macros,
                         p0, pixels)  # fmt: skip
            return
    step, group, segment = op[ST_ACC], 0, 0
    x, turn = op[ST_X0] + p0 // pool * dx, p0 % pool
    for _ in range(pixels):
        if x >= low and x < high:
            macro = group * (macros // groups)
            at = step * room + segment * macros + macro
            fresh = op[ST_COMBINE] == 0 and turn == 0
            trit = x * pitch + op[ST_CHAN]
            if trits:
                _ternarize(acc, at, zero, one, thresholds, macro, macros + macro, active, bits,
                           zero, zero, bplane)  # fmt: skip
                if not fresh:
                    _combine_trits(mem, wplane, start + trit, bits, there, bplane, active)
                _write_planes(bits, bplane, active, mem, wplane, start + trit)
            else:
                _results(op, acc, at, thresholds, macro, macros, values)
                if not fresh:
                    for m in range(active):
                        values[m] = max(values[m], _read_value(mem, wplane, desc, b, y, trit + m))
                for j in range(desc[b, PLANES]):
                    _value_plane(values, active, j, bits, 0, bplane)
                    address = _line_start(desc, b, j, y) + trit
                    _write_planes(bits, bplane, active, mem, wplane, address)
        segment += 1
        if segment == segments:
            segment = 0
            group += 1
            if group == groups:
                group = 0
                step += 1
        turn += 1
        if turn == pool:
            turn = 0
            x += dx


# --- LUT ---------------------------------------------------------------------------------------

(L_PLANE, L_A, L_APLANE, L_AHOLD, L_B, L_BPLANE, L_BHOLD, L_TABLE, L_COUNTER, L_DIV, L_MUL, L_OFF,
 L_XCOUNTER, L_SPAN, L_LIMIT) = range(2, 17)  # fmt: skip


@inner
def _operand(
    mem: Any, wplane: Any, acts: Any, aplane: Any, region: Any, desc: Any, buffer: Any, plane: Any,
    hold: Any, y: Any, first: Any, count: Any, counters: Any,
) -> Any:  # fmt: skip
    """Gather an operand of a LUT; a held one is repeated for every pixel."""
    if not hold:
        return _gather(mem, wplane, acts, aplane, region << 6, desc, buffer, plane, y, first,
                       first + count, counters)  # fmt: skip
    zero, one = np.int64(0), np.int64(1)
    whole = _gather(
        mem, wplane, acts, aplane, region << 6, desc, buffer, plane, zero, zero, one, counters
    )
    pitch, done = desc[buffer, PITCH], one
    while done < count:
        more = min(done, count - done)
        to = (region << 6) + done * pitch
        _copy_bits(acts, region << 6, acts, to, more * pitch)
        _copy_bits(acts, (region + aplane) << 6, acts, to + (aplane << 6), more * pitch)
        done += more
    return whole


@inner
def _look_up(table: Any, acts: Any, aplane: Any, a: Any, b: Any, out: Any, words: Any) -> None:
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
def _interferes(
    desc: Any, a: Any, plane: Any, hold: Any, y: Any, low: Any, high: Any, start: Any
) -> Any:
    """Whether writing trits low..high-1 one by one changes what is read later from an operand."""
    first = _line_start(desc, a, plane, 0 if hold else y)
    last = first + (desc[a, PITCH] if hold else _line_trits(desc, a))
    return first < high and low < last and (hold or first != start)


@inner
def _lut(
    op: Any, mem: Any, wplane: Any, desc: Any, counters: Any, acts: Any, aplane: Any, y: Any,
    p0: Any, pixels: Any,
) -> Any:  # fmt: skip
    """Execute a LUT; return whether its operands were held by their buffers."""
    b = op[F_BUFFER]
    region = (pixels * desc[b, PITCH] >> 6) + SLACK
    pitch, shift = desc[b, PITCH], _image_shift(desc, b, counters)
    low, high = max(0, -shift), min(desc[b, WIDTH], desc[b, IMAGE_WIDTH] - shift)
    if y < 0 or y >= desc[b, IMAGE_HEIGHT]:
        low = high = 0
    start = _line_start(desc, b, op[L_PLANE], y)
    end = start + _line_trits(desc, b)
    entangled = _interferes(
        desc, op[L_A], op[L_APLANE], op[L_AHOLD], y, start, end, start
    ) or _interferes(desc, op[L_B], op[L_BPLANE], op[L_BHOLD], y, start, end, start)
    turn = 1 if entangled else pixels
    left, right = np.int64(SLACK), np.int64(SLACK) + region
    whole = True
    for i in range(0, pixels, max(turn, 1)):
        x = p0 + i
        whole &= _operand(mem, wplane, acts, aplane, left, desc, op[L_A], op[L_APLANE],
                          op[L_AHOLD], y, x, turn, counters)  # fmt: skip
        whole &= _operand(mem, wplane, acts, aplane, right, desc, op[L_B], op[L_BPLANE],
                          op[L_BHOLD], y, x, turn, counters)  # fmt: skip
        words = (turn * pitch + 63) >> 6
        _look_up(op[L_TABLE], acts, aplane, left, right, left, words)
        first, last = max(x, low), min(x + turn, high)
        if last > first:
            source = (SLACK << 6) + (first - x) * pitch
            count = (last - first) * pitch
            _copy_bits(acts, source, mem, start + first * pitch, count)
            _copy_bits(
                acts, source + (aplane << 6), mem, start + first * pitch + (wplane << 6), count
            )
    return whole


# --- DMA ---------------------------------------------------------------------------------------

(I_PORT, I_FORMAT, I_BASE, I_LEVELS, I_EACH, I_COUNTER) = range(2, 8)
(O_PORT, O_FORMAT, O_CHAN, O_N, O_TO, O_X0, O_LIMIT, O_COUNTER) = range(2, 10)
W_ROW, W_SOURCE, W_N = range(1, 4)
# Columns of a port: the byte its image starts at, the number of its element type, its shape, the
# bits of a value.
P_START, P_TYPE, P_CHANNELS, P_HEIGHT, P_WIDTH, P_BITS = range(6)
PORT_COLUMNS = 6
ELEMENTS: tuple[type[np.integer[Any]], ...] = (
    np.uint8,
    np.int8,
    np.uint16,
    np.int16,
    np.uint32,
    np.int32,
    np.int64,
)
"""Element types of images, by number; outputs have signed ones."""


def _spread_of(kind: Any, extend: str) -> Any:
    """values[i * step] = raw[start + i], elements of one type, for i in 0..count-1."""

    @emitted
    def spread(
        typing: Any, raw: Any, start: Any, values: Any, to: Any, step: Any, count: Any
    ) -> Any:
        signature = types.void(raw, INT, values, INT, INT, INT)

        def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
            raw, start, values, to, step, count = args
            source = _at(context, b, sig.args[0], raw, start, kind)
            target = _at(context, b, sig.args[2], values, to, I64)
            with cgutils.for_range(b, count) as loop:
                value = b.load(b.gep(source, [loop.index]), align=1)
                wide = value if kind is I64 else getattr(b, extend)(value, I64)
                b.store(wide, b.gep(target, [b.mul(loop.index, step)]))
            return context.get_dummy_value()

        return signature, generate

    return spread


_spread_u1, _spread_i1 = _spread_of(I8, "zext"), _spread_of(I8, "sext")
_spread_u2, _spread_i2 = _spread_of(I16, "zext"), _spread_of(I16, "sext")
_spread_u4, _spread_i4 = _spread_of(I32, "zext"), _spread_of(I32, "sext")
_spread_i8 = _spread_of(I64, "sext")


@inner
def _read_line(raw: Any, port: Any, y: Any, first: Any, count: Any, values: Any) -> None:
    """values[x * C + c] = pixel first + x of channel c of an image line."""
    channels, kind = port[P_CHANNELS], port[P_TYPE]
    for c in range(channels):
        at = (c * port[P_HEIGHT] + y) * port[P_WIDTH] + first
        if kind == 0:
            _spread_u1(raw, port[P_START] + at, values, c, channels, count)
        elif kind == 1:
            _spread_i1(raw, port[P_START] + at, values, c, channels, count)
        elif kind == 2:
            _spread_u2(raw, port[P_START] + 2 * at, values, c, channels, count)
        elif kind == 3:
            _spread_i2(raw, port[P_START] + 2 * at, values, c, channels, count)
        elif kind == 4:
            _spread_u4(raw, port[P_START] + 4 * at, values, c, channels, count)
        elif kind == 5:
            _spread_i4(raw, port[P_START] + 4 * at, values, c, channels, count)
        else:
            _spread_i8(raw, port[P_START] + 8 * at, values, c, channels, count)


@emitted
def _compare_levels(typing: Any, levels: Any, low: Any, high: Any, value: Any) -> Any:
    """Bit j: value > levels[high + j]; bit 32 + j: value < levels[low + j]; j = 0..31."""
    signature = types.int64(levels, INT, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        levels, low, high, value = args
        wide = ir.VectorType(I32, 32)
        lows, highs = (
            b.load(_at(context, b, sig.args[0], levels, index, wide), align=4)
            for index in (low, high)
        )
        values = _splat(b, b.trunc(value, I32), 32)
        above = b.zext(b.bitcast(b.icmp_signed(">", values, highs), I32), I64)
        below = b.zext(b.bitcast(b.icmp_signed("<", values, lows), I32), I64)
        return b.or_(above, b.shl(below, I64(32)))

    return signature, generate


LEVELS = 1 << 12
LEVEL_LIMIT = 1 << 24


@inner
def _append(bits: Any, at: Any, value: Any) -> None:
    """OR up to 32 bits into a bit string."""
    word, shift = at >> 6, np.uint64(at & 63)
    bits[word] |= value << shift
    bits[word + 1] |= (value >> np.uint64(1)) >> (np.uint64(63) - shift)


@inner
def _thermometer(
    op: Any, levels: Any, values: Any, count: Any, channels: Any, acts: Any, aplane: Any
) -> None:
    """Trits of the values of a line, as two bit strings in acts from word SLACK."""
    k = op[I_LEVELS]
    words = (count * channels * k + 63) >> 6
    _fill_bits(acts, np.int64(SLACK << 6), (words + 1) << 6, np.uint64(0))
    _fill_bits(acts, (aplane + SLACK) << 6, (words + 1) << 6, np.uint64(0))
    at = SLACK << 6
    sign = aplane << 6
    for i in range(count * channels):
        value = min(max(values[i], -LEVEL_LIMIT), LEVEL_LIMIT)
        entry = op[I_BASE] + (i % channels * k if op[I_EACH] else 0)
        for j in range(0, k, 32):
            size = min(32, k - j)
            mask = (np.uint64(1) << np.uint64(size)) - np.uint64(1)
            both = np.uint64(_compare_levels(levels, entry + j, 2 * LEVELS + entry + j, value))
            above = both & mask
            below = (both >> np.uint64(32)) & mask & ~above
            _append(acts, at, above | below)
            if below:
                _append(acts, at + sign, below)
            at += size


@inner
def _write_pixels(
    acts: Any, aplane: Any, start: Any, size: Any, step: Any, count: Any, mem: Any, wplane: Any,
    address: Any, pitch: Any,
) -> None:  # fmt: skip
    """Write `count` pixels of `size` trits, `step` apart in acts from bit `start`, to memory."""
    if size == pitch and size == step:
        size, count = size * count, 1
    for i in range(count):
        source, to = start + i * step, address + i * pitch
        _copy_bits(acts, source, mem, to, size)
        _copy_bits(acts, source + (aplane << 6), mem, to + (wplane << 6), size)


@emitted
def _byte_plane(
    typing: Any, raw: Any, start: Any, count: Any, j: Any, signed: Any, bits: Any, to: Any,
    plane: Any,
) -> Any:  # fmt: skip
    """Bit j of the magnitudes of `count` bytes to bits[to:], the signs `plane` words further."""
    signature = types.void(raw, INT, INT, INT, INT, bits, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        raw, start, count, j, signed, bits, to, plane = args
        wide = ir.VectorType(I8, 64)
        zero = ir.Constant(wide, [0] * 64)
        base = _at(context, b, sig.args[0], raw, start, I8)
        out = [_at(context, b, sig.args[5], bits, index, I64) for index in (to, b.add(to, plane))]
        tested = _splat(b, b.trunc(b.shl(I64(1), j), I8), 64)
        negatives = _splat(b, b.icmp_signed("!=", signed, I64(0)), 64)

        def put(block: Any, value: Any, beyond: Any) -> None:
            minus = b.and_(b.icmp_signed("<", value, zero), negatives)
            size = b.select(minus, b.sub(zero, value), value)
            nonzero = b.icmp_unsigned("!=", b.and_(size, tested), zero)
            for plane_bits, place in zip((nonzero, b.and_(nonzero, minus)), out, strict=True):
                word = b.lshr(b.bitcast(plane_bits, I64), beyond)
                b.store(word, b.gep(place, [block]), align=8)

        def block_at(index: Any) -> Any:
            place = b.bitcast(b.gep(base, [index]), wide.as_pointer())
            return b.load(place, align=1)

        blocks, rest = b.lshr(count, I64(6)), b.and_(count, I64(63))
        with cgutils.for_range(b, blocks) as loop:
            put(loop.index, block_at(b.shl(loop.index, I64(6))), I64(0))
        with b.if_then(b.icmp_signed("!=", rest, I64(0))):
            enough = b.icmp_signed(">=", b.add(start, count), I64(64))
            with b.if_else(enough) as (whole, part):
                with whole:
                    put(blocks, block_at(b.sub(count, I64(64))), b.sub(I64(64), rest))
                with part:
                    tail = cgutils.alloca_once_value(b, zero)
                    source = b.gep(base, [b.shl(blocks, I64(6))])
                    target = b.bitcast(tail, I8.as_pointer())
                    cgutils.raw_memcpy(b, target, source, rest, I64(1), align=1)
                    put(blocks, b.load(tail), I64(0))
        return context.get_dummy_value()

    return signature, generate


@emitted
def _transpose(typing: Any, bits: Any, at: Any, step: Any, to: Any) -> Any:
    """bits[to + i] = bit i of each of the 64 words bits[at + step * r], r = 0..63."""
    signature = types.void(bits, INT, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        bits, at, step, to = args
        rows = [ir.Constant(V8, ir.Undefined) for _ in range(8)]
        for r in range(64):
            place = _at(context, b, sig.args[0], bits, b.add(at, b.mul(step, I64(r))), I64)
            rows[r // 8] = b.insert_element(rows[r // 8], b.load(place), I32(r % 8))
        for distance in (32, 16, 8):
            mask = ir.Constant(V8, [_low_halves(distance)] * 8)
            shift = ir.Constant(V8, [distance] * 8)
            for i in range(8):
                other = i + distance // 8
                if i & (distance // 8):
                    continue
                swap = b.and_(b.xor(b.lshr(rows[i], shift), rows[other]), mask)
                rows[i] = b.xor(rows[i], b.shl(swap, shift))
                rows[other] = b.xor(rows[other], swap)
        for distance in (4, 2, 1):
            low = ir.Constant(V8, [_low_halves(distance)] * 8)
            high = b.not_(low)
            shift = ir.Constant(V8, [distance] * 8)
            order = ir.Constant(ir.VectorType(I32, 8), [lane ^ distance for lane in range(8)])
            upper = ir.Constant(ir.VectorType(I1, 8), [lane & distance != 0 for lane in range(8)])
            for i in range(8):
                partner = b.shuffle_vector(rows[i], ir.Constant(V8, ir.Undefined), order)
                first = b.or_(b.and_(rows[i], low), b.and_(b.shl(partner, shift), high))
                second = b.or_(b.and_(rows[i], high), b.and_(b.lshr(partner, shift), low))
                rows[i] = b.select(upper, second, first)
        for i in range(8):
            place = _at(context, b, sig.args[0], bits, b.add(to, I64(8 * i)), V8)
            b.store(rows[i], place, align=8)
        return context.get_dummy_value()

    return signature, generate


def _low_halves(distance: int) -> int:
    """The low half of every 2 * distance bits of a word."""
    return sum(1 << bit for bit in range(64) if bit & distance == 0)


MANY_CHANNELS = 16


@inner
def _bytes_in(
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
        _byte_plane(raw, start, count, j, signed, acts, SLACK + c * blocks, aplane)
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
                _transpose(acts, at, blocks, square + plane)
                for i in range(pixels):
                    acts[to + (64 * block + i) * tall + t + plane] = acts[square + i + plane]
    return to, tall


@inner
def _dma_in(
    op: Any, raw: Any, port: Any, mem: Any, wplane: Any, desc: Any, y: Any, low: Any, count: Any,
    column: Any, levels: Any, values: Any, acts: Any, aplane: Any,
) -> None:  # fmt: skip
    """Execute a DMAIN for `count` pixels: of the buffer from `low`, of the image from `column`."""
    b, channels = op[F_BUFFER], port[P_CHANNELS]
    pitch = desc[b, PITCH]
    size = channels * (op[I_LEVELS] if op[I_FORMAT] else 1)
    many = channels >= MANY_CHANNELS and port[P_TYPE] <= 1 and not op[I_FORMAT]
    if not many:
        _read_line(raw, port, y, column, count, values)
    if op[I_FORMAT]:
        _thermometer(op, levels, values, count, channels, acts, aplane)
    start, step = np.int64(SLACK << 6), size
    for j in range(desc[b, PLANES]):
        if many and j < 8:
            to, tall = _bytes_in(raw, port, y, column, count, j, acts, aplane)
            start, step = to << 6, tall << 6
        elif many or (op[I_FORMAT] and j == 1):
            start, step = np.int64(SLACK << 6), size
            _fill_bits(acts, start, count * size, np.uint64(0))
            _fill_bits(acts, start + (aplane << 6), count * size, np.uint64(0))
        elif not op[I_FORMAT]:
            _value_plane(values, count * size, j, acts, SLACK, aplane)
        address = _line_start(desc, b, j, y) + low * pitch
        _write_pixels(acts, aplane, start, size, step, count, mem, wplane, address, pitch)


@emitted
def _expand(
    typing: Any, bits: Any, word: Any, plane: Any, count: Any, j: Any, values: Any, keep: Any
) -> Any:
    """values[i] = keep & values[i] + 2^j * trit i, for `count` trits from bits[word], by 8."""
    signature = types.void(bits, INT, INT, INT, INT, values, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        bits, word, plane, count, j, values, keep = args
        flags = ir.VectorType(I1, 8)
        sources = [
            _at(context, b, sig.args[0], bits, index, I8) for index in (word, b.add(word, plane))
        ]
        target = _at(context, b, sig.args[5], values, I64(0), I64)
        size, zero = _splat(b, b.shl(I64(1), j), 8), ir.Constant(V8, [0] * 8)
        kept = _splat(b, keep, 8)
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


@emitted
def _put_bytes(typing: Any, bits: Any, word: Any, plane: Any, out: Any, at: Any, count: Any) -> Any:
    """out[at:] = the first `count` trits of bits[word], as bytes."""
    signature = types.void(bits, INT, INT, out, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        bits, word, plane, out, at, count = args
        wide, flags = ir.VectorType(I8, 64), ir.VectorType(I1, 64)
        one, minus, zero = (ir.Constant(wide, [v] * 64) for v in (1, -1, 0))
        nonzero, sign = (
            b.bitcast(b.load(_at(context, b, sig.args[0], bits, index, I64)), flags)
            for index in (word, b.add(word, plane))
        )
        value = b.select(nonzero, b.select(sign, minus, one), zero)
        target = _at(context, b, sig.args[3], out, at, I8)
        with b.if_else(b.icmp_signed("==", count, I64(64))) as (whole, part):
            with whole:
                b.store(value, b.bitcast(target, wide.as_pointer()), align=1)
            with part:
                place = cgutils.alloca_once_value(b, value)
                source = b.bitcast(place, I8.as_pointer())
                cgutils.raw_memcpy(b, target, source, count, I64(1), align=1)
        return context.get_dummy_value()

    return signature, generate


def _narrow_to(kind: Any) -> Any:
    """out[at + i] = values[from + i * step] as elements of one type, for i in 0..count-1."""

    @emitted
    def narrow(
        typing: Any, values: Any, start: Any, step: Any, out: Any, at: Any, count: Any
    ) -> Any:
        signature = types.void(values, INT, INT, out, INT, INT)

        def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
            values, start, step, out, at, count = args
            source = _at(context, b, sig.args[0], values, start, I64)
            target = _at(context, b, sig.args[3], out, I64(0), kind)
            with cgutils.for_range(b, count) as loop:
                value = b.load(b.gep(source, [b.mul(loop.index, step)]))
                thin = value if kind is I64 else b.trunc(value, kind)
                b.store(thin, b.gep(target, [b.add(at, loop.index)]), align=1)
            return context.get_dummy_value()

        return signature, generate

    return narrow


_narrow_i1, _narrow_i2, _narrow_i4, _narrow_i8 = (_narrow_to(kind) for kind in (I8, I16, I32, I64))


@inner
def _put_values(
    kind: Any, values: Any, start: Any, step: Any, out: Any, at: Any, count: Any
) -> None:
    """Write values to the output's bytes as elements of its type, from element `at` on."""
    if kind == 1:
        _narrow_i1(values, start, step, out, at, count)
    elif kind == 3:
        _narrow_i2(values, start, step, out, at, count)
    elif kind == 5:
        _narrow_i4(values, start, step, out, at, count)
    else:
        _narrow_i8(values, start, step, out, at, count)


@inner
def _bytes_out(
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
                    _transpose(acts, bit >> 6, pitch >> 6, square)
                    continue
                for i in range(pixels):
                    acts[region + i + p * aplane] = _bits_at(acts, bit + i * pitch)
                _transpose(acts, region + p * aplane, np.int64(1), square)
            for c in range(min(64, op[O_N] - first)):
                at = to + (first + c) * size + x
                _put_bytes(acts, region + 64 + c, aplane, out, at, pixels)


@inner
def _dma_out(
    op: Any, out: Any, port: Any, mem: Any, wplane: Any, desc: Any, counters: Any, y: Any, low: Any,
    count: Any, values: Any, acts: Any, aplane: Any,
) -> Any:  # fmt: skip
    """Execute a DMAOUT for `count` pixels from `low`; return whether the buffer held them."""
    b = op[F_BUFFER]
    pitch, column = desc[b, PITCH], low + _image_shift(desc, b, counters)
    channels, size = op[O_N], port[P_HEIGHT] * port[P_WIDTH]
    whole, start = True, np.int64(SLACK)
    stream = SLACK + ((count * pitch + 63) >> 6) + SLACK
    to = op[O_TO] * size + y * port[P_WIDTH] + column
    for j in range(desc[b, PLANES]):
        whole &= _gather(
            mem, wplane, acts, aplane, start << 6, desc, b, j, y, low, low + count, counters
        )
        if channels >= MANY_CHANNELS and desc[b, PLANES] == 1 and not op[O_FORMAT]:
            _bytes_out(op, out, port, port[P_START] + to, pitch, count, acts, aplane, stream)
            return whole
        at = start
        if channels != pitch:
            at = stream
            for p in range(2):
                for x in range(count):
                    source = ((start + p * aplane) << 6) + x * pitch + op[O_CHAN]
                    target = ((stream + p * aplane) << 6) + x * channels
                    _copy_bits(acts, source, acts, target, channels)
        keep = np.int64(0) if j == 0 else np.int64(-1)
        _expand(acts, at, aplane, count * channels, j, values, keep)
    element = port[P_START] >> _element_shift(port[P_TYPE])
    if op[O_FORMAT]:
        for x in range(count):
            best = 0
            for c in range(1, channels):
                if values[x * channels + c] > values[x * channels + best]:
                    best = c
            values[x] = best
        _put_values(port[P_TYPE], values, np.int64(0), np.int64(1), out, element + to, count)
    else:
        for c in range(channels):
            at = element + to + c * size
            _put_values(port[P_TYPE], values, c, channels, out, at, count)
    return whole


@inner
def _element_shift(kind: Any) -> Any:
    """log2 of the bytes of an element type."""
    return min(kind >> 1, 3)


# --- time --------------------------------------------------------------------------------------

# The clock: issue cycle, micro-ops issued, then for each unit when it is free and when all is done.
CLOCK_ISSUE, CLOCK_ISSUED, CLOCK_FREE, CLOCK_DONE = 0, 1, 2, 6
CLOCK_SIZE = 10
# Columns of the cost table: unit, terms of `timing.cost` that no execution changes, and the columns
# of the micro-op's line and span fields (0: it has none).
(COST_UNIT, COST_STARTUP, COST_ITEMS, COST_FIRST, COST_EACH, COST_LATENCY, COST_LINE,
 COST_SPAN) = range(8)  # fmt: skip
COST_COLUMNS = 8
# Figures of the machine.
(M_MACROS, M_WORDS, M_CHANNEL_TRITS, M_GATHER_TRITS, M_DMA_BITS, M_WINDOW_LINES,
 M_TILES, M_ROOM, M_LOOSE) = range(9)  # fmt: skip
# Columns of the counter table.
EXECUTED, ITEMS, PIXELS, TRITS, ONES, BUSY, IDLE, WAITED = range(8)


@inner
def _enter(clock: Any, started: Any, unit: Any) -> Any:
    """Issue to a unit's queue; return the cycle at which the unit is ready.

    `started` int64 [units, queue + 1] holds the starts of the last entries, the oldest at the
    place that the last column counts round.
    """
    clock[CLOCK_ISSUE] += 1
    clock[CLOCK_ISSUED] += 1
    queue = started.shape[1] - 1
    if started[unit, queue] >= queue:
        oldest = started[unit, started[unit, queue] % queue]
        clock[CLOCK_ISSUE] = max(clock[CLOCK_ISSUE], oldest)
    return max(clock[CLOCK_ISSUE] + 1, clock[CLOCK_FREE + unit])


@inner
def _leave(clock: Any, started: Any, unit: Any, start: Any, busy: Any) -> None:
    queue = started.shape[1] - 1
    started[unit, started[unit, queue] % queue] = start
    started[unit, queue] += 1
    clock[CLOCK_FREE + unit] = start + busy


@inner
def _work(clock: Any, started: Any, cost: Any, items: Any, first: Any, each: Any, row: Any) -> None:
    """Let a unit work; count it."""
    unit = cost[COST_UNIT]
    busy = cost[COST_STARTUP] + (first + (items - 1) * each if items > 0 else 0)
    ready = _enter(clock, started, unit)
    row[ITEMS] += items
    row[BUSY] += busy
    row[IDLE] += ready - clock[CLOCK_FREE + unit]
    _leave(clock, started, unit, ready, busy)
    done = clock[CLOCK_FREE + unit] + cost[COST_LATENCY]
    clock[CLOCK_DONE + unit] = max(clock[CLOCK_DONE + unit], done)


@inner
def _fresh_trits(op: Any, pitch: Any, window_lines: Any) -> Any:
    """Trits of each line of a DOT that a pixel sends after the first step."""
    if op[D_SEGMENTS] > 1 or op[D_LINES] > window_lines:
        return op[D_LEN]
    return min(op[D_LEN], op[D_DX] * op[D_GROUPS] * pitch)


@inner
def _time_dot(
    op: Any, desc: Any, figures: Any, cost: Any, pixels: Any, clock: Any, started: Any, row: Any
) -> Any:
    """Time one DOT, count its trits; return those of a line that travel after the first step."""
    fresh = _fresh_trits(op, desc[op[F_BUFFER], PITCH], figures[M_WINDOW_LINES])
    parallel = op[D_GROUPS] * op[D_SEGMENTS]
    each = max(1, _ceil(op[D_SEGMENTS] * op[D_LINES] * fresh, figures[M_CHANNEL_TRITS]))
    _work(clock, started, cost, _ceil(pixels, parallel), cost[COST_FIRST], each, row)
    whole = min(pixels, parallel)
    row[PIXELS] += pixels
    row[TRITS] += op[D_LINES] * (whole * op[D_LEN] + (pixels - whole) * fresh)
    return fresh


@inner
def _time_store(
    op: Any, desc: Any, figures: Any, cost: Any, pixels: Any, clock: Any, started: Any, row: Any
) -> None:
    planes = desc[op[F_BUFFER], PLANES]
    parallel = op[ST_GROUPS] * op[ST_SEGMENTS]
    gathered = _ceil(planes * op[ST_MACROS] * parallel, figures[M_GATHER_TRITS])
    compares = _ceil(op[ST_LEVELS], 2) if op[ST_MODE] == COUNT else 1
    each = max(gathered, compares)
    _work(clock, started, cost, _ceil(pixels, parallel), each, each, row)
    row[PIXELS] += pixels
    row[TRITS] += pixels * op[ST_MACROS] * planes


@inner
def _time_dma(
    figures: Any, cost: Any, pixels: Any, trits: Any, bits: Any, clock: Any, started: Any, row: Any
) -> None:
    items = max(_ceil(bits, figures[M_DMA_BITS]), _ceil(trits, figures[M_GATHER_TRITS]))
    _work(clock, started, cost, items, cost[COST_FIRST], cost[COST_EACH], row)
    row[PIXELS] += pixels
    row[TRITS] += trits


# --- the one entry point -----------------------------------------------------------------------

(OP_HALT, OP_LOOP, OP_END, OP_GUARD, OP_WAIT, OP_SIGNAL, OP_BUF, OP_LEVEL, OP_DMAIN, OP_DMAOUT,
 OP_DMAW, OP_DOT, OP_ACC, OP_LUT, OP_TLOAD, OP_STORE) = range(16)  # fmt: skip


@inner
def _describe(op: Any, desc: Any) -> Any:
    """Execute a BUF; return whether anything changed."""
    changed = 0
    for f in range(DESCRIPTOR_COLUMNS):
        if desc[op[F_BUFFER], f] != op[2 + f]:
            desc[op[F_BUFFER], f] = op[2 + f]
            changed = 1
    return changed


@inner
def _guards(op: Any, counters: Any) -> Any:
    """Whether a GUARD lets the next micro-ops run."""
    value = counters[op[2]]
    return op[3] <= value and value < op[4] and value % op[5] == op[6]


@inner
def _post(token: Any, time: Any, heads: Any, tails: Any, posts: Any, links: Any, free: Any) -> Any:
    """Append a post to a token's queue; return whether there was room for it.

    `heads` and `tails` index `posts` for every token (-1: none), `links` chain them; free[0] starts
    the chain of those not used.
    """
    post = free[0]
    if post < 0:
        return False
    free[0] = links[post]
    posts[post], links[post] = time, -1
    if heads[token] < 0:
        heads[token] = post
    else:
        links[tails[token]] = post
    tails[token] = post
    return True


@inner
def _synchronise(
    op: Any, clock: Any, started: Any, row: Any, heads: Any, tails: Any, posts: Any, links: Any,
    free: Any,
) -> Any:  # fmt: skip
    """Execute a WAIT or SIGNAL; return DONE, or why it cannot be."""
    unit, token = op[1], op[2]
    ready = _enter(clock, started, unit)
    start = ready
    if op[0] == OP_WAIT:
        post = heads[token]
        if post < 0:
            return MISSING_TOKEN
        start = max(ready, posts[post])
        heads[token], links[post], free[0] = links[post], free[0], post
    row[IDLE] += ready - clock[CLOCK_FREE + unit]
    row[WAITED] += start - ready
    _leave(clock, started, unit, start, start - start)
    if op[0] == OP_SIGNAL:
        time = max(clock[CLOCK_DONE + unit], ready)
        if not _post(token, time, heads, tails, posts, links, free):
            return MORE_POSTS
    return DONE


@inner
def _lut_failure(
    op: Any, desc: Any, counters: Any, y: Any, p0: Any, pixels: Any, status: Any
) -> None:
    """Tell which pixel of an operand no buffer holds."""
    for x in range(p0, p0 + pixels):
        for f in (L_A, L_B):
            at, line = (0, 0) if op[f + 2] else (x, y)
            missing = _missing_pixel(desc, op[f], line, at, at + 1, counters)
            if missing != NONE:
                status[0], status[2], status[3] = MISSING_PIXEL, missing, line
                status[4] = desc[op[f], WIDTH] - 1
                return


@entry
def execute(
    table: Any, turns: Any, run_of: Any, runs: Any, strips: Any, taps: Any, pieces: Any, words: Any,
    fills: Any, homes: Any, entries: Any, masks: Any, steps: Any, kw: Any, kbase: Any, kstep: Any,
    panel: Any, spelled: Any, tiles: Any, loads: Any, sums: Any, stamps: Any, layout: Any,
    costs: Any, figures: Any, mem: Any, external: Any, in_ports: Any, raw: Any, out_ports: Any,
    out: Any, buffers: Any, counters: Any, levels: Any, acc: Any, thresholds: Any, excess: Any,
    values: Any, bits: Any, there: Any, acts: Any, marks: Any, counts: Any, clock: Any,
    started: Any, heads: Any, tails: Any, posts: Any, links: Any, free: Any, status: Any,
) -> None:  # fmt: skip
    """Run a program to its HALT; counters, outputs and status come back in the arrays given.

    What holds from frame to frame (plans, expanded weights, descriptors) stays in its arrays.
    """
    macros, row_words, room = figures[M_MACROS], figures[M_WORDS], figures[M_ROOM]
    wplane, aplane, bplane = mem.size // 2, acts.size // 2, bits.size // 2
    tiled = figures[M_TILES]
    at = 0
    stamps[1] += 1
    if tiled:
        _start_tiles(layout)
    while True:
        op, row, cost = table[at], counts[at], costs[at]
        code = op[0]
        row[EXECUTED] += 1
        y = _line_of(op, cost[COST_LINE], counters)
        p0 = _span_start(op, cost[COST_SPAN], counters)
        pixels = _span_pixels(op, cost[COST_SPAN], p0)
        status[1] = at
        if code == OP_DOT:
            run = runs[run_of[at]]
            end = run[R_FIRST] + run[R_COUNT]
            for d in range(at + 1, end):
                counts[d, EXECUTED] += 1
            tap, word = run[R_TAPS], run[R_WORDS]
            if run[R_STAMP] != stamps[0]:
                _plan(
                    run, table, buffers, strips[tap:], taps[tap:], pieces[tap:], words[word:],
                    fills[word:], homes[word:], entries[word:], masks[word:], steps[word:],
                    loads, row_words,
                )  # fmt: skip
                run[R_STAMP] = stamps[0]
            if pixels > 0:
                loaded = np.int64(1) if run[R_FIXED] == ALWAYS else stamps[1]
                _dot(
                    run, table, mem, wplane, acts, aplane, marks, buffers, strips[tap:],
                    words[word:], entries[word:], masks[word:], kw, kbase, kstep, panel, tiled,
                    loads, loaded, steps[word:], spelled, tiles, sums, acc, excess,
                    figures[M_LOOSE], room, macros, row_words, counters, p0, pixels, status,
                )  # fmt: skip
                if status[0] != DONE:
                    break
            for d in range(at, end):
                fresh = _time_dot(
                    table[d], buffers, figures, costs[d], pixels, clock, started, counts[d]
                )
                if pixels > 0:
                    counts[d, ONES] += _dot_ones(
                        table[d], taps, tap, fresh, acts, aplane, marks, pixels
                    )
                tap += table[d, D_LINES]
            at = end
            continue
        if code == OP_STORE:
            _store(
                op, mem, wplane, buffers, counters, acc, thresholds, values, bits, there, bplane,
                room, macros, y, p0, pixels,
            )  # fmt: skip
            _time_store(op, buffers, figures, cost, pixels, clock, started, row)
        elif code == OP_ACC:
            items = _ceil(pixels, op[A_GROUPS] * op[A_SEGMENTS])
            _accumulate(op, acc, excess, items, room, macros)
            row[PIXELS] += pixels
            _work(clock, started, cost, items, cost[COST_FIRST], cost[COST_EACH], row)
        elif code == OP_LUT:
            trits = pixels * buffers[op[F_BUFFER], PITCH]
            if not _lut(op, mem, wplane, buffers, counters, acts, aplane, y, p0, pixels):
                _lut_failure(op, buffers, counters, y, p0, pixels, status)
                break
            items = _ceil(trits, min(figures[M_CHANNEL_TRITS], figures[M_GATHER_TRITS]))
            row[PIXELS] += pixels
            row[TRITS] += trits
            _work(clock, started, cost, items, cost[COST_FIRST], cost[COST_EACH], row)
        elif code == OP_TLOAD:
            _load_thresholds(op, mem, wplane, thresholds, row_words, macros)
            _work(clock, started, cost, cost[COST_ITEMS], cost[COST_FIRST], cost[COST_EACH], row)
        elif code == OP_DMAIN:
            b, port = op[F_BUFFER], in_ports[op[I_PORT]]
            shift = _image_shift(buffers, b, counters)
            low = max(0, -shift)
            high = min(buffers[b, WIDTH], buffers[b, IMAGE_WIDTH] - shift)
            inside = y >= 0 and y < buffers[b, IMAGE_HEIGHT]
            pixels = max(0, high - low) if inside else 0
            if pixels > 0:
                _dma_in(
                    op, raw, port, mem, wplane, buffers, y, low, pixels, low + shift, levels,
                    values, acts, aplane,
                )  # fmt: skip
            moved = pixels * port[P_CHANNELS]
            trits = moved * (op[I_LEVELS] if op[I_FORMAT] else buffers[b, PLANES])
            _time_dma(figures, cost, pixels, trits, moved * port[P_BITS], clock, started, row)
        elif code == OP_DMAOUT:
            b, port = op[F_BUFFER], out_ports[op[O_PORT]]
            shift = _image_shift(buffers, b, counters)
            low = max(op[O_X0], -shift)
            high = min(op[O_X0] + op[O_LIMIT], port[P_WIDTH] - shift)
            inside = y >= 0 and y < port[P_HEIGHT]
            pixels = max(0, high - low) if inside else 0
            if pixels > 0:
                whole = _dma_out(
                    op, out, port, mem, wplane, buffers, counters, y, low, pixels, values, acts,
                    aplane,
                )  # fmt: skip
                if not whole:
                    status[0], status[3], status[4] = MISSING_PIXEL, y, buffers[b, WIDTH] - 1
                    status[2] = _missing_pixel(buffers, b, y, low, low + pixels, counters)
                    break
            sent = pixels * port[P_BITS] * (1 if op[O_FORMAT] else op[O_N])
            trits = pixels * op[O_N] * buffers[b, PLANES]
            _time_dma(figures, cost, pixels, trits, sent, clock, started, row)
        elif code == OP_DMAW:
            size = row_words * macros
            for k in range(op[W_N]):
                start, to = (op[W_SOURCE] + k) * 2 * size, (op[W_ROW] + k) * size
                _copy_words(external, start, mem, to, size)
                _copy_words(external, start + size, mem, to + wplane, size)
            stamps[1] += 1
            row[TRITS] += op[W_N] * size * 64
            _work(clock, started, cost, cost[COST_ITEMS], cost[COST_FIRST], cost[COST_EACH], row)
        elif code == OP_WAIT or code == OP_SIGNAL:
            ended = _synchronise(op, clock, started, row, heads, tails, posts, links, free)
            if ended != DONE:
                status[0], status[2] = ended, op[2]
                break
        else:
            clock[CLOCK_ISSUE] += 1
            clock[CLOCK_ISSUED] += 1
            if code == OP_LOOP:
                if op[2] == 0:
                    at = turns[at]
            elif code == OP_END:
                counters[op[1]] += 1
                if counters[op[1]] < table[turns[at], 2]:
                    at = turns[at]
                else:
                    counters[op[1]] = 0
            elif code == OP_GUARD:
                if not _guards(op, counters):
                    at += op[1]
            elif code == OP_BUF:
                stamps[0] += _describe(op, buffers)
            elif code == OP_LEVEL:
                levels[op[1]], levels[2 * LEVELS + op[1]] = op[2], op[3]
            else:
                for i in range(LANES):
                    if excess[i] != 0:
                        status[0] = EXCESS
                break
        at += 1
    if tiled:
        _end_tiles()
