"""What an expression can be while a network is checked: a tensor, or something known by then."""

from dataclasses import dataclass

from tdsl.ir.condition import Condition, condition_text
from tdsl.ir.size import Size
from tdsl.ir.tensor_type import Element, TensorType
from tdsl.source import Span


@dataclass(frozen=True, slots=True)
class Tensor:
    """The value of the node at position `node`; `made` is where it got its name."""

    node: int
    type: TensorType
    made: Span


@dataclass(frozen=True, slots=True)
class Number:
    """An integer or a symbolic size."""

    size: Size


@dataclass(frozen=True, slots=True)
class Truth:
    """`true`, `false`, or a comparison of numbers."""

    value: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A comparison that symbolic sizes decide."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Fraction:
    """A number with a decimal point: only the host has such numbers."""

    value: float


@dataclass(frozen=True, slots=True)
class Dims:
    """Height and width of a window: `3x5`."""

    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    value: str


@dataclass(frozen=True, slots=True)
class Word:
    """A word that has a meaning as an argument only: `same`, `valid`."""

    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list: `[1, 2, 3]`."""

    items: "tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class StoreKey:
    """`P` or `P.c1.w`: a weights file, or an array in it."""

    store: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Generated:
    """`ca(rule = 30, seed = 7)`: weights that a cellular automaton generates."""

    rule: int
    seed: int


@dataclass(frozen=True, slots=True)
class Several:
    """The results of a block that returns more than one."""

    items: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Library:
    """The name after `use ... as`."""

    alias: str


Value = (
    Tensor
    | Number
    | Truth
    | Claim
    | Fraction
    | Dims
    | Text
    | Word
    | Items
    | StoreKey
    | Generated
    | Several
    | Library
    | Element
)


def described(value: Value) -> str:
    """The value in the words of a message."""
    match value:
        case Tensor(type=type_):
            return f"the tensor {type_}"
        case Number(size):
            return f"the number {size}" if isinstance(size, int) else f"the size `{size}`"
        case Truth(truth):
            return f"`{str(truth).lower()}`"
        case Claim(condition):
            return f"the condition `{condition_text(condition)}`"
        case Fraction(number):
            return f"the number {number}"
        case Dims(height, width):
            return f"the window {height}x{width}"
        case Text():
            return "a text"
        case Word(text):
            return f"the word `{text}`"
        case Items():
            return "a list"
        case StoreKey(store, key):
            return f"the array `{key}`" if key else f"the weights file `{store}`"
        case Generated():
            return "generated weights"
        case Several(items):
            return f"{len(items)} results"
        case Library(alias):
            return f"the library `{alias}`"
        case Element():
            return f"the element type `{value}`"


def interpolated(value: Value) -> str:
    """The value as `{name}` in the text of an `assert` shows it."""
    match value:
        case Number(size):
            return str(size)
        case Tensor(type=type_):
            return str(type_)
        case Text(text):
            return text
        case Truth(truth):
            return str(truth).lower()
        case Dims(height, width):
            return f"{height}x{width}"
        case Element():
            return str(value)
        case _:
            return described(value)
