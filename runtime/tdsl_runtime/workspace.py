"""The arrays of one run at a time: what holds from frame to frame, and what starts anew."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.decoding import Code, Ints, Words, accumulator_room
from tdsl_runtime.kernels import columns
from tdsl_runtime.program import Program
from tdsl_runtime.state import RESULTS


@dataclass(frozen=True, slots=True)
class Workspace:
    """The arrays of one run at a time, in the order of the kernels' arguments.

    `plans` and `kept` (the buffers' descriptors) hold from frame to frame; `registers` start at 0.
    """

    plans: tuple[NDArray[Any], ...]
    memory: Words
    kept: tuple[NDArray[Any], ...]
    registers: tuple[NDArray[Any], ...]
    scratch: tuple[NDArray[Any], ...]


def refresh(space: Workspace, code: Code) -> None:
    """Make a workspace ready for the next frame: memory and registers as at the start."""
    for start, end in code.written:
        space.memory[:, start:end] = code.memory[:, start:end]
    for register in space.registers:
        register.fill(0)


def new_workspace(program: Program, code: Code) -> Workspace:
    """Arrays as the first frame needs them."""
    machine = program.machine
    bits = 2 * (machine.macros // 64 + 2)
    return Workspace(
        plans=_plan_tables(code),
        memory=code.memory.copy(),
        kept=(np.zeros((1 << 8, columns.DESCRIPTOR_COLUMNS), np.int64),),
        registers=(
            np.zeros(8, np.int64),
            np.zeros(4 * columns.LEVELS, np.int32),
            _aligned(4 * (machine.accumulators + 32) * accumulator_room(program), np.int32),
            np.zeros(machine.thresholds * machine.macros + 64, np.int32),
            np.zeros(columns.LANES, np.int64),
            np.zeros(RESULTS, np.int64),
        ),
        scratch=(
            np.zeros(code.values, np.int64),
            np.zeros(bits, np.uint64),
            np.zeros(bits, np.uint64),
            np.zeros(2 * code.acts, np.uint64),
            np.zeros(code.acts, np.int64),
        ),
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


def token_queues(tokens: int, posts: int) -> tuple[Ints, ...]:
    """Empty queues for the tokens, and a chain of unused posts."""
    links = np.arange(1, posts + 1)
    links[-1] = -1
    none = np.full(tokens, -1, np.int64)
    return none, none.copy(), np.zeros(posts, np.int64), links, np.zeros(1, np.int64)
