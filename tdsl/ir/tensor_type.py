"""Element types and tensor types: what values a tensor may hold and how many there are."""

from dataclasses import dataclass
from enum import StrEnum

from tdsl.ir.size import Size


class Kind(StrEnum):
    """The four families of element types."""

    TRIT = "trit"
    BIN = "bin"
    UNSIGNED = "u"
    SIGNED = "i"


@dataclass(frozen=True, slots=True)
class Element:
    """An integer element type: `trit`, `bin`, `u1`..`u32`, `i2`..`i32`."""

    kind: Kind
    bits: int

    @property
    def low(self) -> int:
        """The smallest value."""
        match self.kind:
            case Kind.TRIT | Kind.BIN:
                return -1
            case Kind.UNSIGNED:
                return 0
            case Kind.SIGNED:
                return -(1 << (self.bits - 1))

    @property
    def high(self) -> int:
        """The largest value."""
        match self.kind:
            case Kind.TRIT | Kind.BIN:
                return 1
            case Kind.UNSIGNED:
                return (1 << self.bits) - 1
            case Kind.SIGNED:
                return (1 << (self.bits - 1)) - 1

    def __str__(self) -> str:
        return self.kind.value if self.kind in (Kind.TRIT, Kind.BIN) else f"{self.kind}{self.bits}"


TRIT = Element(Kind.TRIT, 2)
BIN = Element(Kind.BIN, 1)


def unsigned(bits: int) -> Element:
    """The element type `u<bits>`."""
    return Element(Kind.UNSIGNED, bits)


def signed(bits: int) -> Element:
    """The element type `i<bits>`."""
    return Element(Kind.SIGNED, bits)


U1 = unsigned(1)


def narrowest(low: int, high: int) -> Element:
    """The narrowest unsigned (if nothing is negative) or signed type that holds low..high."""
    if low >= 0:
        return unsigned(max(1, high.bit_length()))
    return signed(max(2, 1 + max(high.bit_length(), (-low - 1).bit_length())))


@dataclass(frozen=True, slots=True)
class TensorType:
    """An element type and a shape, channels first: `trit[96, H, W]` or `i16[10]`."""

    element: Element
    shape: tuple[Size, ...]

    def __str__(self) -> str:
        return f"{self.element}[{', '.join(map(str, self.shape))}]"
