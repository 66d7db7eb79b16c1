"""Row programs in a plan -> which lines the DMA fetches together, and what a frame takes in all.

A taller band needs fewer turns of the array, a lower one lets the array begin earlier and leaves
less to be sent at the end: the estimate weighs both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tdsl.lowering.map import frame_cycles
from tdsl.lowering.plan import Plan
from tdsl.lowering.row_plan import RowPlan
from tdsl.lowering.steps import InputStep, RowStep, Step, Tensor
from tdsl_runtime.description import MachineDescription

HEIGHTS = (64, 32, 16, 8, 4, 2, 1)
"""Source lines of a band that are tried, beside even parts of the image.

Images of any size begin with the first that is not too high for them.
"""
PARTS = 16
"""Even parts into which an image is cut, at most."""
GROUPS = 8
"""Groups in which the channels of a band leave, at most: the last one leaves alone."""


def heights(tallest: int, any_size: bool) -> Iterator[int]:
    """Heights of bands from the tallest on."""
    parts = () if any_size else (-(-tallest // part) for part in range(1, PARTS + 1))
    every = {tallest, *parts, *(h for h in HEIGHTS if h < tallest)}
    yield from sorted(every, reverse=True)


def banded(steps: list[Step], rows: Mapping[int, RowPlan], any_size: bool) -> list[Step]:
    """The steps: inputs that row programs alone read are fetched, and results held, by bands."""
    found: list[Step] = []
    for number, step in enumerate(steps):
        match step:
            case InputStep():
                found.append(_fetched(step, steps, rows, any_size))
            case RowStep() if rows[number].across == 1:
                found.append(replace(step, held=1))
            case _:
                found.append(step)
    return found


def _fetched(
    step: InputStep, steps: list[Step], rows: Mapping[int, RowPlan], any_size: bool
) -> InputStep:
    users = [(n, s) for n, s in enumerate(steps) if any(t is step.out for t in s.sources)]
    bands = {rows[n].layout.lines if n in rows and rows[n].across == 1 else 1 for n, _ in users}
    if len(bands) != 1 or bands == {1}:
        return step
    (lines,) = bands
    height = step.out.height
    if lines >= height and not any_size:
        return replace(step, lines=height, first=0)
    return replace(step, lines=lines, first=-(-_below(step.out, steps) % lines))


def _below(tensor: Tensor, steps: list[Step]) -> int:
    """Lines below a band that row programs read with it."""
    return max(
        bottom
        for step in steps
        if isinstance(step, RowStep)
        for source, (_, bottom) in zip(step.sources, step.reaches, strict=True)
        if source is tensor
    )


def estimate(plan: Plan) -> float:
    """Cycles of a frame: those of the busier of array and DMA, and what they cannot overlap."""
    moved = alone = 0.0
    steps = list(plan.selection.steps)
    for step in steps:
        if isinstance(step, InputStep):
            line = _line(step.out, plan.machine)
            moved += step.out.height * line
            alone += _before_the_first(step, steps) * line
    for result in plan.selection.results:
        sent = result.tensor.height * _line(result.tensor, plan.machine)
        moved += sent
        maker = next(s for s in steps if s.out is result.tensor)
        alone += sent / min(GROUPS, result.tensor.channels) if isinstance(maker, RowStep) else 0
    return max(frame_cycles(plan), moved - alone) + alone


def _before_the_first(step: InputStep, steps: list[Step]) -> int:
    """Lines that come before any row program can work on them."""
    users = [s for s in steps if isinstance(s, RowStep) and any(t is step.out for t in s.sources)]
    if not users:
        return 0
    height = step.out.height
    if step.lines == 1 < max(user.lines for user in users):
        return height
    return min(height, step.lines + max(0, _below(step.out, steps)))


def _line(tensor: Tensor, machine: MachineDescription) -> int:
    """Cycles of the DMA for a line."""
    values = tensor.width * tensor.channels
    bits = max(1, (tensor.high - tensor.low).bit_length())
    gathered = -(-values * tensor.planes // machine.gather_trits)
    return 1 + max(-(-values * bits // machine.dma_bits), gathered)
