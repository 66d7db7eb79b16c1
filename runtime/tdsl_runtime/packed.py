"""Images of trits <-> bits: a byte array of trits, or two bits a trit as the machine keeps them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class PackedTrits:
    """Trits of an image of `channels` and `width`, line by line.

    `words` is uint64 [2, H, ceil(width * channels / 64)]: in plane 0 the bits of trits that are not
    0, in plane 1 those of trits that are -1. A line is a string of bits, the lowest of a word
    first: the channels of its first pixel, then those of the next one. Bits of plane 1 count only
    where plane 0 has a bit; those behind the end of a line do not count.
    """

    words: NDArray[np.uint64]
    channels: int
    width: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.channels, int(self.words.shape[1]), self.width


def words_of_line(channels: int, width: int) -> int:
    """64-bit words that a line of packed trits takes in each plane."""
    return -(-channels * width // 64)


def pack_trits(image: NDArray[Any]) -> PackedTrits:
    """Pack trits [C, H, W] of any integer type; what is positive counts as 1, negative as -1."""
    channels, height, width = image.shape
    lines = image.transpose(1, 2, 0).reshape(height, width * channels)
    words = np.zeros((2, height, words_of_line(channels, width)), "<u8")
    for plane, bits in zip(words, (lines != 0, lines < 0), strict=True):
        packed = np.packbits(bits, axis=1, bitorder="little")
        plane.view(np.uint8)[:, : packed.shape[1]] = packed
    return PackedTrits(words.astype(np.uint64, copy=False), channels, width)


def unpack_trits(packed: PackedTrits) -> NDArray[np.int8]:
    """Return the trits [C, H, W] as int8."""
    channels, height, width = packed.shape
    raw = np.ascontiguousarray(packed.words, "<u8").view(np.uint8)
    bits = np.unpackbits(raw, axis=2, bitorder="little")[:, :, : width * channels]
    nonzero, sign = bits.astype(np.int8)
    trits = nonzero * (1 - 2 * sign)
    return np.ascontiguousarray(trits.reshape(height, width, channels).transpose(2, 0, 1))
