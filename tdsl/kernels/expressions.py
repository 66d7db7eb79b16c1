"""Expressions of a kernel -> values: worked out while compiling, or made of the program's rows."""

import ast
from collections.abc import Sequence
from typing import cast

from tdsl.kernels import functions
from tdsl.kernels.arithmetic import (
    RELATIONS,
    SYMBOLS,
    as_bit,
    as_row,
    binary,
    compare,
    inverse,
    is_number,
    logical,
    logical_not,
    negative,
    refuse_unknown,
)
from tdsl.kernels.definition import Definition
from tdsl.kernels.functions import call_function, items_of, unknown_function
from tdsl.kernels.names import STATIC, frozen, look_up, look_up_function
from tdsl.kernels.scope import Scope
from tdsl.kernels.subscripts import integer, item, place
from tdsl.kernels.values import Function, Method, Row, Value


def evaluate(scope: Scope, node: ast.expr) -> Value:
    """The value of an expression. Raises Rejected after reporting a mistake, or NotYet."""
    match node:
        case ast.Constant(value=value):
            return cast("int | bool", value)
        case ast.Name(id=name):
            return look_up(scope, name, node)
        case ast.Tuple(elts=items):
            return tuple(_each(scope, items))
        case ast.List(elts=items):
            return _each(scope, items)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = evaluate(scope, left), evaluate(scope, right)
            return binary(scope, SYMBOLS[type(op)], a, b, node)
        case ast.UnaryOp(op=op, operand=operand):
            return _unary(scope, op, evaluate(scope, operand), node)
        case ast.Compare():
            return _comparison(scope, node)
        case ast.BoolOp(op=op, values=operands):
            return _logical(scope, isinstance(op, ast.And), operands, node)
        case ast.IfExp(test=test, body=body, orelse=other):
            chosen = decided(scope, test, node)
            return evaluate(scope, body if chosen else other)
        case ast.Subscript():
            return _subscript(scope, node)
        case ast.Call():
            return _call(scope, node)
        case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
            return _comprehension(scope, element, node.generators)
        case ast.Attribute():
            return _attribute(scope, node)
        case _:
            raise scope.reject("K0104", "this cannot be compiled to micro-ops", node)


def decided(scope: Scope, test: ast.expr, whole: ast.expr | ast.If) -> bool:
    """Whether a condition on constants holds. Reports K0102 for one on rows."""
    value = evaluate(scope, test)
    refuse_unknown(value)
    if isinstance(value, Row):
        what = "choose an expression by" if isinstance(whole, ast.IfExp) else "branch on"
        raise scope.reject(
            "K0102",
            f"a kernel cannot {what} row data",
            test,
            f"this is {scope.type_text(value)}: one value per lane,"
            " all lanes run the same micro-op",
            helps=(f"select per lane: `{_as_mux(scope, test, whole)}`",),
        )
    if isinstance(value, int | list | tuple | range):
        return bool(value)
    raise scope.reject("K0111", f"{scope.type_text(value)} is no condition", test)


def bind(scope: Scope, target: ast.expr, value: Value) -> None:
    """Give a value to a name, the names of a tuple, or an item of a list."""
    match target:
        case ast.Name(id=name):
            scope.values[name] = value
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            items = items_of(scope, value, target)
            if len(items) != len(targets) or any(isinstance(t, ast.Starred) for t in targets):
                raise scope.reject(
                    "K0110",
                    f"{len(items)} values for {len(targets)} names",
                    target,
                    f"the value is {scope.type_text(value)}",
                )
            for one, part in zip(targets, items, strict=True):
                bind(scope, one, part)
        case ast.Subscript():
            owner = evaluate(scope, target.value)
            if not isinstance(owner, list):
                raise scope.reject(
                    "K0104",
                    f"{scope.type_text(owner)} cannot be changed in place",
                    target,
                    helps=("only items of lists can be: `rows = [a, b]`",),
                )
            owner[place(scope, owner, evaluate(scope, target.slice), target)] = value
        case _:
            raise scope.reject("K0104", "this cannot be assigned to", target)


def _each(scope: Scope, nodes: Sequence[ast.expr]) -> list[Value]:
    values: list[Value] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            values += items_of(scope, evaluate(scope, node.value), node)
        else:
            values.append(evaluate(scope, node))
    return values


def _unary(scope: Scope, op: ast.unaryop, value: Value, node: ast.expr) -> Value:
    match op:
        case ast.USub():
            return negative(scope, value, node)
        case ast.Invert():
            return inverse(scope, value, node)
        case ast.Not():
            return logical_not(scope, value, node)
        case _:
            return value if is_number(value) else as_row(scope, value, node)


