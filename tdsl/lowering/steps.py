"""What selection makes of a graph: tensors that get a line buffer, and the steps that fill them.

A step computes a whole tensor, line by line; where and when is decided by later stages.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tdsl.rows.ir import RowProgram
from tdsl.source import Span

Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value in memory: `planes` trit planes of `channels` trits a pixel, value = sum 2^j t_j."""

    index: int
    name: str
    channels: int
    height: int
    width: int
    low: int
    high: int

    @property
    def planes(self) -> int:
        """Trit planes in sign-magnitude."""
        return max(1, max(-self.low, self.high).bit_length())


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A convolution of one tensor, `2^shift` times, without padding of its own.

    Output pixel (y, x) reads source pixel (y * stride + offset + k * dilation); `weights` is
    `[out, channels, kh, kw]`, ternary. Pixels outside the image read `pad`.
    """

    source: Tensor
    weights: Array
    stride: tuple[int, int] = (1, 1)
    offset: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    shift: int = 0
    pad: int = 0


class Pooling(StrEnum):
    """How the sums of several positions become one."""

    NONE = "none"
    STORE_MAX = "max of trits"
    SUM_MAX = "max of sums"


@dataclass(frozen=True, slots=True)
class Clamp:
    """The accumulator is cut to low..high."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class ShiftRight:
    """The accumulator becomes floor((x + bias) / 2^amount)."""

    amount: int
    bias: int = 0


AccumulatorOp = Clamp | ShiftRight


@dataclass(frozen=True, slots=True, eq=False)
class Tern:
    """+1 above hi, -1 below lo; both `[out]`."""

    lo: Array
    hi: Array


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """`bias` + the number of thresholds (`[out, n]`) below the sum."""

    thresholds: Array
    bias: int


@dataclass(frozen=True, slots=True)
class Raw:
    """The sum itself."""


Threshold = Tern | Count | Raw


@dataclass(frozen=True, slots=True, eq=False)
class DotStep:
    """Sums of ternary dot products, then accumulator operations, then thresholds.

    `pool` positions a window, windows `pool_stride` apart. Result (y, x) goes to the pixels
    (y * rise + py, x * rise + px): all of them (up-sampling), or, when `shuffle` is set, channel
    block (py, px) each to its own. `whole` sums or maximises over the entire image into one pixel.
    """

    name: str
    out: Tensor
    terms: tuple[Term, ...]
    threshold: Threshold
    ops: tuple[AccumulatorOp, ...] = ()
    pooling: Pooling = Pooling.NONE
    pool: tuple[int, int] = (1, 1)
    pool_stride: tuple[int, int] = (1, 1)
    rise: int = 1
    shuffle: bool = False
    whole: bool = False
    span: Span | None = None
    macs: int = 0

    @property
    def sources(self) -> tuple[Tensor, ...]:
        """The tensors read."""
        return tuple(t.source for t in self.terms)


@dataclass(frozen=True, slots=True)
class LogicStep:
    """Functions of two trits, pixel by pixel: planes of `a` and `b` through a nine-entry table.

    Entry 3 * (a + 1) + (b + 1). An operand of one pixel stands still against an image.
    """

    name: str
    out: Tensor
    a: Tensor
    b: Tensor
    table: tuple[int, ...]
    a_planes: tuple[int, ...]
    b_planes: tuple[int, ...]
    span: Span | None = None

    @property
    def sources(self) -> tuple[Tensor, ...]:
        """The tensors read."""
        return (self.a, self.b)


@dataclass(frozen=True, slots=True, eq=False)
class InputStep:
    """Lines of an input port, as value planes or, by `levels` (`[n, 2]` lo, hi), as trits.

    A turn fetches `lines` lines, the first one from line `first` (not above 0) on: what lies above
    the image is nothing, so that later turns end where a band with its lower neighbours ends.
    """

    name: str
    out: Tensor
    port: int
    levels: Array | None = None
    each: bool = False
    span: Span | None = None
    lines: int = 1
    first: int = 0

    @property
    def sources(self) -> tuple[Tensor, ...]:
        """The tensors read: none."""
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class RowStep:
    """A row program on bands of lines, in the pixel-packed organisation: a layer, or a kernel.

    `sources` are the tensors of the program's inputs, in order; of each it reads the lines from
    `reaches[i][0]` above a pixel to `reaches[i][1]` below it. A turn makes `lines` lines of
    results. Of a network's output, so many bands are `held`: one where channels leave in groups.
    """

    name: str
    out: Tensor
    sources: tuple[Tensor, ...]
    program: RowProgram
    reaches: tuple[tuple[int, int], ...]
    lines: int = 1
    held: int = 2
    span: Span | None = None
    macs: int = 0


Step = DotStep | LogicStep | InputStep | RowStep


def is_whole(step: Step) -> bool:
    """True for a reduction over the entire image."""
    return isinstance(step, DotStep) and step.whole


def lines_a_turn(step: Step) -> int:
    """Lines of results that a turn makes; the last turn may have fewer."""
    match step:
        case DotStep(rise=rise):
            return rise
        case RowStep(lines=lines) | InputStep(lines=lines):
            return lines
        case LogicStep():
            return 1


def held_turns(step: Step) -> int:
    """Turns whose results are held where they leave through the DMA."""
    return step.held if isinstance(step, RowStep) else 2


def first_line(step: Step) -> int:
    """The line with which a step's first turn begins."""
    return step.first if isinstance(step, InputStep) else 0


@dataclass(frozen=True, slots=True)
class Result:
    """A network output: a tensor, or (`argmax`) the index of its first largest channel."""

    name: str
    tensor: Tensor
    argmax: bool
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class InputPort:
    """A network input as the sensor port sees it."""

    name: str
    channels: int
    height: int
    width: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The steps of a network in an order that respects their inputs."""

    network: str
    inputs: tuple[InputPort, ...]
    steps: tuple[Step, ...]
    results: tuple[Result, ...]
