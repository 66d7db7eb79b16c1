"""A name in a kernel -> what it means: a value, a function, a type, or what stands around it."""

import ast
import difflib
from collections.abc import Sequence
from typing import cast

from tdsl.kernels.definition import Definition, Missing, Plain
from tdsl.kernels.functions import FUNCTIONS, unknown_function
from tdsl.kernels.row_types import named_element
from tdsl.kernels.scope import NotYet, Rejected, Scope
from tdsl.kernels.values import Function, Value

STATIC = "static"


def look_up(scope: Scope, name: str, node: ast.expr) -> Value:
    """The value of a name. Reports K0103, K0107 and K0109; raises NotYet."""
    if name in scope.values:
        return scope.values[name]
    outer = scope.definition.outside(name)
    if isinstance(outer, Definition):
        return outer
    if name in FUNCTIONS or name == STATIC:
        return Function(name)
    element = named_element(name)
    if element is not None:
        return element
    match outer:
        case Missing(later=True) if not scope.build.final:
            raise NotYet
        case Missing():
            near = difflib.get_close_matches(name, [*scope.values, *FUNCTIONS], n=1)
            raise scope.reject(
                "K0107",
                f"`{name}` has no value here",
                node,
                f"did you mean `{near[0]}`?" if near else "never assigned before this line",
            )
        case Plain():
            raise _captured(scope, name, outer, node)


def look_up_function(scope: Scope, name: str, node: ast.expr) -> Value:
    """The value of a name that is called: one that means nothing is reported as K0109."""
    if name in scope.values or name in FUNCTIONS or name == STATIC:
        return look_up(scope, name, node)
    match scope.definition.outside(name):
        case Missing(later=later) if not later or scope.build.final:
            near = difflib.get_close_matches(name, FUNCTIONS, n=1)
            raise unknown_function(scope, name, node, near[0] if near else None)
        case _:
            return look_up(scope, name, node)


def frozen(scope: Scope, node: ast.Call) -> Value:
    """`static(NAME)`: a Python variable frozen on purpose."""
    match node.args:
        case [ast.Name(id=name)] if not node.keywords:
            outer = scope.definition.outside(name)
        case _:
            raise scope.reject(
                "K0110",
                "`static` takes one name of a Python variable",
                node,
                helps=("write `static(THR)`",),
            )
    match outer:
        case Missing(later=True) if not scope.build.final:
            raise NotYet
        case Plain(value=value) if _is_constant(value):
            return _copied(value)
        case _:
            raise scope.reject(
                "K0103",
                f"`{name}` cannot be frozen",
                node.args[0],
                "not an integer, nor a list or tuple of integers",
            )


def _captured(scope: Scope, name: str, outer: Plain, node: ast.expr) -> Rejected:
    value, text = outer.value, outer.text
    if outer.function:
        near = difflib.get_close_matches(name, FUNCTIONS, n=1)
        return unknown_function(scope, name, node, near[0] if near else None)
    helps: tuple[str, ...] = ("a kernel knows its arguments, constants and other kernels",)
    if isinstance(value, int):
        helps = (
            f"pass it: `{name}: Const[{type(value).__name__}] = {text}`",
            f"or freeze it on purpose: `static({name})`",
        )
    elif _is_constant(value):
        helps = (f"freeze it on purpose: `static({name})`",)
    return scope.reject(
        "K0103",
        f"{scope.definition.kind} `{scope.definition.name}` reads the Python variable `{name}`",
        node,
        f"its value now is {text}; later changes would be ignored",
        helps=helps,
    )


def _is_constant(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_constant(item) for item in cast("Sequence[object]", value))
    return isinstance(value, int)


def _copied(value: object) -> Value:
    if isinstance(value, list | tuple):
        return tuple(_copied(item) for item in cast("Sequence[object]", value))
    return cast("int", value)
