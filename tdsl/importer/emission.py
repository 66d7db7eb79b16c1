"""Nodes of the graph, added one by one, and the arrays of their parameters.

The graph's convolutions and matrices are ternary, and the array computes a sum of shifted ternary
ones in one step. So weights of more bits become planes: w = sum of 2^k d_k with d_k in {-1, 0, +1}
(the bits of |w|, with its sign), each plane a convolution of its own, shifted and added. Wider
weights in the graph itself would say the same and need a second kind of everything below it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tdsl.importer.formulas import Integers
from tdsl.importer.naming import named
from tdsl.importer.refusal import Refusal
from tdsl.importer.value import Bordered, Placed, Product, Source, Window
from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node, Output
from tdsl.ir.infer import infer
from tdsl.ir.op_error import OpError
from tdsl.ir.ops import Constant, Op, Parameter, Stored
from tdsl.ir.tensor_type import TRIT, Element, Kind, TensorType
from tdsl.ir.verifier import verify, verify_arrays

MOST_PLANES = 8
"""The widest weights: nine bits with their sign."""
MOST_NODES = 1 << 14
STORE = "P"
"""What the text calls the weights file."""
MOST_CHANNELS = 1 << 16
MOST_SIGNS = 1 << 12
"""A vector's factors are a diagonal matrix."""


