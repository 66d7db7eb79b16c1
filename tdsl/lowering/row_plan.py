"""A RowStep on a machine -> its tiles, its code with bit rows, and what a turn costs.

A turn is a band of lines of the whole width, in tiles side by side. Inputs are transposed out of
line buffers, results back into them, so that every other layer meets what it knows.
"""

from dataclasses import dataclass, replace
from math import ceil

from tdsl.lowering.pixels.array_cost import array_cost
from tdsl.lowering.pixels.places import BufferSink, BufferSource, Layout
from tdsl.lowering.pixels.regions import regions
from tdsl.lowering.pixels.row_tile import RowTile, row_tile
from tdsl.lowering.pixels.tiling import tilings
from tdsl.lowering.steps import RowStep, Tensor
from tdsl.rows.ir import RowProgram
from tdsl.source import Span
from tdsl_runtime.description import MachineDescription


@dataclass(frozen=True, slots=True, eq=False)
class RowPlan:
    """A RowStep on the array: `across` tiles of `layout` side by side; an estimate of a turn.

    The buffers of the tile's sources and sinks are numbered when it is emitted.
    """

    tile: RowTile
    layout: Layout
    across: int
    turn_cycles: int

    @property
    def rows(self) -> int:
        """Bit rows needed."""
        return self.tile.rows


def row_step(
    name: str,
    out: Tensor,
    sources: tuple[Tensor, ...],
    program: RowProgram,
    span: Span | None = None,
    macs: int = 0,
) -> RowStep:
    """The step of a program; how many lines a turn makes is decided with its plan."""
    found = regions(program)
    reaches: list[tuple[int, int]] = []
    for number in range(len(program.inputs)):
        own = [region for read, region in found.items() if read.input == number]
        reaches.append(
            (min((r.top for r in own), default=0), max((r.bottom for r in own), default=0))
        )
    return RowStep(name, out, sources, program, tuple(reaches), span=span, macs=macs)


def tile_of(step: RowStep, rows: int) -> RowTile:
    """The quickest code of a tile that so many bit rows hold, else that with the fewest rows."""
    sources = [BufferSource(0, tensor.planes) for tensor in step.sources]
    sinks = [BufferSink(0, step.out.planes)]
    return row_tile(step.program, sources, sinks, rows)


def row_plan(
    step: RowStep,
    tile: RowTile,
    machine: MachineDescription,
    most_lines: int,
    any_size: bool = False,
) -> tuple[RowStep, RowPlan]:
    """The plan with the fewest cycles for bands of at most `most_lines` source lines.

    With the step, whose lines of results a turn are then known. For images of `any_size` a line
    counts, whatever the height: the same plan serves all of them.
    """
    height, width = step.sources[0].height, step.sources[0].width
    stride = step.program.stride
    lines = -(-most_lines // stride[0]) * stride[0]
    best: tuple[float, RowPlan] | None = None
    cost = array_cost(tile.code, tile.code.steps, machine)
    for tiling in tilings(lines, width, stride, tile.regions, machine):
        cycles = tiling.across * cost.cycles(tiling.layout, stride, machine)
        bands = height / tiling.layout.lines
        frame = cycles * (bands if any_size else ceil(bands))
        if best is None or frame < best[0]:
            best = frame, RowPlan(tile, tiling.layout, tiling.across, cycles)
    assert best is not None, "a tile of one pixel fits every array"
    return replace(step, lines=best[1].layout.lines // stride[0]), best[1]
