"""The parts of a mapping against brute force: pieces, rates, turns, lines held, places, strips."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from tdsl.lowering.allocate import line_trits
from tdsl.lowering.plan import DotPlan, Plan, Stage, Turn
from tdsl.lowering.rates import held, rates
from tdsl.lowering.schedule import reach
from tdsl.lowering.steps import (
    Array,
    DotStep,
    LogicStep,
    RowStep,
    Step,
    Tensor,
    Term,
    lines_a_turn,
)
from tests.chain.engines import named_chain
from tests.chain.machines import machine_named, small_machines
from tests.chain.tight import tight_machines
from tests.networks import named_network, named_networks

NAMES = [case.name for case in named_networks()]
BASES = [machine.name for machine in small_machines()]
COVER = [(name, BASES[i % len(BASES)]) for i, name in enumerate(NAMES)]


def plans(name: str, base: str) -> list[Plan]:
    """A network in every way it can be mapped on hardly enough rows."""
    found = [named_chain(name, machine) for machine in tight_machines(name, machine_named(base))]
    return [one.compiled.plan for one in found if one is not None]


# -- pieces --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "base"), COVER)
def test_pieces_reassemble_to_the_weights(name: str, base: str) -> None:
    for plan in plans(name, base):
        for number, dot in plan.dots.items():
            step = plan.selection.steps[number]
            assert isinstance(step, DotStep)
            for k, term in enumerate(step.terms):
                assert np.array_equal(reassembled(dot, k, term), term.weights)


def reassembled(dot: DotPlan, number: int, term: Term) -> Array:
    """The weights of a term, put together from its pieces."""
    weights = np.zeros_like(term.weights)
    _, channels, _, width = weights.shape
    for one in dot.passes:
        for piece in one.pieces:
            if piece.term != number:
                continue
            split = piece.weights.reshape(one.count, piece.lines, piece.length)
            for line in range(piece.lines):
                ky = (piece.line - term.offset[0]) // term.dilation[0] + line
                kx = (piece.pixel - term.offset[1]) // term.dilation[1]
                for i in range(piece.length):
                    x, c = divmod(piece.skip + i, channels)
                    assert kx + x < width
                    weights[one.first : one.first + one.count, c, ky, kx + x] += split[:, line, i]
    return weights


@pytest.mark.parametrize(("name", "base"), COVER)
def test_pieces_stay_in_their_lanes_and_rows(name: str, base: str) -> None:
    for plan in plans(name, base):
        for dot in plan.dots.values():
            lanes = min(plan.machine.columns, plan.machine.lanes) // dot.parallelism.segments
            for one in dot.passes:
                for piece in one.pieces:
                    assert piece.column + piece.weights.shape[1] <= lanes
                    assert piece.row < one.rows


# -- turns and lines -------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "base"), COVER)
def test_every_line_is_made_before_it_is_read_and_held_until_then(name: str, base: str) -> None:
    """Brute force: a line buffer that forgets, filled and read in the order of the turns."""
    for plan in plans(name, base):
        made: dict[int, dict[int, int]] = {}
        for stage in plan.stages:
            for iteration in range(stage.iterations):
                play(plan, stage, iteration, made)
        for step in plan.selection.steps:
            lines = plan.place(step.out).depth
            assert sorted(made[step.out.index].values())[-1] == step.out.height - 1
            assert len(made[step.out.index]) <= lines


def play(plan: Plan, stage: Stage, iteration: int, made: dict[int, dict[int, int]]) -> None:
    """One iteration: reads, after whatever it makes may have overwritten old lines."""
    turns = [turn for turn in stage.turns if works(turn, iteration)]
    visible = {index: dict(lines) for index, lines in made.items()}
    for turn in turns:
        write(plan, turn, iteration, made)
        if not is_whole(plan.step(turn)):
            fresh = isinstance(plan.step(turn), LogicStep | RowStep)
            overwrite(plan, turn, iteration, visible, fresh=fresh)
    for turn in turns:
        for tensor, y in reads(plan, turn, iteration):
            lines = visible[tensor.index]
            assert lines.get(y % plan.place(tensor).depth) == y, (tensor.name, y, iteration)


def is_whole(step: Step) -> bool:
    """Whether a step makes one pixel of an image, after the stage."""
    return isinstance(step, DotStep) and step.whole


def works(turn: Turn, iteration: int) -> bool:
    """Whether a turn's step works in an iteration."""
    y, rest = divmod(iteration - turn.delay, turn.rate)
    return rest == 0 and 0 <= y < turn.count


def write(plan: Plan, turn: Turn, iteration: int, made: dict[int, dict[int, int]]) -> None:
    for y in written(plan, turn, iteration):
        made.setdefault(plan.step(turn).out.index, {})[
            y % plan.place(plan.step(turn).out).depth
        ] = y


