"""Network outputs -> micro-ops: lines that a step has made leave through the DMA.

A step may make a line while the DMA sends the one before; two tokens of each output say so.
"""

from collections.abc import Iterator

from tdsl.lowering.clock import Clock
from tdsl.lowering.frame import Frame
from tdsl.lowering.plan import Plan, Stage
from tdsl.lowering.steps import (
    DotStep,
    InputStep,
    LogicStep,
    Result,
    RowStep,
    Step,
    is_whole,
    lines_a_turn,
)
from tdsl.lowering.writer import Token
from tdsl_runtime.isa import Opcode, Unit


def emit_results(frame: Frame, step: Step, clock: Clock) -> None:
    """Send the lines that a step has just made to the outputs it feeds."""
    rise = lines_a_turn(step)
    _emit_lines(frame, step, [clock.line(rise, line) for line in range(rise)])


def emit_pixel(frame: Frame, step: DotStep) -> None:
    """Send the single pixel of a reduction to the outputs it feeds."""
    _emit_lines(frame, step, [{}])


def wait_taken(frame: Frame, step: Step) -> None:
    """Before a line of a result is made: the DMA has sent the one before the last."""
    for number, _ in _results(frame.plan, step):
        frame.writer.wait(_maker(step), _taken(number))


def open_results(frame: Frame, stage: Stage) -> None:
    """At the start of a stage, both lines of each of its outputs are free."""
    for _, number in _streamed(frame.plan, stage):
        frame.writer.signal(Unit.DMA, _taken(number))
        frame.writer.signal(Unit.DMA, _taken(number))


def close_results(frame: Frame, stage: Stage) -> None:
    """At the end of a stage, the DMA has sent all lines of its outputs."""
    for maker, number in _streamed(frame.plan, stage):
        frame.writer.wait(maker, _taken(number))
        frame.writer.wait(maker, _taken(number))


def _emit_lines(frame: Frame, step: Step, lines: list[dict[str, int]]) -> None:
    maker = _maker(step)
    for number, result in _results(frame.plan, step):
        if maker is not Unit.DMA:
            frame.writer.hand_over(maker, Unit.DMA, _made(number))
        for line in lines:
            _send(frame, number, result, line)
        if maker is not Unit.DMA:
            frame.writer.signal(Unit.DMA, _taken(number))


def _send(frame: Frame, number: int, result: Result, line: dict[str, int]) -> None:
    tensor = result.tensor
    place = frame.plan.place(tensor)
    frame.writer.op(
        Opcode.DMAOUT,
        buffer=frame.buffer(tensor),
        port=number,
        format=int(result.argmax),
        n=tensor.channels,
        x0=place.halo if frame.plan.strips > 1 else 0,
        limit=place.step,
        **line,
    )


def _results(plan: Plan, step: Step) -> list[tuple[int, Result]]:
    return [(n, r) for n, r in enumerate(plan.selection.results) if r.tensor is step.out]


def _streamed(plan: Plan, stage: Stage) -> Iterator[tuple[Unit, int]]:
    """The outputs that a stage makes line by line, and the unit that makes each."""
    for turn in stage.turns:
        step = plan.step(turn)
        if not is_whole(step) and not isinstance(step, InputStep):
            for number, _ in _results(plan, step):
                yield _maker(step), number


def _maker(step: Step) -> Unit:
    """The unit that writes the lines of a step."""
    match step:
        case InputStep():
            return Unit.DMA
        case LogicStep() | RowStep():
            return Unit.ARRAY
        case DotStep():
            return Unit.POST


def _made(result: int) -> int:
    return Token.RESULTS + 2 * result


def _taken(result: int) -> int:
    return Token.RESULTS + 2 * result + 1
