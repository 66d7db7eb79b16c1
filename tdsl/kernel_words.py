"""The words of kernels as Python values, so that editors and imports know them.

Annotations and bodies are read from the source; nothing here is ever evaluated for its value.
"""

from typing import Any, NoReturn

from tdsl.kernels.row_types import named_element
from tdsl.refusal import refusal


class Word:
    """A type of rows or constants: `U8[L]`, `Const[int]`."""

    def __init__(self, name: str) -> None:
        """Take the name by which it is written."""
        self._name = name

    def __getitem__(self, extents: object) -> "Word":
        return self

    def __repr__(self) -> str:
        return self._name


L = Word("L")
"""One value a pixel."""
Const = Word("Const")
"""A number that is known when the kernel is compiled."""


Trits = Word("Trits")
"""-1, 0 and +1."""
Bits = Word("Bits")
"""0 and 1."""


def __getattr__(name: str) -> Word:
    """The other types of rows: `U1` to `U32`, `I2` to `I32`."""
    if name[:1].isupper() and named_element(name) is not None:
        return Word(name)
    raise AttributeError(name)


def popcount(x: Any) -> NoReturn:
    """The ones of a value that is not negative. Inside kernels only."""
    raise _outside("popcount")


def widen(x: Any, element: Any) -> NoReturn:
    """The same value as an integer of a type that holds it. Inside kernels only."""
    raise _outside("widen")


def wrap(x: Any, element: Any) -> NoReturn:
    """The low bits, as a number of the type. Inside kernels only."""
    raise _outside("wrap")


def histogram(x: Any, bins: int) -> NoReturn:
    """How many pixels lie in each of `bins` equal parts of the values. Inside kernels only."""
    raise _outside("histogram")


def static(name: Any) -> NoReturn:
    """A Python variable, frozen on purpose when the kernel is compiled. Inside kernels only."""
    raise _outside("static")


def _outside(name: str) -> Exception:
    return refusal(
        "K0109",
        f"`{name}` works inside a kernel",
        note="it names micro-ops of the array, not a function of Python",
        remedy="write it in a function under `@kernel`",
    )
