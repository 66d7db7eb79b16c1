"""A RowStep's turn -> micro-ops: its band of lines, tile by tile."""

from dataclasses import replace

from tdsl.lowering.clock import TILES, Clock
from tdsl.lowering.frame import Frame
from tdsl.lowering.pixels.places import BufferSink, BufferSource, Walk
from tdsl.lowering.pixels.row_tile import tile_ops
from tdsl.lowering.row_plan import RowPlan
from tdsl.lowering.steps import RowStep
from tdsl_runtime.isa import MicroOp, Opcode


def emit_active(frame: Frame) -> None:
    """As many macros as the largest tile of the frame needs take part in all row micro-ops."""
    macros = max((rows.layout.macros for rows in frame.plan.rows.values()), default=0)
    if macros:
        frame.writer.op(Opcode.ACTIVE, macros=macros)


def emit_rows(frame: Frame, step: RowStep, rows: RowPlan, clock: Clock) -> None:
    """One band of lines: all array work, in the order of the code."""
    ops = row_ops(frame, step, rows, clock)
    if rows.across == 1:
        frame.writer.code += ops
        return
    with frame.writer.loop(TILES, rows.across):
        frame.writer.code += ops


def row_ops(frame: Frame, step: RowStep, rows: RowPlan, clock: Clock) -> tuple[MicroOp, ...]:
    """The micro-ops of a tile."""
    line = clock.line(rows.layout.lines, 0)
    walk = Walk(
        lines=line["counter"],
        div=line["div"],
        down=line["mul"],
        top=line["off"],
        pixels=TILES if rows.across > 1 else 0,
        right=rows.layout.width if rows.across > 1 else 0,
    )
    sources = tuple(
        BufferSource(frame.buffer(tensor, one.pad), tensor.planes)
        for tensor, one in zip(step.sources, step.program.inputs, strict=True)
    )
    sinks = (BufferSink(frame.buffer(step.out), step.out.planes),)
    tile = replace(rows.tile, sources=sources, sinks=sinks)
    return tile_ops(tile, rows.layout, walk, frame.plan.first_bit_row, frame.writer.origin).steps
