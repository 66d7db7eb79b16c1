"""Stages, pieces and strips -> places in memory, or the exact figures of what does not fit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tdsl.lowering.parallel import thresholds_of
from tdsl.lowering.plan import DotPlan, Place, Stage, Turn
from tdsl.lowering.schedule import depth, reach
from tdsl.lowering.steps import DotStep, Selection, Tensor, held_turns, is_whole, lines_a_turn
from tdsl.lowering.strips import Extent
from tdsl_runtime.description import MachineDescription

WORD = 64
SLOT_BITS = 32


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a strategy does not fit: what is needed, what is there, in which unit."""

    what: str
    needed: int
    there: int
    unit: str

    def __str__(self) -> str:
        return f"{self.what}: {self.needed:,} {self.unit} needed, {self.there:,} there"


def slots_a_row(machine: MachineDescription) -> int:
    """32-bit threshold slots of one macro's trit row."""
    return machine.columns * 2 // SLOT_BITS


def threshold_rows(
    selection: Selection, dots: dict[int, DotPlan], machine: MachineDescription
) -> int:
    """Trit rows that all thresholds fill."""
    slots = sum(_slots(selection, number, plan) for number, plan in dots.items())
    return -(-slots // slots_a_row(machine))


def place_rows(selection: Selection, dots: dict[int, DotPlan]) -> tuple[dict[int, DotPlan], int]:
    """Resident weights from row 0 on, then the rows that paged ones share; their number."""
    row = slot = page = 0
    resident = sum(plan.rows for plan in dots.values() if plan.page is None)
    shared = max((plan.rows for plan in dots.values() if plan.page is not None), default=0)
    result: dict[int, DotPlan] = {}
    for number, plan in dots.items():
        if plan.page is None:
            result[number] = replace(plan, row=row, slot=slot)
            row += plan.rows
        else:
            result[number] = replace(plan, row=resident, slot=slot, page=page)
            page += plan.rows
        slot += _slots(selection, number, plan)
    return result, resident + shared


def _slots(selection: Selection, number: int, plan: DotPlan) -> int:
    step = selection.steps[number]
    assert isinstance(step, DotStep)
    return len(thresholds_of(step)[0]) * len(plan.passes)


def place_tensors(
    selection: Selection,
    stages: tuple[Stage, ...],
    extents: dict[int, Extent],
    first_row: int,
    machine: MachineDescription,
    whole: bool,
) -> tuple[dict[int, Place], int] | Misfit:
    """Line buffers by first fit over the stages in which they live; behind the weights."""
    start = first_row * machine.columns * machine.macros
    taken: list[tuple[int, int, tuple[int, int]]] = []
    places: dict[int, Place] = {}
    peak = start
    for tensor, turn, stage, last in lifetimes(selection, stages):
        lines = (
            tensor.height
            if whole or last > stage
            else _depth(selection, stages[stage], tensor, turn)
        )
        extent = extents[tensor.index]
        size = line_trits(tensor, extent.width) * lines * tensor.planes
        base = _first_fit(start, size, (stage, last), taken)
        taken.append((base, size, (stage, last)))
        places[tensor.index] = Place(base, lines, extent.width, extent.step, extent.left)
        peak = max(peak, base + size)
    if peak > machine.trits:
        return Misfit("feature memory", peak - start, max(0, machine.trits - start), "trits")
    return places, peak - start


def line_trits(tensor: Tensor, width: int) -> int:
    """Trits of one line of one plane, in whole words."""
    return -(-width * tensor.channels // WORD) * WORD


def lifetimes(
    selection: Selection, stages: tuple[Stage, ...]
) -> Iterator[tuple[Tensor, Turn, int, int]]:
    """Every tensor: the turn that makes it, its first stage, the last stage that reads it."""
    for number, stage in enumerate(stages):
        for turn in stage.turns:
            step = selection.steps[turn.step]
            last = number + (1 if is_whole(step) else 0)
            for later in range(number, len(stages)):
                for user in stages[later].turns:
                    if any(t is step.out for t in selection.steps[user.step].sources):
                        last = later
            yield step.out, turn, number, last


def _depth(selection: Selection, stage: Stage, tensor: Tensor, turn: Turn) -> int:
    step = selection.steps[turn.step]
    rise = lines_a_turn(step)
    users = [
        (user, reach(selection.steps[user.step], tensor))
        for user in stage.turns
        if any(t is tensor for t in selection.steps[user.step].sources)
    ]
    need = depth(tensor, turn, step, users)
    if any(result.tensor is tensor for result in selection.results):
        need = max(need, held_turns(step) * rise)  # lines leave while the next are made
    return min(need, tensor.height)


def _first_fit(
    start: int, size: int, life: tuple[int, int], taken: list[tuple[int, int, tuple[int, int]]]
) -> int:
    base = start
    for other, length, (born, dead) in sorted(taken):
        if born <= life[1] and life[0] <= dead and base < other + length and other < base + size:
            base = other + length
    return base
