"""A quantiser on a value -> the operation of the graph that gives its levels."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tdsl.importer.emission import Emission
from tdsl.importer.exact import HALF_ULP, multiples_are_floats
from tdsl.importer.formulas import Integers
from tdsl.importer.quantisers import Bipolar, Counted, Quantiser, meaning
from tdsl.importer.thresholds import MOST_BITS, Fold, fold
from tdsl.importer.value import Placed, Value
from tdsl.ir import ops
from tdsl.ir.tensor_type import Element, narrowest


def quantise(e: Emission, value: Value, quantiser: Quantiser) -> tuple[Value, Fold]:
    """Apply `quantiser`; returns the levels as a value, and the proof of its thresholds."""
    folded = fold(value, quantiser)
    steps, origins = meaning(quantiser, value.channels)
    if isinstance(quantiser, Bipolar) or _is_two_signs(quantiser, folded):
        node, low, high = _signs(e, value, folded), -1, 1
        if isinstance(quantiser, Counted):
            steps, origins = [s / 2 for s in steps], [Fraction(0)] * value.channels
    else:
        move = _move(folded, steps, origins)
        low, high = folded.low + move, folded.high + move
        shifted = _shifted(e, value, folded, low, high)
        node = _thresholds(e, value, folded, low, high) if shifted is None else shifted
        origins = [o - move * s for s, o in zip(steps, origins, strict=True)]
    made = replace(
        value,
        source=Placed(node),
        low=np.full(value.channels, low),
        high=np.full(value.channels, high),
        scale=tuple(steps),
        offset=tuple(origins),
        noise=np.zeros(value.channels),
        steps=(),
    )
    return replace(made, noise=rounding_noise(made)), folded


def rounding_noise(value: Value) -> NDArray[np.float64]:
    """What the executor loses when it computes scale * n + offset in float32: (C,)."""
    most = np.maximum(np.abs(value.low), np.abs(value.high))
    lost = [
        0.0
        if o == 0 and multiples_are_floats(s, int(m))
        else float(abs(s) * int(m) + abs(o)) * 2 * HALF_ULP
        for s, o, m in zip(value.scale, value.offset, most, strict=True)
    ]
    return np.array(lost)


def _move(folded: Fold, steps: list[Fraction], origins: list[Fraction]) -> int:
    """What is added to the levels: so that 0 is the number 0, if they fit a type then."""
    moves = {origin / step for step, origin in zip(steps, origins, strict=True)}
    move = moves.pop()
    found = int(move) if not moves and move.denominator == 1 else 0
    if narrowest(folded.low + found, folded.high + found).bits > MOST_BITS:
        return -folded.low
    return found


def _signs(e: Emission, value: Value, folded: Fold) -> int:
    """One threshold, -1 and +1: the last one of the fold decides."""
    node = e.place(value.source, folded.signs)
    name = e.fresh("act")
    t = folded.thresholds[:, -1]
    return e.add_named(name, ops.Binarize(e.parameter(name, "t", t)), node)


def _is_two_signs(quantiser: Quantiser, folded: Fold) -> bool:
    """One threshold whose two numbers are opposite: FINN's bipolar activation."""
    return (
        isinstance(quantiser, Counted)
        and folded.high == 1
        and 2 * quantiser.origin == -quantiser.step
    )


def _thresholds(e: Emission, value: Value, folded: Fold, low: int, high: int) -> int:
    node = e.place(value.source, folded.signs)
    th = folded.thresholds
    name = e.fresh("act")
    if (low, high) == (-1, 1):
        lo, hi = e.parameter(name, "lo", th[:, 0] + 1), e.parameter(name, "hi", th[:, 1])
        return e.add_named(name, ops.Ternarize(lo, hi), node)
    if (low, high) == (0, 1):
        return e.add_named(name, ops.Step(e.parameter(name, "t", th[:, 0])), node)
    element = narrowest(low, high)
    always = np.repeat(th[:, :1].min(axis=1, keepdims=True), low - element.low, axis=1)
    always = np.minimum(always, _below(value, folded))
    never = np.repeat(_above(value, folded), element.high - high, axis=1)
    full = np.concatenate([always, th, np.maximum(never, th[:, -1:])], axis=1)
    return e.add_named(name, ops.Quantize(element, e.parameter(name, "th", full)), node)


def _below(value: Value, folded: Fold) -> Integers:
    """An integer that every integer of the channel is above: (C, 1)."""
    ends = np.stack([value.low * folded.signs, value.high * folded.signs])
    least: Integers = ends.min(axis=0).reshape(-1, 1) - 1
    return least


def _above(value: Value, folded: Fold) -> Integers:
    """An integer that no integer of the channel is above: (C, 1)."""
    ends = np.stack([value.low * folded.signs, value.high * folded.signs])
    most: Integers = ends.max(axis=0).reshape(-1, 1)
    return most


def _shifted(e: Emission, value: Value, folded: Fold, low: int, high: int) -> int | None:
    """The levels as a shift and a clamp, where that is what the thresholds say; else None."""
    if high - low < 3 or low != folded.low or (folded.signs != 1).any():
        return None
    least, most = value.low.min(), value.high.max()
    if most - least > 1 << 24:
        return None
    for k in range(MOST_BITS):
        # Level v begins at v << k in every channel, as far as the channel reaches.
        bounds = (np.arange(low + 1, high + 1) << k) - 1
        if all(
            np.array_equal(row, bounds.clip(a - 1, b))
            for row, a, b in zip(folded.thresholds, value.low, value.high, strict=True)
        ):
            return _shift_and_clamp(e, value, k, low, high)
    return None


def _shift_and_clamp(e: Emission, value: Value, k: int, low: int, high: int) -> int | None:
    element: Element = narrowest(low, high)
    least, most = int(value.low.min()) >> k, int(value.high.max()) >> k
    fits = low <= least and most <= high
    if not fits and (element.low, element.high) != (low, high):
        return None
    node = e.place(value.source, np.ones(value.channels, np.int64))
    if k:
        node = e.add("shift", ops.Shift(-k), node)
    return node if fits else e.add("clip", ops.Clip(element), node)
