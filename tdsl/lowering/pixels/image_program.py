"""Tiles with bit rows -> the micro-ops of a whole image: loops, reading ahead, tokens, masks.

The tile loop runs upwards where lines are kept (the kept ones then come to lie below the new
ones), else downwards. What the array and the DMA do to the same rows is ordered by tokens:

- FULL (dma -> array): a tile is read;  EMPTY (array -> dma): its rows may be read into again;
- READY (array -> dma): results stand;  DRAINED (dma -> array): their rows may be used again.

Where no tile is read ahead, FULL and READY order everything.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import IntEnum

from tdsl.lowering.pixels.emit_steps import Frame, load_op, step_op, store_op
from tdsl.lowering.pixels.image_plan import ACROSS, LINES, ImagePlan
from tdsl.lowering.pixels.masks import choose_mask, make_masks
from tdsl.lowering.pixels.places import PortSink, PortSource, Walk
from tdsl.lowering.writer import Writer
from tdsl.source import Span
from tdsl_runtime.isa import MicroOp, Opcode, Unit

_MOST_REGISTERS = 1023
"""Result registers that one REGOUT writes."""


class Token(IntEnum):
    """The token queues."""

    FULL = 0
    EMPTY = 1
    READY = 2
    DRAINED = 3


def image_ops(plan: ImagePlan, origins: dict[Span, int]) -> list[MicroOp]:
    """The micro-ops of a program; `origins` number the spans."""
    return _ImageWriter(plan, origins).run()


class _ImageWriter:
    """The micro-ops written so far."""

    def __init__(self, plan: ImagePlan, origins: dict[Span, int]) -> None:
        self.plan = plan
        self.origins = origins
        self.writer = Writer()
        program = plan.program
        self.frame = Frame(
            plan.placed.assignment.bases,
            plan.tiling.layout,
            plan.walk,
            program.stride,
            program.inputs,
            tuple(PortSource(k) for k in range(len(program.inputs))),
            tuple(PortSink(k) for k in range(len(program.outputs))),
            {},
        )

    def run(self) -> list[MicroOp]:
        """The whole program."""
        plan, writer = self.plan, self.writer
        writer.op(Opcode.ACTIVE, macros=plan.tiling.layout.macros)
        make_masks(plan, self.frame, writer)
        self._drained()
        first = replace(plan.walk, lines=0, down=0)
        if plan.overlap.ahead and not plan.overlap.keep:
            self._read(replace(first, pixels=0, right=0))
        for _ in self._loop(ACROSS, plan.tiling.across):
            self._keep_first_lines()
            if plan.overlap.ahead and plan.overlap.keep:
                self._read(first)
            for _ in self._loop(LINES, plan.tiling.down):
                self._tile()
        self._write_totals()
        writer.op(Opcode.HALT)
        return writer.code

    def _loop(self, level: int, count: int) -> Iterator[None]:
        """What is written once for every turn; a single turn needs no loop."""
        if count == 1:
            yield
            return
        with self.writer.loop(level, count):
            yield

    def _tile(self) -> None:
        """One tile: read, worked on, written."""
        plan, writer = self.plan, self.writer
        if not plan.overlap.ahead:
            self._read(self.frame.walk)
        writer.wait(Unit.ARRAY, Token.FULL)
        if plan.code.stores and plan.overlap.ahead and not plan.overlap.behind:
            writer.wait(Unit.ARRAY, Token.DRAINED)
        choose_mask(plan, self.frame, writer)
        self._steps()
        writer.signal(Unit.ARRAY, Token.READY)
        writer.wait(Unit.DMA, Token.READY)
        for store in plan.code.stores:
            writer.code.append(store_op(self.frame, store, store.channel.port))
        self._drained()

    def _drained(self) -> None:
        """The rows of results are free, which matters where the next tile is read already."""
        if self.plan.overlap.ahead and self.plan.code.stores:
            self.writer.signal(Unit.DMA, Token.DRAINED)

    def _steps(self) -> None:
        """The steps, and between them the tokens of what goes on beside them."""
        plan = self.plan
        after_read, before_store = plan.turning_points
        for number, step in enumerate(plan.placed.steps):
            if plan.overlap.behind and number == before_store:
                self.writer.wait(Unit.ARRAY, Token.DRAINED)
            if plan.overlap.ahead and number == after_read:
                self._read_ahead()
            origin = self.origins.get(step.span, 0)
            self.writer.code.append(step_op(self.frame, step, origin))
        if plan.code.stores and plan.overlap.behind and before_store == len(plan.placed.steps):
            self.writer.wait(Unit.ARRAY, Token.DRAINED)
        if plan.overlap.ahead and after_read == len(plan.placed.steps):
            self._read_ahead()

    def _read_ahead(self) -> None:
        """The rows that were read are free: read the next tile into them, if there is one.

        Where lines are kept, another strip begins only when all of the one before is done.
        """
        writer, walk, tiling = self.writer, self.frame.walk, self.plan.tiling
        last, strips = tiling.down - 1, tiling.across - 1
        if last:
            with writer.guard({"counter": LINES, "lo": 0, "hi": last}):
                self._read_next(replace(walk, top=walk.top + walk.down))
        if strips and not self.plan.overlap.keep:
            lowest = {"counter": LINES, "lo": last, "hi": last + 1} if last else None
            with writer.guard(lowest), writer.guard({"counter": ACROSS, "lo": 0, "hi": strips}):
                self._read_next(replace(walk, lines=0, down=0, left=walk.left + walk.right))

    def _read_next(self, walk: Walk) -> None:
        self.writer.hand_over(Unit.ARRAY, Unit.DMA, Token.EMPTY)
        self._read(walk)

    def _read(self, walk: Walk) -> None:
        """The loads of a tile."""
        kept = {load.channel for load in self.plan.placed.kept}
        frame = replace(self.frame, walk=walk)
        for load in self.plan.placed.landings:
            new = self.plan.tiling.layout.lines
            lines = new if load.channel in kept else new + load.region.extra.dy
            self.writer.code.append(load_op(frame, load, load.channel.port, lines))
        self.writer.signal(Unit.DMA, Token.FULL)

    def _keep_first_lines(self) -> None:
        """The lines below the lowest tile, as if a tile there had read them."""
        layout, walk = self.plan.tiling.layout, self.plan.walk
        below = replace(walk, lines=0, down=0, top=walk.top + layout.lines)
        frame = replace(self.frame, walk=below)
        for load in self.plan.placed.kept:
            extra = load.region.extra.dy
            self.writer.code.append(load_op(frame, load, load.channel.port, extra))

    def _write_totals(self) -> None:
        """The result registers, when the last tile is counted."""
        slot, port = 0, len(self.plan.program.outputs)
        for number, total in enumerate(self.plan.program.totals):
            for chan in range(0, len(total.values), _MOST_REGISTERS):
                n = min(_MOST_REGISTERS, len(total.values) - chan)
                self.writer.op(Opcode.REGOUT, slot=slot, n=n, port=port + number, chan=chan)
                slot += n
