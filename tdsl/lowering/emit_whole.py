"""A reduction over the whole image -> micro-ops: begun, one line taken in a turn, ended."""

from tdsl.lowering.clock import Clock
from tdsl.lowering.dot_geometry import DotGeometry, Job, Tile
from tdsl.lowering.emit_accumulators import emit_acc, emit_operations
from tdsl.lowering.emit_store import emit_store_pixel
from tdsl.lowering.emit_sums import emit_dots, emit_piece
from tdsl.lowering.emit_weights import load_thresholds
from tdsl.lowering.frame import Frame
from tdsl.lowering.parallel import INT32
from tdsl.lowering.steps import Pooling
from tdsl.lowering.writer import Token
from tdsl_runtime.isa import AccOp, Unit


def begin_whole(frame: Frame, dot: DotGeometry) -> None:
    """Set the accumulators of a reduction: one for each pass."""
    start = INT32[0] if dot.step.pooling is Pooling.SUM_MAX else 0
    passes = len(dot.form.passes)
    emit_acc(frame, dot, AccOp.SET, passes, dst=dot.kept(0), dstep=1, imm=start)


def emit_whole(frame: Frame, dot: DotGeometry, clock: Clock) -> None:
    """Take one line into a reduction."""
    for number, one in enumerate(dot.form.passes):
        if dot.step.pooling is Pooling.SUM_MAX:
            for tile in dot.tiles():
                job = Job(dot, clock, one, tile, 0, dot.half)
                _take_largest(frame, job, dot.kept(number))
        else:
            _add(frame, Job(dot, clock, one, Tile(0, dot.sums()), 0, dot.kept(number)))


def end_whole(frame: Frame, dot: DotGeometry) -> None:
    """Threshold and store the reduction's single pixel."""
    frame.writer.half = 0
    for number in range(len(dot.form.passes)):
        emit_operations(frame, dot, 1, dot.kept(number))
    frame.writer.hand_over(Unit.ARRAY, Unit.POST, Token.REDUCED)
    for number, one in enumerate(dot.form.passes):
        load_thresholds(frame, dot, number)
        emit_store_pixel(frame, dot, one, dot.kept(number))


def _add(frame: Frame, job: Job) -> None:
    """All sums of a line are added to one accumulator."""
    for piece in job.one.pieces:
        for plane in range(job.dot.step.terms[piece.term].source.planes):
            emit_piece(frame, job, piece, plane, (0, 0), acc=job.acc, astep=0, clear=0)


def _take_largest(frame: Frame, job: Job, kept: int) -> None:
    """The sums of a tile pass through the second half of the accumulators, which is borrowed."""
    frame.writer.wait(Unit.ARRAY, Token.FREE_1)
    emit_dots(frame, job, (0, 0), job.acc)
    pixels = job.tile.pixels
    emit_acc(frame, job.dot, AccOp.MAX, pixels, dst=kept, dstep=0, src=job.acc, sstep=1)
    frame.writer.signal(Unit.ARRAY, Token.FREE_1)
