"""Values that the sensor port makes itself: thresholds and thermometers of network inputs."""

from dataclasses import dataclass

import numpy as np

from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node
from tdsl.lowering.steps import Array, InputStep
from tdsl.lowering.thermometer import thermometer_levels
from tdsl.lowering.walk import Walk, shape


@dataclass(frozen=True, slots=True, eq=False)
class PortLevels:
    """What the port compares pixels with: `table` `[n, 2]` of (lo, hi); `each` channel its own."""

    table: Array
    each: bool


def input_positions(graph: Graph) -> tuple[int, ...]:
    """The nodes of the network's inputs, in the order of their ports."""
    return tuple(i for i, node in enumerate(graph.nodes) if isinstance(node.op, ops.Input))


def input_step(walk: Walk, position: int) -> InputStep:
    """The step of an input: its lines as value planes."""
    node = walk.node(position)
    port = input_positions(walk.graph).index(position)
    return InputStep(node.name, walk.new(position), port, span=node.span)


def levels_step(walk: Walk, position: int, levels: PortLevels) -> InputStep:
    """The step of a node that the port makes of its input: lines of trits."""
    node = walk.node(position)
    port = input_positions(walk.graph).index(node.inputs[0])
    return InputStep(node.name, walk.new(position), port, levels.table, levels.each, span=node.span)


def port_levels(walk: Walk, node: Node) -> PortLevels | None:
    """The levels with which the port makes a node's value; None where the array must."""
    if not node.inputs or not isinstance(walk.source(node).op, ops.Input):
        return None
    channels = shape(walk.source(node))[0]
    match node.op:
        case ops.Ternarize(lo=lo, hi=hi):
            return _thresholds(walk.resolve(lo), walk.resolve(hi), channels)
        case ops.Binarize(t=t):
            return _thresholds(walk.resolve(t) + 1, walk.resolve(t), channels)
        case ops.Thermometer():
            return PortLevels(thermometer_levels(node.op, walk.source(node)), each=False)
        case _:
            return None


def _thresholds(lo: Array, hi: Array, channels: int) -> PortLevels:
    levels = np.stack([lo, hi], axis=-1)
    table = levels.reshape(-1, 2)
    if levels.ndim == 2:
        return PortLevels(np.broadcast_to(table, (channels, 2)), each=True)
    return PortLevels(table, each=False)
