"""The state of an import: what every tensor of the file is so far, and what was said of each node.

Converters of single nodes take a `Conversion` and an `OnnxNode` and return what the node's outputs
are. They raise `Refusal` for what has no exact counterpart, and `NotJudged` where an operand is
already unknown.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from tdsl.frontend.names import is_plain
from tdsl.importer.activations import quantise, rounding_noise
from tdsl.importer.emission import MOST_CHANNELS, Emission
from tdsl.importer.formulas import Integers
from tdsl.importer.layouts import per_channel
from tdsl.importer.model import Array, OnnxModel, OnnxNode
from tdsl.importer.quantisers import Bipolar, Linear, Quantiser, limits, meaning
from tdsl.importer.refusal import Refusal
from tdsl.importer.thresholds import Fold, Proof
from tdsl.importer.value import (
    Bordered,
    Coded,
    Const,
    Index,
    Item,
    Outside,
    Placed,
    Product,
    Unknown,
    Value,
    whole,
)
from tdsl.ir.tensor_type import BIN, TRIT, Element, narrowest

MOST_ELEMENTS = 1 << 24
"""Of one tensor of the network."""


class NotJudged(Exception):
    """An operand comes from a node that was refused already."""


@dataclass(frozen=True, slots=True, eq=False)
class Port:
    """An input or output of the network: integers, and the numbers scale * n + offset they are."""

    name: str
    tensor: str
    """The tensor of the file."""
    node: int
    scale: tuple[Fraction, ...]
    offset: tuple[Fraction, ...]
    index: Index
    low: int
    high: int
    host: tuple[str, ...] = ()
    """Nodes of the file that stay outside: what turns numbers into the integers of an input."""


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """A quantiser that became thresholds: where, from which scales, and the proof."""

    place: str
    node: int
    """Where its levels are in the graph."""
    value: Value
    """What it was applied to, and how it rounds: the formula that was proven."""
    quantiser: Quantiser
    channels: int
    turned: int
    """Channels whose sign was changed because the number falls as the integer grows."""
    noisy: int
    """Channels in which the executor's float32 sums are not exact."""
    proof: Proof


@dataclass(slots=True, eq=False)
class Conversion:
    """Everything known while nodes are converted one after the other."""

    model: OnnxModel
    e: Emission
    items: dict[str, Item] = field(default_factory=dict[str, Item])
    inputs: dict[str, Port] = field(default_factory=dict[str, Port])
    folds: list[Folded] = field(default_factory=list[Folded])
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    """Of the file's inputs."""

    def item(self, node: OnnxNode, position: int) -> Item:
        """What an operand is. Raises NotJudged, or Refusal where it is left out."""
        if not node.has_input(position):
            raise Refusal(f"its input {position} is missing", "export the model again")
        item = self.items[node.inputs[position]]
        if isinstance(item, Unknown):
            raise NotJudged
        return item

    def value(self, node: OnnxNode, position: int = 0) -> Value:
        """An operand as integers. Raises Refusal where it is none."""
        return self.settled(self.item(node, position))

    def settled(self, item: Item) -> Value:
        """An item as integers of the graph."""
        match item:
            case Value():
                return item
            case Outside():
                return self._declared_input(item)
            case Coded():
                return self._codes(item)
            case Const():
                raise Refusal("this operand is a constant", "fold the node into a constant")
            case Unknown():
                raise NotJudged

    def constant(self, node: OnnxNode, position: int, what: str) -> Array:
        """An operand that has to be known from the file. Raises Refusal."""
        item = self.item(node, position)
        if isinstance(item, Const):
            return item.array
        raise Refusal(f"its {what} is computed", f"fold the {what} into a constant of the file")

    def quantised(
        self,
        place: str,
        tensor: str,
        item: Value | Outside,
        make: Callable[[Value], Quantiser],
    ) -> Value:
        """Levels of a value by the quantiser that `make` gives for it; or an input of levels.

        `place` and `tensor` are the quantiser's node and result in the file.
        """
        if isinstance(item, Outside) and item.declared is None:
            return self._input_of_levels(place, tensor, item, make)
        value = self.settled(item)
        quantiser = make(value)
        done, fold = quantise(self.e, value, quantiser)
        self._record(place, value, quantiser, done, fold)
        return done

    def decoded(self, item: Coded, place: str, tensor: str) -> Value:
        """The levels of a `QuantizeLinear`, standing for the numbers of `DequantizeLinear`."""

        def make(value: Value) -> Quantiser:
            scale, zero = per_channel(value, item.scale), per_channel(value, item.zero)
            return Linear(scale, zero, item.low, item.high, item.least, item.most)

        return self.quantised(place, tensor, item.value, make)

    def _codes(self, item: Coded) -> Value:
        """The integers of a `QuantizeLinear` as numbers, zero point included."""
        value = self.decoded(item, f"tensor `{item.tensor}` (QuantizeLinear)", item.tensor)
        ones = (Fraction(1),) * value.channels
        zero = tuple(Fraction(float(z)) for z in per_channel(value, item.zero))
        for name, port in self.inputs.items():
            if port.tensor == item.tensor:
                self.inputs[name] = replace(port, scale=ones, offset=zero)
        return replace(value, scale=ones, offset=zero, noise=np.zeros(value.channels))

    def _record(
        self, place: str, value: Value, quantiser: Quantiser, done: Value, fold: Fold
    ) -> None:
        assert isinstance(done.source, Placed)
        self.folds.append(
            Folded(
                place,
                done.source.node,
                value,
                quantiser,
                value.channels,
                int((fold.signs < 0).sum()),
                int((value.noise > 0).sum()),
                fold.proof,
            )
        )

    def _declared_input(self, item: Outside) -> Value:
        if item.declared is None:
            raise Refusal(
                f"the input `{item.name}` is not quantised: the file does not say which integers "
                "it takes",
                "say what the integers are, for example `--input u8/255` for pixels of 0 to 255 "
                "that the model takes as 0 to 1; or put a `Quant` node behind the input",
            )
        if item.name in self.inputs:
            raise Refusal(
                f"the input `{item.name}` is used in two layouts", "transpose it once, at the start"
            )
        stated = item.declared
        low, high = stated.low, stated.high
        value = self._new_input(item, _input_element(low, high), low, high)
        scales = (stated.scale,) * value.channels
        value = replace(value, scale=scales)
        self._keep_input(item, value)
        made = replace(value, noise=rounding_noise(value))
        self.items[item.tensor] = made
        return made

    def _input_of_levels(
        self, place: str, tensor: str, item: Outside, make: Callable[[Value], Quantiser]
    ) -> Value:
        """The quantiser stays with the host: the network takes its levels."""
        if item.name in self.inputs:
            raise Refusal(
                f"the input `{item.name}` is quantised in several places",
                "quantise it once; or say what its integers are, for example `--input u8/255`",
            )
        shape = _input_shape(item.shape)
        quantiser = make(_unit_value(shape, item.shape))
        bounds = limits(quantiser)
        if bounds is None:
            raise Refusal("it truncates an input of unknown range", "quantise the input by `Quant`")
        low, high = bounds
        element = BIN if isinstance(quantiser, Bipolar) else _input_element(low, high)
        value = self._new_input(item, element, low, high)
        scale, offset = meaning(quantiser, value.channels)
        value = replace(value, scale=tuple(scale), offset=tuple(offset))
        self._keep_input(replace(item, tensor=tensor, host=(*item.host, place)), value)
        return replace(value, noise=rounding_noise(value))

    def _new_input(self, item: Outside, element: Element, low: int, high: int) -> Value:
        shape = _input_shape(item.shape)
        node = self.e.input(input_name(item.name), element, shape)
        one = _unit_value(shape, item.shape)
        return replace(
            one,
            source=Placed(node),
            low=np.full(shape[0], low),
            high=np.full(shape[0], high),
        )

    def _keep_input(self, item: Outside, value: Value) -> None:
        assert isinstance(value.source, Placed)
        self.inputs[item.name] = Port(
            self.e.nodes[value.source.node].name,
            item.tensor,
            value.source.node,
            value.scale,
            value.offset,
            value.index,
            int(value.low.min()),
            int(value.high.max()),
            item.host,
        )


