"""The state of selection: one walk over one graph, in which tensors are made on demand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node
from tdsl.ir.parameters import Arrays, resolve
from tdsl.ir.size import evaluate
from tdsl.lowering.steps import Array, Step, Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """One walk over one graph; a node's tensor is made when its first user asks for it.

    `compute` adds the steps of a node and gives its tensor; `uses` counts the users of each node,
    outputs among them.
    """

    graph: Graph
    arrays: Arrays
    compute: Callable[["Walk", int], Tensor]
    uses: tuple[int, ...]
    steps: list[Step] = field(default_factory=list[Step])
    tensors: dict[int, Tensor] = field(default_factory=dict[int, Tensor])
    numbers: Iterator[int] = field(default_factory=count)

    def node(self, position: int) -> Node:
        """A node of the graph."""
        return self.graph.nodes[position]

    def source(self, node: Node) -> Node:
        """The first input of a node."""
        return self.graph.nodes[node.inputs[0]]

    def resolve(self, parameter: ops.Parameter) -> Array:
        """The numbers of a parameter."""
        return resolve(parameter, self.arrays)

    def tensor(self, position: int) -> Tensor:
        """The tensor of a node's value, computed once."""
        if position not in self.tensors:
            self.tensors[position] = self.compute(self, position)
        return self.tensors[position]

    def new(self, position: int, name: str | None = None) -> Tensor:
        """A new tensor of a node's shape and element; `name` where it is not the node's own."""
        node = self.node(position)
        element = node.type.element
        return Tensor(
            next(self.numbers), name or node.name, *shape(node), element.low, element.high
        )

    def add(self, step: Step) -> Tensor:
        """Append a step; its result."""
        self.steps.append(step)
        return step.out

    def private(self, position: int) -> bool:
        """True where fusing a node into its user computes nothing twice."""
        return self.uses[position] == 1

    def fusible(self, root: int, position: int) -> bool:
        """True where the step of node `root` may do the work of another node, or is its own."""
        return position == root or self.private(position)


def walk_over(graph: Graph, arrays: Arrays, compute: Callable[[Walk, int], Tensor]) -> Walk:
    """A walk that has not begun."""
    users = [i for node in graph.nodes for i in node.inputs]
    users += [output.node for output in graph.outputs]
    return Walk(graph, arrays, compute, tuple(users.count(i) for i in range(len(graph.nodes))))


def shape(node: Node) -> tuple[int, int, int]:
    """Channels, height and width of a node without free sizes; a vector is one pixel."""
    sizes = tuple(evaluate(size, {}) for size in node.type.shape)
    return (sizes[0], 1, 1) if len(sizes) == 1 else (sizes[0], sizes[1], sizes[2])
