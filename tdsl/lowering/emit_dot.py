"""A DotStep's turn -> micro-ops: jobs of DOTs into half the accumulators, stored from there.

While the post unit thresholds and stores one half, the array fills the other.
"""

from tdsl.lowering.clock import Clock
from tdsl.lowering.dot_geometry import DotGeometry, Job
from tdsl.lowering.emit_accumulators import emit_operations
from tdsl.lowering.emit_store import emit_store
from tdsl.lowering.emit_sums import emit_sums
from tdsl.lowering.emit_weights import load_thresholds
from tdsl.lowering.frame import Frame
from tdsl.lowering.writer import Token
from tdsl_runtime.isa import Unit


def emit_dot(frame: Frame, dot: DotGeometry, clock: Clock, halves: tuple[int, ...]) -> None:
    """All passes over one turn's lines. `halves` are the accumulator halves it may use."""
    for number, one in enumerate(dot.form.passes):
        load_thresholds(frame, dot, number)
        for row in range(dot.stored_window[0]):
            for tile in dot.tiles():
                half = frame.writer.next_half() if len(halves) == 2 else halves[0]
                _emit_job(frame, Job(dot, clock, one, tile, row, half * dot.half), half)


def _emit_job(frame: Frame, job: Job, half: int) -> None:
    frame.writer.wait(Unit.ARRAY, Token.FREE_0 + half)
    emit_sums(frame, job)
    emit_operations(frame, job.dot, job.tile.pixels, job.acc)
    frame.writer.hand_over(Unit.ARRAY, Unit.POST, Token.FULL_0 + half)
    emit_store(frame, job)
    frame.writer.signal(Unit.POST, Token.FREE_0 + half)
