"""A run of fused DOTs -> sums in the accumulators, by population counts."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.columns import (
    D_ACC,
    D_ASTEP,
    D_CLEAR,
    D_GROUPS,
    D_MACROS,
    D_SEGMENTS,
    D_SHIFT,
    K_WEIGHT,
    LANES,
    R_ENTRIES,
    R_K,
)
from tdsl_runtime.kernels.jit import inner
from tdsl_runtime.kernels.popcount import copy_panel, popcount_tiles
from tdsl_runtime.kernels.windows import assemble, chunk_pixels, windows_of


@inner
def compute(
    run: Any, op: Any, strips: Any, words: Any, mem: Any, wplane: Any, acts: Any, aplane: Any,
    kw: Any, kbase: Any, kstep: Any, panel: Any, acc: Any, room: Any, macros: Any, row_words: Any,
    p0: Any, start: Any, pixels: Any, excess: Any,
) -> None:  # fmt: skip
    """Sum the windows of pixels p0 + start.. against the weights of their groups and segments."""
    groups, segments, active = op[D_GROUPS], op[D_SEGMENTS], op[D_MACROS]
    parallel = groups * segments
    n_k, zero = run[R_K], np.int64(0)
    step = op[D_ASTEP] * room
    for i in range(min(parallel, pixels)):
        group, segment = i // segments, i % segments
        count = (pixels - i + parallel - 1) // parallel
        windows_of(run, strips, words, p0 + start, p0 + start + i, parallel, kbase, kstep)
        base = group * (macros // groups)
        offset = segment * (row_words // segments) * macros
        out = (op[D_ACC] + start // parallel * op[D_ASTEP]) * room + segment * macros + base
        keep = 0 if op[D_CLEAR] == 1 and (op[D_ASTEP] == 1 or start == 0) else -1
        alone = np.int64(keep == 0 and step == 0)
        for m in range(0, active, 2 * LANES):
            left = active - m
            for k in range(n_k):
                copy_panel(mem, kw[k] + offset + base + m, wplane, panel, 32 * k)
            if alone:
                popcount_tiles(panel, acts, aplane, kbase, kstep, n_k, zero, alone,
                       acc, out + m, step, op[D_SHIFT], keep, left, excess)  # fmt: skip
            popcount_tiles(panel, acts, aplane, kbase, kstep, n_k, alone, count,
                   acc, out + m, step, op[D_SHIFT], -1 if alone else keep, left,
                   excess)  # fmt: skip


@inner
def dot_by_counts(
    run: Any, op: Any, strips: Any, words: Any, entries: Any, masks: Any, mem: Any, wplane: Any,
    acts: Any, aplane: Any, kw: Any, kbase: Any, kstep: Any, panel: Any, acc: Any, room: Any,
    macros: Any, row_words: Any, p0: Any, pixels: Any, excess: Any,
) -> None:  # fmt: skip
    """Execute a run of fused DOTs whose lines are held."""
    for k in range(run[R_K]):
        kw[k] = words[k, K_WEIGHT] * macros
    chunk = pixels if run[R_ENTRIES] == 0 else chunk_pixels(op[D_GROUPS] * op[D_SEGMENTS])
    for start in range(0, pixels, chunk):
        count = min(chunk, pixels - start)
        assemble(run, strips, acts, aplane, entries, masks, p0 + start, count)
        compute(
            run, op, strips, words, mem, wplane, acts, aplane, kw, kbase, kstep, panel, acc, room,
            macros, row_words, p0, start, count, excess,
        )  # fmt: skip
