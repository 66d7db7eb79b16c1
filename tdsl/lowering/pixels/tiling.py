"""How an image is cut into tiles: which lines, widths and pitches come into question."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tdsl.lowering.pixels.code import Offset, Region
from tdsl.lowering.pixels.places import Layout, Walk
from tdsl_runtime.description import MachineDescription

_MOST_LINES = 2047
"""Lines from tile to tile: the factor of a loop counter."""
_STRIPS = 12
"""Cuts of a line that are tried, from the fewest possible on."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """Tiles of one layout over an image of `height x width`: `down` of them by `across`."""

    layout: Layout
    height: int
    width: int

    @property
    def down(self) -> int:
        """Tiles one below the other."""
        return -(-self.height // self.layout.lines)

    @property
    def across(self) -> int:
        """Tiles side by side."""
        return -(-self.width // self.layout.width)

    @property
    def last(self) -> tuple[int, int]:
        """Lines and pixels of the image in the lowest and in the rightmost tile."""
        lines = self.height - (self.down - 1) * self.layout.lines
        return lines, self.width - (self.across - 1) * self.layout.width

    def walk(self, lines: int, pixels: int, *, upwards: bool = False) -> Walk:
        """The tile named by two loop counters, from the top or, `upwards`, from the bottom.

        Where there is but one tile below or beside the other, no counter is needed.
        """
        layout, down, across = self.layout, self.down, self.across
        step = layout.lines if down > 1 else 0
        return Walk(
            lines=lines if down > 1 else 0,
            down=-step if upwards else step,
            top=(down - 1) * layout.lines if upwards else 0,
            pixels=pixels if across > 1 else 0,
            right=layout.width if across > 1 else 0,
        )


def tilings(
    height: int,
    width: int,
    stride: tuple[int, int],
    regions: Sequence[Region],
    machine: MachineDescription,
) -> Iterator[Tiling]:
    """Tilings of an image, several pitches each; none if no tile fits the array."""
    extra = Offset(
        max((r.extra.dy for r in regions), default=0), max((r.extra.dx for r in regions), default=0)
    )
    columns = machine.macros * machine.columns
    seen: set[Layout] = set()
    found = 0
    for across in range(1, width + 1):
        own = width if across == 1 else _rounded(-(-width // across), stride[1])
        layouts = list(_layouts(own, height, stride[0], extra, columns, machine))
        found += bool(layouts)
        for layout in layouts:
            if layout not in seen:
                seen.add(layout)
                yield Tiling(layout, height, width)
        if found == _STRIPS:
            return


def _layouts(
    width: int, height: int, stride: int, extra: Offset, columns: int, machine: MachineDescription
) -> Iterator[Layout]:
    """The layouts of one width: as many lines as fit, evenly over the tiles."""
    for pitch in _pitches(width + extra.dx, machine.columns):
        most = (columns - width - extra.dx) // pitch + 1 - extra.dy
        most = min(most, _MOST_LINES) // stride * stride if most < height else height
        if most < 1 or width + extra.dx > columns:
            continue
        tiles = -(-height // most)
        lines = height if tiles == 1 else _rounded(-(-height // tiles), stride)
        last = (lines + extra.dy - 1) * pitch + width + extra.dx
        yield Layout(lines, width, pitch, -(-last // machine.columns))


def _pitches(width: int, columns: int) -> Iterator[int]:
    """The narrowest pitch, and wider ones at which lines are cheaper to reach."""
    yield from dict.fromkeys(
        (
            width,
            -(-width // 16) * 16,
            -(-width // columns) * columns,
            1 << (width - 1).bit_length(),
        )
    )


def _rounded(value: int, step: int) -> int:
    return -(-value // step) * step
