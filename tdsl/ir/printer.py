"""Graph -> text: one line a node, in the graph's order, the same for equal graphs."""

import hashlib
import re
from dataclasses import MISSING, Field, fields
from typing import cast

from tdsl.ir.condition import condition_text
from tdsl.ir.graph import Graph, Node
from tdsl.ir.ops import Automaton, Constant, Op, Parameter, Stored
from tdsl.ir.tensor_type import Element
from tdsl.rows.ir import RowProgram

Attribute = Parameter | Element | RowProgram | str | int | tuple[object, ...] | None


def print_graph(graph: Graph) -> str:
    """The text of `graph`; attributes that have their default value are left out."""
    symbols = f"[{', '.join(graph.symbols)}]" if graph.symbols else ""
    lines = [f"network {graph.name}{symbols}"]
    lines += [f"  where {condition_text(condition)}" for condition in graph.where]
    lines += [_node_line(graph, node) for node in graph.nodes]
    lines += [f"  output {o.name} = {graph.nodes[o.node].name}" for o in graph.outputs]
    return "\n".join(lines) + "\n"


def _node_line(graph: Graph, node: Node) -> str:
    operands = [graph.nodes[position].name for position in node.inputs]
    arguments = ", ".join(operands + _attributes(node.op))
    return f"  {node.name}: {node.type} = {_op_name(node.op)}({arguments})"


def _op_name(op: Op) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(op).__name__).lower()


def _attributes(op: Op) -> list[str]:
    return [
        f"{field.name}={_value(getattr(op, field.name))}"
        for field in fields(op)
        if field.compare and not _is_default(field, getattr(op, field.name))
    ]


def _is_default(field: "Field[object]", value: object) -> bool:
    return field.default is not MISSING and field.default == value


def _value(value: Attribute) -> str:
    match value:
        case Stored(key=key, shape=shape, store=store):
            return f"{store}[{key}]{_tuple(shape)}"
        case Constant(values=(one,)):
            return str(one)
        case Constant(values=values, shape=shape):
            return f"{{{' '.join(map(str, values))}}}{_tuple(shape)}"
        case Automaton(rule=rule, seed=seed, shape=shape):
            return f"ca(rule={rule}, seed={seed}){_tuple(shape)}"
        case RowProgram():
            return _program(value)
        case tuple():
            return _tuple(value)
        case _:
            return str(value)


def _program(program: RowProgram) -> str:
    """The name of a row program, and a digest of all of it."""
    formulas = [(value.op, value.range) for value in program.values]
    digest = hashlib.sha256(repr((formulas, program.results)).encode()).hexdigest()
    return f"{program.name}:{digest[:8]}"


def _tuple(value: tuple[object, ...]) -> str:
    return f"({' '.join(map(_item, value))})"


def _item(value: object) -> str:
    """An item of an attribute; a constant of a kernel is a pair."""
    return (
        "=".join(map(str, cast("tuple[object, ...]", value)))
        if isinstance(value, tuple)
        else str(value)
    )
