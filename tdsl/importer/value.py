"""What a tensor of the file is while it is imported: integers of the graph, and their meaning.

A `Value` is a tensor of integers n with the number each stands for: scale * n + offset, exactly, a
channel; then `steps` that the float executor applies and that no integer operation has followed
yet. `noise` bounds how far the executor's float32 number, before those steps, can lie from the
exact one, whatever the order of its additions.

`index` says where each element of the file's tensor lies in the graph's: transposing, reshaping and
flattening move indices only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tdsl.importer.exact import HALF_ULP, is_power_of_two
from tdsl.importer.formulas import Floats, Integers
from tdsl.importer.model import Array
from tdsl.importer.refusal import Refusal
from tdsl.importer.steps import (
    Clamp,
    Divide,
    Leak,
    Multiply,
    Plus,
    Step,
    direction,
    exact,
    is_finite,
)

Index = NDArray[np.int32]
Fractions = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The integers behind a quantised constant: it is `integers * scale` (of its own shape)."""

    integers: Integers
    scale: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A tensor known from the file alone."""

    array: Array
    grid: Grid | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Integers that a node of the graph holds."""

    node: int


@dataclass(frozen=True, slots=True)
class Window:
    """The geometry of a convolution: padding is (top, left, bottom, right)."""

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """Integers that are a convolution (or, without `window`, a matrix) of the node `node`.

    Not yet in the graph: its weights can still change sign, channel by channel.
    """

    node: int
    weight: Integers
    window: Window | None


@dataclass(frozen=True, slots=True, eq=False)
class Bordered:
    """Integers of a node with a border of zeros: (top, left, bottom, right) pixels.

    Not yet in the graph: a convolution takes the border into its own padding.
    """

    node: int
    padding: tuple[int, int, int, int]


Source = Placed | Product | Bordered


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """Integers n, and the numbers scale * n + offset that they stand for."""

    source: Source
    shape: tuple[int, ...]
    """Of the graph's tensor: (C, H, W) or (C,)."""
    low: Integers
    """The smallest integer of each channel: (C,)."""
    high: Integers
    scale: Fractions
    offset: Fractions
    noise: NDArray[np.float64]
    index: Index
    """The shape of the file's tensor, each element its position in the graph's."""
    steps: tuple[Step, ...] = ()

    @property
    def channels(self) -> int:
        """The channels of the graph's tensor."""
        return self.shape[0]

    def then(self, *steps: Step) -> "Value":
        """The value after further steps of the executor. Raises Refusal for infinite constants."""
        if not all(map(is_finite, steps)):
            raise Refusal("its constants are not finite", "export the model again")
        return replace(self, steps=(*self.steps, *steps))

    def rising(self) -> Integers:
        """+1, -1 or 0 a channel: how the number changes as its integer grows."""
        signs = np.array([(s > 0) - (s < 0) for s in self.scale], np.int64)
        for step in self.steps:
            signs = signs * direction(step, self.channels)
        return signs


@dataclass(frozen=True, slots=True)
class Declared:
    """What the integers of an input stand for, as said by the user or by the file."""

    low: int
    high: int
    scale: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """An input of the model as the file takes it: floats, until something quantises them."""

    name: str
    tensor: str
    """The tensor of the file that this is."""
    shape: tuple[int, ...]
    declared: Declared | None
    host: tuple[str, ...] = ()
    """The nodes passed so far: they remain the host's work."""


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """The output of `QuantizeLinear`: a value to be rounded to low..high, levels not yet made."""

    value: "Value | Outside"
    tensor: str
    """Its name in the file."""
    scale: Floats
    zero: Floats
    low: int
    high: int
    least: int
    """The limits that a `Clip` behind it has narrowed."""
    most: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """The result of a node that cannot be imported; what uses it is not judged."""


Item = Const | Value | Outside | Coded | Unknown
Items = Mapping[str, Item]


def whole(shape: tuple[int, ...]) -> Index:
    """The index of a tensor that lies in the file as in the graph, behind a batch axis of 1."""
    return np.arange(int(np.prod(shape)), dtype=np.int32).reshape(1, *shape)


def magnitude(value: Value) -> NDArray[np.float64]:
    """The largest absolute number of each channel, before the steps."""
    scale = np.array([float(s) for s in value.scale])
    offset = np.array([float(o) for o in value.offset])
    ends = np.stack([value.low * scale + offset, value.high * scale + offset])
    largest: NDArray[np.float64] = np.abs(ends).max(axis=0)
    return largest


def affine(value: Value) -> Value:
    """The same value without steps: they are folded into scale and offset, exactly.

    Roundings that the executor makes on the way go to `noise`. Raises Refusal where a step is not
    a multiplication or addition, unless no integer of the value reaches where it bends.
    """
    for step in value.steps:
        value = _folded(replace(value, steps=()), step)
    return value


def _folded(value: Value, step: Step) -> Value:
    match step:
        case Multiply(factor):
            factors = exact(factor)
            done = _scaled(value, factors)
            return done if all(map(is_power_of_two, factors)) else _with_rounding(done)
        case Divide(divisor):
            factors = tuple(1 / one for one in exact(divisor))
            done = _scaled(value, factors)
            return done if all(map(is_power_of_two, factors)) else _with_rounding(done)
        case Plus(term):
            terms = exact(term)
            offset = tuple(o + t for o, t in zip(value.offset, terms, strict=True))
            done = replace(value, offset=offset)
            return done if not any(terms) else _with_rounding(done)
        case Clamp(low, high) if _within(value, low, high):
            return value
        case Leak() if _within(value, 0.0, np.inf):
            return value
        case Clamp() | Leak():
            raise Refusal(
                "it needs a sum of numbers, and this operand has been through an activation that "
                "was not rounded to integers",
                "put a quantiser (`Quant`) behind the activation",
            )


def _scaled(value: Value, factors: Fractions) -> Value:
    sizes = np.array([abs(float(f)) for f in factors])
    return replace(
        value,
        scale=tuple(s * f for s, f in zip(value.scale, factors, strict=True)),
        offset=tuple(o * f for o, f in zip(value.offset, factors, strict=True)),
        noise=value.noise * sizes,
    )


def _with_rounding(value: Value) -> Value:
    return replace(value, noise=value.noise + magnitude(value) * HALF_ULP)


def _within(value: Value, low: float, high: float) -> bool:
    """Whether the exact numbers of all channels lie in low..high: the clamp changes none."""
    for s, o, least, most in zip(value.scale, value.offset, value.low, value.high, strict=True):
        ends = (s * int(least) + o, s * int(most) + o)
        if min(ends) < low or max(ends) > high:
            return False
    return True
