"""Selection + machine -> plan, with an organisation for every layer.

A layer is pixel-packed where that serves the goal and its rows fit beside everything else, or where
the user says so; all others are channel-packed. Row programs of kernels have no choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tdsl.lowering.allocate import Misfit
from tdsl.lowering.candidates import MIDDLE, Packed, candidate
from tdsl.lowering.map import frame_cycles, map_selection
from tdsl.lowering.organisation import Goal, Organisation
from tdsl.lowering.plan import Plan
from tdsl.lowering.row_plan import RowPlan, row_plan, tile_of
from tdsl.lowering.steps import DotStep, RowStep, Selection
from tdsl_runtime.description import PLANES, MachineDescription

BANDS = (64, 32, 16, 8, 4, 2, 1)
"""Source lines of a band that are tried while taller ones do not fit the memory.

Images of any size begin with `MIDDLE`: taller bands would be cut by images that are not as high.
"""


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
        number: candidate(step, machine, wishes.goal, wishes.pinned.get(step.name), any_size)
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
    if len(pixels) > len(pinned):
        plain = _mapped(selection, machine, pinned, any_size)
        if isinstance(best, Misfit) or (
            wishes.goal is Goal.CYCLES and not any_size and _is_faster(plain, best)
        ):
            best, pixels = plain, pinned
    if isinstance(best, Misfit):
        return best
    choices = tuple(c.choice(number in pixels) for number, c in candidates.items())
    return replace(best, choices=choices)


def _is_faster(plain: Plan | Misfit, packed: Plan) -> bool:
    """Whether a plan with fewer pixel-packed layers is the faster one after all.

    Rows that hold bands are missing elsewhere: whole frames decide, not layers alone.
    """
    return isinstance(plain, Plan) and frame_cycles(plain) < frame_cycles(packed)


def _mapped(
    selection: Selection,
    machine: MachineDescription,
    pixels: Mapping[int, Packed],
    any_size: bool,
) -> Plan | Misfit:
    """The plan with these layers pixel-packed, in bands as tall as fit."""
    steps = [pixels[n].step if n in pixels else s for n, s in enumerate(selection.steps)]
    tiles = {
        n: pixels[n].tile if n in pixels else tile_of(s, machine)
        for n, s in enumerate(steps)
        if isinstance(s, RowStep)
    }
    if not tiles:
        return map_selection(selection, machine, any_size)
    needed = max(tile.rows for tile in tiles.values())
    if needed > PLANES * machine.rows:
        return Misfit("bit rows of a row program", needed, PLANES * machine.rows, "rows")
    tallest = max(step.sources[0].height for step in steps if isinstance(step, RowStep))
    outcome: Plan | Misfit = Misfit("bands", 1, 0, "lines")
    limit = MIDDLE if any_size else tallest
    for band in (limit, *(b for b in BANDS if b < limit)):
        made = list(steps)
        rows: dict[int, RowPlan] = {}
        for number, tile in tiles.items():
            step = steps[number]
            assert isinstance(step, RowStep)
            lines = band if any_size else min(band, step.sources[0].height)
            made[number], rows[number] = row_plan(step, tile, machine, lines, any_size)
        outcome = map_selection(replace(selection, steps=tuple(made)), machine, any_size, rows)
        if isinstance(outcome, Plan):
            return outcome
    return outcome
