"""Operations on accumulators -> micro-ops: what happens to sums before they are thresholded."""

from tdsl.lowering.dot_geometry import DotGeometry
from tdsl.lowering.frame import Frame
from tdsl.lowering.steps import Clamp, ShiftRight
from tdsl_runtime.isa import AccOp, Opcode


def emit_operations(frame: Frame, dot: DotGeometry, pixels: int, acc: int) -> None:
    """The clamps and shifts of a step, in place, on the sums of `pixels` from `acc` on."""
    for op in dot.step.ops:
        match op:
            case Clamp(low=low, high=high):
                emit_acc(frame, dot, AccOp.MAXI, pixels, dst=acc, dstep=1, imm=low)
                emit_acc(frame, dot, AccOp.MINI, pixels, dst=acc, dstep=1, imm=high)
            case ShiftRight(amount=amount, bias=bias):
                if bias:
                    emit_acc(frame, dot, AccOp.ADDI, pixels, dst=acc, dstep=1, imm=bias)
                emit_acc(frame, dot, AccOp.SHR, pixels, dst=acc, dstep=1, imm=amount)


def emit_acc(frame: Frame, dot: DotGeometry, op: AccOp, pixels: int, **fields: int) -> None:
    """One operation on the accumulators of `pixels` sums."""
    frame.writer.op(
        Opcode.ACC,
        op=op,
        span=pixels,
        limit=pixels,
        groups=dot.form.parallelism.groups,
        segments=dot.form.parallelism.segments,
        **fields,
    )
