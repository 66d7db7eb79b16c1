"""Network outputs -> micro-ops: lines that a step has made leave through the DMA.

A step may make a line while the DMA sends the one before; two tokens of each output say so (one,
where a row program overwrites its band a group of channels after the other).
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
    first_line,
    held_turns,
    is_whole,
    lines_a_turn,
)
from tdsl.lowering.writer import Token, Writer
from tdsl_runtime.isa import MicroOp, Opcode, Unit, micro_op


def emit_results(frame: Frame, step: Step, clock: Clock) -> None:
    """Send the lines that a step has just made to the outputs it feeds."""
    rise, first = lines_a_turn(step), first_line(step)
    _emit_lines(frame, step, [clock.line(rise, first + line) for line in range(rise)])


def emit_pixel(frame: Frame, step: DotStep) -> None:
    """Send the single pixel of a reduction to the outputs it feeds."""
    _emit_lines(frame, step, [{}])


def wait_taken(frame: Frame, step: Step) -> None:
    """Before lines of a result are made: the DMA has sent those that they overwrite."""
    for number, _ in results_of(frame.plan, step):
        frame.writer.wait(_maker(step), _taken(number))


def open_results(frame: Frame, stage: Stage) -> None:
    """At the start of a stage, all lines held of its outputs are free."""
    for step, number in _streamed(frame.plan, stage):
        for _ in range(held_turns(step)):
            frame.writer.signal(Unit.DMA, _taken(number))


def close_results(frame: Frame, stage: Stage) -> None:
    """At the end of a stage, the DMA has sent all lines of its outputs."""
    for step, number in _streamed(frame.plan, stage):
        for _ in range(held_turns(step)):
            frame.writer.wait(_maker(step), _taken(number))


def _emit_lines(frame: Frame, step: Step, lines: list[dict[str, int]]) -> None:
    maker = _maker(step)
    for number, result in results_of(frame.plan, step):
        if maker is not Unit.DMA:
            frame.writer.hand_over(maker, Unit.DMA, _made(number))
        for line in lines:
            frame.writer.code.append(send_op(frame, number, result, line))
        if maker is not Unit.DMA:
            frame.writer.signal(Unit.DMA, _taken(number))


def send_op(
    frame: Frame,
    number: int,
    result: Result,
    line: dict[str, int],
    part: tuple[int, int] | None = None,
) -> MicroOp:
    """Send a line: all channels, or a `part` of them (the first one, how many)."""
    tensor = result.tensor
    place = frame.plan.place(tensor)
    first, channels = part or (0, tensor.channels)
    return micro_op(
        Opcode.DMAOUT,
        frame.writer.origin,
        buffer=frame.buffer(tensor),
        port=number,
        format=int(result.argmax),
        chan=first,
        n=channels,
        to=first,
        x0=place.halo if frame.plan.strips > 1 else 0,
        limit=place.step,
        **line,
    )


def write_made(frame: Frame, number: int) -> tuple[MicroOp, ...]:
    """The DMA waits for what the array has made of a result so far."""
    writer = Writer(origin=frame.writer.origin)
    writer.hand_over(Unit.ARRAY, Unit.DMA, _made(number))
    return tuple(writer.code)


def taken(frame: Frame, number: int) -> tuple[MicroOp, ...]:
    """The DMA has sent a turn's lines of a result."""
    writer = Writer(origin=frame.writer.origin)
    writer.signal(Unit.DMA, _taken(number))
    return tuple(writer.code)


def results_of(plan: Plan, step: Step) -> list[tuple[int, Result]]:
    """The outputs that a step feeds, with their numbers."""
    return [(n, r) for n, r in enumerate(plan.selection.results) if r.tensor is step.out]


def _streamed(plan: Plan, stage: Stage) -> Iterator[tuple[Step, int]]:
    """The outputs that a stage makes line by line, and the step that makes each."""
    for turn in stage.turns:
        step = plan.step(turn)
        if not is_whole(step) and not isinstance(step, InputStep):
            for number, _ in results_of(plan, step):
                yield step, number


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
