"""Ternary arrays <-> bytes of five trits each: the stored form of weights.

Byte i holds trits 5i..5i+4 of the array in C order, the first one in the lowest digit: the sum of
(trit + 1) * 3**j. The last byte is filled up with zeros (digit 1). Bytes above 242 do not occur.
"""

from math import prod

import numpy as np
from numpy.typing import NDArray

from tdsl.ir.parameters import Integers

TRITS = 5
PREFIX = "5trits:"
METADATA = "tdsl.packed."
_PLACES = 3 ** np.arange(TRITS)


def pack_trits(values: Integers) -> NDArray[np.uint8]:
    """The bytes of a ternary array of any shape."""
    flat = values.reshape(-1)
    filled = np.zeros(-(-flat.size // TRITS) * TRITS, dtype=np.int64)
    filled[: flat.size] = flat
    return ((filled.reshape(-1, TRITS) + 1) @ _PLACES).astype(np.uint8)


def unpack_trits(packed: NDArray[np.uint8], shape: tuple[int, ...]) -> Integers:
    """The ternary array of `shape` in `packed`. Raises ValueError where the two do not fit."""
    count = prod(shape)
    if packed.shape != (-(-count // TRITS),):
        raise ValueError(f"{count} trits need {-(-count // TRITS)} bytes, not {packed.shape}")
    if packed.size and int(packed.max()) >= 3**TRITS:
        raise ValueError(f"byte {int(packed.max())} does not hold five trits")
    digits = packed.astype(np.int64)[:, None] // _PLACES % 3
    return (digits.reshape(-1)[:count] - 1).reshape(shape)


def packed_tag(shape: tuple[int, ...]) -> str:
    """The metadata entry that says how an array is packed: `5trits:16,1,5,5`."""
    return PREFIX + ",".join(map(str, shape))


def packed_shape(tag: str) -> tuple[int, ...]:
    """The shape that a metadata entry states. Raises ValueError where it states none."""
    sizes = tag.removeprefix(PREFIX)
    if sizes == tag or not all(part.isdecimal() for part in sizes.split(",") if sizes):
        raise ValueError(f"`{tag}` does not say how trits are packed")
    return tuple(map(int, sizes.split(","))) if sizes else ()
