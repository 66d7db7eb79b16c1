"""Selection + machine -> plan: the fitting strategy with the fewest estimated cycles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tdsl.lowering.allocate import Misfit, place_rows, place_tensors, threshold_rows
from tdsl.lowering.parallel import forms
from tdsl.lowering.plan import DotPlan, Plan, Stage
from tdsl.lowering.row_plan import RowPlan
from tdsl.lowering.schedule import count, stream_stages, whole_stages
from tdsl.lowering.steps import DotStep, Pooling, Selection, is_whole
from tdsl.lowering.strips import Extent, strip_extents, whole_width
from tdsl_runtime.description import PLANES, MachineDescription

STRIPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)

Forms = dict[int, tuple[DotPlan, ...]]
Dots = dict[int, DotPlan]


@dataclass(frozen=True, slots=True)
class _Strategy:
    name: str
    stages: tuple[Stage, ...]
    strips: int
    extents: dict[int, Extent]


def map_selection(
    selection: Selection,
    machine: MachineDescription,
    any_size: bool = False,
    rows: Mapping[int, RowPlan] | None = None,
) -> Plan | Misfit:
    """The mapping of a network, or what is missing in the strategy that came closest.

    A network for images of `any_size` streams wherever it can: its program is as long, and its
    features take as much memory, for every height. `rows` are the plans of its row programs.
    """
    choices: Forms = {
        number: forms(step, machine)
        for number, step in enumerate(selection.steps)
        if isinstance(step, DotStep)
    }
    crowded = _too_many_thresholds(selection, choices, machine)
    if crowded is not None:
        return crowded
    plans: list[tuple[float, int, Plan]] = []
    misfits: list[Misfit] = []
    for number, strategy in enumerate(_strategies(selection)):
        if strategy.strips > 1 and any(not plan.paged for _, _, plan in plans):
            break
        outcome = _fit(selection, machine, strategy, choices, rows or {})
        if isinstance(outcome, Misfit):
            misfits.append(outcome)
            continue
        plans.append((frame_cycles(outcome), number, outcome))
        if strategy.strips > 1 and not outcome.paged:
            break  # more strips only compute more halos
    streams = [entry for entry in plans if entry[2].strategy == "stream"]
    if plans:
        return min((streams if any_size else []) or plans, key=lambda entry: entry[:2])[2]
    return min(misfits, key=lambda misfit: misfit.needed)


def _fit(
    selection: Selection,
    machine: MachineDescription,
    strategy: _Strategy,
    choices: Forms,
    rows: Mapping[int, RowPlan],
) -> Plan | Misfit:
    """A plan by one strategy: features first, then the fastest weights that the other rows hold."""
    crowded = _too_few_accumulators(selection, strategy.stages, choices, machine)
    if crowded is not None:
        return crowded
    whole = strategy.name == "whole"
    features = place_tensors(selection, strategy.stages, strategy.extents, 0, machine, whole)
    if isinstance(features, Misfit):
        return features
    row_trits = machine.columns * machine.macros
    fastest = {number: ladder[0] for number, ladder in choices.items()}
    levels = threshold_rows(selection, fastest, machine)
    registers = -(-max((plan.rows for plan in rows.values()), default=0) // PLANES)
    room = machine.rows - levels - registers - -(-features[1] // row_trits)
    if registers and room < 0:
        there = max(0, registers + room)
        return Misfit("rows for row programs beside the features", registers, there, "rows")
    dots = _resident(choices, room)
    if dots is None:
        dots = _paged(choices, room)
    if dots is None:
        least = max((ladder[-1].rows for ladder in choices.values()), default=0)
        return Misfit("weight rows beside the features", least, max(0, room), "rows")
    dots, weights = place_rows(selection, dots)
    placed = place_tensors(
        selection, strategy.stages, strategy.extents, weights + levels, machine, whole
    )
    assert not isinstance(placed, Misfit)
    return Plan(
        selection=selection,
        machine=machine,
        strategy=strategy.name,
        strips=strategy.strips,
        stages=strategy.stages,
        dots=dots,
        rows=dict(rows),
        places=placed[0],
        weight_rows=weights,
        threshold_rows=levels,
        feature_trits=placed[1],
    )


def _resident(choices: Forms, room: int) -> Dots | None:
    """The fastest forms, made leaner where that costs fewest cycles a row, until all fit."""
    rung = dict.fromkeys(choices, 0)
    while sum(choices[n][r].rows for n, r in rung.items()) > room:
        steps = [
            (_price(ladder[rung[n]], ladder[rung[n] + 1]), n)
            for n, ladder in choices.items()
            if rung[n] + 1 < len(ladder)
        ]
        if not steps:
            return None
        rung[min(steps)[1]] += 1
    return {number: choices[number][r] for number, r in rung.items()}


def _price(form: DotPlan, leaner: DotPlan) -> float:
    return (leaner.line_cycles - form.line_cycles) / (form.rows - leaner.rows)


def _paged(choices: Forms, room: int) -> Dots | None:
    """The leanest forms; the largest share rows and are loaded from outside when needed."""
    dots = {number: ladder[-1] for number, ladder in choices.items()}
    for number in sorted(dots, key=lambda n: -dots[n].rows):
        dots[number] = replace(dots[number], page=0)
        shared = max(plan.rows for plan in dots.values() if plan.page is not None)
        if shared + sum(plan.rows for plan in dots.values() if plan.page is None) <= room:
            return dots
    return None


def frame_cycles(plan: Plan) -> float:
    """Estimated cycles of a frame; column strips compute their halos more than once."""
    machine, total = plan.machine, 0.0
    page_cycles = machine.macros * machine.columns * 2 / machine.dma_bits
    for number, dot in plan.dots.items():
        step = plan.selection.steps[number]
        assert isinstance(step, DotStep)
        columns = plan.strips * plan.place(step.out).width / step.out.width
        total += dot.line_cycles * count(step) * columns
        if dot.page is not None:
            loads = 1 if plan.strategy == "whole" else count(step) * plan.strips
            total += dot.rows * page_cycles * loads
    for number, rows in plan.rows.items():
        total += rows.turn_cycles * count(plan.selection.steps[number])
    return total


def _strategies(selection: Selection) -> Iterator[_Strategy]:
    uncut = {step.out.index: whole_width(step.out) for step in selection.steps}
    yield _Strategy("whole", whole_stages(selection), 1, uncut)
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
    selection: Selection, choices: Forms, machine: MachineDescription
) -> Misfit | None:
    for number, ladder in choices.items():
        form = ladder[0]
        if form.spaced is None and form.levels > machine.thresholds:
            name = selection.steps[number].name
            return Misfit(
                f"T registers for `{name}`", form.levels, machine.thresholds, "thresholds"
            )
    return None


def _too_few_accumulators(
    selection: Selection, stages: tuple[Stage, ...], choices: Forms, machine: MachineDescription
) -> Misfit | None:
    """Two halves, each with room for a maximum where one is taken, beside whole-image sums."""
    dots = [step for step in selection.steps if isinstance(step, DotStep)]
    kept = max(
        sum(
            len(choices[turn.step][0].passes)
            for turn in stage.turns
            if is_whole(selection.steps[turn.step])
        )
        for stage in stages
    )
    largest = any(step.pooling is Pooling.SUM_MAX for step in dots)
    needed = kept + (4 if largest else 2)
    if dots and needed > machine.accumulators:
        return Misfit("accumulators", needed, machine.accumulators, "a macro")
    return None
