"""A DotStep of a plan -> where its sums lie: pixels of a line, tiles, accumulators, weight rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import lcm

from tdsl.lowering.clock import Clock
from tdsl.lowering.plan import DotPlan, Pass, Piece, Plan
from tdsl.lowering.rates import pool_step
from tdsl.lowering.steps import DotStep, Pooling, is_whole


@dataclass(frozen=True, slots=True)
class Tile:
    """A span of the sums of a line."""

    first: int
    pixels: int


@dataclass(frozen=True, slots=True, eq=False)
class DotGeometry:
    """A DotStep with its form; reductions over whole images keep the last `reserved` accumulators.

    Build it with `dot_geometry`.
    """

    plan: Plan
    step: DotStep
    form: DotPlan
    reserved: int
    first_kept: int

    @property
    def half(self) -> int:
        """Accumulators of a job: the array fills one half while the other is stored."""
        return (self.plan.machine.accumulators - self.reserved) // 2

    def kept(self, number: int) -> int:
        """The accumulator in which pass `number` of a reduction stays."""
        return self.plan.machine.accumulators - self.reserved + self.first_kept + number

    @property
    def stored_window(self) -> tuple[int, int]:
        """Sums of which the post unit stores the largest trit."""
        return self.step.pool if self.step.pooling is Pooling.STORE_MAX else (1, 1)

    def sums(self) -> int:
        """Sums along a line of one turn."""
        step = self.step
        if step.whole:
            return self.plan.place(step.terms[0].source).step
        cut = self.plan.strips > 1
        width = self.plan.place(step.out).width if cut else step.out.width
        return -(-width // step.rise) * self.stored_window[1]

    def tiles(self) -> Iterator[Tile]:
        """The spans of a line, one a job: whole pooling windows and parallel steps."""
        sums = self.sums()
        region = self.half // (2 if self.step.pooling is Pooling.SUM_MAX else 1)
        together = self.form.parallelism.pixels
        unit = lcm(together, self.stored_window[1])
        most = max(1, region * together // unit) * unit
        even = -(-sums // -(-sums // most))
        size = -(-even // unit) * unit
        for first in range(0, sums, size):
            yield Tile(first, min(size, sums - first))

    def jobs(self) -> int:
        """Jobs of a turn."""
        return len(list(self.tiles())) * self.stored_window[0] * len(self.form.passes)

    def weight_row(self, one: Pass) -> int:
        """The first weight row of a pass."""
        at = self.form.passes.index(one)
        return self.form.row + sum(p.rows for p in self.form.passes[:at])

    def source_pixel(self, piece: Piece, position: int) -> int:
        """The source pixel (of the strip) of the first sum (of the strip).

        `position` is the column in a window of sums.
        """
        term = self.step.terms[piece.term]
        halo = self.plan.place(term.source).halo
        if self.step.whole:
            return piece.pixel + halo
        ahead = term.stride[1] * pool_step(self.step)[1]
        before = self.plan.place(self.step.out).halo // self.step.rise
        return halo - before * ahead + piece.pixel + position * term.stride[1]


def dot_geometry(plan: Plan, number: int) -> DotGeometry:
    """The geometry of the DotStep of a number."""
    step = plan.selection.steps[number]
    assert isinstance(step, DotStep)
    reserved = first_kept = 0
    for stage in plan.stages:
        kept = 0
        for turn in stage.turns:
            if turn.step == number:
                first_kept = kept
            if is_whole(plan.step(turn)):
                kept += len(plan.dots[turn.step].passes)
        reserved = max(reserved, kept)
    return DotGeometry(plan, step, plan.dots[number], reserved, first_kept)


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One pass over one tile in one turn, summed into the accumulators from `acc` on.

    `row` is the line in the window of stored sums.
    """

    dot: DotGeometry
    clock: Clock
    one: Pass
    tile: Tile
    row: int
    acc: int
