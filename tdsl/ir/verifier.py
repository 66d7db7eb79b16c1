"""What every valid graph satisfies, and what the arrays of its parameters satisfy.

A failure here is a fault of the compiler: users' mistakes are diagnostics of the checker.
"""

from math import prod
from typing import assert_never

import numpy as np

from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node
from tdsl.ir.infer import infer
from tdsl.ir.op_error import OpError
from tdsl.ir.parameters import Arrays, resolve
from tdsl.ir.size import symbols_of
from tdsl.rows.verifier import VerificationError as InvalidRows
from tdsl.rows.verifier import verify_rows


class VerificationError(AssertionError):
    """The compiler made an invalid graph."""


def verify(graph: Graph) -> None:
    """Raise VerificationError unless `graph` is valid."""
    _require_unique("nodes", [node.name for node in graph.nodes])
    _require_unique("outputs", [output.name for output in graph.outputs])
    _require_unique("symbols", list(graph.symbols))
    for position, node in enumerate(graph.nodes):
        _verify_node(graph, position, node)
    _require(bool(graph.outputs), f"network `{graph.name}` has no output")
    for output in graph.outputs:
        there = 0 <= output.node < len(graph.nodes)
        _require(there, f"output `{output.name}` is node {output.node}, which does not exist")


def verify_arrays(graph: Graph, arrays: Arrays) -> None:
    """Raise VerificationError unless `arrays` gives every parameter of `graph` legal values."""
    for node in graph.nodes:
        for stored in (p for p in parameters(node.op) if isinstance(p, ops.Stored)):
            _require(stored in arrays, f"`{node.name}`: there is no array for {stored}")
            there = arrays[stored].shape
            _require(there == stored.shape, f"`{node.name}`: {stored} has shape {there}")
        _verify_values(node, arrays)


def parameters(op: ops.Op) -> tuple[ops.Parameter, ...]:
    """The parameters of an operation, in the order of its attributes."""
    match op:
        case ops.Conv(weight=weight) | ops.Linear(weight=weight):
            return (weight,)
        case ops.Ternarize(lo=lo, hi=hi):
            return (lo, hi)
        case ops.Binarize(t=t) | ops.Step(t=t):
            return (t,)
        case ops.Quantize(th=th):
            return (th,)
        case _:
            return ()


def _verify_node(graph: Graph, position: int, node: Node) -> None:
    _verify_attributes(node)
    for i in node.inputs:
        _require(0 <= i < position, f"`{node.name}` reads node {i}, which does not come before it")
    for size in node.type.shape:
        unknown = symbols_of(size) - set(graph.symbols)
        _require(not unknown, f"`{node.name}`: {node.type} has undeclared sizes {sorted(unknown)}")
    if isinstance(node.op, ops.Input):
        _require(not node.inputs, f"input `{node.name}` reads other nodes")
        return
    try:
        wanted = infer(node.op, tuple(graph.nodes[i].type for i in node.inputs), graph.where)
    except (OpError, ValueError) as error:
        raise VerificationError(f"`{node.name}`: {error}") from error
    _require(node.type == wanted, f"`{node.name}` is {node.type}, it should be {wanted}")


def _verify_attributes(node: Node) -> None:
    for parameter in parameters(node.op):
        _verify_parameter(node, parameter)
    _require(min(_counts(node.op), default=1) >= 1, f"`{node.name}`: {node.op} counts below 1")
    if isinstance(node.op, ops.Kernel):
        _verify_kernel(node, node.op)
    if isinstance(node.op, ops.Conv):
        _require(min(node.op.padding) >= 0, f"`{node.name}`: negative padding {node.op.padding}")


def _verify_kernel(node: Node, op: ops.Kernel) -> None:
    program = op.program
    try:
        verify_rows(program)
    except InvalidRows as error:
        raise VerificationError(f"`{node.name}`: {error}") from error
    _require(len(program.results) == 1, f"`{node.name}`: a kernel gives one result")
    _require(program.stride == (1, 1), f"`{node.name}`: a kernel has no stride")
    total = bool(program.totals)
    _require(total == (op.element is None), f"`{node.name}`: {op.element} is not its result's type")
    alone = all(one.channels == 1 for one in program.inputs)
    _require(alone or not op.channelwise, f"`{node.name}` has channels and works on each")


def _verify_parameter(node: Node, parameter: ops.Parameter) -> None:
    match parameter:
        case ops.Constant(values=values, shape=shape):
            full = len(values) in (1, prod(shape))
            _require(full, f"`{node.name}`: {len(values)} values for shape {shape}")
        case ops.Automaton():
            weighs = isinstance(node.op, ops.Conv | ops.Linear)
            _require(weighs, f"`{node.name}`: generated values are weights, not thresholds")
        case ops.Stored():
            pass
        case _:
            assert_never(parameter)


def _counts(op: ops.Op) -> tuple[int, ...]:
    """The attributes of an operation that have to be 1 or more."""
    match op:
        case ops.Conv():
            return (*op.kernel, *op.stride, *op.dilation, op.groups, op.out_channels)
        case ops.Pool():
            return (*op.kernel, *op.stride)
        case ops.Linear():
            return (op.out_features,)
        case ops.Thermometer():
            return (op.levels,)
        case ops.Upsample() | ops.PixelShuffle():
            return (op.factor,)
        case ops.ChannelShuffle():
            return (op.groups,)
        case _:
            return ()


def _verify_values(node: Node, arrays: Arrays) -> None:
    values = [resolve(parameter, arrays) for parameter in parameters(node.op)]
    match node.op:
        case ops.Conv() | ops.Linear():
            ternary = bool(np.isin(values[0], (-1, 0, 1)).all())
            _require(ternary, f"`{node.name}`: its weights are not all -1, 0 or +1")
        case ops.Ternarize():
            lo, hi = values
            _require(bool((hi >= lo - 1).all()), f"`{node.name}`: its thresholds cross")
        case ops.Quantize():
            rises = bool((np.diff(values[0], axis=-1) >= 0).all())
            _require(rises, f"`{node.name}`: its thresholds do not rise")
        case _:
            pass


def _require_unique(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    _require(not twice, f"two {what} have one name: {twice}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise VerificationError(message)
