"""The name of an element type -> the type."""

import re

from tdsl.ir.tensor_type import BIN, TRIT, Element, signed, unsigned

_INTEGER = re.compile(r"([ui])([1-9][0-9]?)")


def element_named(name: str) -> Element | None:
    """`trit`, `bin`, `u1` to `u32`, `i2` to `i32`; None for any other name."""
    if name in ("trit", "bin"):
        return TRIT if name == "trit" else BIN
    match = _INTEGER.fullmatch(name)
    if match is None or not (1 if match[1] == "u" else 2) <= int(match[2]) <= 32:
        return None
    return unsigned(int(match[2])) if match[1] == "u" else signed(int(match[2]))
