"""A LogicStep's turn -> micro-ops: one table look-up a plane, two operands side by side."""

from tdsl.lowering.clock import Clock
from tdsl.lowering.frame import Frame
from tdsl.lowering.rates import held
from tdsl.lowering.steps import LogicStep
from tdsl_runtime.isa import Opcode

_LONGEST = 65535
"""Pixels that a span can name."""


def emit_logic(frame: Frame, step: LogicStep, clock: Clock) -> None:
    """One line of all planes."""
    table = sum((value & 3) << (2 * entry) for entry, value in enumerate(step.table))
    width = frame.plan.place(step.out).width
    for plane in range(step.out.planes):
        frame.writer.op(
            Opcode.LUT,
            buffer=frame.buffer(step.out),
            plane=plane,
            a=frame.buffer(step.a),
            aplane=step.a_planes[plane],
            ahold=int(held(step.a, step.out)),
            b=frame.buffer(step.b),
            bplane=step.b_planes[plane],
            bhold=int(held(step.b, step.out)),
            table=table,
            **clock.line(1, 0),
            span=min(width, _LONGEST),
            limit=width,
        )
