"""Contestants -> samples of seconds a frame, taken in turns.

Turns alternate so that clock changes and other load meet every contestant alike; inside a turn the
first call is not counted, so each runs with its own data in the caches.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from threading import Barrier

from benchmarks.peers import Contestant, Run

TURN_SECONDS = 0.05
LEAST_CALLS = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one call of each of `threads` instances at once; `macs` of all of them."""

    contestant: Contestant
    threads: int
    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median sample."""
        return median(self.samples)

    @property
    def minimum(self) -> float:
        """The fastest sample."""
        return min(self.samples)

    @property
    def gmacs(self) -> float:
        """GMAC/s at the median, all threads together."""
        return self.contestant.macs * self.threads / self.median / 1e9


def calls_a_turn(run: Run) -> int:
    """How many calls fill a turn, after two warming ones."""
    run()
    run()
    start = time.perf_counter()
    run()
    return max(LEAST_CALLS, int(TURN_SECONDS / (time.perf_counter() - start)))


def turn_alone(run: Run, calls: int) -> list[float]:
    """One warm turn on the calling thread, each call a sample."""
    run()
    samples: list[float] = []
    for _ in range(calls):
        start = time.perf_counter()
        run()
        samples.append(time.perf_counter() - start)
    return samples


def turn_together(pool: ThreadPoolExecutor, runs: Sequence[Run], calls: int) -> list[float]:
    """One turn of several instances at once: a single sample, from first start to last end."""
    barrier = Barrier(len(runs))

    def frames(run: Run) -> tuple[float, float]:
        run()
        barrier.wait()
        start = time.perf_counter()
        for _ in range(calls):
            run()
        return start, time.perf_counter()

    spans = list(pool.map(frames, runs))
    return [(max(end for _, end in spans) - min(start for start, _ in spans)) / calls]


def measure(
    make: Callable[[], Sequence[Contestant]], threads: int, rounds: int
) -> tuple[Timing, ...]:
    """Time every contestant that `make` builds; each thread gets an instance of its own."""
    instances = list(zip(*(make() for _ in range(threads)), strict=True))
    calls = [calls_a_turn(group[0].run) for group in instances]
    samples: list[list[float]] = [[] for _ in instances]
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(rounds):
            for group, count, taken in zip(instances, calls, samples, strict=True):
                runs = [contestant.run for contestant in group]
                if threads == 1:
                    taken += turn_alone(runs[0], count)
                else:
                    taken += turn_together(pool, runs, count)
    return tuple(
        Timing(group[0], threads, tuple(taken))
        for group, taken in zip(instances, samples, strict=True)
    )
