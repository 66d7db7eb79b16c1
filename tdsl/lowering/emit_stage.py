"""A stage -> micro-ops: reductions begin, the lines of all strips pass, reductions end."""

from tdsl.lowering.clock import STRIPS
from tdsl.lowering.dot_geometry import dot_geometry
from tdsl.lowering.emit_loop import Dots, chained, emit_loop
from tdsl.lowering.emit_results import close_results, emit_pixel, open_results
from tdsl.lowering.emit_weights import load_page
from tdsl.lowering.emit_whole import begin_whole, end_whole
from tdsl.lowering.frame import Frame
from tdsl.lowering.hand_over import early_hand_over
from tdsl.lowering.plan import Stage
from tdsl.lowering.steps import DotStep
from tdsl.lowering.writer import Token
from tdsl_runtime.isa import Unit


def emit_stage(frame: Frame, number: int) -> None:
    """The stage of a number, from its first token to the one that starts the next."""
    plan = frame.plan
    stage = plan.stages[number]
    dots: Dots = {
        turn.step: dot_geometry(plan, turn.step)
        for turn in stage.turns
        if isinstance(plan.step(turn), DotStep)
    }
    _load_only_page(frame, dots)
    _await_stage_before(frame, number)
    _begin_reductions(frame, dots)
    strips = plan.strips if number == 0 else 1
    if strips > 1:
        with frame.writer.loop(STRIPS, strips):
            _strip(frame, number, dots)
    else:
        _strip(frame, number, dots)
    _finish(frame, dots)
    if number < len(plan.stages) - 1:
        frame.writer.signal(Unit.POST, Token.BARRIER)


def _load_only_page(frame: Frame, dots: Dots) -> None:
    """The only weights of a stage are loaded once."""
    for dot in dots.values() if len(dots) == 1 else ():
        frame.mark(dot.step)
        load_page(frame, dot)


def _await_stage_before(frame: Frame, number: int) -> None:
    """The array waits for what the stage before stores, from its kept accumulators as well."""
    frame.writer.origin = 0
    if number > 0:
        early = early_hand_over(frame.plan, number - 1)
        for _ in range(2 if early is not None and early.first_use == 0 else 1):
            frame.writer.wait(Unit.ARRAY, Token.BARRIER)


def _begin_reductions(frame: Frame, dots: Dots) -> None:
    for dot in dots.values():
        if dot.step.whole:
            frame.mark(dot.step)
            begin_whole(frame, dot)


def _finish(frame: Frame, dots: Dots) -> None:
    for dot in dots.values():
        if dot.step.whole:
            frame.mark(dot.step)
            end_whole(frame, dot)
            emit_pixel(frame, dot.step)


def _strip(frame: Frame, number: int, dots: Dots) -> None:
    stage = frame.plan.stages[number]
    _begin(frame, stage)
    emit_loop(frame, number, dots)
    _end(frame, stage, number)


def _begin(frame: Frame, stage: Stage) -> None:
    """Lines may be written, buffers of results are free."""
    frame.writer.origin = 0
    frame.writer.half = 0
    if chained(frame.plan, stage):
        frame.writer.signal(Unit.POST, Token.LINES)
    open_results(frame, stage)


def _end(frame: Frame, stage: Stage, number: int) -> None:
    """The next stage reads what the post unit wrote, and may overwrite what the DMA sends."""
    frame.writer.origin = 0
    if chained(frame.plan, stage):
        frame.writer.wait(Unit.ARRAY, Token.LINES)
    close_results(frame, stage)
    if frame.plan.strips > 1 and number == 0:
        frame.writer.hand_over(Unit.POST, Unit.ARRAY, Token.BARRIER)
