"""The integer maps of the network -> boxes; boxes and the truth -> average precision."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from samples.detect.compose import Thing

CELL = 4
"""Pixels of the frame to a cell of the maps, both ways."""
MOST_BOXES = 30

Maps = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Found:
    """One box, in pixels, how sure the network is of it (0..1), and of its kind."""

    left: float
    top: float
    right: float
    bottom: float
    kind: int
    sure: float
    sure_of_kind: float


@dataclass(frozen=True, slots=True)
class Scales:
    """What one unit of each of the 15 sums is worth, and their offsets: learned, on the host."""

    scale: NDArray[np.float64]
    bias: NDArray[np.float64]

    @staticmethod
    def read(path: Path) -> "Scales":
        """Read `boxes.json`."""
        held = json.loads(path.read_text("utf-8"))
        return Scales(np.array(held["scale"]), np.array(held["bias"]))


def find_boxes(
    heat: Maps, box: Maps, kind: Maps, scales: Scales, least: float = 0.05
) -> list[Found]:
    """Return the peaks of `heat` [1, h, w] that are at least `least` sure, the surest first."""
    maps = np.concatenate([heat, box, kind]) * scales.scale[:, None, None]
    maps += scales.bias[:, None, None]
    sure = 1 / (1 + np.exp(-maps[0]))
    padded = np.pad(sure, 1)
    high, wide = sure.shape
    around = [padded[y : y + high, x : x + wide] for y in range(3) for x in range(3)]
    places = np.argwhere((sure == np.max(around, axis=0)) & (sure >= least))
    peaks = sorted(places.tolist(), key=lambda at: -sure[at[0], at[1]])
    return without_doubles([_box_at(maps[:, y, x], sure[y, x], y, x) for y, x in peaks])


def _box_at(values: NDArray[np.float64], sure: float, y: int, x: int) -> Found:
    middle_x, middle_y = CELL * (x + 0.5 + values[1]), CELL * (y + 0.5 + values[2])
    wide, high = 2 ** values[3] / 2, 2 ** values[4] / 2
    kinds = np.exp(values[5:] - values[5:].max())
    kind = int(kinds.argmax())
    return Found(
        middle_x - wide,
        middle_y - high,
        middle_x + wide,
        middle_y + high,
        kind,
        float(sure),
        float(sure * kinds[kind] / kinds.sum()),
    )


def intersection_over_union(a: Found | Thing, b: Found | Thing) -> float:
    """Return the shared area as a part of the area of both together."""
    wide = max(0.0, min(a.right, b.right) - max(a.left, b.left))
    high = max(0.0, min(a.bottom, b.bottom) - max(a.top, b.top))
    both = sum((c.right - c.left) * (c.bottom - c.top) for c in (a, b))
    return wide * high / (both - wide * high)


def without_doubles(found: list[Found], most: float = 0.4) -> list[Found]:
    """Leave out every box that overlaps a surer one."""
    kept: list[Found] = []
    for box in found:
        if all(intersection_over_union(box, other) <= most for other in kept):
            kept.append(box)
    return kept[:MOST_BOXES]


def average_precision(
    frames: Iterable[tuple[Sequence[Found], Sequence[Thing]]],
    overlap: float = 0.5,
    kind: int | None = None,
) -> float:
    """Return the area under precision over recall, all points, as in PASCAL VOC since 2010.

    A found box is right where it overlaps a thing that no surer box took. With `kind`, boxes and
    things of that kind alone count.
    """
    marks: list[tuple[float, bool]] = []
    total = 0
    for found, things in frames:
        wanted = [thing for thing in things if kind in (None, thing.kind)]
        total += len(wanted)
        mine = [box for box in found if kind in (None, box.kind)]
        for box in sorted(mine, key=lambda one: -_sure(one, kind)):
            best = max(
                wanted,
                key=lambda thing: intersection_over_union(box, thing),
                default=None,
            )
            right = best is not None and intersection_over_union(box, best) >= overlap
            if right and best is not None:
                wanted.remove(best)
            marks.append((_sure(box, kind), right))
    return _area([right for _, right in sorted(marks, key=lambda mark: -mark[0])], total)


def _sure(box: Found, kind: int | None) -> float:
    return box.sure if kind is None else box.sure_of_kind


def _area(right: list[bool], total: int) -> float:
    if not right or not total:
        return 0.0
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(best_from_here[np.array(right)]) / total)
