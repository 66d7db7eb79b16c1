"""Parameters: constants, stored arrays, and the cellular automaton, exactly as documented."""

import numpy as np
import pytest

from tdsl.ir.ops import Automaton, Constant, Stored
from tdsl.ir.parameters import RING, WARM_UP, generate, resolve


def slow_automaton(rule: int, seed: int, count: int) -> list[int]:
    """The documented definition, cell by cell."""
    cells: list[int] = []
    for word in range(RING // 32):
        v = (seed + (word + 1) * 0x9E3779B9) % 2**32
        v ^= v >> 16
        v = v * 0x7FEB352D % 2**32
        v ^= v >> 15
        v = v * 0x846CA68B % 2**32
        v ^= v >> 16
        cells += [v >> bit & 1 for bit in range(32)]
    trits: list[int] = []
    generation = 0
    while len(trits) < count:
        if generation >= WARM_UP:
            trits += [cells[2 * j] - cells[2 * j + 1] for j in range(RING // 2)]
        cells = [
            rule >> (4 * cells[i - 1] + 2 * cells[i] + cells[(i + 1) % RING]) & 1
            for i in range(RING)
        ]
        generation += 1
    return trits[:count]


@pytest.mark.parametrize(
    ("rule", "seed", "count"), [(30, 7, 300), (110, 0x5EED, 64), (0, 1, 65), (255, 2**32 - 1, 1)]
)
def test_the_automaton_is_the_documented_one(rule: int, seed: int, count: int) -> None:
    assert generate(rule, seed, count).tolist() == slow_automaton(rule, seed, count)


def test_rule_30_gives_about_half_zeros_and_balanced_signs() -> None:
    weights = generate(30, 0x5EED, 64 * 64)
    assert abs((weights == 0).mean() - 0.5) < 0.05
    assert abs(weights.mean()) < 0.05


def test_parameters_are_resolved_in_their_shape() -> None:
    stored = Stored("t", (3,))
    arrays = {stored: np.array([1, 2, 3])}
    assert resolve(stored, arrays).tolist() == [1, 2, 3]
    assert resolve(Constant((5,)), arrays).shape == ()
    assert resolve(Constant((5,), (2, 2)), arrays).tolist() == [[5, 5], [5, 5]]
    assert resolve(Constant((1, 2, 3), (3,)), arrays, (2, 3)).tolist() == [[1, 2, 3]] * 2
    assert resolve(Automaton(30, 7, (2, 3)), arrays).tolist() == [
        generate(30, 7, 6).tolist()[:3],
        generate(30, 7, 6).tolist()[3:],
    ]
    with pytest.raises(KeyError):
        resolve(Stored("u", (3,)), arrays)
