"""Lines in memory -> the windows of a run of DOTs, gathered and assembled."""

from typing import Any

from tdsl_runtime.kernels.columns import (
    CHUNK,
    D_COUNTER,
    D_DIV,
    D_DX,
    D_LDIL,
    D_LEN,
    D_LINES,
    D_MUL,
    D_OFF,
    D_TOFF,
    D_X0,
    E_BIT,
    E_SLOT,
    E_STRIDE,
    E_STRIP,
    F_BUFFER,
    K_BASE,
    K_SLOT,
    K_STRIDE,
    K_STRIP,
    LANES,
    MISSING_PIXEL,
    NONE,
    PITCH,
    R_COUNT,
    R_ENTRIES,
    R_FIRST,
    R_K,
    R_ROW,
    S_START,
    SLACK,
    WIDTH,
)
from tdsl_runtime.kernels.jit import (
    I64,
    INT,
    V8,
    call_intrinsic,
    emitted,
    inner,
    pointer,
    splat,
    types,
)
from tdsl_runtime.kernels.lines import missing_pixel


@emitted
def merge(typing: Any, acts: Any, word: Any, shift: Any, masks: Any, mask: Any, to: Any) -> Any:
    """Put 8 words from bit 64 * word + shift into acts[to:].

    They go under masks[mask:], over what masks[mask + 8:] keeps of those there.
    """
    signature = types.void(acts, INT, INT, masks, INT, INT)

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        acts, word, shift, masks, mask, to = args

        def load(position: int, array: Any, index: Any) -> Any:
            return b.load(pointer(context, b, sig.args[position], array, index, V8), align=8)

        low, high = load(0, acts, word), load(0, acts, b.add(word, I64(1)))
        value = call_intrinsic(b, "llvm.fshr.v8i64", V8, high, low, splat(b, shift, 8))
        taken = b.and_(value, load(3, masks, mask))
        kept = b.and_(load(0, acts, to), load(3, masks, b.add(mask, I64(8))))
        b.store(b.or_(taken, kept), pointer(context, b, sig.args[0], acts, to, V8), align=8)
        return context.get_dummy_value()

    return signature, generate


@inner
def chunk_pixels(parallel: Any) -> Any:
    """Pixels whose windows are assembled at a time: whole steps."""
    return (CHUNK + parallel - 1) // parallel * parallel


@inner
def find_missing(
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
                missing = missing_pixel(desc, b, y, first, last, counters)
                if missing != NONE:
                    status[0], status[1], status[2], status[3] = MISSING_PIXEL, d, missing, y
                    status[4] = desc[b, WIDTH] - 1
                    return True
    return False


@inner
def assemble(
    run: Any, strips: Any, acts: Any, aplane: Any, entries: Any, masks: Any, start: Any, pixels: Any
) -> None:
    """Build the assembled words of the windows of some pixels of a line, from word SLACK on."""
    flat = masks.reshape(-1)
    for e in range(run[R_ENTRIES]):
        entry = entries[e]
        stride, to = entry[E_STRIDE], SLACK + entry[E_SLOT]
        bit = strips[entry[E_STRIP], S_START] + entry[E_BIT] + start * stride
        for _ in range(pixels):
            merge(acts, bit >> 6, bit & 63, flat, e * 2 * LANES, to)
            merge(acts, (bit >> 6) + aplane, bit & 63, flat, e * 2 * LANES, to + aplane)
            bit += stride
            to += run[R_ROW]


@inner
def windows_of(
    run: Any, strips: Any, words: Any, start: Any, begin: Any, parallel: Any, kbase: Any, kstep: Any
) -> None:
    """Where window q of a group and segment stands: kbase + q * kstep, q = 0 at pixel `begin`.

    Assembled words are those of the chunk that starts at pixel `start`; both are pixels of a line.
    """
    for k in range(run[R_K]):
        if words[k, K_SLOT] < 0:
            line = strips[words[k, K_STRIP], S_START] >> 6
            kbase[k] = line + words[k, K_BASE] + begin * words[k, K_STRIDE]
            kstep[k] = parallel * words[k, K_STRIDE]
        else:
            kbase[k] = SLACK + words[k, K_SLOT] + (begin - start) * run[R_ROW]
            kstep[k] = parallel * run[R_ROW]
