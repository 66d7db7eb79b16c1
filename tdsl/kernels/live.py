"""A decorated Python function -> its definition; names around it are looked up, not kept."""

import ast
import builtins
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tdsl.kernels.define import define
from tdsl.kernels.definition import Declared, Definition, Missing, Outer, Plain
from tdsl.kernels.source import source_of

MOST_TEXT = 40


def define_function(function: Callable[..., Any], declared: Declared | None = None) -> Definition:
    """The definition of a kernel written as a Python function. Raises CompileError."""
    file, node = source_of(function)
    itself: list[Definition] = []

    def outside(name: str) -> Outer:
        found = _found(function, name)
        if found is not None:
            return found
        if name == function.__name__ and itself:
            return itself[0]
        return Missing(name in function.__code__.co_freevars or _is_bound(file.tree, name))

    path = function.__code__.co_filename
    made = define(file, node, outside, declared, path if os.path.exists(path) else "")
    itself.append(made)
    return made


def _found(function: Callable[..., Any], name: str) -> Outer | None:
    """What a name means where the function was defined, now; None for nothing."""
    closure = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    if name in closure:
        try:
            return _outer(closure[name].cell_contents)
        except ValueError:
            return None
    if name in function.__globals__:
        return _outer(function.__globals__[name])
    if hasattr(builtins, name):
        return _outer(getattr(builtins, name))
    return None


def _is_bound(node: ast.AST, name: str) -> bool:
    """Whether a file gives a value to a name outside of functions, perhaps further down."""
    match node:
        case ast.FunctionDef(name=bound) | ast.ClassDef(name=bound):
            return bound == name
        case ast.Name(id=bound, ctx=ast.Store()):
            return bound == name
        case ast.alias(name=bound, asname=other):
            return name == (other or bound)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp() | ast.Lambda():
            return False
        case _:
            return any(_is_bound(child, name) for child in ast.iter_child_nodes(node))


def _outer(value: object) -> Outer:
    definition = getattr(value, "definition", None)
    if isinstance(definition, Definition):
        return definition
    text = repr(value)
    function = callable(value) or isinstance(value, ModuleType)
    shown = text if len(text) <= MOST_TEXT else f"a {type(value).__name__}"
    return Plain(value, shown, function)
