"""A decoded program -> the arrays that one frame at a time works in."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.decoding import Code, accumulator_room
from tdsl_runtime.isa import Unit
from tdsl_runtime.kernels import columns
from tdsl_runtime.program import Program
from tdsl_runtime.state import RESULTS


def new_workspace(program: Program, code: Code, posts: int) -> tuple[NDArray[Any], ...]:
    """The kernels' arguments that hold from frame to frame, in their order.

    There is room for `posts` posts of tokens at a time.
    """
    machine, holds = program.machine, code.holding
    bits = 2 * (machine.macros // 64 + 2)
    return (
        code.table,
        code.turns,
        code.run_of,
        holds.hold_of,
        holds.holds,
        holds.watches,
        holds.watched,
        np.zeros((holds.slots, columns.TAG_COLUMNS), np.int64),
        np.ones(len(holds.holds), np.int64),
        code.written,
        code.memory.reshape(-1),
        *_plan_tables(code),
        code.costs,
        code.figures,
        code.memory.copy().reshape(-1),
        code.external,
        np.zeros((1 << 8, columns.DESCRIPTOR_COLUMNS), np.int64),
        np.zeros(8, np.int64),
        np.zeros(4 * columns.LEVELS, np.int32),
        _aligned(4 * (machine.accumulators + 32) * accumulator_room(program), np.int32),
        np.zeros(machine.thresholds * machine.macros + 64, np.int32),
        np.zeros(columns.LANES, np.int64),
        np.zeros(RESULTS, np.int64),
        np.zeros(code.values, np.int64),
        np.zeros(bits, np.uint64),
        np.zeros(bits, np.uint64),
        np.zeros(2 * code.acts, np.uint64),
        np.zeros(code.acts, np.int64),
        np.zeros((len(Unit), machine.queue + 1), np.int64),
        *(np.zeros(machine.tokens, np.int64) for _ in ("heads", "tails")),
        *(np.zeros(posts, np.int64) for _ in ("posts", "links")),
        np.zeros(1, np.int64),
    )


def _aligned(size: int, kind: type[np.generic]) -> NDArray[Any]:
    """Zeroed bytes as elements of a type, from a 64-byte boundary on: twice as fast for tiles."""
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(kind)


def _plan_tables(code: Code) -> tuple[NDArray[Any], ...]:
    """Room for the plans of all runs, for windows and weights at work, and for expanded weights."""
    return (
        code.runs.copy(),
        np.zeros((code.taps, columns.STRIP_COLUMNS), np.int64),
        np.zeros((code.taps, columns.TAP_COLUMNS), np.int64),
        np.zeros((code.taps, columns.TAP_COLUMNS), np.int64),
        np.zeros((code.words, columns.WORD_COLUMNS), np.int64),
        np.zeros(code.words, np.uint64),
        np.zeros(code.words, np.int64),
        np.zeros((code.words, columns.ENTRY_COLUMNS), np.int64),
        np.zeros((code.words, 2 * columns.LANES), np.uint64),
        np.zeros((code.words, columns.STEP_COLUMNS), np.int64),
        np.zeros(code.words, np.int64),
        np.zeros(code.words, np.int64),
        np.zeros(code.words, np.int64),
        np.zeros(32 * code.words, np.uint64),
        _aligned(code.trits, np.int8),
        _aligned(code.tiles, np.int8),
        np.zeros(code.sets, np.int64),
        _aligned(4 * 32 * 32, np.int32),
        np.ones(2, np.int64),
        np.frombuffer(columns.TILE_CONFIG, np.uint8).copy(),
    )
