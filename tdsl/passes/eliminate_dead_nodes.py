"""Removes the nodes that no output needs; inputs stay, they are the network's face."""

from dataclasses import replace

from tdsl.ir.graph import Graph
from tdsl.ir.ops import Input
from tdsl.passes.pipeline import Model


def eliminate_dead_nodes(model: Model) -> Model:
    """Drop every node, inputs excepted, from which no path leads to an output."""
    live = _live(model.graph)
    kept = [position for position in range(len(model.graph.nodes)) if position in live]
    if len(kept) == len(model.graph.nodes):
        return model
    return replace(model, graph=_only(model.graph, kept))


def _live(graph: Graph) -> set[int]:
    live = {output.node for output in graph.outputs}
    for position in reversed(range(len(graph.nodes))):
        if position in live or isinstance(graph.nodes[position].op, Input):
            live |= {position, *graph.nodes[position].inputs}
    return live


def _only(graph: Graph, kept: list[int]) -> Graph:
    moved = {old: new for new, old in enumerate(kept)}
    nodes = (graph.nodes[position] for position in kept)
    return replace(
        graph,
        nodes=tuple(replace(n, inputs=tuple(moved[i] for i in n.inputs)) for n in nodes),
        outputs=tuple(replace(o, node=moved[o.node]) for o in graph.outputs),
    )
