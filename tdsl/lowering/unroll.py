"""A stage -> how many iterations its hardware loop does a turn."""

from tdsl.lowering.dot_geometry import dot_geometry
from tdsl.lowering.plan import Plan, Stage
from tdsl.lowering.steps import DotStep, RowStep, is_whole


def unroll(plan: Plan, stage: Stage) -> int:
    """Two iterations a loop turn where only so consecutive jobs use both accumulator halves."""
    dots = [turn for turn in stage.turns if isinstance(plan.step(turn), DotStep)]
    simple = all(
        turn.rate == 1 and not isinstance(plan.step(turn), RowStep) for turn in stage.turns
    )
    if not dots or not simple or any(is_whole(plan.step(turn)) for turn in dots):
        return 1
    jobs = sum(dot_geometry(plan, turn.step).jobs() for turn in dots)
    return 1 if jobs % 2 == 0 or stage.iterations < 2 else 2


def loop_turns(plan: Plan, stage: Stage) -> int:
    """Turns of a stage's hardware loop."""
    return -(-stage.iterations // unroll(plan, stage))
