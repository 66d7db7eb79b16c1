"""Code planes [C, H, W] <-> bytes, without loss: an adaptive arithmetic coder in integers.

Every value becomes a few binary decisions (zero? sign, one more?), each coded with a probability
that follows what was seen so far in like surroundings: the values to the left and above, and the
planes that came before. Encoder and decoder take the same walk, so both know the probabilities.
"""

import struct
from collections.abc import Hashable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

ONE = 1 << 16
"""A probability of 1."""
FULL = 1 << 32
HALF = -1
"""In place of a context: both values equally likely, nothing is learned."""

Planes = NDArray[np.int64]


class Coder(Protocol):
    """What the walk needs: the encoder is given each bit, the decoder finds it out."""

    def bit(self, value: int, contexts: tuple[Hashable, ...]) -> int:
        """Code one bit in the given surroundings; returns it."""
        ...


class Likelihoods:
    """How likely a 1 is in each surrounding: 16-bit probabilities, faster to learn at first."""

    def __init__(self) -> None:
        """Start with every bit equally likely."""
        self.states: dict[Hashable, tuple[int, int]] = {}

    def of(self, contexts: tuple[Hashable, ...]) -> int:
        """The mean over the contexts, 1 .. 2^16 - 1."""
        if not contexts:
            return ONE // 2
        total = sum(self.states.get(context, (ONE // 2, 0))[0] for context in contexts)
        return min(max(total // len(contexts), 32), ONE - 32)

    def learn(self, contexts: tuple[Hashable, ...], bit: int) -> None:
        """Move towards the bit seen, by 1/2, 1/3, 1/4 ... down to 1/50."""
        for context in contexts:
            likely, seen = self.states.get(context, (ONE // 2, 0))
            likely += ((bit << 16) - likely) // min(seen + 2, 50)
            self.states[context] = likely, seen + 1


class Encoder:
    """Bits -> bytes."""

    def __init__(self) -> None:
        """Start with nothing written."""
        self.likelihoods = Likelihoods()
        self.written = bytearray()
        self.low, self.range = 0, FULL - 1

    def bit(self, value: int, contexts: tuple[Hashable, ...]) -> int:
        """Narrow the interval to the part of `value`."""
        bound = (self.range >> 16) * self.likelihoods.of(contexts)
        if value:
            self.range = bound
        else:
            self.low += bound
            self.range -= bound
        self.likelihoods.learn(contexts, value)
        while self.range < 1 << 24:
            self._shift()
            self.range <<= 8
        return value

    def finish(self) -> bytes:
        """Write what is needed to tell the interval, and return all bytes."""
        for _ in range(4):
            self._shift()
        return bytes(self.written)

    def _shift(self) -> None:
        if self.low >= FULL:
            self.low -= FULL
            place = len(self.written) - 1
            while self.written[place] == 0xFF:
                self.written[place] = 0
                place -= 1
            self.written[place] += 1
        self.written.append(self.low >> 24)
        self.low = (self.low << 8) & (FULL - 1)


class Decoder:
    """Bytes -> bits."""

    def __init__(self, data: bytes) -> None:
        """Start at the first byte; past the end stand zeros."""
        self.likelihoods = Likelihoods()
        self.data, self.place = data, 4
        self.code = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self.range = FULL - 1

    def bit(self, value: int, contexts: tuple[Hashable, ...]) -> int:
        """Find the part of the interval that the code lies in; `value` is not looked at."""
        bound = (self.range >> 16) * self.likelihoods.of(contexts)
        found = int(self.code < bound)
        if found:
            self.range = bound
        else:
            self.code -= bound
            self.range -= bound
        self.likelihoods.learn(contexts, found)
        while self.range < 1 << 24:
            following = self.data[self.place] if self.place < len(self.data) else 0
            self.code = self.code << 8 | following
            self.place += 1
            self.range <<= 8
        return found


def code_value(coder: Coder, value: int, channel: int, near: int, before: int) -> int:
    """Code one value; `near` and `before` say how large its neighbours are, 0 to 5."""
    if not coder.bit(int(value != 0), (("z", channel, near), ("z", near, before, channel > 12))):
        return 0
    negative = coder.bit(int(value < 0), ())
    size = 1
    while coder.bit(
        int(abs(value) > size), (("m", channel, min(size, 6)), ("m", min(size, 20), near, before))
    ):
        size += 1
    return -size if negative else size


def walk(coder: Coder, planes: Planes) -> None:
    """Code all planes, in place: the decoder fills them while it goes.

    Plane 0 (the brightness) is coded as the difference from the mean of its neighbours.
    """
    count, high, wide = planes.shape
    weight = np.zeros((high + 2, wide + 2), np.int64)  # sizes in the planes before, faded
    for channel in range(count):
        plane = [[0] * (wide + 1) for _ in range(high + 1)]
        sizes = [[0] * (wide + 2) for _ in range(high + 1)]
        before = _buckets(weight)
        for y in range(high):
            for x in range(wide):
                guess = 0
                if channel == 0:
                    left, above = plane[y + 1][x], plane[y][x + 1]
                    guess = (left + above) // 2 if x and y else left + above
                row = sizes[y]
                near = _BUCKET[min(2 * (sizes[y + 1][x] + row[x + 1]) + row[x] + row[x + 2], 15)]
                known = int(planes[channel, y, x]) - guess
                value = code_value(coder, known, channel, near, before[y][x])
                planes[channel, y, x] = plane[y + 1][x + 1] = value + guess
                sizes[y + 1][x + 1] = min(abs(value), 7)
        if channel:
            weight[1:-1, 1:-1] = (weight[1:-1, 1:-1] * 3) // 4 + 16 * abs(planes[channel])


_BUCKET = [0, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5]


def _buckets(weight: NDArray[np.int64]) -> list[list[int]]:
    around = 2 * weight[1:-1, 1:-1]
    around = around + weight[:-2, 1:-1] + weight[2:, 1:-1] + weight[1:-1, :-2] + weight[1:-1, 2:]
    found: list[list[int]] = np.searchsorted(
        [3, 12, 30, 70, 160], around // 2, side="right"
    ).tolist()
    return found


def encode(planes: Planes) -> bytes:
    """Write planes [C, H, W] as bytes; the sizes stand in front."""
    coder = Encoder()
    walk(coder, planes.astype(np.int64))
    return struct.pack("<BHH", *planes.shape) + coder.finish()


def decode(data: bytes) -> Planes:
    """Read back what `encode` wrote."""
    planes = np.zeros(struct.unpack("<BHH", data[:5]), np.int64)
    walk(Decoder(data[5:]), planes)
    return planes
