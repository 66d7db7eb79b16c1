"""The graph: nodes in topological order, immutable."""

from dataclasses import dataclass

from tdsl.ir.ops import Op
from tdsl.ir.size import Size
from tdsl.ir.tensor_type import TensorType
from tdsl.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. `inputs` are positions in `Graph.nodes`, each smaller than the node's own."""

    name: str
    op: Op
    inputs: tuple[int, ...]
    type: TensorType
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Output:
    """A named result: the value of the node at position `node`."""

    name: str
    node: int


@dataclass(frozen=True, slots=True)
class Graph:
    """A network. `symbols` are the free sizes (`H`, `W`); a graph without any can be compiled."""

    name: str
    symbols: tuple[str, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...]
    where: tuple[tuple[Size, str, Size], ...] = ()
