"""Graph -> its multiply-accumulates: those of every output value, padding included."""

from math import prod

from tdsl.ir.graph import Graph, Node
from tdsl.ir.ops import Conv, Linear
from tdsl.ir.size import evaluate


def graph_macs(graph: Graph) -> int:
    """The multiply-accumulates of one image through `graph` (one without free sizes)."""
    return sum(_node_macs(graph, node) for node in graph.nodes)


def _node_macs(graph: Graph, node: Node) -> int:
    results = prod(evaluate(extent, {}) for extent in node.type.shape)
    match node.op:
        case Conv(kernel=kernel, groups=groups):
            channels = evaluate(graph.nodes[node.inputs[0]].type.shape[0], {})
            return results * (channels // groups) * prod(kernel)
        case Linear():
            return results * evaluate(graph.nodes[node.inputs[0]].type.shape[0], {})
        case _:
            return 0
