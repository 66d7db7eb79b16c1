"""Steps -> stages: which steps stream together, and in which iteration each computes which line.

*Whole* gives every step a stage of its own, with whole tensors in memory: nothing waits inside a
stage. *Stream* lets all steps that can follow the image line by line work in one loop, so that
memory does not grow with the height.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import gcd

from tdsl.lowering.plan import Stage, Turn
from tdsl.lowering.rates import Rates, advance, extent, held, rates
from tdsl.lowering.steps import (
    DotStep,
    InputStep,
    LogicStep,
    RowStep,
    Selection,
    Step,
    Tensor,
    first_line,
    is_whole,
    lines_a_turn,
)

SLACK = 1
"""Iterations from a line written by the post or DMA unit to its first use: hides latency."""


def whole_stages(selection: Selection) -> tuple[Stage, ...]:
    """Every computing step in its own stage, with the inputs that it is the first to use."""
    waiting: list[int] = []
    stages: list[Stage] = []
    for number, step in enumerate(selection.steps):
        waiting.append(number)
        if not isinstance(step, InputStep):
            together = stage(selection, tuple(waiting))
            if together is None:
                stages += [stage_of_one(selection, n) for n in waiting]
            else:
                stages.append(together)
            waiting = []
    return (*stages, *(stage_of_one(selection, n) for n in waiting))


def stream_stages(selection: Selection) -> tuple[Stage, ...] | None:
    """As few stages as reductions over the whole image allow; None where rates contradict."""
    level: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    for number, step in enumerate(selection.steps):
        at = max((level[t.index] for t in step.sources), default=0)
        members.setdefault(at, []).append(number)
        level[step.out.index] = at + (1 if is_whole(step) else 0)
    stages = [stage(selection, tuple(members[at])) for at in sorted(members)]
    return tuple(s for s in stages if s) if all(stages) else None


def stage_of_one(selection: Selection, number: int) -> Stage:
    """A stage with one step."""
    lonely = stage(selection, (number,))
    assert lonely is not None
    return lonely


def stage(selection: Selection, numbers: tuple[int, ...]) -> Stage | None:
    """The turns of steps that work in one loop; None where their rates contradict each other."""
    steps = tuple(selection.steps[n] for n in numbers)
    lines = rates(steps, axis=0)
    if not _consistent(steps, lines):
        return None
    turns: dict[int, Turn] = {}
    for number, step in zip(numbers, steps, strict=True):
        rate = _rate(step, lines)
        delay = max([0, *(_delay(step, t, m, turns, selection, rate) for t, m in _reads(step))])
        turns[step.out.index] = Turn(number, rate, delay, count(step))
    ordered = _unhurried(tuple(turns.values()))
    last = max((t.delay + (t.count - 1) * t.rate for t in ordered), default=-1)
    return Stage(ordered, last + 1)


def _unhurried(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The same turns without the iterations in which none of them can work."""
    common = gcd(*(turn.rate for turn in turns), *(turn.delay for turn in turns))
    if common <= 1:
        return turns
    return tuple(replace(t, rate=t.rate // common, delay=t.delay // common) for t in turns)


def count(step: Step) -> int:
    """Turns of a step: lines of sums it makes, by groups that end in one line of results."""
    if isinstance(step, DotStep) and step.whole:
        return step.terms[0].source.height
    return -(-(step.out.height - first_line(step)) // lines_a_turn(step))


def _rate(step: Step, lines: Rates) -> int:
    """Iterations between two turns of a step."""
    if isinstance(step, DotStep) and step.whole:
        return lines[step.terms[0].source.index]
    return lines[step.out.index] * lines_a_turn(step)


Reach = tuple[int, int, int]
"""(a, first, last): turn y reads source lines a * y + first .. a * y + last."""


def reach(step: Step, source: Tensor) -> Reach:
    """The lines of `source` that a turn of a step reads."""
    reaches = [r for t, r in _reads(step) if t is source]
    return reaches[0][0], min(r[1] for r in reaches), max(r[2] for r in reaches)


def _reads(step: Step) -> Iterator[tuple[Tensor, Reach]]:
    match step:
        case InputStep():
            return
        case LogicStep(out=out):
            for operand in step.sources:
                yield operand, ((0, 0, 0) if held(operand, out) else (1, 0, 0))
        case RowStep(program=program, sources=sources, reaches=reaches):
            ahead = step.lines * program.stride[0]
            for source, (top, bottom) in zip(sources, reaches, strict=True):
                yield source, (ahead, top, ahead - 1 + bottom)
        case DotStep():
            for term in step.terms:
                first = term.offset[0]
                last = first + (step.pool[0] - 1) * term.stride[0]
                last += (term.weights.shape[2] - 1) * term.dilation[0]
                ahead = 1 if step.whole else advance(step, term, 0)[0]
                yield term.source, (ahead, first, last)


def _delay(
    step: Step,
    source: Tensor,
    lines: Reach,
    turns: dict[int, Turn],
    selection: Selection,
    rate: int,
) -> int:
    """The iteration of turn 0 so that every turn finds the lines of one source."""
    producer = turns.get(source.index)
    if producer is None:
        return 0
    made = selection.steps[producer.step]
    rise = lines_a_turn(made)
    slack = 0 if isinstance(made, LogicStep | RowStep) else SLACK
    if isinstance(made, InputStep) and rise > 1:
        slack = producer.rate  # bands are fetched beside the band before
    ahead, _, last = lines
    worst = 0
    for turn in range(min(count(step), rise)):
        line = min(ahead * turn + last, extent(source, 0) - 1)
        ready = producer.delay + (line - first_line(made)) // rise * producer.rate + slack
        worst = max(worst, ready - turn * rate)
    return worst


def _consistent(steps: tuple[Step, ...], lines: Rates) -> bool:
    for step in steps:
        match step:
            case DotStep(whole=False) if count(step) > 1:
                for term in step.terms:
                    ahead, rise = advance(step, term, 0)
                    if lines[step.out.index] * rise != lines[term.source.index] * ahead:
                        return False
            case DotStep(whole=True):
                if len({lines[t.source.index] for t in step.terms}) > 1:
                    return False
            case RowStep(program=program):
                own = lines[step.out.index]
                if any(lines[t.index] * program.stride[0] != own for t in step.sources):
                    return False
            case LogicStep():
                moving = [t for t in step.sources if not held(t, step.out)]
                if any(lines[t.index] != lines[step.out.index] for t in moving):
                    return False
            case _:
                pass
    return True


def depth(source: Tensor, producer: Turn, made: Step, users: list[tuple[Turn, Reach]]) -> int:
    """Lines that must be held so that no line is overwritten before its last use.

    Lines of the iteration in which they are made count already: units overlap inside it.
    """
    rise = need = lines_a_turn(made)
    for turn, (ahead, first, _) in users:
        for y in range(min(turn.count, rise)):
            at = turn.delay + y * turn.rate
            newest = rise * ((at - producer.delay) // producer.rate + 1) - 1 + first_line(made)
            need = max(need, newest - (ahead * y + first) + 1)
    return min(need, source.height)
