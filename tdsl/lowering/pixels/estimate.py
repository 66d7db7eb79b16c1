"""What a way to work through an image costs, in closed form: enough to choose between ways.

The array's cycles are the sum of its micro-ops' cycles; the DMA's follow from the bits that it
moves. Where they overlap the longer one counts, else both.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tdsl.lowering.pixels.code import ALONE, Region, Step, TileCode
from tdsl.lowering.pixels.overlap import Overlap
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


def array_cycles(steps: Iterable[Step], pitch: int, machine: MachineDescription) -> int:
    """Cycles that the array works for a tile."""
    fixed = machine.latch_cycles
    total = 0
    for step in steps:
        match step.opcode:
            case Opcode.CMP | Opcode.CMPI:
                total += fixed + 1 + max(rows.count for rows in step.reads)
            case Opcode.MOVE:
                assert step.into is not None
                macros, columns = divmod(abs(step.by.columns(pitch)), machine.columns)
                total += fixed + step.into.count * (1 + macros + columns.bit_count())
            case Opcode.COUNT:
                total += fixed + step.reads[0].count + machine.macros // 4
            case Opcode.UOP:
                total += dict(step.numbers)["cycles"]
            case _:
                total += fixed + (step.into.count if step.into else 2)
    return total


@dataclass(frozen=True, slots=True)
class ImageCost:
    """Predicts the cycles of whole images for the code of a tile."""

    code: TileCode
    ports: Ports
    stride: tuple[int, int]
    machine: MachineDescription
    _array: dict[int, int] = field(default_factory=dict[int, int])

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
        pitch = tiling.layout.pitch
        if pitch not in self._array:
            self._array[pitch] = array_cycles(self.code.steps, pitch, self.machine)
        return self._array[pitch]

    def _keeping(self, tiling: Tiling, overlap: Overlap) -> int:
        """The cycles of a tile in which kept lines and new ones are joined."""
        if not overlap.keep:
            return 0
        distance = tiling.layout.lines * tiling.layout.pitch
        macros, columns = divmod(distance, self.machine.columns)
        each = 2 + macros + columns.bit_count()
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
