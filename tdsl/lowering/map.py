"""Selection + machine -> plan: the first strategy that fits, tried from the fastest to the leanest."""

from collections.abc import Iterator
from dataclasses import dataclass

from tdsl.lowering.allocate import Misfit, place_rows, place_tensors
from tdsl.lowering.parallel import plan_dot
from tdsl.lowering.plan import DotPlan, Plan, Stage
from tdsl.lowering.schedule import stream_stages, whole_stages
from tdsl.lowering.steps import DotStep, Selection
from tdsl.lowering.strips import Extent, strip_extents, whole_width
from tdsl_runtime.description import MachineDescription

STRIPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)


@dataclass(frozen=True, slots=True)
class _Strategy:
    name: str
    stages: tuple[Stage, ...]
    strips: int
    extents: dict[int, Extent]


def map_selection(selection: Selection, machine: MachineDescription) -> Plan | Misfit:
    """The mapping of a network, or what is missing in the strategy that came closest."""
    dots = {
        number: plan_dot(step, machine)
        for number, step in enumerate(selection.steps)
        if isinstance(step, DotStep)
    }
    dots, weight_rows, threshold_rows = place_rows(selection, dots, machine)
    crowded = _too_many_thresholds(selection, dots, machine)
    if crowded is not None:
        return crowded
    first_row = weight_rows + threshold_rows
    if first_row > machine.rows:
        return Misfit("weights and thresholds", first_row, machine.rows, "rows of every macro")
    closest: Misfit | None = None
    for strategy in _strategies(selection):
        placed = place_tensors(
            selection,
            strategy.stages,
            strategy.extents,
            first_row,
            machine,
            strategy.name == "whole",
        )
        if isinstance(placed, Misfit):
            closest = placed if closest is None or placed.needed < closest.needed else closest
            continue
        places, used = placed
        return Plan(
            selection=selection,
            machine=machine,
            strategy=strategy.name,
            strips=strategy.strips,
            stages=strategy.stages,
            dots=dots,
            places=places,
            weight_rows=weight_rows,
            threshold_rows=threshold_rows,
            feature_trits=used,
        )
    assert closest is not None
    return closest


def _strategies(selection: Selection) -> Iterator[_Strategy]:
    uncut = {step.out.index: whole_width(step.out) for step in selection.steps}
    whole = whole_stages(selection)
    if whole is not None:
        yield _Strategy("whole", whole, 1, uncut)
    stream = stream_stages(selection)
    if stream is None:
        return
    yield _Strategy("stream", stream, 1, uncut)
    for strips in STRIPS[1:]:
        extents = strip_extents(selection, stream[0], strips)
        if extents is not None and _only_vectors_follow(selection, stream):
            yield _Strategy("stream", stream, strips, {**uncut, **extents})


def _only_vectors_follow(selection: Selection, stages: tuple[Stage, ...]) -> bool:
    """Strips end with the first stage: later ones may read only its single-pixel results."""
    first = {turn.step for turn in stages[0].turns}
    made = [selection.steps[n].out for n in first]
    later = [turn.step for stage in stages[1:] for turn in stage.turns]
    read = [t for n in later for t in selection.steps[n].sources if any(t is m for m in made)]
    return all((t.height, t.width) == (1, 1) for t in read)


def _too_many_thresholds(
    selection: Selection, dots: dict[int, DotPlan], machine: MachineDescription
) -> Misfit | None:
    for number, plan in dots.items():
        if plan.spaced is None and plan.levels > machine.thresholds:
            name = selection.steps[number].name
            return Misfit(
                f"T registers for `{name}`", plan.levels, machine.thresholds, "thresholds"
            )
    return None
