"""The parameters of operations and arrays read from files -> integer arrays.

An `Automaton` generates ternary weights instead of storing them. Its definition: a ring of
`RING` = 128 two-state cells under the elementary rule `rule` (0..255, Wolfram's numbering). In
generation 0, cell i is 1 where bit (i mod 32) of the seed scrambled for word i div 32 is 1:

    scramble(seed, word) = mix((seed + (word + 1) * 0x9E3779B9) mod 2**32)
    mix(v): v ^= v >> 16; v = v * 0x7FEB352D mod 2**32; v ^= v >> 15;
            v = v * 0x846CA68B mod 2**32; v ^= v >> 16

One generation follows from the one before: new[i] = bit (4 * old[i-1] + 2 * old[i] + old[i+1]) of
`rule`, indices modulo 128. The first `WARM_UP` = 128 generations are dropped; each later one
gives 64 trits, cells (2j, 2j+1) in turn: (0, 0) and (1, 1) are 0, (1, 0) is +1, (0, 1) is -1. The
array is filled in C order.
"""

from collections.abc import Mapping
from math import prod
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from tdsl.ir.ops import Automaton, Constant, Parameter, Stored

Integers = NDArray[np.int64]
Arrays = Mapping[Stored, Integers]

RING = 128
WARM_UP = 128


def resolve(parameter: Parameter, arrays: Arrays, shape: tuple[int, ...] | None = None) -> Integers:
    """The values of `parameter`, int64, in its own shape or broadcast to `shape`.

    A constant of one value fills its shape. Broadcasting is NumPy's: thresholds `()` fill `(C,)`,
    `(levels - 1,)` fill `(C, levels - 1)`. Raises KeyError where `arrays` lacks a stored
    parameter: the checker never lets that happen.
    """
    match parameter:
        case Stored():
            values = arrays[parameter]
        case Constant(values=numbers, shape=own):
            flat = np.array(numbers, dtype=np.int64)
            values = np.broadcast_to(flat[0], own) if len(numbers) == 1 else flat.reshape(own)
        case Automaton(rule=rule, seed=seed, shape=own):
            values = generate(rule, seed, prod(own)).reshape(own)
        case _:
            assert_never(parameter)
    return values if shape is None else np.broadcast_to(values, shape)


def generate(rule: int, seed: int, count: int) -> Integers:
    """The first `count` trits of the automaton `rule` started from `seed`, int64 (count,)."""
    cells = _first_generation(seed)
    table = (rule >> np.arange(8)) & 1
    for _ in range(WARM_UP):
        cells = _next_generation(cells, table)
    rows: list[Integers] = []
    for _ in range(-(-count // (RING // 2))):
        rows.append(cells[0::2] - cells[1::2])
        cells = _next_generation(cells, table)
    return np.concatenate(rows)[:count] if rows else np.zeros(0, dtype=np.int64)


def _first_generation(seed: int) -> Integers:
    words = np.array([_scramble(seed, word) for word in range(RING // 32)], dtype=np.int64)
    return ((words[:, None] >> np.arange(32)) & 1).reshape(RING)


def _next_generation(cells: Integers, table: Integers) -> Integers:
    following: Integers = table[4 * np.roll(cells, 1) + 2 * cells + np.roll(cells, -1)]
    return following


def _scramble(seed: int, word: int) -> int:
    value = (seed + (word + 1) * 0x9E3779B9) & 0xFFFFFFFF
    value ^= value >> 16
    value = value * 0x7FEB352D & 0xFFFFFFFF
    value ^= value >> 15
    value = value * 0x846CA68B & 0xFFFFFFFF
    return value ^ value >> 16
