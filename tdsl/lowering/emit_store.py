"""Sums in accumulators -> micro-ops of the post unit: thresholds, then trits in memory."""

from tdsl.lowering.dot_geometry import DotGeometry, Job
from tdsl.lowering.frame import Frame
from tdsl.lowering.plan import Pass
from tdsl.lowering.steps import Count, Raw, Tern
from tdsl_runtime.isa import Opcode, StoreMode


def emit_store(frame: Frame, job: Job) -> None:
    """Store a job: once for each pixel to which its results rise."""
    dot, tile, rise = job.dot, job.tile, job.dot.step.rise
    stored = dot.stored_window[1]
    for down, right in _phases(job.one, rise):
        frame.writer.op(
            Opcode.STORE,
            buffer=frame.buffer(dot.step.out),
            **job.clock.line(rise, down),
            x0=right + (tile.first // stored) * rise,
            dx=rise,
            pool=stored,
            combine=int(job.row > 0),
            chan=job.one.channel,
            span=tile.pixels,
            limit=tile.pixels,
            groups=dot.form.parallelism.groups,
            segments=dot.form.parallelism.segments,
            macros=job.one.count,
            acc=job.acc,
            **_mode(dot),
        )


def emit_store_pixel(frame: Frame, dot: DotGeometry, one: Pass, acc: int) -> None:
    """Store the single pixel of a reduction."""
    frame.writer.op(
        Opcode.STORE,
        buffer=frame.buffer(dot.step.out),
        chan=one.channel,
        dx=1,
        span=1,
        limit=1,
        macros=one.count,
        acc=acc,
        **_mode(dot),
    )


def _phases(one: Pass, rise: int) -> list[tuple[int, int]]:
    """The pixels (y, x) of a square of `rise` that a pass writes."""
    if one.rise is not None:
        return [one.rise]
    return [(y, x) for y in range(rise) for x in range(rise)]


def _mode(dot: DotGeometry) -> dict[str, int]:
    levels, spaced = dot.form.levels, dot.form.spaced
    match dot.step.threshold:
        case Tern():
            return {"mode": StoreMode.TERN}
        case Count(bias=bias) if spaced is not None:
            return {"mode": StoreMode.SPACED, "levels": levels, "bias": bias, "shift": spaced}
        case Count(bias=bias):
            return {"mode": StoreMode.COUNT, "levels": levels, "bias": bias}
        case Raw():
            return {"mode": StoreMode.RAW}
