"""Networks built node by node in a test: random ternary weights and thresholds that matter.

A `Builder` computes every value as it goes, on a random image, so that it can place thresholds
inside the range that each channel really takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node, Output
from tdsl.ir.infer import infer
from tdsl.ir.interpreter import evaluate
from tdsl.ir.ops import Constant, Parameter, Stored
from tdsl.ir.parameters import Arrays, Integers
from tdsl.ir.tensor_type import BIN, TRIT, Element, Kind, TensorType

Pair = int | tuple[int, int]
Padding = int | tuple[int, int, int, int]
Thresholds = Literal["plain", "tensor", "tight", "extreme"]
"""Per channel inside its range; one constant for all; no zero band; never, always, far outside."""


@dataclass(frozen=True, slots=True)
class Case:
    """A network, its arrays, and one image of each input."""

    name: str
    graph: Graph
    arrays: Arrays
    inputs: Mapping[str, Integers]

    def __str__(self) -> str:
        return self.name


def element(text: str) -> Element:
    """The element type written `text`: `trit`, `bin`, `u8`, `i4`."""
    named = {"trit": TRIT, "bin": BIN}
    return named[text] if text in named else Element(Kind(text[0]), int(text[1:]))


class Builder:
    """Collects nodes; every method returns the position of the node it adds."""

    def __init__(self, name: str = "net", seed: int = 0) -> None:
        self.name = name
        self.nodes: list[Node] = []
        self.values: list[Integers] = []
        self.arrays: dict[Stored, Integers] = {}
        self.inputs: dict[str, Integers] = {}
        self._random = np.random.default_rng(seed)

    def case(self, *outputs: int) -> Case:
        """The finished network; it returns the nodes at `outputs`, by default the last one."""
        positions = outputs or (len(self.nodes) - 1,)
        named = tuple(Output(f"out{i}", position) for i, position in enumerate(positions))
        graph = Graph(self.name, (), tuple(self.nodes), named)
        return Case(self.name, graph, dict(self.arrays), dict(self.inputs))

    def type(self, x: int) -> TensorType:
        """The type of node `x`."""
        return self.nodes[x].type

    def shape(self, x: int) -> tuple[int, ...]:
        """The shape of node `x`."""
        return self.values[x].shape

    def add(self, op: ops.Op, *inputs: int) -> int:
        """Add `op` on the nodes at `inputs`."""
        types = tuple(self.nodes[i].type for i in inputs)
        value = evaluate(op, [self.values[i] for i in inputs], types, self.arrays)
        return self._append(f"n{len(self.nodes)}", op, inputs, infer(op, types), value)

    def input(self, name: str, elements: str, shape: tuple[int, ...]) -> int:
        """An input with a random image."""
        type_ = TensorType(element(elements), shape)
        low, high = type_.element.low, type_.element.high
        if type_.element.kind is Kind.BIN:
            image = self._random.choice([-1, 1], shape)
        else:
            image = self._random.integers(low, high, shape, endpoint=True)
        self.inputs[name] = image.astype(np.int64)
        return self._append(name, ops.Input(), (), type_, self.inputs[name])

    def conv(
        self,
        x: int,
        out: int,
        kernel: Pair = 3,
        *,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        groups: int = 1,
        pad_value: int = 0,
        weight: Parameter | None = None,
    ) -> int:
        """A convolution with random ternary weights, or with `weight`."""
        shape = (out, self.shape(x)[0] // groups, *_pair(kernel))
        op = ops.Conv(
            weight or self.weight(shape),
            out,
            _pair(kernel),
            _pair(stride),
            _border(padding),
            _pair(dilation),
            groups,
            pad_value,
        )
        return self.add(op, x)

    def linear(self, x: int, out: int) -> int:
        """A matrix of random ternary weights."""
        return self.add(ops.Linear(self.weight((out, self.shape(x)[0])), out), x)

    def weight(self, shape: tuple[int, ...]) -> Stored:
        """Random ternary weights."""
        return self.store("w", self._random.choice([-1, 0, 1], shape, p=[0.3, 0.4, 0.3]))

    def store(self, role: str, values: Integers) -> Stored:
        """A parameter read from a file."""
        stored = Stored(f"n{len(self.nodes)}.{role}", values.shape)
        self.arrays[stored] = values.astype(np.int64)
        return stored

    def pool(self, x: int, kind: str, kernel: Pair = 2, stride: Pair | None = None) -> int:
        """A pooling; without `stride` its windows touch."""
        steps = _pair(kernel if stride is None else stride)
        return self.add(ops.Pool(ops.PoolKind(kind), _pair(kernel), steps), x)

    def ternarize(self, x: int, thresholds: Thresholds = "plain") -> int:
        """Two thresholds."""
        if thresholds == "tight":
            hi = self._quantiles(x, 1)[:, 0]
            return self.add(ops.Ternarize(self.store("lo", hi + 1), self.store("hi", hi)), x)
        lo, hi = self._thresholds(x, 2, thresholds).T
        if thresholds == "tensor":
            return self.add(ops.Ternarize(Constant((int(lo[0]),)), Constant((int(hi[0]),))), x)
        lo = lo + 1
        if thresholds == "extreme":
            lo[::7], hi[::7] = self.type(x).element.low, self.type(x).element.high
        return self.add(ops.Ternarize(self.store("lo", lo), self.store("hi", hi)), x)

    def binarize(self, x: int, thresholds: Thresholds = "plain") -> int:
        """One threshold, -1 and +1."""
        return self.add(ops.Binarize(self._one_threshold(x, thresholds)), x)

    def step(self, x: int, thresholds: Thresholds = "plain") -> int:
        """One threshold, 0 and 1."""
        return self.add(ops.Step(self._one_threshold(x, thresholds)), x)

    def quantize(self, x: int, elements: str, thresholds: Thresholds = "plain") -> int:
        """As many thresholds as `elements` needs."""
        to = element(elements)
        th = self._thresholds(x, to.high - to.low, thresholds)
        if thresholds == "tensor":
            values = tuple(int(t) for t in th[0])
            return self.add(ops.Quantize(to, Constant(values, (len(values),))), x)
        return self.add(ops.Quantize(to, self.store("th", th)), x)

    def _append(
        self, name: str, op: ops.Op, inputs: tuple[int, ...], type_: TensorType, value: Integers
    ) -> int:
        assert value.shape == type_.shape, f"{op}: {value.shape} is not {type_}"
        self.nodes.append(Node(name, op, inputs, type_))
        self.values.append(value)
        return len(self.nodes) - 1

    def _one_threshold(self, x: int, thresholds: Thresholds) -> Parameter:
        t = self._thresholds(x, 1, thresholds)[:, 0]
        return Constant((int(t[0]),)) if thresholds == "tensor" else self.store("t", t)

    def _thresholds(self, x: int, count: int, thresholds: Thresholds) -> Integers:
        """`count` rising thresholds for each channel: (C, count)."""
        th = self._quantiles(x, count)
        low, high = self.type(x).element.low, self.type(x).element.high
        if thresholds == "tensor":
            th[:] = np.sort(th[len(th) // 2])
        if thresholds == "extreme":
            never, always, far = high, low - 1, 1 << 30
            for channel, extreme in enumerate((never, always, far, -far)):
                th[channel::5] = extreme
        return th

    def _quantiles(self, x: int, count: int) -> Integers:
        flat = self.values[x].reshape(self.shape(x)[0], -1)
        levels = np.arange(1, count + 1) / (count + 1)
        if flat.shape[1] >= 4:
            return np.floor(np.quantile(flat, levels, axis=1).T).astype(np.int64)
        # Too few pixels for a channel to have a range of its own: the whole tensor's, shaken.
        common = np.floor(np.quantile(flat, levels)).astype(np.int64)
        reach = 1 + int(flat.std() / 2)
        return common + self._random.integers(-reach, reach + 1, (len(flat), 1))


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def _border(padding: Padding) -> tuple[int, int, int, int]:
    return (padding, padding, padding, padding) if isinstance(padding, int) else padding
