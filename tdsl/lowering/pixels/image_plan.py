"""All that is decided about the program of an image before its micro-ops are written."""

from dataclasses import dataclass

from tdsl.lowering.pixels.code import TileCode
from tdsl.lowering.pixels.overlap import Overlap, Placed
from tdsl.lowering.pixels.places import Walk
from tdsl.lowering.pixels.tiling import Tiling
from tdsl.rows.ir import RowProgram
from tdsl.source import Span
from tdsl_runtime.isa import Opcode

ACROSS, LINES = 1, 2
"""The loop counters of strips and of tiles."""


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """A tile with bit rows, how the image is cut into tiles, and what overlaps."""

    program: RowProgram
    code: TileCode
    tiling: Tiling
    overlap: Overlap
    placed: Placed

    @property
    def walk(self) -> Walk:
        """The tile that the loop counters name."""
        return self.tiling.walk(LINES, ACROSS, upwards=self.overlap.keep)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The places in the source that its steps come from."""
        return tuple(dict.fromkeys(s.span for s in self.placed.steps if s.span.line))

    @property
    def lowest(self) -> int:
        """The turn of the lowest tile."""
        return 0 if self.overlap.keep else self.tiling.down - 1

    @property
    def turning_points(self) -> tuple[int, int]:
        """The steps before which the rows read are free, and the rows of results are needed.

        Neither lies inside the body of a user's micro-op.
        """
        read = {load.rows.register for load in self.placed.landings}
        stored = {store.rows.register for store in self.code.stores}
        after, before, body = 0, len(self.placed.steps), range(0)
        for number, step in enumerate(self.placed.steps):
            if step.opcode is Opcode.UOP:
                body = range(number, number + 1 + dict(step.numbers)["body"])
            inside = number in body
            if read & set(step.touched()):
                after = max(after, body.stop if inside else number + 1)
            if stored & set(step.touched()):
                before = min(before, body.start if inside else number)
        return after, before
