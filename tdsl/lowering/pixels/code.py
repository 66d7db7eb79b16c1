"""Tile code: what is done to one tile, on registers that have no bit rows yet.

A register is a run of bit rows of its own; a step is one row micro-op whose operands are stretches
of registers. Distances between pixels are lines and pixels: columns come with the layout.
"""

from dataclasses import dataclass

from tdsl.source import NOWHERE, Span
from tdsl_runtime.isa import Opcode

NO_REGISTER = -1
"""The register of an operand that has no say."""


@dataclass(frozen=True, slots=True)
class Register:
    """A run of `bits` bit rows; one that holds trits begins at an `even` bit row."""

    bits: int
    even: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """Bits `low .. low + count - 1` of a register: an unsigned or two's complement number."""

    register: int
    low: int
    count: int
    signed: bool = False

    def upper(self, skipped: int) -> "Rows":
        """The number without its lowest bits: a right shift."""
        if skipped >= self.count:
            assert self.signed, "nothing is left of an unsigned number"
            return Rows(self.register, self.low + self.count - 1, 1, signed=True)
        return Rows(self.register, self.low + skipped, self.count - skipped, self.signed)

    def lowest(self, count: int) -> "Rows":
        """At most the `count` lowest bits."""
        return self if count >= self.count else Rows(self.register, self.low, count, self.signed)

    def bit(self, number: int) -> "Rows":
        """A single bit, as 0 or 1."""
        return Rows(self.register, self.low + number, 1)


@dataclass(frozen=True, slots=True)
class Offset:
    """Lines down and pixels to the right."""

    dy: int = 0
    dx: int = 0

    def __add__(self, other: "Offset") -> "Offset":
        return Offset(self.dy + other.dy, self.dx + other.dx)

    def __sub__(self, other: "Offset") -> "Offset":
        return Offset(self.dy - other.dy, self.dx - other.dx)

    def columns(self, pitch: int) -> int:
        """Columns between the two pixels."""
        return self.dy * pitch + self.dx


HERE = Offset()
"""No distance."""


@dataclass(frozen=True, slots=True)
class Step:
    """A row micro-op of the array: `reads` in the order of its fields, `numbers` its other fields.

    `by` is how far MOVE fetches; `source` says which input or output channel SPREAD and PACK serve.
    """

    opcode: Opcode
    into: Rows | None
    reads: tuple[Rows, ...] = ()
    numbers: tuple[tuple[str, int], ...] = ()
    by: Offset = HERE
    channel: "Channel | None" = None
    span: Span = NOWHERE

    def touched(self) -> tuple[int, ...]:
        """The registers that the step reads or writes."""
        into = () if self.into is None else (self.into.register,)
        read = (rows.register for rows in self.reads if rows.register != NO_REGISTER)
        return (*into, *read)


@dataclass(frozen=True, slots=True)
class Region:
    """The pixels that a tile needs of an input, beyond its own: first and last distances."""

    top: int
    bottom: int
    left: int
    right: int

    def join(self, other: "Region") -> "Region":
        """The smallest region that holds both."""
        return Region(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )

    def moved(self, by: Offset) -> "Region":
        """The region of the value that is read at a distance."""
        return Region(self.top + by.dy, self.bottom + by.dy, self.left + by.dx, self.right + by.dx)

    @property
    def origin(self) -> Offset:
        """The first pixel."""
        return Offset(self.top, self.left)

    @property
    def extra(self) -> Offset:
        """Lines and pixels beyond those of the tile."""
        return Offset(self.bottom - self.top, self.right - self.left)


ALONE = Region(0, 0, 0, 0)
"""No pixels beyond those of the tile."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of an input or output."""

    port: int
    channel: int


@dataclass(frozen=True, slots=True)
class Load:
    """A channel of an input port that a tile reads, and the register that takes it."""

    channel: Channel
    rows: Rows
    region: Region


@dataclass(frozen=True, slots=True)
class Store:
    """A channel of an output port: its rows, whose column `at` is the tile's first pixel."""

    channel: Channel
    rows: Rows
    at: Offset


@dataclass(frozen=True, slots=True)
class TileCode:
    """What is done to a tile: loads, steps in order, stores.

    `spreads` are the regions of the inputs that come from line buffers; `mask` is the register of
    the tile's own pixels, if totals need it.
    """

    registers: tuple[Register, ...]
    loads: tuple[Load, ...]
    steps: tuple[Step, ...]
    stores: tuple[Store, ...]
    spreads: tuple[tuple[Channel, Region], ...] = ()
    mask: int | None = None
