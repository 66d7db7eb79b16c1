"""Row micro-ops of the array -> bit rows, result registers, cycles."""

from __future__ import annotations

from typing import Any

import numpy as np

from tdsl_runtime.kernels.bands import band_in, band_out, results_out, tile_pixels
from tdsl_runtime.kernels.clock import work
from tdsl_runtime.kernels.columns import (
    COST_EACH,
    COST_FIRST,
    COST_ITEMS,
    COST_UNIT,
    M_DMA_BITS,
    M_GATHER_TRITS,
    OP_BANDIN,
    OP_BANDOUT,
    OP_CMP,
    OP_CMPI,
    OP_COUNT,
    OP_LOGIC,
    OP_MOVE,
    OP_REGOUT,
    OP_SELECT,
    OP_SUM,
    OP_SUMI,
    OP_UOP,
    P_BITS,
    P_HEIGHT,
    P_WIDTH,
    PIXELS,
    TRITS,
)
from tdsl_runtime.kernels.jit import inner
from tdsl_runtime.kernels.lines import ceil_div
from tdsl_runtime.kernels.row_columns import (
    ANY_OF,
    BI_LINES,
    BI_N,
    BI_PORT,
    BI_WIDTH,
    BO_AN,
    BO_LINES,
    BO_PORT,
    BO_WIDTH,
    CI_IMM,
    CM_A,
    CM_AN,
    CM_AS,
    CM_B,
    CM_BN,
    CM_BS,
    CM_DST,
    CM_INV,
    CM_OP,
    CO_A,
    CO_AN,
    CO_AS,
    CO_CLEAR,
    CO_MASK,
    CO_OP,
    CO_SLOT,
    LG_A,
    LG_ASTEP,
    LG_B,
    LG_BSTEP,
    LG_DST,
    LG_N,
    LG_TABLE,
    RO_N,
    RO_PORT,
    SE_A,
    SE_AN,
    SE_AS,
    SE_B,
    SE_BN,
    SE_BS,
    SE_DST,
    SE_N,
    SE_TAG,
    SI_A,
    SI_AN,
    SI_AS,
    SI_DST,
    SI_IMM,
    SI_N,
    SI_NEG,
    SU_A,
    SU_AN,
    SU_AS,
    SU_B,
    SU_BN,
    SU_BS,
    SU_DST,
    SU_N,
    SU_SUB,
)
from tdsl_runtime.kernels.row_move import move_rows
from tdsl_runtime.kernels.row_vectors import (
    compare_rows,
    count_rows,
    logic_rows,
    select_rows,
    sum_rows,
)


@inner
def column_wise(
    op: Any, cost: Any, mem: Any, plane: Any, macros: Any, row_words: Any, active: Any, results: Any
) -> None:
    """Execute a row micro-op whose columns have nothing to do with each other.

    Where all macros are active a row is one stretch of words, else one for each word of a macro.
    """
    size, zero = macros * row_words, np.int64(0)
    stretches, count = row_words, active
    if active == macros:
        stretches, count = np.int64(1), size
    total = zero
    for s in range(stretches):
        base = s * macros
        if op[0] == OP_LOGIC:
            logic_rows(
                mem, plane, size, base, count, op[LG_DST], op[LG_N], op[LG_A], op[LG_ASTEP],
                op[LG_B], op[LG_BSTEP], op[LG_TABLE],
            )  # fmt: skip
        elif op[0] == OP_SUM:
            sum_rows(
                mem, plane, size, base, count, op[SU_DST], op[SU_N], op[SU_A], op[SU_AN],
                op[SU_AS], op[SU_B], op[SU_BN], op[SU_BS], zero, -op[SU_SUB],
            )  # fmt: skip
        elif op[0] == OP_SUMI:
            sum_rows(
                mem, plane, size, base, count, op[SI_DST], op[SI_N], op[SI_A], op[SI_AN],
                op[SI_AS], zero, zero, zero, op[SI_NEG], op[SI_IMM],
            )  # fmt: skip
        elif op[0] == OP_CMP:
            compare_rows(
                mem, plane, size, base, count, op[CM_DST], cost[COST_ITEMS], op[CM_A], op[CM_AN],
                op[CM_AS], op[CM_B], op[CM_BN], op[CM_BS], zero, op[CM_OP], op[CM_INV],
            )  # fmt: skip
        elif op[0] == OP_CMPI:
            compare_rows(
                mem, plane, size, base, count, op[CM_DST], cost[COST_ITEMS], op[CM_A], op[CM_AN],
                op[CM_AS], zero, zero, zero, op[CI_IMM], op[CM_OP], op[CM_INV],
            )  # fmt: skip
        elif op[0] == OP_SELECT:
            select_rows(
                mem, plane, size, base, count, op[SE_DST], op[SE_N], op[SE_TAG], op[SE_A],
                op[SE_AN], op[SE_AS], op[SE_B], op[SE_BN], op[SE_BS],
            )  # fmt: skip
        else:
            total += count_rows(
                mem, plane, size, base, count, op[CO_A], op[CO_AN], op[CO_AS], op[CO_MASK]
            )
    if op[0] == OP_COUNT:
        before = zero if op[CO_CLEAR] else results[op[CO_SLOT]]
        any_of = before | np.int64(total != 0)
        results[op[CO_SLOT]] = any_of if op[CO_OP] == ANY_OF else before + total


