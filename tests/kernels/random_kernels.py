"""Kernels made by chance, as text, and the same text as plain NumPy.

In NumPy a value is a function of the neighbour at which it is wanted, so that `x[dy, dx]` of a
computed value is the formula worked out there; it shares no code with the compiler.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from functools import reduce
from itertools import count
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tdsl.kernel_calls import Kernel

Array = np.ndarray[Any, np.dtype[np.int64]]
At = Callable[[int, int], Array]
NUMBERS = count()
TYPES = {"U8": (0, 255), "I4": (-8, 7), "Bits": (0, 1), "U1": (0, 1)}


class Value:
    """An image whose pixels are worked out at any neighbour."""

    def __init__(self, at: At) -> None:
        self.at = at

    def __getitem__(self, offset: tuple[int, int]) -> Value:
        dy, dx = offset
        return Value(lambda y, x: self.at(y + dy, x + dx))

    def __add__(self, other: Any) -> Value:
        return _both(np.add, self, other)

    def __sub__(self, other: Any) -> Value:
        return _both(np.subtract, self, other)

    def __mul__(self, other: Any) -> Value:
        return _both(np.multiply, self, other)

    def __and__(self, other: Any) -> Value:
        return _both(np.bitwise_and, self, other)

    def __or__(self, other: Any) -> Value:
        return _both(np.bitwise_or, self, other)

    def __xor__(self, other: Any) -> Value:
        return _both(np.bitwise_xor, self, other)

    def __rshift__(self, amount: int) -> Value:
        return _both(np.floor_divide, self, 2**amount)

    def __lshift__(self, amount: int) -> Value:
        return _both(np.multiply, self, 2**amount)

    def __lt__(self, other: Any) -> Value:
        return _both(np.less, self, other)

    def __ge__(self, other: Any) -> Value:
        return _both(np.greater_equal, self, other)

    def __eq__(self, other: object) -> Value:  # type: ignore[override]
        return _both(np.equal, self, other)

    def __ne__(self, other: object) -> Value:  # type: ignore[override]
        return _both(np.not_equal, self, other)

    __hash__ = None  # type: ignore[assignment]


def image(pixels: Array, border: int | None) -> Value:
    """An image of an argument; outside it `border`, or the nearest pixel for None."""
    height, width = pixels.shape

    def at(dy: int, dx: int) -> Array:
        lines = np.array(range(dy, height + dy))
        columns = np.array(range(dx, width + dx))
        nearest = np.ix_(np.clip(lines, 0, height - 1), np.clip(columns, 0, width - 1))
        found: Array = pixels[nearest].astype(np.int64)
        if border is not None:
            found[(lines < 0) | (lines >= height)] = border
            found[:, (columns < 0) | (columns >= width)] = border
        return found

    return Value(at)


def _both(function: Callable[..., Any], a: Any, b: Any) -> Value:
    def at(y: int, x: int) -> Array:
        values = [one.at(y, x) if isinstance(one, Value) else one for one in (a, b)]
        return np.asarray(function(*values), dtype=np.int64)

    return Value(at)


def _wrap(x: Value, name: str) -> Value:
    bits = int(name[1:])
    low = _both(np.mod, x, 2**bits)
    if name[0] == "U":
        return low
    return low - _both(np.greater_equal, low, 2 ** (bits - 1)) * (1 << bits)


def _smallest(*values: Value) -> Value:
    return reduce(lambda a, b: _both(np.minimum, a, b), values)


def _largest(*values: Value) -> Value:
    return reduce(lambda a, b: _both(np.maximum, a, b), values)


def _size(v: Value) -> Value:
    return _largest(v, v * -1)


def _select(condition: Value, a: Value, b: Value) -> Value:
    def at(y: int, x: int) -> Array:
        return np.asarray(np.where(condition.at(y, x) != 0, a.at(y, x), b.at(y, x)))

    return Value(at)


def _clip(v: Value, low: int, high: int) -> Value:
    return _both(np.minimum, _both(np.maximum, v, low), high)


def _ones(v: Value) -> Value:
    return Value(lambda y, x: np.asarray(np.bitwise_count(v.at(y, x)), dtype=np.int64))


MEANINGS: dict[str, Any] = {
    "min": _smallest,
    "max": _largest,
    "abs": _size,
    "mux": _select,
    "clip": _clip,
    "wrap": _wrap,
    "popcount": _ones,
    **{f"{s}{n}": f"{s}{n}" for s in "UI" for n in (4, 8, 16)},
}


@st.composite
def expressions(draw: st.DrawFn, names: tuple[str, ...], depth: int = 3) -> str:
    """The text of an expression whose value is a row."""
    if depth == 0 or draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(names))
    inner = expressions(names, depth - 1)
    a = draw(inner)
    match draw(st.integers(0, 10)):
        case 0:
            return f"({a} {draw(st.sampled_from('+-*'))} {draw(inner)})"
        case 1:
            return f"({a} {draw(st.sampled_from('+-*&|^'))} {draw(st.integers(0, 20))})"
        case 2:
            return f"({a} {draw(st.sampled_from('&|^'))} {draw(inner)})"
        case 3:
            return f"{draw(st.sampled_from(('min', 'max')))}({a}, {draw(inner)})"
        case 4:
            return f"abs({a})"
        case 5:
            relation = draw(st.sampled_from(("<", ">=", "==", "!=")))
            return f"mux({a} {relation} {draw(inner)}, {draw(inner)}, {draw(inner)})"
        case 6:
            return f"({a} {draw(st.sampled_from(('<<', '>>')))} {draw(st.integers(0, 4))})"
        case 7:
            low = draw(st.integers(-9, 9))
            return f"clip({a}, {low}, {low + draw(st.integers(0, 99))})"
        case 8:
            return f"popcount(wrap({a}, {draw(st.sampled_from(('U8', 'U4')))}))"
        case 9:
            return f"wrap({a}, {draw(st.sampled_from(('I8', 'U8', 'I4')))})"
        case _:
            return f"({a})[{draw(st.integers(-2, 2))}, {draw(st.integers(-2, 2))}]"


def kernel_of(text: str) -> Kernel:
    """The kernel `f` of a text, as a notebook's cell would make it."""
    name = f"<made by chance {next(NUMBERS)}>"
    lines = text.splitlines(keepends=True)
    linecache.cache[name] = (len(text), None, lines, name)
    found: dict[str, Any] = {}
    exec(compile(text, name, "exec"), found)
    kernel = found["f"]
    assert isinstance(kernel, Kernel)
    return kernel
