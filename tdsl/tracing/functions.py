"""Operations on several tensors as functions: `mux(s, a, b)`, `concat(a, b)`, `clip(x, u8)`."""

from __future__ import annotations

from tdsl.frontend.operators import OPERATORS
from tdsl.tracing.annotations import ElementType
from tdsl.tracing.mistakes import mistake
from tdsl.tracing.places import place_of_expression
from tdsl.tracing.tensors import Tensor
from tdsl.tracing.tracer import Tracer, current_tracer


def mux(selector: Tensor, a: Tensor, b: Tensor, *, label: str | None = None) -> Tensor:
    """`a` where the `u1` selector is 1, else `b`."""
    return _tracer("mux").operation(OPERATORS["mux"], False, selector, a, b, label=label)


def concat(*tensors: Tensor, label: str | None = None) -> Tensor:
    """The channels of all tensors, one after the other."""
    return _tracer("concat").operation(OPERATORS["concat"], False, *tensors, label=label)


def clip(x: Tensor, element: ElementType, *, label: str | None = None) -> Tensor:
    """`x`, with values beyond those of `element` cut to its smallest and largest."""
    return _tracer("clip").operation(OPERATORS["clip"], False, x, element, label=label)


def _tracer(name: str) -> Tracer:
    tracer = current_tracer()
    if tracer is None:
        raise mistake(
            "N0108",
            f"`{name}` is a step of a network, and none is being built",
            place_of_expression(),
            "called outside of one",
            helps=("call it in a function with `@network` or `@block`",),
        )
    return tracer
