"""Frames of a fixed camera -> what moved in them, and where people are if anything did."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

import tdsl

FOLDER = Path(__file__).parent
FRAME_TIME = 100
"""Milliseconds."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame: which 8x8 squares moved, the recogniser's heat (None: asleep), energies in pJ."""

    moved: NDArray[np.int64]
    heat: NDArray[np.int64] | None
    motion_energy: float
    person_energy: float


class Watch:
    """Frame after frame: motion first, then perhaps people."""

    def __init__(self) -> None:
        """Load both networks."""
        self.motion = tdsl.load(FOLDER / "motion.tnn")
        self.person = tdsl.load(FOLDER / "person.tnn")
        self.least = int(json.loads((FOLDER / "person.json").read_text("utf-8"))["least"])

    def __call__(self, now: Picture, before: Picture) -> Seen:
        """Look at a frame."""
        motion = self.motion(now, before)
        moved = np.asarray(motion.squares)[0]
        if not int(np.asarray(motion.awake)[0]):
            return Seen(moved, None, motion.cost.energy_pj.typical, 0.0)
        person = self.person(now)
        heat = np.asarray(person.heat)[0]
        return Seen(moved, heat, motion.cost.energy_pj.typical, person.cost.energy_pj.typical)

    def people(self, seen: Seen) -> bool:
        """Whether the recogniser saw anybody."""
        return seen.heat is not None and bool((seen.heat > self.least).any())


def shipped_frames() -> Picture:
    """The frames beside this file: [N, 120, 160]. Equal ones are held once, for a longer time."""
    frames: list[Picture] = []
    with Image.open(FOLDER / "clip.webp") as clip:
        for frame in ImageSequence.Iterator(clip):
            picture = np.array(frame.convert("L"))
            frames += [picture] * round(frame.info["duration"] / FRAME_TIME)
    return np.stack(frames)
