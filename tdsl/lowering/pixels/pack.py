"""Results for line buffers: values as trit rows, which PACK transposes."""

from dataclasses import replace

from tdsl.lowering.pixels.code import Channel, Register, Rows
from tdsl.lowering.pixels.held import Held
from tdsl.lowering.pixels.places import BufferSink
from tdsl.lowering.pixels.step_writer import AND, COPY, StepWriter
from tdsl.lowering.pixels.value_maker import ValueMaker
from tdsl.rows.ir import Range
from tdsl_runtime.isa import Opcode

_TRIT = Range(-1, 1)


def write_packed(
    channel: Channel, sink: BufferSink, value: Held, maker: ValueMaker, given: Range
) -> None:
    """A value in the range `given` to a channel of a line buffer, in sign-magnitude."""
    writer = maker.writer
    if sink.planes == 1 and _TRIT.holds(given):
        _pack(writer, channel, replace(value, rows=_trit_row(writer, value.rows)), 0)
        return
    size = Range(0, max(abs(given.low), abs(given.high)))
    magnitude = maker.sums.absolute(value, size)
    sign = value.rows.bit(value.rows.count - 1) if value.rows.signed else 0
    for plane in range(sink.planes):
        trits = writer.register(2, signed=True, even=True)
        nonzero = magnitude.rows.bit(plane) if plane < magnitude.rows.count else 0
        writer.logic(trits.bit(0), nonzero, 0, COPY)
        writer.logic(trits.bit(1), nonzero, sign, AND)
        _pack(writer, channel, Held(trits, 0, value.at), plane)


def _trit_row(writer: StepWriter, rows: Rows) -> Rows:
    """A value of -1, 0, +1 as a trit row: its own register where that is one already."""
    size = writer.registers[rows.register].bits
    if (rows.low, rows.count, rows.signed, size) == (0, 2, True, 2):
        writer.registers[rows.register] = Register(2, even=True)
        return rows
    return writer.logic(writer.register(2, signed=True, even=True), rows, 0, COPY)


def _pack(writer: StepWriter, channel: Channel, trits: Held, plane: int) -> None:
    """The step that writes a plane; `by` is where the tile's first pixel stands."""
    writer.transpose(Opcode.PACK, None, (trits.rows,), channel, plane, trits.at)
