"""Selection + machine -> plan, with an organisation for every layer.

A layer is pixel-packed where that serves the goal and its rows fit beside everything else, or where
the user says so; all others are channel-packed. Row programs of kernels have no choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tdsl.lowering.allocate import Misfit
from tdsl.lowering.bands import banded, estimate, heights
from tdsl.lowering.candidates import MIDDLE, Candidate, Packed, candidate
from tdsl.lowering.costs import row_cost
from tdsl.lowering.map import map_selection
from tdsl.lowering.organisation import Goal, Organisation, StepCost
from tdsl.lowering.plan import Plan
from tdsl.lowering.row_plan import RowPlan, row_plan, tile_of
from tdsl.lowering.steps import DotStep, RowStep, Selection
from tdsl_runtime.description import PLANES, MachineDescription
from tdsl_runtime.isa import FieldError


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks for: a goal, and layers (by name) whose organisation is given."""

    goal: Goal = Goal.CYCLES
    pinned: Mapping[str, Organisation] = field(default_factory=dict[str, Organisation])


def choose(
    selection: Selection, machine: MachineDescription, wishes: Wishes, any_size: bool = False
) -> Plan | Misfit:
    """The mapping of a network, or what is missing in what came closest."""
    candidates = {
        number: _candidate(step, machine, wishes, any_size)
        for number, step in enumerate(selection.steps)
        if isinstance(step, DotStep)
    }
    pixels = {
        n: c.packed
        for n, c in candidates.items()
        if c.packed is not None and c.taken is Organisation.PIXELS
    }
    pinned = {n: packed for n, packed in pixels.items() if packed.step.name in wishes.pinned}
    best = _mapped(selection, machine, pixels, any_size)
    while worse := _worse(best, candidates, pixels, pinned, wishes.goal, any_size):
        pixels = {n: packed for n, packed in pixels.items() if n not in worse}
        best = _mapped(selection, machine, pixels, any_size)
    if len(pixels) > len(pinned):
        plain = _mapped(selection, machine, pinned, any_size)
        if isinstance(best, Misfit) or (
            wishes.goal is Goal.CYCLES and not any_size and _is_faster(plain, best)
        ):
            best, pixels = plain, pinned
    if isinstance(best, Misfit):
        return best
    choices = tuple(c.choice(_cost(best, n, any_size)) for n, c in candidates.items())
    return replace(best, choices=choices)


def _candidate(
    step: DotStep, machine: MachineDescription, wishes: Wishes, any_size: bool
) -> Candidate:
    """A layer in both organisations; one whose numbers no field holds is refused when emitted."""
    try:
        return candidate(step, machine, wishes.goal, wishes.pinned.get(step.name), any_size)
    except FieldError as error:
        return Candidate(step, Organisation.CHANNELS, StepCost(0, 0, 0.0), note=str(error))


def _worse(
    plan: Plan | Misfit,
    candidates: Mapping[int, Candidate],
    pixels: Mapping[int, Packed],
    pinned: Mapping[int, Packed],
    goal: Goal,
    any_size: bool,
) -> set[int]:
    """The layers that serve the goal worse in the bands that they were given."""
    if isinstance(plan, Misfit):
        return set()
    costs = {n: _cost(plan, n, any_size) for n in pixels if n not in pinned}
    return {n for n, c in costs.items() if c and goal.of(c) >= goal.of(candidates[n].channels)}


def _cost(plan: Plan, number: int, any_size: bool) -> StepCost | None:
    """What a layer costs in its bands; None for one that is not pixel-packed."""
    step = plan.selection.steps[number]
    if not isinstance(step, RowStep):
        return None
    return row_cost(step, plan.rows[number], plan.machine, any_size)


def _is_faster(plain: Plan | Misfit, packed: Plan) -> bool:
    """Whether a plan with fewer pixel-packed layers is the faster one after all.

    Rows that hold bands are missing elsewhere: whole frames decide, not layers alone.
    """
    return isinstance(plain, Plan) and estimate(plain) < estimate(packed)


def _mapped(
    selection: Selection,
    machine: MachineDescription,
    pixels: Mapping[int, Packed],
    any_size: bool,
) -> Plan | Misfit:
    """The quickest plan with these layers pixel-packed, of all heights of bands that fit."""
    steps = [pixels[n].step if n in pixels else s for n, s in enumerate(selection.steps)]
    tiles = {
        n: pixels[n].tile if n in pixels else tile_of(s, PLANES * machine.rows)
        for n, s in enumerate(steps)
        if isinstance(s, RowStep)
    }
    if not tiles:
        return map_selection(selection, machine, any_size)
    needed = max(tile.rows for tile in tiles.values())
    if needed > PLANES * machine.rows:
        return Misfit("bit rows of a row program", needed, PLANES * machine.rows, "rows")
    tallest = max(step.sources[0].height for step in steps if isinstance(step, RowStep))
    plans: list[Plan] = []
    outcome: Plan | Misfit = Misfit("bands", 1, 0, "lines")
    for band in heights(MIDDLE if any_size else tallest, any_size):
        made = list(steps)
        rows: dict[int, RowPlan] = {}
        for number, tile in tiles.items():
            step = steps[number]
            assert isinstance(step, RowStep)
            lines = band if any_size else min(band, step.sources[0].height)
            made[number], rows[number] = row_plan(step, tile, machine, lines, any_size)
        cut = replace(selection, steps=tuple(banded(made, rows, any_size)))
        outcome = map_selection(cut, machine, any_size, rows)
        if isinstance(outcome, Plan):
            plans.append(outcome)
            if any_size:
                break
    return min(plans, key=estimate) if plans else outcome
