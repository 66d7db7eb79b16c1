"""Work of units -> cycles and counters."""

from typing import Any

from tdsl_runtime.kernels.columns import (
    BUSY,
    CLOCK_DONE,
    CLOCK_FREE,
    CLOCK_ISSUE,
    CLOCK_ISSUED,
    COST_EACH,
    COST_FIRST,
    COST_LATENCY,
    COST_STARTUP,
    COST_UNIT,
    COUNT,
    D_DX,
    D_GROUPS,
    D_LEN,
    D_LINES,
    D_SEGMENTS,
    F_BUFFER,
    IDLE,
    ITEMS,
    M_CHANNEL_TRITS,
    M_DMA_BITS,
    M_GATHER_TRITS,
    M_WINDOW_LINES,
    PITCH,
    PIXELS,
    PLANES,
    ST_GROUPS,
    ST_LEVELS,
    ST_MACROS,
    ST_MODE,
    ST_SEGMENTS,
    TRITS,
)
from tdsl_runtime.kernels.jit import inner
from tdsl_runtime.kernels.lines import ceil_div


@inner
def enter(clock: Any, started: Any, unit: Any) -> Any:
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
def leave(clock: Any, started: Any, unit: Any, start: Any, busy: Any) -> None:
    """Start what `enter` issued; the unit is free when it is no longer busy."""
    queue = started.shape[1] - 1
    started[unit, started[unit, queue] % queue] = start
    started[unit, queue] += 1
    clock[CLOCK_FREE + unit] = start + busy


@inner
def work(clock: Any, started: Any, cost: Any, items: Any, first: Any, each: Any, row: Any) -> None:
    """Let a unit work; count it."""
    unit = cost[COST_UNIT]
    busy = cost[COST_STARTUP] + (first + (items - 1) * each if items > 0 else 0)
    ready = enter(clock, started, unit)
    row[ITEMS] += items
    row[BUSY] += busy
    row[IDLE] += ready - clock[CLOCK_FREE + unit]
    leave(clock, started, unit, ready, busy)
    done = clock[CLOCK_FREE + unit] + cost[COST_LATENCY]
    clock[CLOCK_DONE + unit] = max(clock[CLOCK_DONE + unit], done)


@inner
def fresh_trits(op: Any, pitch: Any, window_lines: Any) -> Any:
    """Trits of each line of a DOT that a pixel sends after the first step."""
    if op[D_SEGMENTS] > 1 or op[D_LINES] > window_lines:
        return op[D_LEN]
    return min(op[D_LEN], op[D_DX] * op[D_GROUPS] * pitch)


@inner
def time_dot(
    op: Any, desc: Any, figures: Any, cost: Any, pixels: Any, clock: Any, started: Any, row: Any
) -> Any:
    """Time one DOT, count its trits; return those of a line that travel after the first step."""
    fresh = fresh_trits(op, desc[op[F_BUFFER], PITCH], figures[M_WINDOW_LINES])
    parallel = op[D_GROUPS] * op[D_SEGMENTS]
    each = max(1, ceil_div(op[D_SEGMENTS] * op[D_LINES] * fresh, figures[M_CHANNEL_TRITS]))
    work(clock, started, cost, ceil_div(pixels, parallel), cost[COST_FIRST], each, row)
    whole = min(pixels, parallel)
    row[PIXELS] += pixels
    row[TRITS] += op[D_LINES] * (whole * op[D_LEN] + (pixels - whole) * fresh)
    return fresh


@inner
def time_store(
    op: Any, desc: Any, figures: Any, cost: Any, pixels: Any, clock: Any, started: Any, row: Any
) -> None:
    """Time a STORE, count its trits."""
    planes = desc[op[F_BUFFER], PLANES]
    parallel = op[ST_GROUPS] * op[ST_SEGMENTS]
    gathered = ceil_div(planes * op[ST_MACROS] * parallel, figures[M_GATHER_TRITS])
    compares = ceil_div(op[ST_LEVELS], 2) if op[ST_MODE] == COUNT else 1
    each = max(gathered, compares)
    work(clock, started, cost, ceil_div(pixels, parallel), each, each, row)
    row[PIXELS] += pixels
    row[TRITS] += pixels * op[ST_MACROS] * planes


@inner
def time_dma(
    figures: Any, cost: Any, pixels: Any, trits: Any, bits: Any, clock: Any, started: Any, row: Any
) -> None:
    """Time a transfer of `bits` at the port and `trits` at the memory."""
    items = max(ceil_div(bits, figures[M_DMA_BITS]), ceil_div(trits, figures[M_GATHER_TRITS]))
    work(clock, started, cost, items, cost[COST_FIRST], cost[COST_EACH], row)
    row[PIXELS] += pixels
    row[TRITS] += trits
