"""Method calls and operators on tensors -> nodes of a graph, checked as those of a text are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from types import CodeType

from tdsl.frontend import values
from tdsl.frontend.argument_kinds import ArgumentKind
from tdsl.frontend.check_calls import apply_operation
from tdsl.frontend.check_expressions import cut, invert, join_tensors
from tdsl.frontend.check_statements import failed
from tdsl.frontend.context import Call, Context
from tdsl.frontend.graph_builder import TooLarge
from tdsl.frontend.operators import FOREIGN, OPERATORS, Operator
from tdsl.frontend.reports import Rejected, Site
from tdsl.frontend.spelling import closest
from tdsl.frontend.syntax import BinaryOperator
from tdsl.source import Span
from tdsl.tracing.arguments import NoValue, channels, given_arguments, label_text, to_value
from tdsl.tracing.mistakes import mistake
from tdsl.tracing.naming import Names, Step
from tdsl.tracing.places import (
    Place,
    place_of_attribute,
    place_of_call,
    place_of_expression,
    place_of_operator,
)
from tdsl.tracing.state import knowing
from tdsl.tracing.stores import OpenStores
from tdsl.tracing.tensors import Tensor

_CURRENT: ContextVar[Tracer | None] = ContextVar("tracer", default=None)


def current_tracer() -> Tracer | None:
    """The tracer at work, or None outside of networks."""
    return _CURRENT.get()


@contextmanager
def tracing(tracer: Tracer) -> Generator[None]:
    """Let `tracer` be the one at work inside the block."""
    token = _CURRENT.set(tracer)
    try:
        with knowing(tracer.context.build.where):
            yield
    finally:
        _CURRENT.reset(token)


@dataclass(slots=True)
class Tracer:
    """One network while its function runs. The context is that of the innermost block."""

    context: Context
    code: CodeType
    """The function of the network or of the innermost block."""
    stores: OpenStores
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        self.names = Names(self.context.build.graph)

    def method(self, tensor: Tensor, name: str) -> Callable[..., Tensor]:
        """The operation `name` with `tensor` as its first argument."""
        if name in OPERATORS:
            return functools.partial(self.operation, OPERATORS[name], True, tensor)
        foreign = FOREIGN.get(name.lower().replace("_", ""))
        near = None if foreign else closest(name, (*OPERATORS, "shape", "element", "type"))
        raise self.context.reject(
            "E0201",
            f"no operation is called `{name}`",
            place_of_attribute(name),
            f"did you mean `{near}`?" if near else "not found",
            helps=(foreign,) if foreign else (),
        )

    def operation(
        self,
        operator: Operator,
        receiver: bool,
        *arguments: object,
        label: object = None,
        **named: object,
    ) -> Tensor:
        """Apply an operation; with a `receiver` the first argument stands in front of a dot."""
        place = place_of_call(self.code)
        self._check_tensors((*arguments, *named.values()), place.span)
        with self.reporting(place.span):
            text = label_text(label, place, self.context)
            step = self.names.enter(self.context, place, text)
            self._check_named(operator, len(arguments), named, text, place)
            given = given_arguments(operator, arguments, named, place, receiver, self.stores)
            step.inner.build.graph.count_call()
            found = apply_operation(operator, Call(operator.name, place.span, given), step.inner)
        self.names.settle(step, found.node, operator.name)
        return Tensor(self, replace(found, made=place.made))

    def join(self, sign: BinaryOperator, left: object, right: object) -> Tensor:
        """An operator between two values, at least one of them a tensor."""
        place = place_of_operator(self.code)
        self._check_tensors((left, right), place.span)
        with self.reporting(place.span):
            step = self.names.enter(self.context, place, None)
            a, b = (
                to_value(v, ArgumentKind.INTEGER, place.span, self.stores) for v in (left, right)
            )
            found = join_tensors(sign, a, b, _site(place, a, b), step.inner)
        return self._operated(found, step)

    def invert(self, tensor: Tensor) -> Tensor:
        """`~tensor`."""
        place = place_of_operator(self.code)
        self._check_tensors((tensor,), place.span)
        with self.reporting(place.span):
            step = self.names.enter(self.context, place, None)
            found = invert(tensor.value, _site(place, tensor.value), step.inner)
        return self._operated(found, step)

    def cut(self, tensor: Tensor, index: object) -> Tensor:
        """Channels of a tensor: `x[3]`, `x[3:8]`, as a list's elements are counted."""
        place = place_of_operator(self.code)
        self._check_tensors((tensor,), place.span)
        value = tensor.value
        with self.reporting(place.span):
            step = self.names.enter(self.context, place, None)
            start, stop = channels(index, value, place.span, step.inner)
            found = cut(value, start, stop, _site(place, value), step.inner)
        return self._operated(found, step)

    def refuse_value(self, tensor: Tensor, use: str) -> Rejected:
        """Report that Python wants to know the tensor's values; raise what this returns."""
        code, help_text = _UNKNOWN_VALUES.get(use, _NUMBER)
        return self.context.reject(
            code,
            f"a network cannot {use} a value it computes",
            place_of_expression(),
            f"this is {tensor.type}, known only when the network runs",
            helps=(help_text,),
        )

    def refuse_operator(self, sign: str, tensor: Tensor) -> Rejected:
        """Report an operator that tensors do not have; raise what this returns."""
        return self.context.reject(
            "E0315",
            f"`{sign}` cannot be applied to the tensor {tensor.type}",
            place_of_expression(),
            helps=(_OPERATORS_INSTEAD[sign],),
        )

    @contextmanager
    def reporting(self, span: Span) -> Generator[None]:
        """Report at `span` that a limit is passed, or that a value is none of the language."""
        try:
            yield
        except TooLarge as error:
            raise failed(self.context, span, error) from error
        except NoValue as error:
            raise self.context.reject(
                "N0106",
                f"a network knows nothing of a Python `{type(error.value).__name__}`",
                error.span,
                "it takes tensors, whole numbers, element types and arrays of weights",
            ) from error

    def _operated(self, found: values.Tensor, step: Step) -> Tensor:
        kind = self.context.build.graph.nodes[found.node].name.rpartition(".")[2]
        self.names.settle(step, found.node, kind)
        return Tensor(self, replace(found, made=step.place.made))

    def _check_tensors(self, arguments: Sequence[object], span: Span) -> None:
        """All tensors belong to this network, and it is the one being traced."""
        tensors = [argument for argument in arguments if isinstance(argument, Tensor)]
        if current_tracer() is self and all(tensor.steps is self for tensor in tensors):
            return
        raise mistake(
            "N0107",
            "this tensor belongs to another network",
            span,
            "it is no value outside of the function that made it",
            helps=("a part of several networks is a function with `@block`",),
        )

    def _check_named(
        self,
        operator: Operator,
        count: int,
        named: Mapping[str, object],
        label: str | None,
        place: Place,
    ) -> None:
        """A step that reads arrays by its name has to have one."""
        left = [p for p in operator.parameters[count:] if p.name not in named]
        reads = any(p.kind in (ArgumentKind.WEIGHTS, ArgumentKind.THRESHOLD) for p in left)
        if place.readable or label is not None or not reads:
            return
        raise self.context.reject(
            "N0105",
            f"nothing says what this `{operator.name}` is called",
            place.span,
            notes=("its name is that of the variable; the source of this code cannot be read",),
            helps=('give it one: `label="c1"`', "or keep the code in a file or a notebook's cell"),
        )


_NUMBER = "N0102", "`x.shape` and `x.element` are known while the network is built"
_UNKNOWN_VALUES = {
    "branch on": ("N0101", "choose per element: `mux(condition, a, b)`"),
    "loop over": (
        "N0102",
        "`x[0:4]` are its first four channels, `x.shape[0]` says how many it has",
    ),
}
_OPERATORS_INSTEAD = {
    "-": "`~x` negates a `trit` or `bin`",
    "abs": "`mux(x < y, y - x, x - y)` is the distance of two tensors",
    "/": "a tensor is divided by powers of two, rounding down: `x >> 1`",
    "@": "`x.linear(n)` multiplies by a matrix of weights",
    "**": "tensors are added, shifted, compared and joined by gates",
}


def _site(place: Place, *operands: values.Value) -> Site:
    made = tuple(operand.made for operand in operands if isinstance(operand, values.Tensor))
    return Site(span=place.span, uses=made, made=made)
