"""What an expression of a kernel can be: rows, totals, and everything known while compiling."""

from dataclasses import dataclass
from typing import TypeAlias

from tdsl.ir.tensor_type import Element
from tdsl.kernels.definition import Definition
from tdsl.kernels.row_types import holding
from tdsl.rows.ir import Range, Reduction


@dataclass(frozen=True, slots=True)
class Row:
    """A value a pixel: its position in the program; `trit` if gates on it are ternary."""

    position: int
    trit: bool = False


@dataclass(frozen=True, slots=True)
class Total:
    """Numbers that are known when all pixels are done; a list if `many`."""

    positions: tuple[int, ...]
    reduction: Reduction
    many: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language of kernels."""

    name: str


@dataclass(frozen=True, slots=True)
class Method:
    """`append` of a list."""

    items: "list[Value]"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A constant without a value yet: the kernel is looked at before it is called."""


@dataclass(frozen=True, slots=True)
class Poison:
    """What a statement with a mistake was to make."""


Value: TypeAlias = (
    Row
    | Total
    | int
    | bool
    | range
    | Element
    | Function
    | Method
    | Definition
    | Unknown
    | Poison
    | list["Value"]
    | tuple["Value", ...]
    | None
)


def row_text(found: Range, trit: bool) -> str:
    """The type of a row in messages: `trit`, `u8`, `i9`."""
    return "trit" if trit else str(holding(found))


def described(value: Value) -> str:
    """A value in the words of a message; rows are described by who knows their range."""
    match value:
        case Row():
            return "a row"
        case Total():
            return "a total of the whole image"
        case bool() | int():
            return f"the number {value}"
        case range():
            return "a range"
        case Element():
            return f"the type `{value}`"
        case Function(name=name):
            return f"the function `{name}`"
        case Method():
            return "a method"
        case Definition(name=name):
            return f"the {value.kind} `{name}`"
        case Unknown() | Poison():
            return "a constant"
        case None:
            return "nothing"
        case list():
            return f"a list of {len(value)}"
        case tuple():
            return f"a tuple of {len(value)}"
