"""An InputStep's turn -> micro-ops: the DMA fetches lines, which the array uses a turn later."""

from tdsl.lowering.clock import Clock
from tdsl.lowering.emit_descriptors import first_level
from tdsl.lowering.emit_results import emit_results
from tdsl.lowering.frame import Frame
from tdsl.lowering.plan import Plan, Stage
from tdsl.lowering.steps import InputStep
from tdsl.lowering.writer import Token, Writer
from tdsl_runtime.isa import MicroOp, Opcode, Unit

PIECES = 64
"""Pieces in which the lines of a band are fetched, at most: each has a guard of its own."""


def emit_load(frame: Frame, step: InputStep, clock: Clock, stage: Stage) -> None:
    """Fetch the lines of a turn once the array is done with what they overwrite."""
    frame.mark(step)
    with frame.writer.guard(clock.guard(stage.iterations)):
        frame.writer.hand_over(Unit.ARRAY, Unit.DMA, Token.CREDIT)
        for line in range(step.lines):
            _fetch(frame, step, clock, line)
        emit_results(frame, step, clock)
        frame.writer.signal(Unit.DMA, Token.LOADED)


def loads(
    frame: Frame, step: InputStep, clock: Clock, stage: Stage
) -> tuple[tuple[MicroOp, ...], ...]:
    """The same in pieces, each with its guard, for other work to stand between them."""
    frame.mark(step)
    pieces: list[tuple[MicroOp, ...]] = []
    together = -(-step.lines // PIECES)
    for first in range(0, step.lines, together):
        apart = Frame(frame.plan, Writer(origin=frame.writer.origin), frame.buffers)
        with apart.writer.guard(clock.guard(stage.iterations)):
            if first == 0:
                apart.writer.hand_over(Unit.ARRAY, Unit.DMA, Token.CREDIT)
            for line in range(first, min(first + together, step.lines)):
                _fetch(apart, step, clock, line)
            if first + together >= step.lines:
                emit_results(apart, step, clock)
                apart.writer.signal(Unit.DMA, Token.LOADED)
        pieces.append(tuple(apart.writer.code))
    return tuple(pieces)


def _fetch(frame: Frame, step: InputStep, clock: Clock, line: int) -> None:
    frame.writer.op(
        Opcode.DMAIN,
        buffer=frame.buffer(step.out),
        port=step.port,
        **_levels(frame.plan, step),
        **clock.line(step.lines, step.first + line),
    )


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
