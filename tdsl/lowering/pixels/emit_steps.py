"""Steps, loads and stores -> micro-ops, where the bit rows and the layout of the tile are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tdsl.lowering.pixels.code import NO_REGISTER, Channel, Load, Offset, Region, Rows, Step, Store
from tdsl.lowering.pixels.places import BufferSink, BufferSource, Layout, Sink, Source, Walk
from tdsl.rows.ir import Border, RowInput
from tdsl_runtime.description import PLANES
from tdsl_runtime.isa import TABLE, MicroOp, Opcode
from tdsl_runtime.isa import Border as Outside
from tdsl_runtime.row_fields import row_micro_op

_READS = {
    Opcode.LOGIC: ("a", "b"),
    Opcode.SUM: ("a", "b"),
    Opcode.SUMI: ("a",),
    Opcode.CMP: ("a", "b"),
    Opcode.CMPI: ("a",),
    Opcode.SELECT: ("tag", "a", "b"),
    Opcode.MOVE: ("a",),
    Opcode.COUNT: ("a", "mask"),
    Opcode.UOP: (),
}
"""The fields of what a step reads."""

_BORDERS = {Border.CONSTANT: Outside.CONSTANT, Border.EDGE: Outside.EDGE}
_FIELDS = {opcode: {field.name for field in TABLE[opcode].fields} for opcode in TABLE}


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a tile is: its registers' bit rows, its layout, its pixels, and whom it serves."""

    bases: Sequence[int]
    layout: Layout
    walk: Walk
    stride: tuple[int, int]
    inputs: Sequence[RowInput]
    sources: Sequence[Source]
    sinks: Sequence[Sink]
    spreads: Mapping[Channel, Region]

    def row(self, rows: Rows) -> int:
        """The first bit row of an operand; 0 of one that has no say."""
        return 0 if rows.register == NO_REGISTER else self.bases[rows.register] + rows.low


def step_op(frame: Frame, step: Step, origin: int = 0) -> MicroOp:
    """The micro-op of a step. Raises FieldError for a number that its field cannot hold."""
    match step.opcode:
        case Opcode.SPREAD:
            return _spread(frame, step, origin)
        case Opcode.PACK:
            return _pack(frame, step, origin)
        case opcode:
            return row_micro_op(opcode, origin, **_array_fields(frame, step))


def _array_fields(frame: Frame, step: Step) -> dict[str, int]:
    known = _FIELDS[step.opcode]
    fields = dict(step.numbers)
    if step.into is not None:
        fields["dst"] = frame.row(step.into)
        if "n" in known:
            fields["n"] = step.into.count
    for name, rows in zip(_READS[step.opcode], step.reads, strict=True):
        fields[name] = frame.row(rows)
        if f"{name}n" in known:
            fields |= {f"{name}n": rows.count, f"{name}s": int(rows.signed)}
    if step.opcode is Opcode.MOVE:
        fields["by"] = step.by.columns(frame.layout.pitch)
    return fields


def load_op(frame: Frame, load: Load, port: int, lines: int | None = None) -> MicroOp:
    """The BANDIN of a channel: all lines that the tile needs, or only the first `lines`."""
    given = frame.inputs[load.channel.port]
    edge = given.border is Border.EDGE
    return row_micro_op(
        Opcode.BANDIN,
        dst=frame.row(load.rows),
        n=load.rows.count,
        port=port,
        chan=load.channel.channel,
        border=_BORDERS[given.border],
        pad=0 if edge else given.pad,
        **_area(frame, load.region, lines),
    )


def store_op(frame: Frame, store: Store, port: int) -> MicroOp:
    """The BANDOUT of a channel."""
    return row_micro_op(
        Opcode.BANDOUT,
        a=frame.row(store.rows),
        an=store.rows.count,
        **{"as": int(store.rows.signed)},
        port=port,
        chan=store.channel.channel,
        **_result_area(frame, store.at),
    )


def _spread(frame: Frame, step: Step, origin: int) -> MicroOp:
    assert step.channel is not None
    assert step.into is not None
    source = frame.sources[step.channel.port]
    assert isinstance(source, BufferSource)
    return row_micro_op(
        Opcode.SPREAD,
        origin,
        row=frame.row(step.into) // PLANES,
        n=1,
        buffer=source.buffer,
        chan=source.channel + step.channel.channel,
        **dict(step.numbers),
        **_area(frame, frame.spreads[step.channel]),
    )


def _pack(frame: Frame, step: Step, origin: int) -> MicroOp:
    assert step.channel is not None
    sink = frame.sinks[step.channel.port]
    assert isinstance(sink, BufferSink)
    return row_micro_op(
        Opcode.PACK,
        origin,
        row=frame.row(step.reads[0]) // PLANES,
        n=1,
        buffer=sink.buffer,
        chan=sink.channel + step.channel.channel,
        **dict(step.numbers),
        **_result_area(frame, step.by),
    )


def _area(frame: Frame, region: Region, lines: int | None = None) -> dict[str, int]:
    """The fields of a tile with the pixels around it."""
    layout, walk, extra = frame.layout, frame.walk, region.extra
    return {
        "pitch": layout.pitch,
        "lines": layout.lines + extra.dy if lines is None else lines,
        "width": layout.width + extra.dx,
        "counter": walk.lines,
        "div": walk.div,
        "mul": walk.down,
        "off": walk.top + region.top,
        "xcounter": walk.pixels,
        "xmul": walk.right,
        "xoff": walk.left + region.left,
    }


def _result_area(frame: Frame, at: Offset) -> dict[str, int]:
    """The fields of a tile of results: every `stride`-th line and pixel of it."""
    layout, walk, (down, right) = frame.layout, frame.walk, frame.stride
    assert walk.down % down == walk.top % down == walk.right % right == walk.left % right == 0
    return {
        "first": at.columns(layout.pitch),
        "step": right,
        "pitch": layout.pitch * down,
        "lines": -(-layout.lines // down),
        "width": -(-layout.width // right),
        "counter": walk.lines,
        "div": walk.div,
        "mul": walk.down // down,
        "off": walk.top // down,
        "xcounter": walk.pixels,
        "xmul": walk.right // right,
        "xoff": walk.left // right,
    }
