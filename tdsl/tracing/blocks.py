"""`@block`: a Python function whose calls are parts of networks, each with a name of its own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from types import FunctionType
from typing import ParamSpec, TypeVar, cast

from tdsl.diagnostics import Label
from tdsl.frontend.context import Context
from tdsl.tracing.arguments import label_text
from tdsl.tracing.mistakes import mistake
from tdsl.tracing.naming import Step
from tdsl.tracing.places import Place, place_of_call, place_of_expression
from tdsl.tracing.tensors import Tensor
from tdsl.tracing.tracer import Tracer, current_tracer

DEEPEST = 100
"""More blocks inside each other are one that never ends."""

P = ParamSpec("P")
R = TypeVar("R")


def block(function: Callable[P, R]) -> Callable[P, R]:
    """Let each call of `function` be a part of the network that its statement or `label=` names.

    The names of its steps, and so the keys of its arrays, begin with that name: `l1.conv`. Raises
    CompileError for a function that takes `label` itself.
    """
    if "label" in inspect.signature(function).parameters:
        raise mistake(
            "N0109",
            "a block has no argument `label` of its own",
            place_of_expression(),
            helps=("every call of a block takes `label=`, the name of that part",),
        )

    @functools.wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> R:
        tracer = current_tracer()
        if tracer is None:
            raise mistake(
                "N0108",
                f"block `{function.__name__}` is a part of networks, and none is being built",
                place_of_expression(),
                "called outside of one",
                helps=("call it in a function with `@network` or `@block`",),
            )
        label = named.pop("label", None)
        body = cast("FunctionType", function)
        return cast("R", _run(tracer, body, arguments, named, label))

    return call


def _run(
    tracer: Tracer,
    function: FunctionType,
    arguments: tuple[object, ...],
    named: dict[str, object],
    label: object,
) -> object:
    place = place_of_call(tracer.code)
    outer, code = tracer.context, tracer.code
    text = label_text(label, place, outer)
    _check_arguments(function, arguments, named, place, outer)
    step = tracer.names.enter(outer, place, text)
    called = Label(place.span, f"in this call of `{function.__name__}`")
    tracer.context = replace(step.inner, calls=(called, *outer.calls))
    tracer.code = function.__code__
    try:
        with tracer.reporting(place.span):
            outer.build.graph.count_call()
            result = function(*arguments, **named)
    finally:
        tracer.context, tracer.code = outer, code
    return _named(tracer, result, step)


def _check_arguments(
    function: FunctionType,
    arguments: tuple[object, ...],
    named: dict[str, object],
    place: Place,
    c: Context,
) -> None:
    name = function.__name__
    if len(c.calls) >= DEEPEST:
        raise c.reject(
            "E0205", f"block `{name}` contains itself", place.span, "this would never end"
        )
    signature = inspect.signature(function)
    try:
        signature.bind(*arguments, **named)
    except TypeError as error:
        raise c.reject(
            "E0307",
            f"block `{name}` cannot be called so: {error}",
            place.span,
            notes=(f"its arguments are: {', '.join(signature.parameters) or 'none'}",),
        ) from error


def _named(tracer: Tracer, result: object, step: Step) -> object:
    """The results of a block under the names that its call gives them."""
    if isinstance(result, Tensor):
        tracer.names.settle_block(step, result.value.node)
        return Tensor(tracer, replace(result.value, made=step.place.made))
    if isinstance(result, tuple):
        items = cast("tuple[object, ...]", result)
        for item, name in zip(items, step.place.binding.names, strict=False):
            if isinstance(item, Tensor):
                tracer.names.settle_several(step, item.value.node, name)
        return items
    return result
