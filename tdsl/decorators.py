"""`@network`: a Python function that is a network: called on images, compiled, shown as text."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any, cast, overload

from tdsl.api import Network
from tdsl.diagnostics import CompileError, Sources
from tdsl.execution import Result
from tdsl.frontend.checked import CheckedNetwork
from tdsl.lowering.organisation import Goal
from tdsl.random_values import random_weights
from tdsl.source import Span
from tdsl.tracing.mistakes import mistake
from tdsl.tracing.places import place_of_expression
from tdsl.tracing.python_spelling import in_python
from tdsl.tracing.trace import Declared, Traced, trace
from tdsl.tracing.tracer import current_tracer
from tdsl.tracing.weights import Weights


@overload
def network(weights: Callable[..., Any], /) -> TracedNetwork: ...


@overload
def network(
    weights: Weights | None = None,
    /,
    *,
    outputs: Mapping[str, object] | None = None,
    where: Sequence[object] = (),
    target: str | None = None,
    layouts: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Any]], TracedNetwork]: ...


def network(
    weights: Weights | Callable[..., Any] | None = None,
    /,
    *,
    outputs: object = None,
    where: object = (),
    target: object = None,
    layouts: object = None,
) -> TracedNetwork | Callable[[Callable[..., Any]], TracedNetwork]:
    """Make a network of a function: `@network(P, where=[H % 4 == 0], target="nearmem-1mb")`.

    The steps' names read their arrays from `weights`; `outputs` has a name and a type for each
    result, `where` conditions on sizes; `target` is a machine; `layouts` gives steps their data
    organisation, "channels" or "pixels". The function runs once, when the network is first used.
    Raises CompileError where the decorator itself is wrong.
    """
    if isinstance(weights, FunctionType):
        return TracedNetwork(Declared(weights))
    place = place_of_expression()
    _check(isinstance(weights, Weights | None), "weights", weights, place)
    _check(isinstance(outputs, dict | None), "outputs", outputs, place)
    _check(isinstance(where, list | tuple), "where", where, place)
    _check(isinstance(target, str | None), "target", target, place)
    _check(isinstance(layouts, dict | None), "layouts", layouts, place)
    declared = functools.partial(
        Declared,
        weights=cast("Weights | None", weights),
        outputs=cast("Mapping[str, object] | None", outputs),
        where=cast("Sequence[object]", where),
        target=cast("str | None", target),
        layouts=cast("Mapping[str, str]", layouts or {}),
        place=place,
    )

    def decorate(function: Callable[..., Any]) -> TracedNetwork:
        if isinstance(function, FunctionType):
            return TracedNetwork(declared(function))
        raise mistake(
            "N0109",
            f"`@network` stands before a function, not before a Python `{type(function).__name__}`",
            place,
        )

    return decorate


_FORMS = {
    "weights": 'the file of its arrays: `@network(weights("file.npz"))`',
    "outputs": 'names with types: `outputs={"scores": i16[10]}`',
    "where": "a list of conditions: `where=[H % 4 == 0, W >= 16]`",
    "target": 'a preset or a file: `target="nearmem-1mb"`',
    "layouts": 'organisations by step: `layouts={"c1": "pixels"}`',
}


def _check(fits: bool, name: str, value: object, place: Span) -> None:
    if not fits:
        raise mistake(
            "N0109",
            f"`{name}` of a network cannot be a Python `{type(value).__name__}`",
            place,
            helps=(f"give {_FORMS[name]}",),
        )


class TracedNetwork(Network):
    """The network that a Python function describes; the function runs when it is first needed."""

    def __init__(self, declared: Declared) -> None:
        """Take the function with what its decorator says."""
        self._declared = declared
        self.goal = Goal.CYCLES
        self._runners = {}
        file = Path(declared.function.__code__.co_filename)
        self.folder = file.parent if file.is_file() else Path()
        functools.update_wrapper(self, declared.function)

    @functools.cached_property
    def _traced(self) -> Traced:
        return trace(self._declared)

    @property
    def checked(self) -> CheckedNetwork:
        """The graph, its arrays and its target. Raises CompileError."""
        return self._traced.network

    @property
    def sources(self) -> Sources:
        """The Python files that its spans point into."""
        return self._traced.sources

    @property
    def name(self) -> str:
        """The function's name."""
        return self._declared.function.__name__

    def checked_again(self, *, weights: bool = True) -> Network:
        """The network with its mistakes found; without `weights`, with random ones."""
        if weights:
            self._traced  # noqa: B018
            return self
        traced = trace(self._declared, require_weights=False)
        checked = replace(traced.network, arrays=random_weights(traced.network.graph))
        return Network(checked, self.folder, traced.sources)

    @contextmanager
    def _quoted(self) -> Generator[None]:
        """Give diagnostics of the block the texts that they point into, and Python's spelling."""
        try:
            with super()._quoted():
                yield
        except CompileError as error:
            raise CompileError(map(in_python, error.diagnostics), error.sources) from error

    def __call__(self, *images: Any, machine: str | None = None, **named: Any) -> Result:
        """Run on images, as every network does. Raises CompileError."""
        tracer = current_tracer()
        if tracer is not None:
            raise tracer.context.reject(
                "E0201",
                f"`{self.name}` is a network and cannot be a step of another",
                place_of_expression(),
                helps=("make the common part a function with `@block`",),
            )
        return super().__call__(*images, machine=machine, **named)
