"""How each DotStep uses the array: output passes, groups of macros, segments of rows, pieces."""

from dataclasses import replace

import numpy as np

from tdsl.lowering.cut import Room, cut
from tdsl.lowering.plan import DotPlan, Parallelism, Pass, Piece
from tdsl.lowering.steps import Array, Count, DotStep, Pooling, Term, Tern
from tdsl_runtime.description import MachineDescription

INT32 = (-(1 << 31), (1 << 31) - 1)


def thresholds_of(step: DotStep) -> Array:
    """The thresholds `[outputs, n]` for the T registers, cut to 32 bits (sums are smaller)."""
    match step.threshold:
        case Tern(lo=lo, hi=hi):
            return np.clip(np.stack([lo, hi], axis=-1), *INT32)
        case Count(thresholds=thresholds):
            table = np.clip(thresholds, *INT32)
            return table[:, :1] if spacing(step) is not None else table
        case _:
            return np.zeros((step.out.channels, 0), dtype=np.int64)


def spacing(step: DotStep) -> int | None:
    """s where the thresholds of every channel lie 2^s apart, and there are at least three."""
    if not isinstance(step.threshold, Count) or step.threshold.thresholds.shape[1] < 3:
        return None
    gaps = np.diff(step.threshold.thresholds, axis=1)
    gap = int(gaps.flat[0])
    even = bool((gaps == gap).all()) and gap > 0 and gap & (gap - 1) == 0
    return gap.bit_length() - 1 if even else None


def forms(step: DotStep, machine: MachineDescription) -> tuple[DotPlan, ...]:
    """The parallel forms worth having, from the fastest to the one with the fewest weight rows."""
    candidates = [
        _form(step, Parallelism(groups, segments), machine, dense)
        for dense in (False, True)
        for segments in _segments(step, machine)
        for groups in _groups(step, machine)
    ]
    candidates.sort(key=lambda form: (form.line_cycles, form.rows, form.parallelism.groups))
    ladder = candidates[:1]
    for form in candidates:
        if form.rows < ladder[-1].rows:
            ladder.append(form)
    return tuple(ladder)


def _outputs(step: DotStep) -> int:
    return step.out.channels * (step.rise**2 if step.shuffle else 1)


def _share(step: DotStep, machine: MachineDescription) -> int:
    """Output channels a pass: as even as can be."""
    block = step.out.channels
    return -(-block // -(-block // machine.macros))


def _groups(step: DotStep, machine: MachineDescription) -> list[int]:
    if step.whole:
        return [1]
    most = min(machine.channels, machine.macros // _share(step, machine))
    return [g for g in range(1, most + 1) if machine.macros % g == 0]


def _segments(step: DotStep, machine: MachineDescription) -> list[int]:
    if step.whole or machine.lanes < machine.columns:
        return [1]
    return [1 << i for i in range(machine.words.bit_length()) if machine.words % (1 << i) == 0]


def _form(
    step: DotStep, parallelism: Parallelism, machine: MachineDescription, dense: bool
) -> DotPlan:
    columns = min(machine.columns, machine.lanes) // parallelism.segments
    room = Room(columns, machine.window_lines if parallelism.segments == 1 else 1, dense)
    share, block = _share(step, machine), step.out.channels
    passes: list[Pass] = []
    for start in range(0, _outputs(step), block):
        rise = divmod(start // block, step.rise) if step.shuffle else None
        for first in range(start, start + block, share):
            count = min(share, start + block - first)
            pieces, rows = cut(step.terms, slice(first, first + count), room)
            passes.append(Pass(first, count, first - start, rise, pieces, rows))
    spaced = spacing(step)
    levels = step.threshold.thresholds.shape[1] if isinstance(step.threshold, Count) else 0
    form = DotPlan(parallelism, tuple(passes), 0, 0, levels, spaced)
    return replace(form, line_cycles=_line_cycles(step, form, machine))


def travels(
    piece: Piece, step: DotStep, parallelism: Parallelism, machine: MachineDescription, dx: int
) -> int:
    """Trits a channel carries a step, once the window register (if it serves) is filled."""
    full = parallelism.segments * piece.lines * piece.length
    serves = parallelism.segments == 1 and machine.window_lines >= max(1, piece.lines)
    pitch = step.terms[piece.term].source.channels
    return min(full, piece.lines * dx * parallelism.groups * pitch) if serves else full


def _line_cycles(step: DotStep, plan: DotPlan, machine: MachineDescription) -> int:
    """Cycles of the busier of array and post for one turn."""
    width = step.out.width // step.rise
    stores = 1 if step.shuffle else step.rise**2
    sums = width * (step.pool[1] if step.pooling is Pooling.STORE_MAX else 1)
    repeats = step.pool[0] * (step.pool[1] if step.pooling is Pooling.SUM_MAX else 1)
    steps = -(-sums // plan.parallelism.pixels)
    array = post = 0
    for one in plan.passes:
        for piece in one.pieces:
            term = step.terms[piece.term]
            dx = _advance(term, step)
            each = -(-travels(piece, step, plan.parallelism, machine, dx) // machine.channel_trits)
            array += repeats * term.source.planes * (steps * each + machine.latch_cycles)
        each = max(
            -(-one.count * plan.parallelism.pixels // machine.gather_trits),
            -(-plan.levels // 2) if plan.spaced is None else 1,
        )
        post += steps * each * stores * (step.pool[0] if step.pooling is Pooling.STORE_MAX else 1)
    return max(array, post)


def _advance(term: Term, step: DotStep) -> int:
    """Source pixels between neighbouring sums."""
    return term.stride[1] * (step.pool_stride[1] if step.pooling is Pooling.SUM_MAX else 1)
