"""What the mapping decides: where tensors and weights lie, what works in parallel, in which order.

Selection says what to compute; a `Plan` adds everything emission needs and nothing more.
"""

from dataclasses import dataclass

from tdsl.lowering.organisation import Choice
from tdsl.lowering.row_plan import RowPlan
from tdsl.lowering.steps import Array, Selection, Step, Tensor
from tdsl_runtime.description import PLANES, MachineDescription


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One DOT of a step for one pass: what it reads, relative to the output pixel, and its weights.

    `weights` is `[outputs of the pass, lines * length]`; it stands in `row` (relative to the
    pass) from column `column`.
    """

    term: int
    line: int
    lines: int
    pixel: int
    skip: int
    length: int
    weights: Array
    row: int
    column: int


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """Some output channels of a step: `first..first + count - 1`, its pieces and its place.

    `rise` is the pixel offset (dy, dx) of its results where the step shuffles pixels; `channel`
    is the first channel written.
    """

    first: int
    count: int
    channel: int
    rise: tuple[int, int] | None
    pieces: tuple[Piece, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Parallelism:
    """How many pixels at once: `groups` of macros, each with its channel; `segments` of a row."""

    groups: int
    segments: int

    @property
    def pixels(self) -> int:
        """Pixels a step."""
        return self.groups * self.segments


@dataclass(frozen=True, slots=True, eq=False)
class DotPlan:
    """A DotStep on the array: `row` is its first weight row, `slot` its first threshold slot.

    `page` is its first row of external memory where its weights are loaded for every use.
    `line_cycles` estimates the cycles of a turn.
    """

    parallelism: Parallelism
    passes: tuple[Pass, ...]
    row: int
    slot: int
    levels: int
    spaced: int | None
    line_cycles: int = 0
    page: int | None = None

    @property
    def rows(self) -> int:
        """Weight rows of all passes."""
        return sum(p.rows for p in self.passes)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor lies: trit address, lines held, pixels held, and its column strips."""

    base: int
    depth: int
    width: int
    step: int
    halo: int


@dataclass(frozen=True, slots=True)
class Turn:
    """When a step works: iteration `delay + y * rate` computes its lines of index y < `count`."""

    step: int
    rate: int
    delay: int
    count: int


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps that stream together, line by line, in one hardware loop of `iterations`."""

    turns: tuple[Turn, ...]
    iterations: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The whole mapping of a network onto a machine."""

    selection: Selection
    machine: MachineDescription
    strategy: str
    strips: int
    stages: tuple[Stage, ...]
    dots: dict[int, DotPlan]
    rows: dict[int, RowPlan]
    places: dict[int, Place]
    weight_rows: int
    threshold_rows: int
    feature_trits: int
    choices: tuple[Choice, ...] = ()

    @property
    def first_bit_row(self) -> int:
        """The first of the bit rows that row programs use: those behind the features."""
        machine = self.machine
        features = -(-self.feature_trits // (machine.columns * machine.macros))
        return PLANES * (self.weight_rows + self.threshold_rows + features)

    @property
    def paged(self) -> bool:
        """Whether weights are loaded from external memory while the network runs."""
        return any(dot.page is not None for dot in self.dots.values())

    def step(self, turn: Turn) -> Step:
        """The step of a turn."""
        return self.selection.steps[turn.step]

    def place(self, tensor: Tensor) -> Place:
        """Where a tensor lies."""
        return self.places[tensor.index]
