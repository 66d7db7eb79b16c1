"""Float steps and a quantiser on integers -> integer thresholds, proven over every integer.

The level of each integer n of the accumulator's range is computed by the executor's own formula:
the exact number scale * n + offset, rounded once to float32 (exact already where `noise` is 0),
then every step and the quantiser in float32. So ties and the roundings of the steps fall as they
fall in the executor. Thresholds are read off the levels, and their levels compared with the
formula's again for every n.

Where `noise` is not 0, the executor's own sum depends on the order of its additions. Integers whose
level could change within that bound are counted and named: there the import follows the exact sum.

A channel whose number falls as its integer grows is turned over first: its integers change sign.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl.importer.formulas import Floats, Integers
from tdsl.importer.quantisers import Quantiser, levels, limits
from tdsl.importer.refusal import Refusal
from tdsl.importer.steps import apply
from tdsl.importer.value import Value

MOST_BITS = 8
CHUNK = 1 << 20
MOST_EXHAUSTIVE = 1 << 26
"""Integers of all channels together; beyond, thresholds are found by bisection."""
_MOST_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Proof:
    """What was computed to be sure of a fold."""

    integers: int
    """How many integers, over all channels, have been put through the formula."""
    exhaustive: bool
    """Whether these are all; else the ends of every level, each step being monotone."""
    ties: int
    """Integers that fall on a tie of the rounding."""
    fragile: int
    """Integers whose level the executor's order of additions could change."""
    examples: tuple[tuple[int, int], ...]
    """Some of them: channel and integer."""


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Integers -> levels: `thresholds` (C, high - low), of the integers times `signs`.

    The level is low + the number of thresholds that the integer is above.
    """

    signs: Integers
    thresholds: Integers
    low: int
    high: int
    proof: Proof


def fold(value: Value, quantiser: Quantiser) -> Fold:
    """The thresholds of a quantiser on a value. Raises Refusal for more than 8 bits of levels."""
    signs = np.where(value.rising() < 0, -1, 1)
    ends = np.stack([value.low * signs, value.high * signs])
    first, last = ends.min(axis=0), ends.max(axis=0)
    low, high = limits(quantiser) or _reached(value, quantiser, signs, first, last)
    if high - low >= 1 << MOST_BITS:
        raise Refusal(
            f"it has {high - low + 1} levels; {1 << MOST_BITS} are the most of an activation",
            "quantise to 8 bits or fewer",
        )
    exhaustive = int((last - first + 1).sum()) <= MOST_EXHAUSTIVE
    rows: list[Integers] = []
    tally = _Tally()
    for c in range(value.channels):
        channel = _Channel(value, quantiser, c, int(signs[c]))
        if exhaustive:
            rows.append(_by_counting(channel, int(first[c]), int(last[c]), low, high, tally))
        else:
            rows.append(_by_bisection(channel, int(first[c]), int(last[c]), low, high, tally))
    proof = Proof(tally.integers, exhaustive, tally.ties, tally.fragile, tuple(tally.examples))
    return Fold(signs, np.stack(rows), low, high, proof)


def order_decides(value: Value, quantiser: Quantiser, channel: int, turned: Integers) -> Integers:
    """1 for each integer whose level the executor's order of additions could change.

    `turned` are integers of one channel as the thresholds see them, after its sign.
    """
    sign = -1 if value.rising()[channel] < 0 else 1
    seen = _Channel(value, quantiser, channel, sign)
    return seen.apart(turned)


@dataclass(slots=True)
class _Tally:
    integers: int = 0
    ties: int = 0
    fragile: int = 0
    examples: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def add(self, channel: int, n: Integers, ties: Integers, apart: Integers) -> None:
        self.integers += len(n)
        self.ties += int(ties.sum())
        self.fragile += int(apart.sum())
        for at in np.flatnonzero(apart)[: _MOST_EXAMPLES - len(self.examples)]:
            self.examples.append((channel, int(n[at])))


@dataclass(frozen=True, slots=True, eq=False)
class _Channel:
    """The executor's formula for one channel, of the integer times `sign`."""

    value: Value
    quantiser: Quantiser
    number: int
    sign: int

    def levels(self, n: Integers, tally: _Tally | None = None) -> Integers:
        exact = self._exact(n)
        found, ties = self._of(exact.astype(np.float32))
        if tally is not None:
            tally.add(self.number, n * self.sign, ties, self._apart(exact, found))
        return found

    def apart(self, n: Integers) -> Integers:
        """1 where the level could be another within the noise."""
        exact = self._exact(n)
        return self._apart(exact, self._of(exact.astype(np.float32))[0])

    def _exact(self, n: Integers) -> NDArray[np.float64]:
        scale = float(self.value.scale[self.number]) * self.sign
        return n.astype(np.float64) * scale + float(self.value.offset[self.number])

    def _of(self, x: Floats) -> tuple[Integers, Integers]:
        with np.errstate(all="ignore"):
            for step in self.value.steps:
                x = apply(step, x, self.number)
            return levels(self.quantiser, x, self.number)

    def _apart(self, exact: NDArray[np.float64], found: Integers) -> Integers:
        noise = float(self.value.noise[self.number])
        if noise == 0.0:
            return np.zeros_like(found)
        below = np.nextafter((exact - noise).astype(np.float32), np.float32(-np.inf))
        above = np.nextafter((exact + noise).astype(np.float32), np.float32(np.inf))
        low, high = self._of(below)[0], self._of(above)[0]
        apart: Integers = ((low != found) | (high != found)).astype(np.int64)
        return apart


