"""A plan -> micro-ops: descriptors, then one hardware loop a stage inside the loop over strips."""

from tdsl.lowering.emit_descriptors import emit_descriptors
from tdsl.lowering.emit_rows import emit_active
from tdsl.lowering.emit_stage import emit_stage
from tdsl.lowering.frame import Frame
from tdsl.lowering.plan import Plan
from tdsl.lowering.steps import Step
from tdsl.lowering.writer import Token, Writer
from tdsl_runtime.isa import MicroOp, Opcode, Unit
from tdsl_runtime.program import Origin


def emit(plan: Plan) -> tuple[tuple[MicroOp, ...], tuple[Origin, ...]]:
    """The micro-ops of a plan, and the origins that they index."""
    frame = Frame(plan)
    _emit_stages(frame)
    descriptors = Writer()
    emit_descriptors(frame, descriptors)
    origins = [Origin(plan.selection.network, 0, "set-up and control")]
    origins += [_origin(step) for step in plan.selection.steps]
    return tuple(descriptors.code + frame.writer.code), tuple(origins)


def _emit_stages(frame: Frame) -> None:
    """All stages; at the start, both halves of the accumulators are free."""
    emit_active(frame)
    for token in (Token.FREE_0, Token.FREE_1):
        frame.writer.signal(Unit.POST, token)
    for number in range(len(frame.plan.stages)):
        emit_stage(frame, number)
    frame.writer.origin = 0
    frame.writer.op(Opcode.HALT)


def _origin(step: Step) -> Origin:
    return Origin(step.name, step.span.line if step.span else 0, type(step).__name__)
