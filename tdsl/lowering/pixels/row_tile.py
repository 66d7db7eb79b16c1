"""A row program as tile code inside other programs: what a layer needs to embed it.

The embedding program gives a free range of bit rows, the loop counters that say which tile it is,
and, where ports are used, orders the loads and stores by its own tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tdsl.lowering.pixels.array_cost import array_cost, outside_bodies
from tdsl.lowering.pixels.bit_rows import Assignment, assign, lives
from tdsl.lowering.pixels.code import Region, TileCode
from tdsl.lowering.pixels.emit_steps import Frame, load_op, step_op, store_op
from tdsl.lowering.pixels.order import as_written, deepest_first
from tdsl.lowering.pixels.places import Layout, PortSink, PortSource, Sink, Source, Walk
from tdsl.lowering.pixels.tile_code import tile_code
from tdsl.rows.ir import RowProgram, Shift
from tdsl_runtime.description import MachineDescription
from tdsl_runtime.isa import MicroOp, Opcode

HOPS = 3
"""Cycles in which a bit row moves to a neighbour, about."""


@dataclass(frozen=True, slots=True)
class RowTile:
    """The code of a tile with bit rows, counted from 0: it needs `rows` of them."""

    program: RowProgram
    sources: tuple[Source, ...]
    sinks: tuple[Sink, ...]
    code: TileCode
    assignment: Assignment

    @property
    def rows(self) -> int:
        """Bit rows needed at once."""
        return self.assignment.rows

    @property
    def regions(self) -> tuple[Region, ...]:
        """The pixels around its own that a tile needs of its inputs: what `tilings` asks for."""
        loaded = [load.region for load in self.code.loads]
        return (*loaded, *(region for _, region in self.code.spreads))

    def cycles(self, layout: Layout, machine: MachineDescription) -> int:
        """Cycles that the array is busy with a tile that lies inside the image."""
        cost = array_cost(self.code, self.code.steps, machine)
        return cost.cycles(layout, self.program.stride, machine)


@dataclass(frozen=True, slots=True)
class TileOps:
    """The micro-ops of a tile: `loads` and `stores` are the DMA's, `steps` the array's."""

    loads: tuple[MicroOp, ...]
    steps: tuple[MicroOp, ...]
    stores: tuple[MicroOp, ...]


def row_tile(
    program: RowProgram, sources: Sequence[Source], sinks: Sequence[Sink], rows: int
) -> RowTile:
    """The quickest code of a tile that needs at most `rows` bit rows; else that with the fewest.

    There is a source for every input and a sink for every output; the program has no totals.
    """
    assert not program.totals, "totals need the tile's own mask"
    shifted = any(isinstance(value.op, Shift) for value in program.values)
    least: list[RowTile] = []
    for share in (True, False):
        for order in (deepest_first(program), as_written(program)):
            codes = (
                tile_code(program, sources, sinks, order, share=share, stand=stand)
                for stand in ((False, True) if shifted else (False,))
            )
            tiles = [_assigned(program, sources, sinks, code) for code in codes]
            fitting = [tile for tile in tiles if tile.rows <= rows]
            if fitting:
                return min(fitting, key=lambda tile: _work(tile.code))
            least += tiles
    return min(least, key=lambda tile: tile.rows)


def _assigned(
    program: RowProgram, sources: Sequence[Source], sinks: Sequence[Sink], code: TileCode
) -> RowTile:
    loaded = [load.rows.register for load in code.loads]
    stored = [store.rows.register for store in code.stores]
    found = lives(code.registers, code.steps, loaded, stored)
    assignment = assign(code.registers, code.steps, found)
    return RowTile(program, tuple(sources), tuple(sinks), code, assignment)


def _work(code: TileCode) -> int:
    """Cycles of a tile, about: before its layout is known, all moves are equally far."""
    return sum(
        1 + (step.into.count if step.into else 0) * (HOPS if step.opcode is Opcode.MOVE else 1)
        for step in outside_bodies(code.steps)
    )


def tile_ops(
    tile: RowTile, layout: Layout, walk: Walk, first_row: int = 0, origin: int = 0
) -> TileOps:
    """The micro-ops of the tile that `walk` names, on bit rows from `first_row` (even) on.

    Raises FieldError for a number that its field cannot hold.
    """
    assert first_row % 2 == 0, "trit rows begin at even bit rows"
    bases = [first_row + base for base in tile.assignment.bases]
    program, code = tile.program, tile.code
    frame = Frame(
        bases,
        layout,
        walk,
        program.stride,
        program.inputs,
        tile.sources,
        tile.sinks,
        dict(code.spreads),
    )
    loads: list[MicroOp] = []
    for load in code.loads:
        source = tile.sources[load.channel.port]
        assert isinstance(source, PortSource)
        loads.append(load_op(frame, load, source.port))
    stores: list[MicroOp] = []
    for store in code.stores:
        sink = tile.sinks[store.channel.port]
        assert isinstance(sink, PortSink)
        stores.append(store_op(frame, store, sink.port))
    steps = tuple(step_op(frame, step, origin) for step in code.steps)
    return TileOps(tuple(loads), steps, tuple(stores))
