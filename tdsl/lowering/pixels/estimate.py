"""What a way to work through an image costs, in closed form: enough to choose between ways.

The array's cycles are the sum of its micro-ops' cycles; the DMA's follow from the bits that it
moves. Where they overlap the longer one counts, else both.
"""

from dataclasses import dataclass, field

from tdsl.lowering.pixels.code import ALONE, Region, Step, TileCode
from tdsl.lowering.pixels.overlap import Overlap
from tdsl.lowering.pixels.places import Layout
from tdsl.lowering.pixels.tiling import Tiling
from tdsl_runtime.description import PLANES, MachineDescription
from tdsl_runtime.isa import Opcode


@dataclass(frozen=True, slots=True)
class Passage:
    """A channel that passes a port: bits of a value there, bit rows here, and the region read."""

    bits: int
    rows: int
    region: Region = ALONE


@dataclass(frozen=True, slots=True)
class Ports:
    """The channels that a tile reads and those that it writes."""

    reads: tuple[Passage, ...]
    writes: tuple[Passage, ...]


def array_cycles(
    code: TileCode, layout: Layout, stride: tuple[int, int], machine: MachineDescription
) -> int:
    """Cycles that the array works for a tile that lies inside the image."""
    regions = dict(code.spreads)
    results = -(-layout.lines // stride[0]) * -(-layout.width // stride[1])
    total = body = 0
    for step in code.steps:
        if body:
            body -= 1
            continue
        if step.opcode is Opcode.UOP:
            body = dict(step.numbers)["body"]
        pixels = results
        if step.opcode is Opcode.SPREAD and step.channel is not None:
            extra = regions[step.channel].extra
            pixels = (layout.lines + extra.dy) * (layout.width + extra.dx)
        total += _step_cycles(step, layout, pixels, machine)
    return total


def _step_cycles(step: Step, layout: Layout, pixels: int, machine: MachineDescription) -> int:
    latch = machine.latch_cycles
    match step.opcode:
        case Opcode.CMP | Opcode.CMPI:
            return latch + 1 + max(rows.count for rows in step.reads)
        case Opcode.SELECT:
            assert step.into is not None
            return latch + 1 + step.into.count
        case Opcode.MOVE:
            assert step.into is not None
            distance = step.by.columns(layout.pitch)
            return latch + step.into.count * _hops(distance, machine)
        case Opcode.COUNT:
            gathered = 16 * layout.macros // (PLANES * machine.gather_trits)
            return latch + 1 + step.reads[0].count + gathered
        case Opcode.SPREAD | Opcode.PACK:
            return -(-pixels // min(machine.channel_trits, machine.gather_trits))
        case Opcode.UOP:
            return dict(step.numbers)["cycles"]
        case _:
            assert step.into is not None
            return latch + step.into.count


def _hops(distance: int, machine: MachineDescription) -> int:
    """Cycles in which a bit row moves some columns: macro by macro, then within macros."""
    macros, columns = divmod(abs(distance), machine.columns)
    return 1 + macros + columns.bit_count()


@dataclass(frozen=True, slots=True)
class ImageCost:
    """Predicts the cycles of whole images for the code of a tile."""

    code: TileCode
    ports: Ports
    stride: tuple[int, int]
    machine: MachineDescription
    _array: dict[Layout, int] = field(default_factory=dict[Layout, int])

    def cycles(self, tiling: Tiling, overlap: Overlap) -> int:
        """Cycles of a whole image, about."""
        tiles = tiling.down * tiling.across
        work = tiles * (self._work(tiling) + self._keeping(tiling, overlap))
        reading = self._reading(tiling, overlap)
        reading += tiles * (len(self.ports.reads) + len(self.ports.writes) + 2)
        writing = self._writing(tiling)
        hand_over = self.machine.dma_cycles + 4
        if overlap.behind:
            ends = (work + reading + writing) // tiles
            return max(work, reading + writing) + ends + 2 * hand_over
        if overlap.ahead:
            return max(work, reading) + writing + reading // tiles + tiles * hand_over
        return work + reading + writing + 2 * tiles * hand_over

    def _work(self, tiling: Tiling) -> int:
        key = tiling.layout
        if key not in self._array:
            self._array[key] = array_cycles(self.code, key, self.stride, self.machine)
        return self._array[key]

    def _keeping(self, tiling: Tiling, overlap: Overlap) -> int:
        """The cycles of a tile in which kept lines and new ones are joined."""
        if not overlap.keep:
            return 0
        each = 1 + _hops(tiling.layout.lines * tiling.layout.pitch, self.machine)
        rows = sum(read.rows for read in self.ports.reads if read.region.extra.dy)
        return rows * each + 2 * self.machine.latch_cycles * len(self.ports.reads)

    def _reading(self, tiling: Tiling, overlap: Overlap) -> int:
        return sum(
            _items(_pixels_read(tiling, read.region, overlap.keep), read, self.machine)
            for read in self.ports.reads
        )

    def _writing(self, tiling: Tiling) -> int:
        lines, pixels = -(-tiling.height // self.stride[0]), -(-tiling.width // self.stride[1])
        return sum(_items(lines * pixels, write, self.machine) for write in self.ports.writes)


def _pixels_read(tiling: Tiling, region: Region, keep: bool) -> int:
    """Pixels of the image that all tiles read."""
    own = tiling.layout
    lines = (
        tiling.height
        if keep and region.extra.dy
        else _covered(tiling.height, own.lines, tiling.down, region.top, region.extra.dy)
    )
    return lines * _covered(tiling.width, own.width, tiling.across, region.left, region.extra.dx)


def _covered(size: int, own: int, tiles: int, first: int, extra: int) -> int:
    """Pixels inside the image of stretches of `own + extra`, `own` apart."""
    total = 0
    for tile in range(tiles):
        start = tile * own + first
        total += max(0, min(size, start + own + extra) - max(0, start))
    return total


def _items(pixels: int, passage: Passage, machine: MachineDescription) -> int:
    """Cycles that the DMA takes for values of some pixels."""
    gathered = passage.rows * pixels // (PLANES * machine.gather_trits)
    return max(pixels * passage.bits // machine.dma_bits, gathered)