def _comparison(scope: Scope, node: ast.Compare) -> Value:
    """`a < b`, or a chain `a < b < c`, which holds where every link holds."""
    whole: Value = True
    a = evaluate(scope, node.left)
    for op, right in zip(node.ops, node.comparators, strict=True):
        symbol = RELATIONS.get(type(op))
        if symbol is None:
            raise scope.reject(
                "K0108",
                "`is` and `in` are not in the array",
                node,
                helps=("compare: `x == 1 or x == 2`",),
            )
        b = evaluate(scope, right)
        whole = logical(scope, True, whole, compare(scope, symbol, a, b, node), node)
        a = b
    return whole


def _logical(scope: Scope, both: bool, nodes: Sequence[ast.expr], node: ast.expr) -> Value:
    joined: Value = both
    for one in nodes:
        if is_number(joined) and bool(joined) is not both:
            return joined
        value = evaluate(scope, one)
        if isinstance(value, Row):
            as_bit(scope, value, one, "`and`" if both else "`or`")
        joined = logical(scope, both, joined, value, node)
    return joined


def _subscript(scope: Scope, node: ast.Subscript) -> Value:
    value = evaluate(scope, node.value)
    if isinstance(node.slice, ast.Slice) and isinstance(value, list | tuple | range):
        parts = (node.slice.lower, node.slice.upper, node.slice.step)
        bounds = [
            None if one is None else integer(scope, evaluate(scope, one), one) for one in parts
        ]
        return value[slice(*bounds)]
    return item(scope, value, evaluate(scope, node.slice), node)


def _call(scope: Scope, node: ast.Call) -> Value:
    scope.count(node)
    function = _callee(scope, node)
    if isinstance(function, Function) and function.name == STATIC:
        return frozen(scope, node)
    arguments = _each(scope, node.args)
    if isinstance(function, Definition):
        named = {one.arg: evaluate(scope, one.value) for one in node.keywords if one.arg}
        return scope.build.call_kernel(scope, function, arguments, named, node)
    if node.keywords:
        raise scope.reject(
            "K0110", "arguments of functions have no names here", node.keywords[0], "leave it out"
        )
    if isinstance(function, Method):
        functions.append(scope, function, arguments, node)
        return None
    return call_function(scope, function.name, arguments, node)


def _callee(scope: Scope, node: ast.Call) -> Function | Method | Definition:
    if isinstance(node.func, ast.Name):
        function = look_up_function(scope, node.func.id, node.func)
    else:
        function = evaluate(scope, node.func)
    refuse_unknown(function)
    if isinstance(function, Function | Method | Definition):
        return function
    raise scope.reject("K0109", f"{scope.type_text(function)} cannot be called", node.func)


def _attribute(scope: Scope, node: ast.Attribute) -> Value:
    """`rows.append`: the one attribute that there is."""
    root = node.value
    if not isinstance(root, ast.Name) or root.id in scope.values:
        owner = evaluate(scope, root)
        if isinstance(owner, list) and node.attr == "append":
            return Method(owner)
        raise scope.reject(
            "K0104",
            f"{scope.type_text(owner)} has no `{node.attr}` inside a kernel",
            node,
            helps=("lists have `append`",) if isinstance(owner, list) else (),
        )
    raise unknown_function(scope, scope.words(node), node, None)


def _comprehension(
    scope: Scope, element: ast.expr, loops: Sequence[ast.comprehension]
) -> list[Value]:
    """The items of `[item for x in items if constant]`; its names are its own."""
    kept = dict(scope.values)
    values: list[Value] = []

    def run(depth: int) -> None:
        if depth == len(loops):
            values.append(evaluate(scope, element))
            return
        loop = loops[depth]
        for value in items_of(scope, evaluate(scope, loop.iter), loop.iter):
            scope.count(loop.iter)
            bind(scope, loop.target, value)
            if all(decided(scope, test, test) for test in loop.ifs):
                run(depth + 1)

    run(0)
    scope.values.clear()
    scope.values.update(kept)
    return values


def _as_mux(scope: Scope, test: ast.expr, whole: ast.expr | ast.If) -> str:
    """The `mux` that says what a branch on rows was meant to say."""
    condition = scope.words(test)
    match whole:
        case ast.IfExp(body=body, orelse=other):
            return f"mux({condition}, {scope.words(body)}, {scope.words(other)})"
        case ast.If(body=[ast.Assign(targets=[ast.Name(id=name)], value=value)], orelse=[]):
            return f"{name} = mux({condition}, {scope.words(value)}, {name})"
        case ast.If(
            body=[ast.Assign(targets=[ast.Name(id=name)], value=value)],
            orelse=[ast.Assign(targets=[ast.Name(id=also)], value=other)],
        ) if name == also:
            return f"{name} = mux({condition}, {scope.words(value)}, {scope.words(other)})"
        case ast.If(body=[ast.Return(value=value)], orelse=[ast.Return(value=other)]) if (
            value is not None and other is not None
        ):
            return f"return mux({condition}, {scope.words(value)}, {scope.words(other)})"
        case _:
            return f"mux({condition}, a, b)"
