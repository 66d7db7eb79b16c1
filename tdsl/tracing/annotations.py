"""Element types as Python values (`u8[1, H, W]`, `acc=i12`) and declared sizes (`H % 4 == 0`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from tdsl.frontend.element_names import element_named
from tdsl.frontend.values import Claim, Number, Truth
from tdsl.ir.condition import COMPARISONS, Condition, condition_text, prove
from tdsl.ir.size import ProductOfSymbols, Size, symbol
from tdsl.ir.tensor_type import Element
from tdsl.tracing.mistakes import mistake
from tdsl.tracing.places import place_of_expression
from tdsl.tracing.state import known_conditions

ELEMENT_NAMES = (
    "trit",
    "bin",
    *(f"u{bits}" for bits in range(1, 33)),
    *(f"i{bits}" for bits in range(2, 33)),
)


@dataclass(frozen=True, slots=True)
class Annotation:
    """The type of an input or output as it was written; nothing is checked yet."""

    element: Element
    sizes: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class ElementType:
    """An element type of networks; `u8[1, H, W]` is the type of a tensor."""

    element: Element

    def __getitem__(self, sizes: object) -> Annotation:
        every = cast("tuple[object, ...]", sizes if isinstance(sizes, tuple) else (sizes,))
        return Annotation(self.element, every)

    def __str__(self) -> str:
        return str(self.element)

    __repr__ = __str__


def element_type(name: str) -> ElementType:
    """The element type called `name`, one of `ELEMENT_NAMES`."""
    element = element_named(name)
    assert element is not None
    return ElementType(element)


def sizes(names: str) -> DeclaredSize | tuple[DeclaredSize, ...]:
    """Free sizes of networks: `H, W = sizes("H W")`, `N = sizes("N")`.

    Raises CompileError where a name cannot be one.
    """
    found = names.replace(",", " ").split()
    if not found or not all(name.isidentifier() for name in found):
        raise mistake(
            "E0208",
            f"`sizes({names!r})` names no sizes",
            place_of_expression(),
            helps=('names stand in one text: `H, W = sizes("H W")`',),
        )
    declared = tuple(DeclaredSize(symbol(name)) for name in found)
    return declared[0] if len(declared) == 1 else declared


class DeclaredSize:
    """A size that images decide: sums, products with numbers and `//`, `%` of numbers."""

    def __init__(self, size: Size) -> None:
        """Take a size in normal form."""
        self.size = size

    def __str__(self) -> str:
        return str(self.size)

    __repr__ = __str__

    def __add__(self, other: object) -> int | DeclaredSize:
        return self._joined("+", other)

    def __sub__(self, other: object) -> int | DeclaredSize:
        return self._joined("-", other)

    def __mul__(self, other: object) -> int | DeclaredSize:
        return self._joined("*", other)

    def __floordiv__(self, other: object) -> int | DeclaredSize:
        return self._joined("//", other)

    def __mod__(self, other: object) -> int | DeclaredSize:
        return self._joined("%", other)

    def __radd__(self, other: object) -> int | DeclaredSize:
        return self._joined("+", other)

    def __rmul__(self, other: object) -> int | DeclaredSize:
        return self._joined("*", other)

    def __rsub__(self, other: object) -> int | DeclaredSize:
        return as_size(self._other("-", other) - self.size)

    def __neg__(self) -> int | DeclaredSize:
        return self * -1

    def __eq__(self, other: object) -> SizeCondition:  # type: ignore[override]
        return self._compared("==", other)

    def __ne__(self, other: object) -> SizeCondition:  # type: ignore[override]
        return self._compared("!=", other)

    def __lt__(self, other: object) -> SizeCondition:
        return self._compared("<", other)

    def __le__(self, other: object) -> SizeCondition:
        return self._compared("<=", other)

    def __gt__(self, other: object) -> SizeCondition:
        return self._compared(">", other)

    def __ge__(self, other: object) -> SizeCondition:
        return self._compared(">=", other)

    __hash__ = object.__hash__

    def _joined(self, sign: str, other: object) -> int | DeclaredSize:
        a, b = self.size, self._other(sign, other)
        try:
            match sign:
                case "+":
                    result = a + b
                case "-":
                    result = a - b
                case "*":
                    result = a * b
                case "//":
                    result = a // b
                case _:
                    result = a % b
        except ZeroDivisionError:
            raise mistake(
                "E0315", "division by zero", place_of_expression(), "this divides by 0"
            ) from None
        except ProductOfSymbols:
            raise mistake(
                "E0311",
                "sizes cannot be multiplied with or divided by each other",
                place_of_expression(),
                f"`{a}` {sign} `{b}`",
                notes=("a size is a sum of symbols times numbers, and of `floor(. / number)`",),
            ) from None
        return as_size(result)

    def _compared(self, sign: str, other: object) -> SizeCondition:
        return SizeCondition((self.size, sign, self._other(sign, other)))

    def _other(self, sign: str, other: object) -> Size:
        if isinstance(other, DeclaredSize):
            return other.size
        if isinstance(other, int) and not isinstance(other, bool):
            return other
        raise mistake(
            "E0315",
            f"`{sign}` cannot join the size `{self.size}` and a Python `{type(other).__name__}`",
            place_of_expression(),
            "sizes are whole numbers",
        )


class SizeCondition:
    """A comparison of sizes: a condition of the decorator, or decided by those conditions."""

    def __init__(self, condition: Condition) -> None:
        """Take the condition."""
        self.condition = condition

    @property
    def value(self) -> Truth | Claim:
        """What the condition says, decided where no image can change it."""
        left, sign, right = self.condition
        if isinstance(left, int) and isinstance(right, int):
            return Truth(COMPARISONS[sign](left, right))
        return Claim(self.condition)

    def __str__(self) -> str:
        return condition_text(self.condition)

    __repr__ = __str__

    def __bool__(self) -> bool:
        value = self.value
        proved = (
            value.value if isinstance(value, Truth) else prove(self.condition, known_conditions())
        )
        if proved is None:
            raise mistake(
                "E0315",
                "a Python condition depends on the size of the image",
                place_of_expression(),
                f"`{self}` is true for some sizes only",
                helps=("a condition in the decorator can decide it: `where=[...]`",),
            )
        return proved


def as_size(size: Size) -> int | DeclaredSize:
    """A size as Python code sees it: a number where it is one."""
    return size if isinstance(size, int) else DeclaredSize(size)


def size_value(size: int | DeclaredSize) -> Number:
    """The value of the language that a size is."""
    return Number(size if isinstance(size, int) else size.size)
