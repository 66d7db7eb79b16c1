"""Windows and weights as bit planes -> sums, by AND, XOR and population counts of whole vectors."""

from typing import Any

from tdsl_runtime.kernels.columns import LANES
from tdsl_runtime.kernels.jit import (
    I32,
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


def dot_tile(pixels: int, vectors: int) -> Any:
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
                return b.load(pointer(context, b, sig.args[position], array, index, I64))

            def weight(index: Any) -> Any:
                return b.load(pointer(context, b, sig.args[0], panel, index, V8), align=8)

            with cgutils.for_range(b, n_k) as loop:
                step = scalar(4, kstep, loop.index)
                word = b.add(scalar(3, kbase, loop.index), b.mul(first, step))
                rows = [b.add(b.mul(loop.index, I64(32)), I64(8 * v)) for v in range(vectors)]
                planes = [(weight(r), weight(b.add(r, I64(16)))) for r in rows]
                for p in range(pixels):
                    nonzero = splat(b, scalar(1, acts, word), 8)
                    sign = splat(b, scalar(1, acts, b.add(word, aplane)), 8)
                    word = b.add(word, step)
                    for (wide, minus), slots in zip(planes, sums[p], strict=True):
                        both = b.and_(wide, nonzero)
                        negative = b.and_(both, b.xor(minus, sign))
                        for bits, slot in zip((both, negative), slots, strict=True):
                            count = call_intrinsic(b, "llvm.ctpop.v8i64", V8, bits)
                            b.store(b.add(b.load(slot), count), slot)

            narrow = ir.VectorType(I32, 8)
            one = splat(b, I64(1), 8)

            def finished(p: int, v: int) -> tuple[Any, Any]:
                both, negative = (b.load(slot) for slot in sums[p][v])
                index = b.add(b.mul(b.add(first, I64(p)), ostep), b.add(out, I64(8 * v)))
                place = pointer(context, b, sig.args[7], acc, index, narrow)
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
                    kept, shifts = splat(b, b.trunc(keep, I32), 8), splat(b, shift, 8)
                    over = zero
                    for v in range(vectors):
                        left = splat(b, b.sub(lanes, I64(8 * v)), 8)
                        active = b.icmp_signed("<", iota(I64, 8), left)
                        for p in range(pixels):
                            total, place = finished(p, v)
                            old = b.load(place, align=4)
                            wide = b.add(b.sext(b.and_(old, kept), V8), b.shl(total, shifts))
                            new = b.trunc(wide, narrow)
                            lost = b.xor(wide, b.sext(new, V8))
                            over = b.or_(over, b.select(active, lost, zero))
                            b.store(b.select(active, new, old), place, align=4)
                    marks = pointer(context, b, sig.args[13], excess, I64(0), V8)
                    b.store(b.or_(b.load(marks, align=8), over), marks, align=8)
            return context.get_dummy_value()

        return signature, generate

    return tile


tile_6x2, tile_6x1 = dot_tile(6, 2), dot_tile(6, 1)
tile_4x2, tile_4x1 = dot_tile(4, 2), dot_tile(4, 1)
tile_2x2, tile_2x1 = dot_tile(2, 2), dot_tile(2, 1)
tile_1x2, tile_1x1 = dot_tile(1, 2), dot_tile(1, 1)


@emitted
def copy_panel(typing: Any, mem: Any, word: Any, wplane: Any, panel: Any, to: Any) -> Any:
    """panel[to:] = 16 words from both planes, one behind the other."""
    signature = types.void(mem, INT, INT, panel, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        mem, word, wplane, panel, to = args
        for plane, index in ((0, word), (1, b.add(word, wplane))):
            for v in range(2):
                source = pointer(context, b, sig.args[0], mem, b.add(index, I64(8 * v)), V8)
                place = b.add(to, I64(16 * plane + 8 * v))
                target = pointer(context, b, sig.args[3], panel, place, V8)
                b.store(b.load(source, align=8), target, align=8)
        return context.get_dummy_value()

    return signature, generate


@inner
def popcount_tiles(
    panel: Any, acts: Any, aplane: Any, kbase: Any, kstep: Any, n_k: Any, first: Any, end: Any,
    acc: Any, out: Any, ostep: Any, shift: Any, keep: Any, lanes: Any, excess: Any,
) -> None:  # fmt: skip
    """Windows first..end-1 against up to 16 macros."""
    q = first
    if lanes > LANES:
        while end - q >= 6:
            tile_6x2(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 6
        if end - q >= 4:
            tile_4x2(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 4
        if end - q >= 2:
            tile_2x2(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 2
        if end > q:
            tile_1x2(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
    else:
        while end - q >= 6:
            tile_6x1(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 6
        if end - q >= 4:
            tile_4x1(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 4
        if end - q >= 2:
            tile_2x1(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
            q += 2
        if end > q:
            tile_1x1(panel, acts, aplane, kbase, kstep, n_k, q, acc, out,
                      ostep, shift, keep, lanes, excess)  # fmt: skip
