"""Two neighbouring stages -> whether the second starts while the first stores its last lines."""

from dataclasses import dataclass

from tdsl.lowering.plan import Plan, Turn
from tdsl.lowering.schedule import reach
from tdsl.lowering.steps import first_line, is_whole, lines_a_turn
from tdsl.lowering.unroll import loop_turns, unroll


@dataclass(frozen=True, slots=True)
class HandOver:
    """`signal`: the loop turn after which all but the last lines are stored; `first_use`: the loop
    turn of the next stage that needs the last ones (0: its start)."""

    signal: int
    first_use: int


def early_hand_over(plan: Plan, number: int) -> HandOver | None:
    """How the stage after `number` starts early; None where it waits for everything."""
    if number + 1 >= len(plan.stages) or plan.strips > 1:
        return None
    stage, follower = plan.stages[number], plan.stages[number + 1]
    loops = loop_turns(plan, stage)
    if loops < 2 or any(is_whole(plan.step(turn)) for turn in stage.turns):
        return None
    done = unroll(plan, stage) * (loops - 1)
    uses = [
        _first_use(plan, turn, made, done)
        for turn in follower.turns
        for made in stage.turns
        if any(t is plan.step(made).out for t in plan.step(turn).sources)
    ]
    first = min(uses, default=follower.iterations)
    late = first < follower.iterations
    return HandOver(loops - 2, first // unroll(plan, follower) if late else 0)


def _first_use(plan: Plan, turn: Turn, made: Turn, done: int) -> int:
    """The iteration in which a turn first reads a line that `made` makes from `done` on."""
    step, source = plan.step(turn), plan.step(made)
    rise = lines_a_turn(source)
    lines = max(0, -(-(done - made.delay) // made.rate)) * rise + first_line(source)
    ahead, _, last = reach(step, source.out)
    y = 0 if last >= lines else -(-(lines - last) // ahead) if ahead else turn.count
    return turn.delay + y * turn.rate if y < turn.count else turn.delay
