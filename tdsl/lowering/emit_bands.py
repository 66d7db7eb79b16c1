"""A RowStep's turn -> micro-ops: its band on the array, and beside it what the DMA moves.

The sequencer issues in order and units have short queues, so the DMA works beside the array only
where its micro-ops stand between those of the array: the lines of the next bands are spread over
the whole band, and output channels leave in groups while the array makes the next ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tdsl.lowering.clock import Clock
from tdsl.lowering.emit_results import results_of, send_op, taken, wait_taken, write_made
from tdsl.lowering.emit_rows import row_ops
from tdsl.lowering.frame import Frame
from tdsl.lowering.row_plan import RowPlan
from tdsl.lowering.steps import RowStep, lines_a_turn
from tdsl.lowering.writer import Writer
from tdsl_runtime.isa import MicroOp, Opcode
from tdsl_runtime.timing import Extent, cost

Code = tuple[MicroOp, ...]

GROUPS = 8
"""Groups in which the channels of a band leave, at most: the last one leaves alone."""
LEAST = 16
"""DMA cycles that a line of a group takes at least, beside the one in which it starts."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Micro-ops that stay together, and after how many cycles of the array's work they stand."""

    at: float
    code: Code
    loads: bool = False


def emit_band(
    frame: Frame,
    step: RowStep,
    rows: RowPlan,
    clock: Clock,
    iterations: int,
    loads: Sequence[Code],
) -> None:
    """A band in one tile: `loads`, guarded as they are, stand between its micro-ops."""
    work = list(_work(row_ops(frame, step, rows, clock), rows, frame))
    end = work[-1].at + 1 if work else 0
    pieces = [_Piece(_first_pack(work), _before(frame, step)), *work]
    pieces += _sends(frame, step, clock, work, end)
    pieces += [_Piece(end * i / len(loads), code, loads=True) for i, code in enumerate(loads)]
    pieces.sort(key=lambda piece: piece.at)
    for loaded, group in groupby(pieces, key=lambda piece: piece.loads):
        with frame.writer.guard(None if loaded else clock.guard(iterations)):
            for piece in group:
                frame.writer.code += piece.code


def _first_pack(work: Sequence[_Piece]) -> float:
    """After how many cycles the array writes its first result into a line buffer."""
    packs = (n for n, piece in enumerate(work) if piece.code[0].opcode is Opcode.PACK)
    before = next(packs, 0) - 1
    return work[before].at if before >= 0 else -1


def _before(frame: Frame, step: RowStep) -> Code:
    """The lines that the band overwrites have left."""
    writer = Writer(origin=frame.writer.origin)
    wait_taken(Frame(frame.plan, writer, frame.buffers), step)
    return tuple(writer.code)


def _work(ops: Code, rows: RowPlan, frame: Frame) -> Iterator[_Piece]:
    """The array's micro-ops, each with the body that gives its meaning."""
    layout = rows.layout
    extent = Extent(pixels=layout.lines * layout.width, macros=layout.macros)
    number, spent = 0, 0.0
    while number < len(ops):
        op = ops[number]
        after = number + 1 + (op["body"] if op.opcode is Opcode.UOP else 0)
        spent += cost(frame.plan.machine, op, extent).busy
        yield _Piece(spent, ops[number:after])
        number = after


def _sends(
    frame: Frame, step: RowStep, clock: Clock, work: Sequence[_Piece], end: float
) -> Iterator[_Piece]:
    """Every result's lines: a group of channels is sent while the next one is made."""
    for number, result in results_of(frame.plan, step):
        size = 0 if result.argmax else _group(frame, step)
        channels = step.out.channels
        groups = [range(c, min(c + size, channels)) for c in range(0, channels, size or channels)]
        ready = [_ready(work, group) for group in groups] if size else [end]
        ready = [max(ready[: n + 1]) for n in range(len(ready))]
        for group, at, until in zip(groups, ready, [*ready[1:], end + 1], strict=True):
            yield _Piece(at, write_made(frame, number))
            lines = lines_a_turn(step)
            for line in range(lines):
                fields = clock.line(lines, line)
                part = (group.start, len(group)) if size else None
                place = at + (until - at) * line / lines
                yield _Piece(place, (send_op(frame, number, result, fields, part),))
        yield _Piece(end + 2, taken(frame, number))


def _ready(work: Sequence[_Piece], channels: range) -> float:
    """After how many cycles a group of channels is in its line buffer."""
    packs = [
        piece.at
        for piece in work
        for op in piece.code
        if op.opcode is Opcode.PACK
        and op["chan"] < channels.stop
        and op["chan"] + op["n"] > channels.start
    ]
    return max(packs, default=0.0)


def _group(frame: Frame, step: RowStep) -> int:
    """Channels of a group."""
    machine, out = frame.plan.machine, step.out
    bits = out.width * max(1, (out.high - out.low).bit_length())
    least = -(-LEAST * machine.dma_bits // bits)
    return min(out.channels, max(least, -(-out.channels // GROUPS)))
