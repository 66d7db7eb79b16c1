"""What an input's integers are, in words -> their limits and scale: `u8/255`, `trit`, `UINT8`."""

import re
from fractions import Fraction

from tdsl.frontend.element_names import element_named
from tdsl.importer.value import Declared
from tdsl.refusal import refusal

_FORM = re.compile(
    r"(?:(?P<name>[^=]+)=)?(?P<type>[a-z]+[0-9]*)(?:(?P<sign>[*/])(?P<number>[0-9.eE+-]+))?"
)
_ANNOTATION = re.compile(r"(UINT|INT)([1-9][0-9]?)")
_NAMED = {"BINARY": (0, 1), "TERNARY": (-1, 1)}
MOST_BITS = 32


def annotated_limits(annotation: str) -> tuple[int, int] | None:
    """The limits of an integer type that a QONNX file annotates; None for floats."""
    if annotation in _NAMED:
        return _NAMED[annotation]
    match = _ANNOTATION.fullmatch(annotation)
    if match is None or int(match[2]) > MOST_BITS:
        return None
    bits = int(match[2])
    if match[1] == "UINT":
        return 0, (1 << bits) - 1
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def parse_declaration(text: str) -> tuple[str | None, Declared]:
    """`[NAME=]TYPE[*SCALE|/DIVISOR]` -> the input's name, if given, and what it holds.

    The scale is rounded to float32, as the model would hold it. Raises CompileError (E0904).
    """
    match = _FORM.fullmatch(text)
    element = element_named(match["type"]) if match else None
    if match is None or element is None or str(element) == "bin":
        raise refusal(
            "E0904",
            f"`--input {text}` does not say what an input holds",
            remedy="write TYPE, TYPE*SCALE or TYPE/DIVISOR, for example `u8/255`; NAME=... in "
            "front where there are several inputs",
        )
    return match["name"], Declared(element.low, element.high, _scale(text, match))


def _scale(text: str, match: "re.Match[str]") -> Fraction:
    if match["number"] is None:
        return Fraction(1)
    try:
        number = Fraction(match["number"])
        if number <= 0:
            raise ValueError(number)
        return number if match["sign"] == "*" else 1 / number
    except (ValueError, ZeroDivisionError):
        raise refusal(
            "E0904",
            f"the scale in `--input {text}` is no number above 0",
            remedy="write for example `u8/255` or `u8*0.5`",
        ) from None