def _reached(
    value: Value, quantiser: Quantiser, signs: Integers, first: Integers, last: Integers
) -> tuple[int, int]:
    """The levels at the ends of all channels' ranges."""
    found = [
        _Channel(value, quantiser, c, int(signs[c])).levels(np.array([first[c], last[c]]))
        for c in range(value.channels)
    ]
    return int(min(one.min() for one in found)), int(max(one.max() for one in found))


def _by_counting(
    channel: _Channel, first: int, last: int, low: int, high: int, tally: _Tally
) -> Integers:
    """Count the integers at or below each level, over the whole range, piece by piece."""
    steps = np.arange(low, high)
    thresholds = np.full(high - low, first - 1, np.int64)
    formula: list[NDArray[np.int32]] = []
    before = low
    for n in _pieces(first, last):
        found = channel.levels(n, tally)
        _check_rising(channel, np.concatenate(([before], found)))
        before = int(found[-1])
        thresholds += np.searchsorted(found, steps, side="right")
        formula.append(found.astype(np.int32))
    for n, kept in zip(_pieces(first, last), formula, strict=True):
        _check_same(channel, low + np.searchsorted(thresholds, n, side="left"), kept)
    return thresholds


def _by_bisection(
    channel: _Channel, first: int, last: int, low: int, high: int, tally: _Tally
) -> Integers:
    """Find the last integer at or below each level, then look at both sides of every threshold."""
    steps = np.arange(low, high)
    under = np.full(high - low, first - 1, np.int64)
    over = np.full(high - low, last + 1, np.int64)
    while (over - under > 1).any():
        middle = (under + over) // 2
        reached = channel.levels(middle) > steps
        over, under = np.where(reached, middle, over), np.where(reached, under, middle)
    near = np.unique(np.concatenate([[first, last], under - 1, under, under + 1, under + 2]))
    near = near[(near >= first) & (near <= last)]
    found = channel.levels(near, tally)
    _check_rising(channel, found)
    _check_same(channel, low + np.searchsorted(under, near, side="left"), found)
    return under


def _pieces(first: int, last: int) -> Iterator[Integers]:
    for start in range(first, last + 1, CHUNK):
        yield np.arange(start, min(start + CHUNK, last + 1))


def _check_rising(channel: _Channel, found: Integers) -> None:
    if (np.diff(found) < 0).any():
        raise Refusal(
            f"its levels do not rise with its input (channel {channel.number})",
            "use scales that are finite and positive",
        )


def _check_same(channel: _Channel, thresholds: Integers, formula: NDArray[np.integer[Any]]) -> None:
    assert np.array_equal(thresholds, formula), f"channel {channel.number}: a fold is not exact"