def input_name(name: str) -> str:
    """A name of the file as one of the language."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
    kept = kept.strip("_")[:40]
    if not kept or kept[0].isdigit():
        kept = f"t_{kept}" if kept else "t"
    return kept if is_plain(kept) else f"{kept}_"


def turned(e: Emission, value: Value) -> Value:
    """The value with integers that grow as its numbers do; in the graph."""
    return _times_signs(e, value, np.where(value.rising() < 0, -1, 1))


def as_output(e: Emission, value: Value) -> Value:
    """The value with positive scales: constant channels have the integer 0 and the scale 1."""
    done = _times_signs(e, value, value.rising())
    return replace(done, scale=tuple(s or Fraction(1) for s in done.scale))


def _times_signs(e: Emission, value: Value, signs: Integers) -> Value:
    node = e.place(value.source, signs)
    ends = np.stack([value.low * signs, value.high * signs])
    return replace(
        value,
        source=Placed(node),
        low=ends.min(axis=0),
        high=ends.max(axis=0),
        scale=tuple(s * int(sign) for s, sign in zip(value.scale, signs, strict=True)),
    )


def placed(e: Emission, value: Value) -> Value:
    """The value, its integers in the graph as they are."""
    match value.source:
        case Placed():
            return value
        case Product() | Bordered():
            node = e.place(value.source, np.ones(value.channels, np.int64))
            return replace(value, source=Placed(node))


def _input_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    match shape:
        case (1, size):
            return (size,)
        case (1, height, width):
            return (1, height, width)
        case (1, channels, height, width):
            return (channels, height, width)
        case _:
            raise Refusal(
                f"an input of shape {shape} is neither an image nor a vector",
                "use (1, channels, height, width) or (1, features)",
            )


def _unit_value(shape: tuple[int, ...], logical: tuple[int, ...]) -> Value:
    """A value of scale 1 that is not in the graph yet."""
    channels = shape[0]
    if channels > MOST_CHANNELS:
        raise Refusal(
            f"it has {channels} channels or features; {MOST_CHANNELS} are the most",
            "import a smaller network",
        )
    none = np.zeros(channels, np.int64)
    return Value(
        Placed(-1),
        shape,
        none,
        none,
        (Fraction(1),) * channels,
        (Fraction(0),) * channels,
        np.zeros(channels),
        whole(shape).reshape(logical),
    )


def _input_element(low: int, high: int) -> Element:
    return TRIT if (low, high) == (-1, 1) else narrowest(low, high)
