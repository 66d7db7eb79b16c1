"""What a way to work through an image costs, in closed form: enough to choose between ways.

The array's cycles are the sum of its micro-ops' cycles; the DMA's follow from the bits that it
moves. Where they overlap the longer one counts, else both. (`predict` is exact, and slower.)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from tdsl.lowering.pixels.array_cost import array_cost, hops
from tdsl.lowering.pixels.code import ALONE, Region, TileCode
from tdsl.lowering.pixels.overlap import Overlap
from tdsl.lowering.pixels.tiling import Tiling
from tdsl_runtime.description import PLANES, MachineDescription


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


@dataclass(frozen=True, slots=True)
class Estimate:
    """Cycles of an image, about, and what the array does in them: its cycles times its macros."""

    cycles: int
    activity: int


def ranked(estimates: Iterable[Estimate]) -> list[int]:
    """The numbers of estimates, the best first.

    Within a hundredth of the fewest cycles, the least activity counts: the rest is energy.
    """
    found = list(estimates)
    fewest = min((one.cycles for one in found), default=0)

    def rank(number: int) -> tuple[int, int]:
        one = found[number]
        return (max(0, one.cycles - fewest - fewest // 100), one.activity)

    return sorted(range(len(found)), key=rank)


@dataclass(frozen=True, slots=True)
class Turn:
    """Cycles of one tile, on average: of the DMA and of the array.

    `early` are those of the array until the rows that were read are free again.
    """

    reading: int
    writing: int
    work: int
    early: int

    def cycles(self, tiling: Tiling, overlap: Overlap, hand_over: int) -> int:
        """Cycles of all tiles, where one turn begins as soon as another lets it.

        Where lines are kept, a strip begins only when the one before is done.
        """
        both = self.reading + self.writing
        if overlap.behind:
            each = max(self.work, both, self.reading + self.early)
        elif overlap.ahead:
            each = max(self.work, self.reading + self.early) + self.writing + hand_over
        else:
            each = self.work + both + 2 * hand_over
        starts = tiling.across if overlap.keep else 1
        tiles = tiling.down * tiling.across
        return (tiles - starts) * each + starts * (self.work + both + 2 * hand_over)


class ImageCost:
    """Predicts the cycles of whole images for the code of a tile."""

    def __init__(
        self, code: TileCode, ports: Ports, stride: tuple[int, int], machine: MachineDescription
    ) -> None:
        read = {load.rows.register for load in code.loads}
        touching = [k for k, step in enumerate(code.steps) if read & set(step.touched())]
        self.ports = ports
        self.stride = stride
        self.machine = machine
        self._known: dict[tuple[Tiling, bool], tuple[int, int, int, int]] = {}
        self._all = array_cost(code, code.steps, machine)
        self._early = array_cost(code, code.steps[: max(touching, default=-1) + 1], machine)

    def estimate(self, tiling: Tiling, overlap: Overlap) -> Estimate:
        """What a whole image takes."""
        key = tiling, overlap.keep
        if key not in self._known:
            self._known[key] = self._parts(tiling, overlap.keep)
        reading, writing, work, early = self._known[key]
        joining, direct = self._joining(tiling, overlap)
        turn = Turn(reading, writing, joining + work, joining + direct * early)
        tiles = tiling.down * tiling.across
        cycles = turn.cycles(tiling, overlap, self.machine.dma_cycles + 4)
        return Estimate(cycles, tiles * turn.work * tiling.layout.macros)

    def _parts(self, tiling: Tiling, keep: bool) -> tuple[int, int, int, int]:
        """Cycles of a turn for reading, writing, and the array in all and until all is read."""
        tiles = tiling.down * tiling.across
        return (
            self._reading(tiling, keep) // tiles + len(self.ports.reads) + 2,
            self._writing(tiling) // tiles + len(self.ports.writes) + 1,
            self._all.cycles(tiling.layout, self.stride, self.machine),
            self._early.cycles(tiling.layout, self.stride, self.machine),
        )

    def _joining(self, tiling: Tiling, overlap: Overlap) -> tuple[int, bool]:
        """Cycles in which kept lines and new ones are joined; whether some read rows are not."""
        latch = self.machine.latch_cycles
        distance = hops(tiling.layout.lines * tiling.layout.pitch, self.machine)
        total, direct = 0, False
        for read in self.ports.reads:
            if overlap.keep and read.region.extra.dy:
                total += 2 * latch + read.rows * (1 + distance)
            elif overlap.copy:
                total += latch + read.rows
            else:
                direct = True
        return total, direct

    def _reading(self, tiling: Tiling, keep: bool) -> int:
        return sum(
            _items(_pixels_read(tiling, read.region, keep), read, self.machine)
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


@lru_cache(maxsize=1024)
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
