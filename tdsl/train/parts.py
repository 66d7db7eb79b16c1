"""A graph -> what of it is trained: stored weights, and activations with stored thresholds."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node
from tdsl.ir.ops import Parameter, PoolKind, Stored
from tdsl.ir.size import evaluate
from tdsl.train.exact_fold import Range
from tdsl.train.straight_through import Activation

WIDEST = 31
"""Bits of a value under a trained threshold: one out of its reach needs one more."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The thresholds of one activation, perhaps used by several nodes.

    `weight` is the array whose channels can take over its signs, if there is one.
    """

    op: Activation
    channels: int
    range: Range
    roles: tuple[tuple[str, Stored], ...]
    weight: Stored | None

    @property
    def name(self) -> str:
        """The key of its arrays without the role: `c1` for `c1.lo`, `c1.hi`."""
        role, stored = self.roles[-1]
        return module_name(stored).removesuffix(f"/{role}")


@dataclass(frozen=True, slots=True)
class Parts:
    """The trained weights, and the trained activations by node."""

    weights: tuple[Stored, ...]
    activations: dict[int, Trained]


def trained_parts(graph: Graph) -> Parts:
    """Find them. Raises CompileError (E0720) where arrays are shared so that none can train."""
    users: Counter[Stored] = Counter(
        stored for node in graph.nodes for stored in stored_parameters(node.op).values()
    )
    weights = [
        node.op.weight
        for node in graph.nodes
        if isinstance(node.op, ops.Conv | ops.Linear) and isinstance(node.op.weight, Stored)
    ]
    activations = {
        position: _trained(graph, position, node.op, users)
        for position, node in enumerate(graph.nodes)
        if isinstance(node.op, Activation) and stored_parameters(node.op)
    }
    parts = Parts(tuple(dict.fromkeys(weights)), _joined(activations))
    _check_sharing(graph, parts)
    return parts


def stored_parameters(op: ops.Op) -> dict[str, Stored]:
    """The parameters of `op` that are read from a file, by field."""
    return {role: p for role, p in _parameters(op) if isinstance(p, Stored)}


def module_name(stored: Stored) -> str:
    """The key as a name of a PyTorch parameter, which holds no dot: `m[0]/f/w`."""
    return stored.key.replace(".", "/")


def _parameters(op: ops.Op) -> Iterator[tuple[str, Parameter]]:
    for field in fields(op):
        value = getattr(op, field.name)
        if isinstance(value, Stored | ops.Constant | ops.Automaton):
            yield field.name, value


def _trained(graph: Graph, position: int, op: Activation, users: Counter[Stored]) -> Trained:
    node, x = graph.nodes[position], graph.nodes[graph.nodes[position].inputs[0]].type
    roles = stored_parameters(op)
    if len(roles) < len(list(_parameters(op))):
        raise untrainable(node, "has one threshold in the file and one in the source")
    if x.element.bits > WIDEST:
        raise untrainable(node, f"compares values of {x.element.bits} bits")
    alone = all(users[stored] == 1 for stored in roles.values())
    weight = _weight_behind(graph, node.inputs[0]) if alone else None
    channels = evaluate(x.shape[0], {})
    bounds = Range(x.element.low, x.element.high)
    sole = weight if weight is not None and users[weight] == 1 else None
    return Trained(op, channels, bounds, tuple(roles.items()), sole)


def _weight_behind(graph: Graph, position: int) -> Stored | None:
    """The stored weights whose sign is that of the value at `position` and of nothing else."""
    uses = Counter(i for node in graph.nodes for i in node.inputs)
    uses.update(output.node for output in graph.outputs)
    while uses[position] == 1:
        node = graph.nodes[position]
        match node.op:
            case ops.Conv(weight=weight) | ops.Linear(weight=weight):
                return weight if isinstance(weight, Stored) else None
            case ops.Pool(kind=PoolKind.SUM) | ops.GlobalPool(kind=PoolKind.SUM) | ops.Upsample():
                position = node.inputs[0]
            case _:
                return None
    return None


def _joined(activations: dict[int, Trained]) -> dict[int, Trained]:
    """Give nodes that share their arrays one `Trained`, whose range holds the values of all."""
    joined: dict[tuple[object, ...], Trained] = {}
    for one in activations.values():
        first = joined.get(one.roles, one)
        low = min(first.range.low, one.range.low)
        high = max(first.range.high, one.range.high)
        joined[one.roles] = Trained(
            first.op, first.channels, Range(low, high), one.roles, first.weight
        )
    return {position: joined[one.roles] for position, one in activations.items()}


def _check_sharing(graph: Graph, parts: Parts) -> None:
    """One array is the weight of convolutions, or has one role in one kind of activation."""
    owner: dict[Stored, object] = dict.fromkeys(parts.weights, "weights")
    for position, one in parts.activations.items():
        op = graph.nodes[position].op
        claim = (one.roles, type(op), one.channels, getattr(op, "element", None))
        for role, stored in one.roles:
            if owner.setdefault(stored, (claim, role)) != (claim, role):
                node = graph.nodes[position]
                raise untrainable(node, f"shares `{stored.key}` with another kind of operation")


def untrainable(node: Node, reason: str) -> CompileError:
    """The refusal of one operation; its sentence goes on with `reason`."""
    return CompileError(
        [
            Diagnostic(
                code="E0720",
                message=f"`{node.name}` cannot be trained: it {reason}",
                primary=Label(node.span),
                helps=("give each trained operation all of its arrays, and to it alone",),
            )
        ]
    )
