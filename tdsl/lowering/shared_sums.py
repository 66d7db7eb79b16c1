"""A ternary matrix -> its sums with shared partial sums: pairs that occur in several rows once.

The greedy pairwise elimination of Hartley (IEEE TCAS-II 1996, canonical signed digits) on weights
that are -1, 0 and +1 already: the pair of columns that most rows add (or subtract) alike becomes a
column of its own, again and again until no pair occurs twice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tdsl.lowering.steps import Array

_TWICE = 2
"""A pair pays from its second use on."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The value of a new column: column `a` plus (`sign` 1) or minus (-1) column `b`."""

    a: int
    b: int
    sign: int


@dataclass(frozen=True, slots=True)
class Sums:
    """New columns in the order in which they can be made, then what each row still adds.

    `rows[r]` are (column, sign); columns from the matrix's width on are `pairs`.
    """

    pairs: tuple[Pair, ...]
    rows: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def additions(self) -> int:
        """Additions and subtractions of two values."""
        return len(self.pairs) + sum(max(0, len(row) - 1) for row in self.rows)


def plain_sums(matrix: Array) -> Sums:
    """Every row `[rows, columns]` by itself: what a compiler without sharing would do."""
    return Sums((), tuple(_row(row) for row in matrix))


def shared_sums(matrix: Array) -> Sums:
    """The sums of a ternary matrix `[rows, columns]` with shared pairs."""
    work = _Work(matrix)
    pairs: list[Pair] = []
    while (pair := work.best_pair()) is not None:
        pairs.append(pair)
        work.replace(pair)
    rows = tuple(_row(row) for row in work.matrix[:, : work.used])
    return Sums(tuple(pairs), rows)


def _row(row: Array) -> tuple[tuple[int, int], ...]:
    return tuple((int(column), int(row[column])) for column in np.flatnonzero(row))


class _Work:
    """The matrix with room for new columns, and for every column its best later partner."""

    def __init__(self, matrix: Array) -> None:
        rows, self.used = matrix.shape
        self.matrix: NDArray[np.int64] = np.zeros((rows, 2 * self.used + rows), np.int64)
        self.matrix[:, : self.used] = matrix
        size = self.matrix.shape[1]
        self.count = np.zeros(size, np.int64)
        self.partner = np.zeros(size, np.int64)
        self.sign = np.ones(size, np.int64)
        for column in range(self.used):
            self.search(column)

    def best_pair(self) -> Pair | None:
        """The pair that most rows share, the first of equals; None if none occurs twice."""
        a = int(np.argmax(self.count[: self.used]))
        if self.count[a] < _TWICE:
            return None
        return Pair(a, int(self.partner[a]), int(self.sign[a]))

    def replace(self, pair: Pair) -> None:
        """Make a new column of a pair wherever rows have it."""
        self.reserve()
        both = self.matrix[:, pair.a] * self.matrix[:, pair.b] == pair.sign
        self.matrix[both, self.used] = self.matrix[both, pair.a]
        self.matrix[both, pair.a] = self.matrix[both, pair.b] = 0
        self.used += 1
        stale = np.isin(self.partner[: self.used], (pair.a, pair.b)) & (
            self.count[: self.used] >= _TWICE
        )
        stale[[pair.a, pair.b]] = True
        for column in np.flatnonzero(stale):
            self.search(int(column))
        self.offer(self.used - 1)

    def reserve(self) -> None:
        """Room for one more column."""
        if self.used < self.matrix.shape[1]:
            return
        more = self.matrix.shape[1]
        self.matrix = np.pad(self.matrix, ((0, 0), (0, more)))
        self.count = np.pad(self.count, (0, more))
        self.partner = np.pad(self.partner, (0, more))
        self.sign = np.pad(self.sign, (0, more), constant_values=1)

    def search(self, column: int) -> None:
        """Find the best partner of a column among the later ones."""
        found, sign = self.shared(column, slice(column + 1, self.used))
        best = int(np.argmax(found)) if len(found) else 0
        self.count[column] = found[best] if len(found) else 0
        self.partner[column] = column + 1 + best
        self.sign[column] = sign[best] if len(found) else 1

    def offer(self, column: int) -> None:
        """Let a new column be the partner of every earlier one for which it is a better one."""
        found, sign = self.shared(column, slice(0, column))
        better = found > self.count[:column]
        self.count[:column][better] = found[better]
        self.partner[:column][better] = column
        self.sign[:column][better] = sign[better]

    def shared(self, column: int, others: slice) -> tuple[Array, Array]:
        """How many rows a column shares with others, and with which sign more of them."""
        mine, theirs = self.matrix[:, column], self.matrix[:, others]
        used = mine != 0
        mine, theirs = mine[used], theirs[used]
        difference = mine @ theirs
        total = np.abs(theirs).sum(axis=0)
        return (total + np.abs(difference)) // 2, np.where(difference < 0, -1, 1)
