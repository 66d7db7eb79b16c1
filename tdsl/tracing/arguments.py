"""Python values -> values of the language, with the places of the arguments they were given as."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from tdsl.frontend import values
from tdsl.frontend.argument_kinds import ArgumentKind
from tdsl.frontend.context import WORDS, Context, Given
from tdsl.frontend.operators import Operator
from tdsl.frontend.values import Value
from tdsl.ir.size import Size
from tdsl.source import Span
from tdsl.tracing.annotations import DeclaredSize, ElementType, SizeCondition, size_value
from tdsl.tracing.places import Place
from tdsl.tracing.stores import OpenStores
from tdsl.tracing.tensors import Tensor
from tdsl.tracing.weights import GeneratedWeights, Weights, WeightsKey


class NoValue(Exception):
    """A Python object that no network knows, and where it is given."""

    def __init__(self, value: object, span: Span) -> None:
        super().__init__(value, span)
        self.value = value
        self.span = span


def given_arguments(
    operator: Operator,
    arguments: Sequence[object],
    named: dict[str, object],
    place: Place,
    receiver: bool,
    stores: OpenStores,
) -> tuple[Given, ...]:
    """Every argument with its value and its place; a `receiver` stands in front of the dot.

    Raises NoValue with the place of an argument that is no value of the language.
    """
    spans = [place.span] * len(arguments)
    written = place.positional
    if written is not None and len(written) == len(arguments) - receiver:
        spans = [place.made] * receiver + list(written)
    kinds = _kinds(operator, len(arguments))
    result = [
        Given(None, to_value(value, kind, span, stores), _use(value, span), span)
        for value, kind, span in zip(arguments, kinds, spans, strict=True)
    ]
    by_name = {parameter.name: parameter.kind for parameter in operator.parameters}
    for name, value in named.items():
        span = place.keywords.get(name, place.span)
        kind = by_name.get(name, ArgumentKind.INTEGER)
        result.append(Given(name, to_value(value, kind, span, stores), _use(value, span), span))
    return tuple(result)


def to_value(value: object, kind: ArgumentKind, span: Span, stores: OpenStores) -> Value:
    """`value` as one of the language, read as an argument of `kind`. Raises NoValue."""
    match value:
        case Tensor():
            return value.value
        case bool():
            return values.Truth(value)
        case int() | DeclaredSize():
            return size_value(value)
        case np.integer():
            return values.Number(int(cast("int", value)))
        case float() | np.floating():
            return values.Fraction(float(cast("float", value)))
        case str():
            return values.Word(value) if value in WORDS else values.Text(value)
        case ElementType(element):
            return element
        case SizeCondition():
            return value.value
        case Weights():
            return values.StoreKey(stores.name(value))
        case WeightsKey():
            return stores.key(value)
        case GeneratedWeights():
            return values.Generated(value.rule, value.seed)
        case tuple() | list() | np.ndarray():
            return _several(cast("Sequence[object]", value), kind, span, stores)
        case _:
            raise NoValue(value, span)


def _several(items: Sequence[object], kind: ArgumentKind, span: Span, stores: OpenStores) -> Value:
    """Two numbers are a window where one is taken; everything else in brackets is a list."""
    found = [to_value(item, kind, span, stores) for item in items]
    match found:
        case [values.Number(int(height)), values.Number(int(width))] if kind is ArgumentKind.WINDOW:
            return values.Dims(height, width)
        case _:
            return values.Items(tuple(found))


def _kinds(operator: Operator, count: int) -> list[ArgumentKind]:
    if operator.variadic:
        return [ArgumentKind.TENSOR] * count
    kinds = [parameter.kind for parameter in operator.parameters]
    return (kinds + [ArgumentKind.INTEGER] * count)[:count]


def _use(value: object, span: Span) -> Span:
    return value.value.made if isinstance(value, Tensor) else span


def channels(index: object, x: values.Tensor, span: Span, c: Context) -> tuple[int, int]:
    """The channels from .. to - 1 that `x[index]` means. Raises Rejected."""
    count = x.type.shape[0]
    match index:
        case bool():
            pass
        case int() if index >= 0:
            return index, index + 1
        case int() if isinstance(count, int):
            return count + index, count + index + 1
        case slice(step=None):
            ends = cast("slice[object, object, None]", index)
            low, high = _bound(ends.start, 0, count), _bound(ends.stop, count, count)
            if low is not None and high is not None:
                return low, high
        case _:
            pass
    raise c.reject(
        "E0308",
        f"the channels of {x.type} cannot be chosen by this index",
        span,
        "it takes a number, or two with a colon",
        helps=("`x[0:4]` are the first four channels",),
    )


def label_text(label: object, place: Place, c: Context) -> str | None:
    """The argument `label` of a step. Raises Rejected where it is no text."""
    if label is None or (isinstance(label, str) and label and not set(label) & set("`\r\n")):
        return label
    raise c.reject(
        "E0308",
        f"a label cannot be {label!r}",
        place.keywords.get("label", place.span),
        "it takes a text on one line",
    )


def _bound(bound: object, left_out: Size, count: Size) -> int | None:
    """One end of a slice, counted from the first channel."""
    if bound is None:
        bound = left_out
    if isinstance(bound, bool) or not isinstance(bound, int):
        return None
    if bound >= 0:
        return bound
    return count + bound if isinstance(count, int) else None