def overwrite(
    plan: Plan, turn: Turn, iteration: int, visible: dict[int, dict[int, int]], *, fresh: bool
) -> None:
    """Lines of this iteration: those of the array are there at once, others may be half made."""
    for y in written(plan, turn, iteration):
        tensor = plan.step(turn).out
        visible.setdefault(tensor.index, {})[y % plan.place(tensor).depth] = y if fresh else -1


def written(plan: Plan, turn: Turn, iteration: int) -> range:
    """The lines that a turn makes."""
    step = plan.step(turn)
    if is_whole(step):
        return range(1)
    lines = lines_a_turn(step)
    y = (iteration - turn.delay) // turn.rate
    return range(y * lines, min(step.out.height, (y + 1) * lines))


def reads(plan: Plan, turn: Turn, iteration: int) -> Iterator[tuple[Tensor, int]]:
    """The lines inside the image that a turn reads."""
    step = plan.step(turn)
    y = (iteration - turn.delay) // turn.rate
    for tensor in {t.index: t for t in step.sources}.values():
        ahead, first, last = reach(step, tensor)
        for line in range(ahead * y + first, ahead * y + last + 1):
            if 0 <= line < tensor.height:
                yield tensor, line


def test_rates_of_a_pyramid() -> None:
    (plan, *_) = plans("max_pool_on_trits", "few-rows")
    steps = plan.selection.steps
    found = [rates(steps, axis) for axis in (0, 1)]
    by_size = [{step.out.height: rate[step.out.index] for step in steps} for rate in found]
    assert by_size == [{9: 1, 4: 2}, {9: 1, 4: 2}]


def test_an_operand_of_one_pixel_is_held() -> None:
    image, vector = Tensor(0, "i", 3, 4, 5, -1, 1), Tensor(1, "v", 3, 1, 1, -1, 1)
    assert held(vector, image)
    assert not held(image, image)
    assert not held(vector, vector)


# -- places ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "base"), COVER)
def test_live_tensors_never_share_memory(name: str, base: str) -> None:
    for plan in plans(name, base):
        machine = plan.machine
        first = (plan.weight_rows + plan.threshold_rows) * machine.columns * machine.macros
        for number in range(len(plan.stages)):
            stretches = sorted(live(plan, number))
            assert not stretches or (stretches[0][0] >= first and stretches[-1][1] <= machine.trits)
            for (_, end), (start, _) in pairwise(stretches):
                assert end <= start


def live(plan: Plan, number: int) -> Iterator[tuple[int, int]]:
    """The memory of the tensors that are made or read in a stage, or wait to be read."""
    born = {plan.step(t).out.index: n for n, s in enumerate(plan.stages) for t in s.turns}
    last = dict(born)
    for n, stage in enumerate(plan.stages):
        for turn in stage.turns:
            for tensor in plan.step(turn).sources:
                last[tensor.index] = max(last[tensor.index], n)
    for step in plan.selection.steps:
        tensor = step.out
        if born[tensor.index] <= number <= last[tensor.index]:
            place = plan.place(tensor)
            size = line_trits(tensor, place.width) * place.depth * tensor.planes
            yield place.base, place.base + size


# -- strips ----------------------------------------------------------------------------------------


def test_strips_cover_every_image() -> None:
    met = 0
    for name, base in COVER:
        for plan in plans(name, base):
            if plan.strips > 1:
                met += 1
                covers(plan)
    assert met > 5


def covers(plan: Plan) -> None:
    """The own columns of all strips are the image; each strip holds what its windows read."""
    for turn in plan.stages[0].turns:
        step = plan.step(turn)
        place = plan.place(step.out)
        if place.step != step.out.width:
            assert place.step * plan.strips >= step.out.width
        assert place.width >= place.halo + place.step


def test_a_network_that_logic_ties_to_its_neighbourhood_is_not_cut() -> None:
    assert all(plan.strips == 1 for plan in plans("or_residual", "few-rows"))
    assert any(plan.strips > 1 for plan in plans("denoiser", "few-rows"))


# -- what is planned at all ------------------------------------------------------------------------


def test_each_step_has_one_turn() -> None:
    for name, base in COVER:
        for plan in plans(name, base):
            numbers = sorted(turn.step for stage in plan.stages for turn in stage.turns)
            assert numbers == list(range(len(plan.selection.steps)))


def test_outputs_are_all_planned() -> None:
    case = named_network("several_outputs")
    (plan, *_) = plans(case.name, "few-rows")
    assert [r.name for r in plan.selection.results] == [o.name for o in case.graph.outputs]
