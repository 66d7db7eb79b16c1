"""Row programs: what `@kernel`s and pixel-packed layers compute, before it has a place.

A value is an integer for every pixel of the plane, with the exact range it lies in; a program is a
list of values, each made from earlier ones. Every value is a function of the pixel alone: the
value at a neighbour is the same formula worked out there, so that there is no border inside a
program, only the borders of its inputs.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from tdsl.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Range:
    """Every integer from `low` to `high`, both included."""

    low: int
    high: int

    @property
    def signed(self) -> bool:
        """Whether two's complement is needed; else the bits are unsigned."""
        return self.low < 0

    @property
    def bits(self) -> int:
        """Bit rows of a value: at least 1."""
        if self.signed:
            return 1 + max((-1 - self.low).bit_length(), max(self.high, 0).bit_length())
        return max(1, self.high.bit_length())

    def holds(self, other: "Range") -> bool:
        """Whether every value of `other` lies in this range."""
        return self.low <= other.low and other.high <= self.high


class Border(StrEnum):
    """What an input reads outside its image."""

    CONSTANT = "constant"
    EDGE = "edge"


@dataclass(frozen=True, slots=True)
class RowInput:
    """An image `[channels, H, W]` of values in `range`; outside: `pad`, or the nearest pixel."""

    name: str
    range: Range
    channels: int = 1
    border: Border = Border.CONSTANT
    pad: int = 0


@dataclass(frozen=True, slots=True)
class Read:
    """The pixel itself of a channel of an input."""

    input: int
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Constant:
    """The same integer in every pixel."""

    value: int


@dataclass(frozen=True, slots=True)
class Shift:
    """The value `a` of the pixel `dy` lines below and `dx` pixels to the right."""

    a: int
    dy: int
    dx: int


class Arithmetic(StrEnum):
    """Functions of two values."""

    ADD = "+"
    SUB = "-"
    MUL = "*"
    MIN = "min"
    MAX = "max"
    AND = "&"
    OR = "|"
    XOR = "^"
    """Bitwise on two's complement of any width: AND, OR, XOR."""


@dataclass(frozen=True, slots=True)
class Binary:
    """`a` with `b`."""

    op: Arithmetic
    a: int
    b: int


class Sole(StrEnum):
    """Functions of one value."""

    NEG = "-"
    ABS = "abs"
    NOT = "~"
    """1 - a of a value in 0..1; -1 - a of any other."""
    POPCOUNT = "popcount"
    """The ones of a value that is not negative."""


@dataclass(frozen=True, slots=True)
class Unary:
    """A function of `a`."""

    op: Sole
    a: int


@dataclass(frozen=True, slots=True)
class Scale:
    """`a * 2^amount`, rounded down where the amount is negative: no work, rows are renamed."""

    a: int
    amount: int


class Relation(StrEnum):
    """Comparisons; the others swap their operands or select the other way."""

    LESS = "<"
    EQUAL = "=="


@dataclass(frozen=True, slots=True)
class Compare:
    """1 where `a` relates to `b`, else 0; the opposite where `inverted`."""

    relation: Relation
    a: int
    b: int
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Select:
    """`a` where `condition` (0..1) is 1, else `b`."""

    condition: int
    a: int
    b: int


@dataclass(frozen=True, slots=True)
class UserOp:
    """The result of a user-defined micro-op: the value `body`, whose work costs what is declared.

    `body` and the values in `inside` (earlier positions) are what the micro-op computes by
    itself; `cycles` and `femtojoules` (a macro) are the user's word for it.
    """

    name: str
    opcode: int
    cycles: int
    femtojoules: int
    body: int
    inside: tuple[int, ...]


RowOp = Read | Constant | Shift | Binary | Unary | Scale | Compare | Select | UserOp


@dataclass(frozen=True, slots=True)
class RowValue:
    """A value: how it is made, the exact range it lies in, and the source that says so."""

    op: RowOp
    range: Range
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class RowOutput:
    """An image `[channels, H, W]`: the value of each channel, as values of `range`."""

    name: str
    values: tuple[int, ...]
    range: Range


class Reduction(StrEnum):
    """What becomes of all pixels of the image."""

    SUM = "sum"
    ANY = "any"
    """1 if any is not 0."""


@dataclass(frozen=True, slots=True)
class RowTotal:
    """Numbers `[n, 1, 1]`, each the reduction of a value over all pixels of the plane."""

    name: str
    values: tuple[int, ...]
    reduction: Reduction


@dataclass(frozen=True, slots=True)
class RowProgram:
    """A program on images of one height and width.

    Outputs have every `stride[0]`-th line and `stride[1]`-th pixel of the plane, the first
    included: `ceil(H / stride[0])` by `ceil(W / stride[1])`. Totals are taken over all pixels.
    """

    name: str
    inputs: tuple[RowInput, ...]
    values: tuple[RowValue, ...]
    outputs: tuple[RowOutput, ...]
    totals: tuple[RowTotal, ...] = ()
    stride: tuple[int, int] = (1, 1)

    @property
    def results(self) -> "tuple[RowOutput | RowTotal, ...]":
        """Outputs, then totals."""
        return (*self.outputs, *self.totals)


def operands(op: RowOp) -> tuple[int, ...]:
    """The positions of the values that an operation reads."""
    match op:
        case Read() | Constant():
            return ()
        case Shift(a=a) | Unary(a=a) | Scale(a=a):
            return (a,)
        case Binary(a=a, b=b) | Compare(a=a, b=b):
            return a, b
        case Select(condition=condition, a=a, b=b):
            return condition, a, b
        case UserOp(body=body):
            return (body,)
