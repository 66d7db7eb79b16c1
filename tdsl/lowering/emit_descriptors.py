"""A frame's plan -> the micro-ops before the first stage: levels of ports, buffer descriptors."""

from tdsl.lowering.clock import STRIPS
from tdsl.lowering.frame import Frame
from tdsl.lowering.plan import Plan
from tdsl.lowering.steps import InputStep
from tdsl.lowering.writer import Writer
from tdsl_runtime.isa import Opcode


def emit_descriptors(frame: Frame, writer: Writer) -> None:
    """The levels, and the descriptors that the stages of the frame name."""
    _emit_levels(frame.plan, writer)
    for (tensor, pad), number in frame.buffers.items():
        _emit_buffer(frame.plan, writer, tensor, pad, number)


def first_level(plan: Plan, step: InputStep) -> int:
    """The entry of a step's first level in the table that all ports share."""
    first = 0
    for other in plan.selection.steps:
        if other is step:
            break
        if isinstance(other, InputStep) and other.levels is not None:
            first += len(other.levels)
    return first


def _emit_levels(plan: Plan, writer: Writer) -> None:
    for number, step in enumerate(plan.selection.steps):
        if isinstance(step, InputStep) and step.levels is not None:
            writer.origin = number + 1
            first = first_level(plan, step)
            for entry, (low, high) in enumerate(step.levels.tolist()):
                writer.op(Opcode.LEVEL, index=first + entry, lo=low, hi=high)
    writer.origin = 0


def _emit_buffer(plan: Plan, writer: Writer, index: int, pad: int, number: int) -> None:
    tensor = next(s.out for s in plan.selection.steps if s.out.index == index)
    place = plan.place(tensor)
    cut = plan.strips > 1 and place.step != tensor.width
    writer.op(
        Opcode.BUF,
        buffer=number,
        base=place.base,
        pitch=tensor.channels,
        width=place.width,
        depth=place.depth,
        planes=tensor.planes,
        image_width=tensor.width,
        image_height=tensor.height,
        pad=pad,
        strip=STRIPS if cut else 0,
        step=place.step if cut else 0,
        halo=place.halo if cut else 0,
    )
