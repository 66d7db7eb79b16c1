"""An InputStep's turn -> micro-ops: the DMA fetches a line, which the array uses a turn later."""

from tdsl.lowering.clock import Clock
from tdsl.lowering.emit_descriptors import first_level
from tdsl.lowering.emit_results import emit_results
from tdsl.lowering.frame import Frame
from tdsl.lowering.plan import Plan, Stage
from tdsl.lowering.steps import InputStep
from tdsl.lowering.writer import Token
from tdsl_runtime.isa import Opcode, Unit


def emit_load(frame: Frame, step: InputStep, clock: Clock, stage: Stage) -> None:
    """Fetch the line of a turn once the array is done with what it overwrites."""
    frame.mark(step)
    with frame.writer.guard(clock.guard(stage.iterations)):
        frame.writer.hand_over(Unit.ARRAY, Unit.DMA, Token.CREDIT)
        frame.writer.op(
            Opcode.DMAIN,
            buffer=frame.buffer(step.out),
            port=step.port,
            **_levels(frame.plan, step),
            **clock.line(1, 0),
        )
        emit_results(frame, step, clock)
        frame.writer.signal(Unit.DMA, Token.LOADED)


def emit_loaded(frame: Frame, step: InputStep, clock: Clock, stage: Stage) -> None:
    """Lines that came in this iteration are used from the next one on."""
    frame.mark(step)
    with frame.writer.guard(clock.guard(stage.iterations)):
        frame.writer.wait(Unit.ARRAY, Token.LOADED)


def _levels(plan: Plan, step: InputStep) -> dict[str, int]:
    """The fields of a DMAIN that makes trits."""
    if step.levels is None:
        return {}
    trits = step.out.channels // plan.selection.inputs[step.port].channels
    base = first_level(plan, step)
    return {"format": 1, "base": base, "levels": trits, "each": int(step.each)}
