"""A plan -> the rows of the array at the start: weights and thresholds as bit-planes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tdsl.lowering.allocate import slots_a_row
from tdsl.lowering.parallel import thresholds_of
from tdsl.lowering.plan import DotPlan, Pass, Plan
from tdsl.lowering.steps import Array, DotStep

WORD = 64


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Rows `[k]` filled at the start with `[k, 2, W, M]`; external memory `[e, 2, W, M]`."""

    rows: NDArray[np.int64]
    data: NDArray[np.uint64]
    external: NDArray[np.uint64]


def memory_image(plan: Plan) -> Image:
    """The memory of the array and outside it, as planes (nonzero, sign), before the first frame."""
    machine = plan.machine
    shape = (2, machine.words, machine.macros)
    total = plan.weight_rows + plan.threshold_rows
    data = np.zeros((total, *shape), dtype=np.uint64)
    pages = sum(dot.rows for dot in plan.dots.values() if dot.page is not None)
    external = np.zeros((pages, *shape), dtype=np.uint64)
    for number, dot in plan.dots.items():
        step = plan.selection.steps[number]
        assert isinstance(step, DotStep)
        target, row = (data, dot.row) if dot.page is None else (external, dot.page)
        for one in dot.passes:
            target[row : row + one.rows] = _weight_rows(plan, dot, one)
            row += one.rows
        _write_thresholds(plan, step, dot, data[plan.weight_rows :])
    return Image(np.arange(total, dtype=np.int64), data, external)


def _weight_rows(plan: Plan, dot: DotPlan, one: Pass) -> NDArray[np.uint64]:
    """`[rows, 2, W, M]` of a pass: every group and every segment holds the same weights."""
    machine, parallelism = plan.machine, dot.parallelism
    columns = machine.columns // parallelism.segments
    trits = np.zeros((one.rows, columns, machine.macros), dtype=np.int64)
    for piece in one.pieces:
        stretch = slice(piece.column, piece.column + piece.weights.shape[1])
        for group in range(parallelism.groups):
            first = group * (machine.macros // parallelism.groups)
            trits[piece.row, stretch, first : first + one.count] = piece.weights.T
    return planes(np.tile(trits, (1, parallelism.segments, 1)))


def planes(trits: Array) -> NDArray[np.uint64]:
    """Trits `[rows, columns, M]` -> words `[rows, 2, W, M]`."""
    rows, columns, macros = trits.shape
    bits = np.stack([trits != 0, trits < 0], axis=1)
    grouped = bits.reshape(rows, 2, columns // WORD, WORD, macros)
    weights = np.uint64(1) << np.arange(WORD, dtype=np.uint64)
    words: NDArray[np.uint64] = (grouped * weights[:, None]).sum(axis=3, dtype=np.uint64)
    return words


def _write_thresholds(plan: Plan, step: DotStep, dot: DotPlan, rows: NDArray[np.uint64]) -> None:
    """32-bit slots: half j mod 2 of plane (j div 2) mod 2 of word j div 4, for every macro."""
    table = thresholds_of(step)
    count = table.shape[1]
    share = plan.machine.macros // dot.parallelism.groups
    for number, one in enumerate(dot.passes):
        first = one.channel if step.shuffle else one.first
        values = table[first : first + one.count].astype(np.uint64) & np.uint64(0xFFFFFFFF)
        for j in range(count):
            row, slot = divmod(dot.slot + number * count + j, slots_a_row(plan.machine))
            target = rows[row, (slot // 2) % 2, slot // 4]
            for group in range(dot.parallelism.groups):
                macros = slice(group * share, group * share + one.count)
                target[macros] |= values[:, j] << np.uint64(32 * (slot % 2))