@inner
def time_rows(
    cost: Any, items: Any, rows: Any, columns: Any, pixels: Any, clock: Any, started: Any, row: Any
) -> None:
    """Time a row micro-op that works through `rows` bit rows, unless it is a part of a UOP."""
    if cost[COST_UNIT] != 0:
        row[TRITS] += rows * columns
        row[PIXELS] += pixels
        work(clock, started, cost, items, cost[COST_FIRST], cost[COST_EACH], row)


@inner
def time_band(
    port: Any, lines: Any, width: Any, y: Any, x: Any, rows: Any, columns: Any, figures: Any,
    cost: Any, clock: Any, started: Any, row: Any,
) -> None:  # fmt: skip
    """Time a BANDIN or BANDOUT."""
    pixels = tile_pixels(y, x, lines, width, port[P_HEIGHT], port[P_WIDTH])
    sent = ceil_div(pixels * port[P_BITS], figures[M_DMA_BITS])
    gathered = ceil_div(rows * pixels, 2 * figures[M_GATHER_TRITS])
    time_rows(cost, max(sent, gathered), rows, columns, pixels, clock, started, row)


@inner
def work_on_rows(
    op: Any, cost: Any, row: Any, mem: Any, wplane: Any, macros: Any, row_words: Any, active: Any,
    in_ports: Any, raw: Any, out_ports: Any, out: Any, y: Any, x: Any, results: Any, acts: Any,
    figures: Any, clock: Any, started: Any,
) -> None:  # fmt: skip
    """Execute a row micro-op but SPREAD and PACK; tiles are those at line y, pixel x."""
    code, columns = op[0], active * row_words * 64
    if code == OP_BANDIN:
        port = in_ports[op[BI_PORT]]
        band_in(op, raw, port, mem, wplane, macros, row_words, active, y, x, acts)
        time_band(
            port, op[BI_LINES], op[BI_WIDTH], y, x, op[BI_N], columns, figures, cost, clock,
            started, row,
        )  # fmt: skip
    elif code == OP_BANDOUT:
        port = out_ports[op[BO_PORT]]
        band_out(op, out, port, mem, wplane, macros, row_words, y, x, acts)
        time_band(
            port, op[BO_LINES], op[BO_WIDTH], y, x, op[BO_AN], columns, figures, cost, clock,
            started, row,
        )  # fmt: skip
    elif code == OP_REGOUT:
        port = out_ports[op[RO_PORT]]
        results_out(op, results, out, port)
        items = ceil_div(op[RO_N] * port[P_BITS], figures[M_DMA_BITS])
        time_rows(cost, items, 0, columns, 1, clock, started, row)
    elif code == OP_UOP:
        time_rows(cost, 0, 1, columns, 0, clock, started, row)
    else:
        if code == OP_MOVE:
            move_rows(op, mem, wplane, macros, row_words, active, acts)
        else:
            column_wise(op, cost, mem, wplane, macros, row_words, active, results)
        time_rows(cost, cost[COST_ITEMS], cost[COST_ITEMS], columns, 0, clock, started, row)
