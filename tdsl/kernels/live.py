"""A decorated Python function -> its definition; names around it are looked up, not kept."""

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

    def outside(name: str) -> Outer:
        return _found(function, name)

    path = function.__code__.co_filename
    return define(file, node, outside, declared, path if os.path.exists(path) else "")


def _found(function: Callable[..., Any], name: str) -> Outer:
    """What a name means where the function was defined, now."""
    closure = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    if name in closure:
        try:
            return _outer(closure[name].cell_contents)
        except ValueError:
            return Missing(later=True)
    if name in function.__globals__:
        return _outer(function.__globals__[name])
    if hasattr(builtins, name):
        return _outer(getattr(builtins, name))
    return Missing()


def _outer(value: object) -> Outer:
    definition = getattr(value, "definition", None)
    if isinstance(definition, Definition):
        return definition
    text = repr(value)
    function = callable(value) or isinstance(value, ModuleType)
    shown = text if len(text) <= MOST_TEXT else f"a {type(value).__name__}"
    return Plain(value, shown, function)
