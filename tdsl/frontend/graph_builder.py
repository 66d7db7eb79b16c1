"""Checked operations -> the nodes of the graph, each with a name of its own."""

from dataclasses import dataclass, field, replace

from tdsl.ir.graph import Node
from tdsl.ir.ops import Op
from tdsl.ir.tensor_type import TensorType
from tdsl.source import Span

MOST_NODES = 1 << 15
MOST_CALLS = 1 << 15


class TooLarge(Exception):
    """The network has more operations, or calls of blocks that add none, than anyone needs."""


@dataclass(slots=True)
class GraphBuilder:
    """The nodes of one network so far."""

    nodes: list[Node] = field(default_factory=list[Node])
    calls: int = 0
    _names: set[str] = field(default_factory=set[str])

    def count_call(self) -> None:
        """Count a call of an operation or a block. Raises TooLarge."""
        self.calls += 1
        if self.calls > MOST_CALLS:
            raise TooLarge

    def add(
        self, name: str, op: Op, inputs: tuple[int, ...], result: TensorType, span: Span
    ) -> int:
        """Append a node, named `name` or, if that is taken, `name_2`, `name_3` ..."""
        if len(self.nodes) >= MOST_NODES:
            raise TooLarge
        self.nodes.append(Node(self._free(name), op, inputs, result, span))
        return len(self.nodes) - 1

    def rename(self, position: int, name: str) -> None:
        """Give the node at `position` the name of the statement whose value it is."""
        self._names.discard(self.nodes[position].name)
        self.nodes[position] = replace(self.nodes[position], name=self._free(name))

    def _free(self, name: str) -> str:
        free, number = name, 1
        while free in self._names:
            number += 1
            free = f"{name}_{number}"
        self._names.add(free)
        return free
