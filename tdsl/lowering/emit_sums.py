"""A job -> the micro-ops of the array: one DOT for each piece and plane, maxima of windows."""

from tdsl.lowering.dot_geometry import Job
from tdsl.lowering.emit_accumulators import emit_acc
from tdsl.lowering.frame import Frame
from tdsl.lowering.plan import Piece
from tdsl.lowering.rates import pool_step
from tdsl.lowering.steps import Pooling
from tdsl_runtime.isa import AccOp, Opcode


def emit_sums(frame: Frame, job: Job) -> None:
    """The sums of a job; where sums are pooled, the largest of each window."""
    dot, pixels = job.dot, job.tile.pixels
    if dot.step.pooling is not Pooling.SUM_MAX:
        emit_dots(frame, job, (job.row, 0), job.acc)
        return
    spare = job.acc + dot.half // 2
    rows, columns = dot.step.pool
    for number, position in enumerate((y, x) for y in range(rows) for x in range(columns)):
        emit_dots(frame, job, position, spare if number else job.acc)
        if number:
            emit_acc(frame, dot, AccOp.MAX, pixels, dst=job.acc, dstep=1, src=spare, sstep=1)


def emit_dots(frame: Frame, job: Job, position: tuple[int, int], acc: int) -> None:
    """The sums at one position of the pooling window, into the accumulators from `acc` on."""
    clear = 1
    for piece in job.one.pieces:
        for plane in range(job.dot.step.terms[piece.term].source.planes):
            emit_piece(frame, job, piece, plane, position, acc=acc, astep=1, clear=clear)
            clear = 0
    if not job.one.pieces:
        emit_acc(frame, job.dot, AccOp.SET, job.tile.pixels, dst=acc, dstep=1, imm=0)


def emit_piece(
    frame: Frame,
    job: Job,
    piece: Piece,
    plane: int,
    position: tuple[int, int],
    **accumulators: int,
) -> None:
    """One DOT: a piece of the weights over one plane of its source."""
    dot, tile = job.dot, job.tile
    step, parallelism = dot.step, dot.form.parallelism
    term = step.terms[piece.term]
    down = 1 if step.whole else pool_step(step)[0]
    dx = term.stride[1] * (pool_step(step)[1] if step.pooling is Pooling.SUM_MAX else 1)
    frame.writer.op(
        Opcode.DOT,
        buffer=frame.buffer(term.source, term.pad),
        plane=plane,
        **job.clock.line(term.stride[0] * down, piece.line + position[0] * term.stride[0]),
        lines=piece.lines,
        ldil=term.dilation[0] if piece.lines > 1 else 1,
        x0=dot.source_pixel(piece, position[1]) + tile.first * dx,
        dx=dx,
        toff=piece.skip,
        len=piece.length,
        row=dot.weight_row(job.one) + piece.row,
        col=piece.column,
        span=tile.pixels,
        limit=tile.pixels,
        groups=parallelism.groups,
        segments=parallelism.segments,
        macros=job.one.count,
        shift=plane + term.shift,
        **accumulators,
    )
