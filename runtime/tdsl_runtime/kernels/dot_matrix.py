"""A run of fused DOTs -> sums in the accumulators, by matrix tiles."""

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
    NEVER,
    R_FIXED,
    R_K,
    R_SET,
    R_STEPS,
    R_TILES,
    S_START,
    STEP_BASE,
    STEP_COL,
    STEP_ROW,
    STEP_STRIDE,
    STEP_STRIP,
    STEP_VALID,
    TILE,
    TILE_PIXELS,
    TILE_STEPS,
)
from tdsl_runtime.kernels.jit import ALL, inner
from tdsl_runtime.kernels.matrix import multiply
from tdsl_runtime.kernels.spelling import add_sums, weight_tile


@inner
def load_tiles(
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
                weight_tile(mem, word * macros + macro, wplane, macros, steps[k, STEP_COL] & 63,
                             mask, tiles, at)  # fmt: skip
                at += TILE


@inner
def compute_by_tiles(
    run: Any, op: Any, strips: Any, steps: Any, trits: Any, kbase: Any, kstep: Any, tiles: Any,
    sums: Any, acc: Any, loose: Any, room: Any, macros: Any, p0: Any, pixels: Any, excess: Any,
) -> None:  # fmt: skip
    """The same sums as `compute`, by int8 matrix tiles.

    Where `loose`, tiles may spill over the accumulators behind, whose sums nobody takes.
    """
    groups, segments, active = op[D_GROUPS], op[D_SEGMENTS], op[D_MACROS]
    parallel, n_k = groups * segments, run[R_STEPS]
    line = op[D_ASTEP] * room
    blocks = (active + 15) >> 4
    for i in range(min(parallel, pixels)):
        count = (pixels - i + parallel - 1) // parallel
        for k in range(n_k):
            begin = strips[steps[k, STEP_STRIP], S_START]
            kbase[k] = begin + steps[k, STEP_BASE] + (p0 + i) * steps[k, STEP_STRIDE]
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
                    multiply(trits, kbase, kstep, n_k, q, rows, tiles, at, columns,
                              acc, out + q * line + m, line)  # fmt: skip
                    done = q + rows
                    continue
                multiply(trits, kbase, kstep, n_k, q, rows, tiles, at, columns,
                          sums, np.int64(0), np.int64(32))  # fmt: skip
                for r in range(rows):
                    sets = op[D_CLEAR] == 1 and (op[D_ASTEP] == 1 or q + r == 0)
                    keep = 0 if sets else -1
                    for c in range(0, columns, 16):
                        add_sums(sums, 32 * r + c, acc, out + (q + r) * line + m + c,
                                  op[D_SHIFT], keep, columns - c, excess)  # fmt: skip
                done = q + rows


@inner
def suits_tiles(run: Any, op: Any, pixels: Any) -> Any:
    """Whether matrix tiles compute a run faster than population counts."""
    enough = pixels >= TILE_PIXELS * op[D_GROUPS] * op[D_SEGMENTS]
    return enough and run[R_STEPS] <= TILE_STEPS * run[R_K]


@inner
def dot_by_tiles(
    run: Any, op: Any, strips: Any, mem: Any, wplane: Any, loads: Any, loaded: Any, steps: Any,
    trits: Any, kbase: Any, kstep: Any, tiles: Any, sums: Any, acc: Any, loose: Any, room: Any,
    macros: Any, row_words: Any, p0: Any, pixels: Any, excess: Any,
) -> None:  # fmt: skip
    """Execute a run of fused DOTs whose lines are held and spelled.

    The weights are expanded once, unless `loaded` says that they are other ones by now.
    """
    if loads[run[R_SET]] != loaded or run[R_FIXED] == NEVER:
        load_tiles(run, op, steps, mem, wplane, tiles, macros, row_words)
        loads[run[R_SET]] = loaded
    compute_by_tiles(
        run, op, strips, steps, trits, kbase, kstep, tiles, sums, acc, loose, room, macros, p0,
        pixels, excess,
    )  # fmt: skip
