"""A DotStep's turn -> micro-ops: jobs of DOTs into half the accumulators, stored from there.

While the post unit thresholds and stores one half, the array fills the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import lcm

from tdsl.lowering.allocate import slots_a_row
from tdsl.lowering.clock import Clock
from tdsl.lowering.parallel import INT32, thresholds_of
from tdsl.lowering.plan import DotPlan, Pass, Piece, Place, Plan
from tdsl.lowering.rates import pool_step
from tdsl.lowering.steps import Clamp, Count, DotStep, Pooling, Raw, ShiftRight, Tensor, Tern
from tdsl.lowering.writer import Token, Writer
from tdsl_runtime.isa import AccOp, Opcode, StoreMode, Unit

BufferOf = Callable[[Tensor, int], int]
"""The descriptor of a tensor read with a certain pad."""


@dataclass(frozen=True, slots=True, eq=False)
class DotEmitter:
    """Emits one DotStep of a plan."""

    plan: Plan
    step: DotStep
    dot: DotPlan
    buffer: BufferOf
    writer: Writer
    reserved: int
    """Accumulators at the end that reductions over whole images keep."""

    @property
    def _half(self) -> int:
        return (self.plan.machine.accumulators - self.reserved) // 2

    @property
    def _place(self) -> Place:
        return self.plan.place(self.step.out)

    # -- geometry ----------------------------------------------------------------------------

    def _sums(self) -> int:
        """Sums along a line of one turn."""
        if self.step.whole:
            return self.plan.place(self.step.terms[0].source).step
        width = (
            -(-self._place.width // self.step.rise)
            if self.plan.strips > 1
            else self.step.out.width // self.step.rise
        )
        return width * (self.step.pool[1] if self.step.pooling is Pooling.STORE_MAX else 1)

    def _tiles(self) -> Iterator[tuple[int, int]]:
        """(first, pixels) of the spans of a line: whole pooling windows and parallel steps."""
        sums = self._sums()
        region = self._half // (2 if self.step.pooling is Pooling.SUM_MAX else 1)
        together = self.dot.parallelism.pixels
        window = self.step.pool[1] if self.step.pooling is Pooling.STORE_MAX else 1
        unit = lcm(together, window)
        most = max(1, region * together // unit) * unit
        tiles = -(-sums // most)
        even = -(-sums // tiles)
        size = -(-even // unit) * unit
        for first in range(0, sums, size):
            yield first, min(size, sums - first)

    def jobs(self) -> int:
        """Jobs of a turn."""
        rows = self.step.pool[0] if self.step.pooling is Pooling.STORE_MAX else 1
        return len(list(self._tiles())) * rows * len(self.dot.passes)

    # -- one turn ----------------------------------------------------------------------------

    def turn(self, clock: Clock, halves: tuple[int, ...]) -> None:
        """All passes over one turn's lines. `halves` are the accumulator halves it may use."""
        for number, one in enumerate(self.dot.passes):
            self.load_thresholds(number)
            if self.step.pooling is Pooling.STORE_MAX:
                for row in range(self.step.pool[0]):
                    for tile in self._tiles():
                        self._job(clock, one, tile, row, halves)
            else:
                for tile in self._tiles():
                    self._job(clock, one, tile, 0, halves)

    def load_page(self) -> None:
        """Weights from external memory, once the array is done with those in their place."""
        if self.dot.page is None:
            return
        self.writer.hand_over(Unit.ARRAY, Unit.DMA, Token.PAGE)
        self.writer.op(Opcode.DMAW, row=self.dot.row, source=self.dot.page, n=self.dot.rows)
        self.writer.hand_over(Unit.DMA, Unit.ARRAY, Token.PAGED)

    def load_thresholds(self, number: int) -> None:
        """T registers of a pass."""
        count = thresholds_of(self.step).shape[1]
        if count:
            per_row = slots_a_row(self.plan.machine)
            row, slot = divmod(self.dot.slot + number * count, per_row)
            self.writer.op(Opcode.TLOAD, row=self.plan.weight_rows + row, slot=slot, n=count)

    def _job(
        self, clock: Clock, one: Pass, tile: tuple[int, int], row: int, halves: tuple[int, ...]
    ) -> None:
        half = self.writer.next_half() if len(halves) == 2 else halves[0]
        acc = half * self._half
        self.writer.wait(Unit.ARRAY, Token.FREE_0 + half)
        self._sum(clock, one, tile, row, acc)
        self._post_process(tile, acc)
        self.writer.hand_over(Unit.ARRAY, Unit.POST, Token.FULL_0 + half)
        self._store(clock, one, tile, row, acc)
        self.writer.signal(Unit.POST, Token.FREE_0 + half)

    def _sum(self, clock: Clock, one: Pass, tile: tuple[int, int], row: int, acc: int) -> None:
        if self.step.pooling is not Pooling.SUM_MAX:
            self._dots(clock, one, tile, (row, 0), acc)
            return
        spare = acc + self._half // 2
        for number, position in enumerate(_positions(self.step.pool)):
            self._dots(clock, one, tile, position, spare if number else acc)
            if number:
                self._acc(AccOp.MAX, tile, dst=acc, dstep=1, src=spare, sstep=1)

    def _dots(
        self, clock: Clock, one: Pass, tile: tuple[int, int], position: tuple[int, int], acc: int
    ) -> None:
        clear = 1
        for piece in one.pieces:
            term = self.step.terms[piece.term]
            for plane in range(term.source.planes):
                self._dot(clock, one, piece, plane, tile, position, acc=acc, astep=1, clear=clear)
                clear = 0
        if not one.pieces:
            self._acc(AccOp.SET, tile, dst=acc, dstep=1, imm=0)

    def _dot(
        self,
        clock: Clock,
        one: Pass,
        piece: Piece,
        plane: int,
        tile: tuple[int, int],
        position: tuple[int, int],
        **accumulators: int,
    ) -> None:
        term = self.step.terms[piece.term]
        step_y, step_x = (1, 1) if self.step.whole else pool_step(self.step)
        within_x = self.step.pooling is Pooling.SUM_MAX
        dx = term.stride[1] * (step_x if within_x else 1)
        self.writer.op(
            Opcode.DOT,
            buffer=self.buffer(term.source, term.pad),
            plane=plane,
            **clock.line(term.stride[0] * step_y, piece.line + position[0] * term.stride[0]),
            lines=piece.lines,
            ldil=term.dilation[0] if piece.lines > 1 else 1,
            x0=self._source_pixel(piece, position[1]) + tile[0] * dx,
            dx=dx,
            toff=piece.skip,
            len=piece.length,
            row=self.dot.row + self._row_of(one) + piece.row,
            col=piece.column,
            span=tile[1],
            limit=tile[1],
            groups=self.dot.parallelism.groups,
            segments=self.dot.parallelism.segments,
            macros=one.count,
            shift=plane + term.shift,
            **accumulators,
        )

    def _row_of(self, one: Pass) -> int:
        at = self.dot.passes.index(one)
        return sum(p.rows for p in self.dot.passes[:at])

    def _source_pixel(self, piece: Piece, position: int) -> int:
        """The source pixel (of the strip) of the first sum (of the strip)."""
        term = self.step.terms[piece.term]
        source = self.plan.place(term.source)
        if self.step.whole:
            return piece.pixel + source.halo
        ahead = term.stride[1] * pool_step(self.step)[1]
        out = self._place
        return (
            source.halo
            - (out.halo // self.step.rise) * ahead
            + piece.pixel
            + position * term.stride[1]
        )

    # -- accumulators --------------------------------------------------------------------------

    def _acc(self, op: AccOp, tile: tuple[int, int], **fields: int) -> None:
        self.writer.op(
            Opcode.ACC,
            op=op,
            span=tile[1],
            limit=tile[1],
            groups=self.dot.parallelism.groups,
            segments=self.dot.parallelism.segments,
            **fields,
        )

    def _post_process(self, tile: tuple[int, int], acc: int) -> None:
        for op in self.step.ops:
            match op:
                case Clamp(low=low, high=high):
                    self._acc(AccOp.MAXI, tile, dst=acc, dstep=1, imm=low)
                    self._acc(AccOp.MINI, tile, dst=acc, dstep=1, imm=high)
                case ShiftRight(amount=amount, bias=bias):
                    if bias:
                        self._acc(AccOp.ADDI, tile, dst=acc, dstep=1, imm=bias)
                    self._acc(AccOp.SHR, tile, dst=acc, dstep=1, imm=amount)

    # -- results -------------------------------------------------------------------------------

    def _store(self, clock: Clock, one: Pass, tile: tuple[int, int], row: int, acc: int) -> None:
        rise = self.step.rise
        phases = [one.rise] if one.rise is not None else list(_positions((rise, rise)))
        stored = self.step.pool[1] if self.step.pooling is Pooling.STORE_MAX else 1
        for down, right in phases:
            self.writer.op(
                Opcode.STORE,
                buffer=self.buffer(self.step.out, 0),
                **clock.line(rise, down),
                x0=right + (tile[0] // stored) * rise,
                dx=rise,
                pool=stored,
                combine=int(row > 0),
                chan=one.channel,
                span=tile[1],
                limit=tile[1],
                groups=self.dot.parallelism.groups,
                segments=self.dot.parallelism.segments,
                macros=one.count,
                acc=acc,
                **self._mode(),
            )

    def _mode(self) -> dict[str, int]:
        match self.step.threshold:
            case Tern():
                return {"mode": StoreMode.TERN}
            case Count(bias=bias) if self.dot.spaced is not None:
                return {
                    "mode": StoreMode.SPACED,
                    "levels": self.dot.levels,
                    "bias": bias,
                    "shift": self.dot.spaced,
                }
            case Count(bias=bias):
                return {"mode": StoreMode.COUNT, "levels": self.dot.levels, "bias": bias}
            case Raw():
                return {"mode": StoreMode.RAW}

    # -- reductions over the whole image ---------------------------------------------------------

    def begin_whole(self) -> None:
        """Set the accumulators of a reduction."""
        start = INT32[0] if self.step.pooling is Pooling.SUM_MAX else 0
        self._acc(AccOp.SET, (0, len(self.dot.passes)), dst=self._kept(0), dstep=1, imm=start)

    def _kept(self, number: int) -> int:
        return self.plan.machine.accumulators - self.reserved + number

    def reduce_turn(self, clock: Clock) -> None:
        """Take one line into a reduction. Maxima borrow the second half of the accumulators."""
        largest = self.step.pooling is Pooling.SUM_MAX
        for number, one in enumerate(self.dot.passes):
            for tile in self._tiles() if largest else [(0, self._sums())]:
                self._reduce(clock, one, tile, self._kept(number), largest)

    def _reduce(
        self, clock: Clock, one: Pass, tile: tuple[int, int], kept: int, largest: bool
    ) -> None:
        if not largest:
            for piece in one.pieces:
                for plane in range(self.step.terms[piece.term].source.planes):
                    self._dot(clock, one, piece, plane, tile, (0, 0), acc=kept, astep=0, clear=0)
            return
        spare = self._half
        self.writer.wait(Unit.ARRAY, Token.FREE_1)
        self._dots(clock, one, tile, (0, 0), spare)
        self._acc(AccOp.MAX, tile, dst=kept, dstep=0, src=spare, sstep=1)
        self.writer.signal(Unit.ARRAY, Token.FREE_1)

    def end_whole(self) -> None:
        """Threshold and store the reduction's single pixel."""
        self.writer.half = 0
        for number in range(len(self.dot.passes)):
            self._post_process((0, 1), self._kept(number))
        self.writer.hand_over(Unit.ARRAY, Unit.POST, Token.REDUCED)
        for number, one in enumerate(self.dot.passes):
            self.load_thresholds(number)
            self.writer.op(
                Opcode.STORE,
                buffer=self.buffer(self.step.out, 0),
                chan=one.channel,
                dx=1,
                span=1,
                limit=1,
                macros=one.count,
                acc=self._kept(number),
                **self._mode(),
            )


def _positions(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for y in range(size[0]):
        for x in range(size[1]):
            yield y, x
