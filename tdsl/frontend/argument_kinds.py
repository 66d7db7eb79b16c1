"""What kinds of arguments operations take, and a value -> the argument, or why it is none."""

from collections.abc import Callable
from enum import Enum

from tdsl.frontend.values import (
    Dims,
    Fraction,
    Generated,
    Items,
    Number,
    StoreKey,
    Tensor,
    Value,
    Word,
    described,
)
from tdsl.ir.op_error import OpError
from tdsl.ir.tensor_type import Element

LARGEST = 1 << 31
"""Numbers from here on are refused as arguments: no size, count or threshold is so large."""

Window = tuple[int, int]
Padding = str | tuple[int, int, int, int]
Source = StoreKey | Generated | tuple[int, ...]
"""Where a parameter comes from when the source says so: a file, a generator, or numbers."""

Argument = Tensor | int | Window | Padding | Element | Source | None


class ArgumentKind(Enum):
    """The kinds, each with its description for messages."""

    TENSOR = "a tensor"
    COUNT = "a number from 1 on"
    INTEGER = "a number"
    WINDOW = "a window such as `3x3`, or one number for both sides"
    PADDING = "`same`, `valid`, a number of pixels, or `[top, left, bottom, right]`"
    ELEMENT = "an element type such as `i8` or `trit`"
    WEIGHTS = "an array such as `P.c1.w`, or `ca(rule = 30, seed = 7)`"
    THRESHOLD = "a number, an array such as `P.c1.lo`, or a list of numbers"


_RANGES = {
    ArgumentKind.COUNT: (1, LARGEST - 1),
    ArgumentKind.INTEGER: (1 - LARGEST, LARGEST - 1),
    ArgumentKind.WINDOW: (1, LARGEST - 1),
    ArgumentKind.PADDING: (0, LARGEST - 1),
    ArgumentKind.THRESHOLD: (1 - LARGEST, LARGEST - 1),
}
"""The numbers that a kind takes, where it takes any."""


def converted(kind: ArgumentKind, name: str, value: Value, operation: str) -> Argument:
    """`value` as an argument of `kind`. Raises OpError where it is something else."""
    argument = _CONVERSIONS[kind](value)
    if argument is None:
        raise OpError(
            code="E0308",
            message=f"`{name}` of `{operation}` cannot be {described(value)}",
            label=f"it takes {_wanted(kind, value)}",
            argument=name,
        )
    return argument


def _wanted(kind: ArgumentKind, value: Value) -> str:
    """What a kind takes: for a number out of its range that range, else its description."""
    numbers = value.items if isinstance(value, Items) else (value,)
    if kind not in _RANGES or not any(_is_outside(number, *_RANGES[kind]) for number in numbers):
        return kind.value
    low, high = _RANGES[kind]
    return f"whole numbers from {low} to {high}"


def _is_outside(value: Value, low: int, high: int) -> bool:
    match value:
        case Number(int(number)):
            return not low <= number <= high
        case Dims(height, width):
            return not low <= min(height, width) <= max(height, width) <= high
        case _:
            return isinstance(value, Fraction)


def _integer(value: Value) -> int | None:
    match value:
        case Number(int(number)) if abs(number) < LARGEST:
            return number
        case _:
            return None


def _count(value: Value) -> int | None:
    number = _integer(value)
    return number if number is not None and number >= 1 else None


def _window(value: Value) -> Window | None:
    if isinstance(value, Dims):
        return (value.height, value.width) if max(value.height, value.width) < LARGEST else None
    side = _count(value)
    return None if side is None else (side, side)


def _padding(value: Value) -> Padding | None:
    if isinstance(value, Word):
        return value.text
    numbers = _threshold(value)
    if not isinstance(numbers, tuple) or min(numbers) < 0:
        return None
    match numbers:
        case (all_sides,):
            return all_sides, all_sides, all_sides, all_sides
        case (top, left, bottom, right):
            return top, left, bottom, right
        case _:
            return None


def _weights(value: Value) -> Source | None:
    match value:
        case StoreKey(key=key) if key:
            return value
        case Generated():
            return value
        case _:
            return None


def _threshold(value: Value) -> StoreKey | tuple[int, ...] | None:
    match value:
        case StoreKey(key=key) if key:
            return value
        case Items(items) if items:
            numbers = tuple(n for n in map(_integer, items) if n is not None)
            return numbers if len(numbers) == len(items) else None
        case _:
            number = _integer(value)
            return None if number is None else (number,)


def _tensor(value: Value) -> Tensor | None:
    return value if isinstance(value, Tensor) else None


def _element(value: Value) -> Element | None:
    return value if isinstance(value, Element) else None


_CONVERSIONS: dict[ArgumentKind, Callable[[Value], Argument]] = {
    ArgumentKind.TENSOR: _tensor,
    ArgumentKind.COUNT: _count,
    ArgumentKind.INTEGER: _integer,
    ArgumentKind.WINDOW: _window,
    ArgumentKind.PADDING: _padding,
    ArgumentKind.ELEMENT: _element,
    ArgumentKind.WEIGHTS: _weights,
    ArgumentKind.THRESHOLD: _threshold,
}
