"""A stage -> its hardware loop: in each iteration, the turns of its steps over their lines."""

from dataclasses import dataclass

from tdsl.lowering.clock import LINES, Clock
from tdsl.lowering.dot_geometry import DotGeometry
from tdsl.lowering.emit_bands import emit_band
from tdsl.lowering.emit_dot import emit_dot
from tdsl.lowering.emit_input import emit_load, emit_loaded, loads
from tdsl.lowering.emit_logic import emit_logic
from tdsl.lowering.emit_results import emit_results, wait_taken
from tdsl.lowering.emit_rows import emit_rows
from tdsl.lowering.emit_weights import load_page
from tdsl.lowering.emit_whole import emit_whole
from tdsl.lowering.frame import Frame
from tdsl.lowering.hand_over import early_hand_over
from tdsl.lowering.plan import Plan, Stage, Turn
from tdsl.lowering.steps import DotStep, InputStep, LogicStep, RowStep, is_whole
from tdsl.lowering.unroll import loop_turns, unroll
from tdsl.lowering.writer import Token
from tdsl_runtime.isa import MicroOp, Unit

Dots = dict[int, DotGeometry]
"""The DotSteps of a stage by number."""


@dataclass(frozen=True, slots=True, eq=False)
class _Loop:
    """A stage in the making, `unroll` iterations a turn of its loop."""

    stage: Stage
    dots: Dots
    unroll: int

    @property
    def halves(self) -> tuple[int, ...]:
        """The halves of the accumulators for jobs; reductions borrow the second."""
        return (0,) if any(dot.step.whole for dot in self.dots.values()) else (0, 1)


def emit_loop(frame: Frame, number: int, dots: Dots) -> None:
    """All iterations of a stage, with the hand-over from the stage before and to the next."""
    plan = frame.plan
    stage = plan.stages[number]
    loop = _Loop(stage, dots, unroll(plan, stage))
    before = early_hand_over(plan, number - 1) if number > 0 else None
    after = early_hand_over(plan, number)
    with frame.writer.loop(LINES, loop_turns(plan, stage)):
        if before is not None and before.first_use > 0:
            with frame.writer.guard(_only(before.first_use)):
                frame.writer.wait(Unit.ARRAY, Token.BARRIER)
        for copy in range(loop.unroll):
            _iteration(frame, loop, copy)
        frame.writer.origin = 0
        if after is not None:
            with frame.writer.guard(_only(after.signal)):
                frame.writer.signal(Unit.POST, Token.BARRIER)


def chained(plan: Plan, stage: Stage) -> list[Turn]:
    """The turns that read lines which the post unit writes in the same stage."""
    made = {
        step.out.index
        for turn in stage.turns
        if isinstance(step := plan.step(turn), DotStep) and not is_whole(step)
    }
    return [t for t in stage.turns if any(x.index in made for x in plan.step(t).sources)]


def _iteration(frame: Frame, loop: _Loop, copy: int) -> None:
    plan, stage = frame.plan, loop.stage
    inputs = [(t, s) for t in stage.turns if isinstance(s := plan.step(t), InputStep)]
    band = _first_band(plan, stage)
    beside: list[tuple[MicroOp, ...]] = []
    for turn, step in inputs:
        if step.lines > 1 and band is not None:
            beside += loads(frame, step, Clock(turn, loop.unroll, copy), stage)
        else:
            emit_load(frame, step, Clock(turn, loop.unroll, copy), stage)
    first_chained = next(iter(chained(plan, stage)), None)
    for turn in stage.turns:
        if turn is first_chained:
            frame.writer.origin = 0
            frame.writer.wait(Unit.ARRAY, Token.LINES)
        rows = plan.step(turn)
        if isinstance(rows, RowStep) and plan.rows[turn.step].across == 1:
            frame.mark(rows)
            clock, also = Clock(turn, loop.unroll, copy), beside if turn is band else ()
            emit_band(frame, rows, plan.rows[turn.step], clock, stage.iterations, also)
        else:
            _turn(frame, loop, turn, Clock(turn, loop.unroll, copy))
    frame.writer.origin = 0
    if first_chained is not None:
        frame.writer.signal(Unit.POST, Token.LINES)
    for turn, step in inputs:
        emit_loaded(frame, step, Clock(turn, loop.unroll, copy), stage)


def _first_band(plan: Plan, stage: Stage) -> Turn | None:
    """The turn beside which lines are fetched: a row program whose band is one tile."""
    bands = (t for t in stage.turns if t.step in plan.rows and plan.rows[t.step].across == 1)
    return next(bands, None)


def _turn(frame: Frame, loop: _Loop, turn: Turn, clock: Clock) -> None:
    plan = frame.plan
    step = plan.step(turn)
    if isinstance(step, InputStep):
        return  # loaded before all others
    frame.mark(step)
    with frame.writer.guard(clock.guard(loop.stage.iterations)):
        match step:
            case DotStep():
                _dot_turn(frame, loop, loop.dots[turn.step], clock)
            case LogicStep():
                wait_taken(frame, step)
                emit_logic(frame, step, clock)
                emit_results(frame, step, clock)
            case RowStep():
                wait_taken(frame, step)
                emit_rows(frame, step, plan.rows[turn.step], clock)
                emit_results(frame, step, clock)


def _dot_turn(frame: Frame, loop: _Loop, dot: DotGeometry, clock: Clock) -> None:
    if len(loop.dots) > 1:
        load_page(frame, dot)
    if dot.step.whole:
        emit_whole(frame, dot, clock)
        return
    wait_taken(frame, dot.step)
    emit_dot(frame, dot, clock, loop.halves)
    emit_results(frame, dot.step, clock)


def _only(turn: int) -> dict[str, int]:
    """A guard that passes in one turn of the loop."""
    return {"counter": LINES, "lo": turn, "hi": turn + 1, "mod": 1, "rem": 0}