@dataclass(slots=True)
class Emission:
    """The graph so far. Every method returns the position of the node that it adds."""

    taken: set[str]
    """Names that stand for something already: the network, its weights file, nodes."""
    nodes: list[Node] = field(default_factory=list[Node])
    arrays: dict[Stored, Integers] = field(default_factory=dict[Stored, Integers])
    _counts: dict[str, int] = field(default_factory=dict[str, int])
    _placed: dict[tuple[int, bytes], int] = field(default_factory=dict[tuple[int, bytes], int])
    _kept: list[Source] = field(default_factory=list[Source])

    def input(self, name: str, element: Element, shape: tuple[int, ...]) -> int:
        """An input of the network, called `name` if nothing else is."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return self._append(name, ops.Input(), (), TensorType(element, shape))

    def add(self, stem: str, op: Op, *inputs: int) -> int:
        """An operation, named by `stem` and a number. Raises Refusal where it does not fit."""
        return self._add(self.fresh(stem), op, inputs)

    def fresh(self, stem: str) -> str:
        """A name that no node has: `conv3`."""
        while True:
            self._counts[stem] = self._counts.get(stem, 0) + 1
            name = f"{stem}{self._counts[stem]}"
            if name not in self.taken:
                self.taken.add(name)
                return name

    def element(self, node: int) -> Element:
        """The element type of a node."""
        return self.nodes[node].type.element

    def shape(self, node: int) -> tuple[int, ...]:
        """The sizes of a node."""
        return tuple(size for size in self.nodes[node].type.shape if isinstance(size, int))

    def place(self, source: Source, signs: Integers) -> int:
        """The node that holds the integers of `source`, each channel times +1 or -1.

        Raises Refusal where the sums need more than 32 bits.
        """
        key = id(source), signs.tobytes()
        if key not in self._placed:
            self._kept.append(source)
            self._placed[key] = self._place(source, signs)
        return self._placed[key]

    def scaled(self, node: int, factors: Integers) -> int:
        """Each channel of a node times a whole number."""
        if (factors == 1).all():
            return node
        if (factors == factors[0]).all() and factors[0] > 0 and not factors[0] & (factors[0] - 1):
            return self.add("shift", ops.Shift(int(factors[0]).bit_length() - 1), node)
        if len(self.shape(node)) == 1:
            if len(factors) > MOST_SIGNS:
                raise Refusal(
                    f"{len(factors)} features need factors or signs of their own",
                    "use one positive scale for all features",
                )
            return self.product(Product(node, np.diag(factors), None))
        weight = factors.reshape(-1, 1, 1, 1)
        return self.product(Product(node, weight, Window(groups=len(factors))), "scale")

    def bordered(self, node: int, padding: tuple[int, int, int, int]) -> int:
        """A border of zeros around an image, by a convolution that changes nothing else."""
        element, channels = self.element(node), self.shape(node)[0]
        ones = np.ones((channels, 1, 1, 1), np.int64)
        window = Window(padding=padding, groups=channels)
        padded = self.product(Product(self.with_zero(node), ones, window), "pad")
        if self.element(padded) == element or element.kind is Kind.BIN:
            return padded
        return self.add("clip", ops.Clip(element), padded)

    def with_zero(self, node: int) -> int:
        """A node of a type that has a 0: `bin` becomes `trit`."""
        if self.element(node).kind is Kind.BIN:
            return self.add("trits", ops.Clip(TRIT), node)
        return node

    def product(self, source: Product, stem: str = "") -> int:
        """A convolution or a matrix of integer weights: ternary planes, shifted and added."""
        stem = stem or ("fc" if source.window is None else "conv")
        planes = weight_planes(source.weight)
        name = self.fresh(stem)
        names = [name] if len(planes) == 1 else [f"{name}_p{k}" for k in range(len(planes))]
        parts = [
            (k, self._add(own, self._ternary(own, plane, source), (source.node,)))
            for k, (own, plane) in enumerate(zip(names, planes, strict=True))
            if plane.any() or not k
        ]
        total = parts[0][1]
        for k, part in parts[1:]:
            shifted = self._add(f"{name}_shift{k}", ops.Shift(k), (part,))
            sum_name = name if k == parts[-1][0] else f"{name}_sum{k}"
            total = self._add(sum_name, ops.Add(), (total, shifted))
        return total

    def parameter(self, name: str, role: str, values: Integers) -> Parameter:
        """Thresholds: written into the source where all channels have the same few."""
        rows = values.reshape(len(values), -1)
        if (rows == rows[0]).all() and rows.shape[1] <= _MOST_WRITTEN:
            shape = () if values.ndim == 1 else rows[0].shape
            return Constant(tuple(int(one) for one in rows[0]), shape)
        return self.store(name, role, values)

    def store(self, name: str, role: str, values: Integers) -> Stored:
        """An array of the weights file, under the name that the source gives it."""
        stored = Stored(f"{name}.{role}", values.shape)
        self.arrays[stored] = values
        return stored

    def places(self, source: Source) -> list[int]:
        """The nodes that hold a source; a sum may be there once more, turned over."""
        if isinstance(source, Placed):
            return [source.node]
        return [node for (key, _), node in self._placed.items() if key == id(source)]

    def add_named(self, name: str, op: Op, *inputs: int) -> int:
        """An operation under a name from `fresh`. Raises Refusal where it does not fit."""
        return self._add(name, op, inputs)

    def graph(self, name: str, outputs: Sequence[tuple[str, int]]) -> tuple[Graph, dict[int, int]]:
        """The finished graph: inputs first, nothing that no one needs; and where each node went.

        `arrays` are those of the graph from here on. Both are verified.
        """
        live = {node for _, node in outputs}
        for position in reversed(range(len(self.nodes))):
            if position in live or isinstance(self.nodes[position].op, ops.Input):
                live |= {position, *self.nodes[position].inputs}
        order = sorted(live, key=lambda i: (not isinstance(self.nodes[i].op, ops.Input), i))
        moved = {old: new for new, old in enumerate(order)}
        nodes = tuple(
            replace(self.nodes[i], inputs=tuple(moved[one] for one in self.nodes[i].inputs))
            for i in order
        )
        ends = tuple(Output(output, moved[node]) for output, node in outputs)
        graph, self.arrays = named(Graph(name, (), nodes, ends), self.arrays)
        verify(graph)
        verify_arrays(graph, self.arrays)
        return graph, moved

    def _place(self, source: Source, signs: Integers) -> int:
        match source:
            case Placed(node):
                return self.scaled(node, signs)
            case Product(node, weight, window):
                turned = signs.reshape(-1, *(1,) * (weight.ndim - 1))
                return self.product(Product(node, weight * turned, window))
            case Bordered(node, padding):
                return self.scaled(self.bordered(node, padding), signs)

    def _ternary(self, name: str, plane: Integers, source: Product) -> Op:
        weight = self.store(name, "w", plane)
        if source.window is None:
            return ops.Linear(weight, len(plane))
        window = source.window
        return ops.Conv(
            weight,
            len(plane),
            (plane.shape[2], plane.shape[3]),
            window.stride,
            window.padding,
            window.dilation,
            window.groups,
        )

    def _add(self, name: str, op: Op, inputs: tuple[int, ...]) -> int:
        try:
            type_ = infer(op, tuple(self.nodes[i].type for i in inputs))
        except OpError as error:
            raise Refusal(
                f"{error.message.replace('`', '')} ({error.label.replace('`', '')})",
                "use fewer bits or fewer channels here, or another shape",
            ) from error
        return self._append(name, op, inputs, type_)

    def _append(self, name: str, op: Op, inputs: tuple[int, ...], type_: TensorType) -> int:
        if len(self.nodes) >= MOST_NODES:
            raise Refusal("the network has too many operations", "import a smaller network")
        if not isinstance(type_.shape[0], int) or type_.shape[0] > MOST_CHANNELS:
            raise Refusal(
                f"a tensor has {type_.shape[0]} channels or features; {MOST_CHANNELS} are the most",
                "reduce the image before it is flattened",
            )
        self.nodes.append(Node(name, op, inputs, type_))
        return len(self.nodes) - 1


_MOST_WRITTEN = 15
"""Thresholds of up to four bits are readable in the source."""


def weight_planes(weight: Integers) -> list[Integers]:
    """Ternary arrays d_k with weight = sum of 2^k d_k; one plane of zeros for zeros.

    Raises Refusal for weights of more than nine bits.
    """
    size = np.abs(weight)
    count = max(1, int(size.max(initial=0)).bit_length())
    if count > MOST_PLANES:
        raise Refusal(
            f"its weights need {count + 1} bits; {MOST_PLANES + 1} are the most",
            "quantise the weights to 8 bits or fewer",
        )
    return [np.sign(weight) * ((size >> k) & 1) for k in range(count)]
