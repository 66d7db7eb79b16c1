"""Names under which the text reads well: one statement a layer, `conv1 = x -> conv -> ternarize`.

A statement bears the name of its sum; its other nodes are called after their operations
(`conv1.conv`, `conv1.maxpool`), as the language calls them, and its arrays `conv1.w`, `conv1.lo`.
Planes of wide weights remain statements of their own; their shifts and sums are one more.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tdsl.frontend.emitted_calls import form_of
from tdsl.importer.formulas import Integers
from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node
from tdsl.ir.ops import Op, Stored

_SUMS = (ops.Conv, ops.Linear)
_THRESHOLDS = (ops.Ternarize, ops.Binarize, ops.Step, ops.Quantize)
_PLAIN = (ops.Pool, ops.GlobalPool, ops.Upsample, ops.PixelShuffle, ops.Clip)
"""One operand, no arrays."""


def named(graph: Graph, arrays: Mapping[Stored, Integers]) -> tuple[Graph, dict[Stored, Integers]]:
    """The same graph, node by node, with statements' names; and its arrays under their keys."""
    nodes = list(graph.nodes)
    kept: dict[Stored, Integers] = {}
    for members in _statements(graph):
        name = _statement_name(nodes, members)
        counted: Counter[str] = Counter()
        for position in members:
            node = nodes[position]
            op = _with_keys(node.op, name, arrays, kept)
            own = name if position == members[-1] else _inner(name, node.op, counted)
            nodes[position] = replace(node, name=own, op=op)
    return replace(graph, nodes=tuple(nodes)), kept


def _statements(graph: Graph) -> list[list[int]]:
    """The nodes, inputs too, in groups that are written as one statement; the last is its value."""
    uses = Counter([i for node in graph.nodes for i in node.inputs])
    uses.update(output.node for output in graph.outputs)
    user = {i: position for position, node in enumerate(graph.nodes) for i in node.inputs}
    group = list(range(len(graph.nodes)))
    for position in reversed(range(len(graph.nodes))):
        if uses[position] == 1 and position in user:
            follower = user[position]
            if _joins(graph.nodes[position].op, graph.nodes[follower].op):
                group[position] = group[follower]
    members: dict[int, list[int]] = {}
    for position, last in enumerate(group):
        members.setdefault(last, []).append(position)
    return [members[last] for last in sorted(members)]


def _joins(op: Op, user: Op) -> bool:
    """Whether a node stands in the statement of its only user."""
    match op:
        case ops.Conv() | ops.Linear():
            return isinstance(user, (*_PLAIN, *_THRESHOLDS))
        case ops.Pool() | ops.GlobalPool():
            return isinstance(user, (*_PLAIN, *_THRESHOLDS))
        case ops.Ternarize() | ops.Binarize() | ops.Step() | ops.Quantize():
            return isinstance(user, _PLAIN)
        case ops.Shift():
            return isinstance(user, ops.Add)
        case ops.Add():
            return isinstance(user, (ops.Add, *_PLAIN, *_THRESHOLDS))
        case ops.Flatten():
            return isinstance(user, ops.Linear)
        case _:
            return False


def _statement_name(nodes: Sequence[Node], members: Sequence[int]) -> str:
    """The name of the sum in a statement, else that of its value."""
    for position in members:
        if isinstance(nodes[position].op, _SUMS):
            return nodes[position].name
    sums = [nodes[i].name for i in members if isinstance(nodes[i].op, ops.Add)]
    return sums[-1] if sums else nodes[members[-1]].name


def _inner(name: str, op: Op, counted: Counter[str]) -> str:
    kind = form_of(op).name
    counted[kind] += 1
    return f"{name}.{kind}" if counted[kind] == 1 else f"{name}.{kind}_{counted[kind]}"


def _with_keys(
    op: Op, name: str, arrays: Mapping[Stored, Integers], kept: dict[Stored, Integers]
) -> Op:
    """The operation with its arrays under the statement's name; they are put into `kept`."""

    def moved(parameter: ops.Parameter, role: str) -> ops.Parameter:
        if not isinstance(parameter, Stored):
            return parameter
        stored = replace(parameter, key=f"{name}.{role}")
        kept[stored] = arrays[parameter]
        return stored

    match op:
        case ops.Conv() | ops.Linear():
            return replace(op, weight=moved(op.weight, "w"))
        case ops.Ternarize():
            return replace(op, lo=moved(op.lo, "lo"), hi=moved(op.hi, "hi"))
        case ops.Binarize() | ops.Step():
            return replace(op, t=moved(op.t, "t"))
        case ops.Quantize():
            return replace(op, th=moved(op.th, "th"))
        case _:
            return op
