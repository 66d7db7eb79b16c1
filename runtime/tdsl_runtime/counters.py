"""What the execution of a program counts, by micro-op and in all: the same in every engine."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Counter(IntEnum):
    """A column of the counter table; one row a micro-op of the program."""

    EXECUTED = 0
    """Times issued (a micro-op that GUARD skips is not), or done as a part of a UOP, which counts
    nothing else."""
    ITEMS = 1
    """Items of the cost table of `docs/isa.md` worked on: steps of a DOT, pixels of a DMAIN."""
    PIXELS = 2
    """Pixels worked on: the n of a span, the pixels of a line or tile inside the image."""
    TRITS = 3
    """DOT: trits that travelled on the channels. STORE, LUT, DMAIN, DMAW: trits written (also
    those that fall outside and are dropped). DMAOUT: trits read. Row micro-ops: bit rows worked
    through times active columns, whatever was read or written."""
    ONES = 4
    """DOT: set bits, both planes, of the trits that travelled."""
    BUSY = 5
    """Cycles the unit was busy with it."""
    IDLE = 6
    """Cycles its unit stood still, free, before it started: for want of an issue."""
    WAIT = 7
    """Cycles its unit stood still for a token (rows of WAIT only)."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Counters of one run.

    `table` is int64 [micro-ops, len(Counter)]. `done` and `busy` are int64 [4]: the cycle at which
    the last work of each `Unit` is done, and the cycles it was busy. `issued` micro-ops took
    `issue_cycles`: the cycle of the last issue. `cycles` is the length of the program.
    """

    table: NDArray[np.int64]
    done: NDArray[np.int64]
    busy: NDArray[np.int64]
    issued: int
    issue_cycles: int
    cycles: int

    def column(self, counter: Counter) -> NDArray[np.int64]:
        """One counter for every micro-op."""
        return self.table[:, counter]

    def differences(self, other: "Counters") -> tuple[str, ...]:
        """What differs, in words; empty if the counters are identical."""
        found = [
            f"{name}: {getattr(self, name)} and {getattr(other, name)}"
            for name in ("cycles", "issued", "issue_cycles")
            if getattr(self, name) != getattr(other, name)
        ]
        for name in ("done", "busy"):
            if not np.array_equal(getattr(self, name), getattr(other, name)):
                found.append(f"{name}: {getattr(self, name)} and {getattr(other, name)}")
        if self.table.shape != other.table.shape:
            return (*found, f"micro-ops: {len(self.table)} and {len(other.table)}")
        for index, column in np.argwhere(self.table != other.table):
            mine, theirs = self.table[index, column], other.table[index, column]
            found.append(f"micro-op {index} {Counter(column).name}: {mine} and {theirs}")
        return tuple(found)
