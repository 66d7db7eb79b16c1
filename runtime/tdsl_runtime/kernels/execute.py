"""The jitted machine: a field table, memory planes and input bytes -> output values and counters.

`engine` is the one entry: `execute`, compiled for the features that a program needs. Each kind of
micro-op has a file of its own in this package; here they are told apart.

Memory is uint64 [2 planes x `plane` words], flat: plane 0 the nonzero bits, plane 1 the signs, word
address `(row * W + word) * M + macro`, so that one vector register holds the same word of eight
macros, and a feature line is a linear string of bits in each plane.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tdsl_runtime.kernels.accumulate import accumulate
from tdsl_runtime.kernels.clock import time_dot, time_store, work
from tdsl_runtime.kernels.columns import (
    A_GROUPS,
    A_SEGMENTS,
    ALWAYS,
    CLOCK_ISSUE,
    CLOCK_ISSUED,
    COST_EACH,
    COST_FIRST,
    COST_ITEMS,
    COST_LINE,
    COST_SPAN,
    D_DX,
    D_LINES,
    DONE,
    EXCESS,
    EXECUTED,
    F_BUFFER,
    I_FORMAT,
    I_PORT,
    LANES,
    LEVELS,
    M_CHANNEL_TRITS,
    M_GATHER_TRITS,
    M_LOOSE,
    M_MACROS,
    M_ROOM,
    M_WORDS,
    O_PORT,
    ONES,
    OP_ACC,
    OP_ACTIVE,
    OP_BUF,
    OP_DMAIN,
    OP_DMAOUT,
    OP_DMAW,
    OP_DOT,
    OP_END,
    OP_GUARD,
    OP_LEVEL,
    OP_LOGIC,
    OP_LOOP,
    OP_LUT,
    OP_PACK,
    OP_SIGNAL,
    OP_SPREAD,
    OP_STORE,
    OP_TLOAD,
    OP_WAIT,
    P_TYPE,
    PACKED,
    PITCH,
    PIXELS,
    R_COUNT,
    R_FIRST,
    R_FIXED,
    R_STAMP,
    R_TAPS,
    R_WORDS,
    TRITS,
    W_N,
)
from tdsl_runtime.kernels.control import describe, guards, load_rows, synchronise
from tdsl_runtime.kernels.dot import dot_by_counts
from tdsl_runtime.kernels.dot_matrix import dot_by_tiles, suits_tiles
from tdsl_runtime.kernels.frame import clear, empty_queues, restore
from tdsl_runtime.kernels.holds import forget, forget_all, hold_lines, spell_lines
from tdsl_runtime.kernels.jit import njit
from tdsl_runtime.kernels.lines import ceil_div, line_of, span_pixels, span_start
from tdsl_runtime.kernels.lookup import look_up, lut_failure
from tdsl_runtime.kernels.matrix import end_tiles, start_tiles
from tdsl_runtime.kernels.ones import dot_ones
from tdsl_runtime.kernels.plan import plan
from tdsl_runtime.kernels.port_in import levels_in, pixels_in, planes_in, time_in
from tdsl_runtime.kernels.port_out import dma_out, out_failure, pixels_out, time_out
from tdsl_runtime.kernels.port_packed import packed_in, packed_out
from tdsl_runtime.kernels.row_columns import AC_MACROS
from tdsl_runtime.kernels.rows import work_on_rows
from tdsl_runtime.kernels.store import store
from tdsl_runtime.kernels.thresholds import load_thresholds
from tdsl_runtime.kernels.turned import turn
from tdsl_runtime.kernels.windows import find_missing


class Features(NamedTuple):
    """What a program may need of the kernels: what it does not, is not compiled for it."""

    tiles: bool
    """Matrix tiles."""
    lut: bool
    """LUT."""
    levels: bool
    """LEVEL, and DMAIN in the formats of levels."""
    lines: bool
    """What moves lines of pixels: DMAIN, DMAOUT, DMAW."""
    dots: bool
    """What sums windows of pixels: DOT, ACC, TLOAD, STORE."""
    rows: bool
    """What works on bit rows: row micro-ops but for SPREAD and PACK."""
    turned: bool
    """SPREAD and PACK."""


def digest_of(folder: Path) -> str:
    """A digest of all Python sources in a folder: Numba's cache sees edits of one file only."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def engine(features: Features) -> Any:
    """`execute` for programs with these features, kept for the next process once compiled.

    Branches for other features are pruned, and what they alone call is never compiled. The name
    that the cache files it under changes with the features and with any edit of the kernels.
    """
    tiles, lut, levels_used, lines, dots, rows, turned = features

    def execute(
        table: Any, turns: Any, run_of: Any, hold_of: Any, holds: Any, watches: Any, watched: Any,
        tags: Any, epochs: Any, written: Any, image: Any, runs: Any, strips: Any,
        taps: Any, pieces: Any, words: Any, fills: Any, homes: Any, entries: Any, masks: Any,
        steps: Any, kw: Any, kbase: Any, kstep: Any, panel: Any, spelled: Any, tiled: Any,
        loads: Any, sums: Any, stamps: Any, layout: Any, costs: Any, figures: Any, mem: Any,
        external: Any, buffers: Any, counters: Any, levels: Any, acc: Any, thresholds: Any,
        excess: Any, results: Any, values: Any, bits: Any, there: Any, acts: Any, marks: Any,
        started: Any, heads: Any, tails: Any, posts: Any, links: Any, free: Any, in_ports: Any,
        raw: Any, out_ports: Any, out: Any, out_words: Any, counts: Any, clock: Any, status: Any,
    ) -> None:  # fmt: skip
        """Run a program to its HALT; counters, outputs and status come back in the arrays given.

        What holds from frame to frame (plans, expanded weights, descriptors) stays in its arrays.
        """
        macros, row_words, room = figures[M_MACROS], figures[M_WORDS], figures[M_ROOM]
        wplane, aplane, bplane = mem.size // 2, acts.size // 2, bits.size // 2
        at, active = 0, macros
        stamps[1] += 1
        forget_all(epochs)
        restore(written, image, mem, wplane)
        empty_queues(started, heads, tails, links, free)
        for registers in (counters, results, excess):
            clear(registers)
        if dots:
            clear(thresholds)
            if not figures[M_LOOSE]:
                clear(acc)
        if levels_used:
            clear(levels)
        if tiles:
            start_tiles(layout)
        while True:
            op, row, cost = table[at], counts[at], costs[at]
            code = op[0]
            row[EXECUTED] += 1
            y = line_of(op, cost[COST_LINE], counters)
            p0 = span_start(op, cost[COST_SPAN], counters)
            pixels = span_pixels(op, cost[COST_SPAN], p0)
            status[1] = at
            if dots and code == OP_DOT:
                run = runs[run_of[at]]
                end = run[R_FIRST] + run[R_COUNT]
                for d in range(at + 1, end):
                    counts[d, EXECUTED] += 1
                tap, word = run[R_TAPS], run[R_WORDS]
                if run[R_STAMP] != stamps[0]:
                    plan(
                        run, table, buffers, hold_of, strips[tap:], taps[tap:], pieces[tap:],
                        words[word:], fills[word:], homes[word:], entries[word:], masks[word:],
                        steps[word:], loads, row_words,
                    )  # fmt: skip
                    run[R_STAMP] = stamps[0]
                if pixels > 0:
                    held = hold_lines(
                        run, strips[tap:], holds, tags, epochs, mem, wplane, acts, aplane, marks,
                        buffers, counters, op[D_DX], p0, pixels,
                    )  # fmt: skip
                    if not held and find_missing(run, table, buffers, counters, p0, pixels, status):
                        break
                    if tiles and suits_tiles(run, op, pixels):
                        loaded = np.int64(1) if run[R_FIXED] == ALWAYS else stamps[1]
                        spell_lines(run, strips[tap:], holds, tags, acts, aplane, spelled)
                        dot_by_tiles(
                            run, op, strips[tap:], mem, wplane, loads, loaded, steps[word:],
                            spelled, kbase, kstep, tiled, sums, acc, figures[M_LOOSE], room,
                            macros, row_words, p0, pixels, excess,
                        )  # fmt: skip
                    else:
                        dot_by_counts(
                            run, op, strips[tap:], words[word:], entries[word:], masks[word:], mem,
                            wplane, acts, aplane, kw, kbase, kstep, panel, acc, room, macros,
                            row_words, p0, pixels, excess,
                        )  # fmt: skip
                for d in range(at, end):
                    fresh = time_dot(
                        table[d], buffers, figures, costs[d], pixels, clock, started, counts[d]
                    )
                    if pixels > 0:
                        counts[d, ONES] += dot_ones(
                            table[d], strips[run[R_TAPS] :], taps[tap:], fresh, acts, aplane,
                            marks, p0, pixels,
                        )  # fmt: skip
                    tap += table[d, D_LINES]
                at = end
                continue
            if dots and code == OP_STORE:
                store(
                    op, mem, wplane, buffers, counters, acc, thresholds, values, bits, there,
                    bplane, acts, aplane, room, macros, y, p0, pixels,
                )  # fmt: skip
                time_store(op, buffers, figures, cost, pixels, clock, started, row)
            elif dots and code == OP_ACC:
                items = ceil_div(pixels, op[A_GROUPS] * op[A_SEGMENTS])
                accumulate(op, acc, excess, items, room, macros)
                row[PIXELS] += pixels
                work(clock, started, cost, items, cost[COST_FIRST], cost[COST_EACH], row)
            elif lut and code == OP_LUT:
                trits = pixels * buffers[op[F_BUFFER], PITCH]
                if not look_up(op, mem, wplane, buffers, counters, acts, aplane, y, p0, pixels):
                    lut_failure(op, buffers, counters, y, p0, pixels, status)
                    break
                items = ceil_div(trits, min(figures[M_CHANNEL_TRITS], figures[M_GATHER_TRITS]))
                row[PIXELS] += pixels
                row[TRITS] += trits
                work(clock, started, cost, items, cost[COST_FIRST], cost[COST_EACH], row)
            elif dots and code == OP_TLOAD:
                load_thresholds(op, mem, wplane, thresholds, row_words, macros)
                work(clock, started, cost, cost[COST_ITEMS], cost[COST_FIRST], cost[COST_EACH], row)
            elif lines and code == OP_DMAIN:
                port = in_ports[op[I_PORT]]
                low, pixels = pixels_in(op, buffers, counters, y)
                if pixels > 0 and port[P_TYPE] == PACKED:
                    packed_in(
                        op, raw, port, mem, wplane, buffers, counters, y, low, pixels, acts, aplane
                    )
                elif levels_used and pixels > 0 and op[I_FORMAT] != 0:
                    levels_in(
                        op, raw, port, mem, wplane, buffers, counters, y, low, pixels, levels,
                        values, acts, aplane,
                    )  # fmt: skip
                elif pixels > 0:
                    planes_in(
                        op, raw, port, mem, wplane, buffers, counters, y, low, pixels, values,
                        acts, aplane,
                    )  # fmt: skip
                time_in(op, port, buffers, figures, cost, pixels, clock, started, row)
            elif lines and code == OP_DMAOUT:
                port = out_ports[op[O_PORT]]
                low, pixels = pixels_out(op, port, buffers, counters, y)
                held = True
                if pixels > 0 and port[P_TYPE] == PACKED:
                    held = packed_out(
                        op, out_words, port, mem, wplane, buffers, counters, y, low, pixels, acts,
                        aplane,
                    )  # fmt: skip
                elif pixels > 0:
                    held = dma_out(
                        op, out, port, mem, wplane, buffers, counters, y, low, pixels, values,
                        acts, aplane,
                    )  # fmt: skip
                if not held:
                    out_failure(op, buffers, counters, y, low, pixels, status)
                    break
                time_out(op, port, buffers, figures, cost, pixels, clock, started, row)
            elif lines and code == OP_DMAW:
                load_rows(op, external, mem, wplane, row_words * macros)
                stamps[1] += 1
                row[TRITS] += op[W_N] * row_words * macros * 64
                work(clock, started, cost, cost[COST_ITEMS], cost[COST_FIRST], cost[COST_EACH], row)
            elif turned and (code == OP_SPREAD or code == OP_PACK):
                if not turn(
                    op, cost, row, mem, wplane, macros, row_words, active, buffers, counters, y,
                    p0 + op[cost[COST_SPAN] + 2], acts, aplane, figures, clock, started, status,
                ):  # fmt: skip
                    break
            elif rows and code >= OP_LOGIC:
                work_on_rows(
                    op, cost, row, mem, wplane, macros, row_words, active, in_ports, raw, out_ports,
                    out, y, p0 + op[cost[COST_SPAN] + 2], results, acts, figures, clock, started,
                )  # fmt: skip
            elif code == OP_WAIT or code == OP_SIGNAL:
                ended = synchronise(op, clock, started, row, heads, tails, posts, links, free)
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
                    if not guards(op, counters):
                        at += op[1]
                elif code == OP_BUF:
                    if describe(op, buffers):
                        stamps[0] += 1
                        forget_all(epochs)
                elif code == OP_ACTIVE:
                    active = op[AC_MACROS]
                elif code == OP_LEVEL:
                    levels[op[1]], levels[2 * LEVELS + op[1]] = op[2], op[3]
                else:
                    for i in range(LANES):
                        if excess[i] != 0:
                            status[0] = EXCESS
                    break
            if dots and watches[at, 1] > 0:
                forget(op, watched, watches[at], y, buffers, holds, tags, epochs)
            at += 1
        if tiles:
            end_tiles()

    kind = "_".join(name for name, used in zip(Features._fields, features, strict=True) if used)
    execute.__qualname__ = f"execute_{digest_of(Path(__file__).parent)}_{kind}"
    jit = njit(nogil=True, cache=True, no_cfunc_wrapper=True, error_model="numpy", _nrt=False)
    return jit(execute)
