"""The types of arguments and results of kernels, and the names by which they are written."""

import re
from dataclasses import dataclass

from tdsl.ir.tensor_type import TRIT, U1, Element, Kind, narrowest, signed, unsigned
from tdsl.rows.ir import Border, Range

LANES = "L"
"""The word for "one value a pixel" in annotations."""


@dataclass(frozen=True, slots=True)
class RowType:
    """An image: its values, its channels (None: one, without an axis), what lies outside it."""

    element: Element
    channels: int | None = None
    border: Border = Border.CONSTANT
    pad: int = 0

    def __str__(self) -> str:
        extents = LANES if self.channels is None else f"{self.channels}, {LANES}"
        return f"{written(self.element)}[{extents}]"


@dataclass(frozen=True, slots=True)
class ConstType:
    """A number (or a truth value) that is known when the kernel is compiled."""

    truth: bool = False

    def __str__(self) -> str:
        return f"Const[{'bool' if self.truth else 'int'}]"


@dataclass(frozen=True, slots=True)
class TotalType:
    """A number over the whole image, or a list of them."""

    many: bool = False

    def __str__(self) -> str:
        return "list[int]" if self.many else "int"


ResultType = RowType | TotalType


def named_element(name: str) -> Element | None:
    """The element type that `name` stands for: `U8`, `I16`, `Trits`, `Bits`, `u8`, `trit`."""
    if name.lower() in ("trits", "trit"):
        return TRIT
    if name.lower() == "bits":
        return U1
    found = re.fullmatch("([UIui])([1-9][0-9]?)", name)
    if found is None:
        return None
    bits, is_signed = int(found[2]), found[1] in "Ii"
    if bits > 32 or (is_signed and bits < 2):
        return None
    return signed(bits) if is_signed else unsigned(bits)


def written(element: Element) -> str:
    """The name of an element type in annotations."""
    if element.kind is Kind.TRIT:
        return "Trits"
    return "Bits" if element == U1 else str(element).upper()


def holding(found: Range) -> Element:
    """The narrowest element type that holds a range."""
    return narrowest(found.low, found.high)


def range_of_element(element: Element) -> Range:
    """The values of an element type."""
    return Range(element.low, element.high)
