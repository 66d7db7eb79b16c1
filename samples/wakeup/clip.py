"""A clip of a fixed camera -> small grey frames, and where people walk in them.

There is no truth beside the clip: it is made by comparing each frame, at full resolution, with the
median of the clip. The networks see neither the median nor the full resolution.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, CELL = 160, 120, 8
SCENE = (384, 288)
"""The clip's 768x576 pixels, halved."""
WINDOW = (136, 152)
"""Left and top of the part that the sample watches, in the halved scene."""
TEST_FRAMES = 400
"""The first frames are for the test; training begins 20 frames later."""
CHANGE, LEAST_AREA, LEAST_HEIGHT = 24, 200, 28
PERSON, NOBODY = 0.25, 0.03
"""A square is a person's from this cover on, and nobody's below; in between it does not count."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames [N, 288, 384] and, of the same shape, 255 where people are."""

    frames: Pixels
    people: Pixels


def read_frames(path: Path) -> Pixels:
    """Read a video in grey: [N, H, W]. Raises FileNotFoundError where nothing can be read."""
    video = cv2.VideoCapture(str(path))
    frames: list[Pixels] = []
    while True:
        going, frame = video.read()
        if not going:
            break
        frames.append(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8))
    if not frames:
        raise FileNotFoundError(f"no video in {path}")
    return np.stack(frames)


def people_in(frame: Pixels, empty: Pixels) -> Pixels:
    """Mark what differs from the empty scene and is as large and as high as a person."""
    change = cv2.GaussianBlur(cv2.absdiff(frame, empty), (5, 5), 0) > CHANGE
    mask = cv2.morphologyEx(change.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((13, 7), np.uint8))
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask)
    large = statistics[:, cv2.CC_STAT_AREA] > LEAST_AREA
    large &= statistics[:, cv2.CC_STAT_HEIGHT] > LEAST_HEIGHT
    large[0] = False
    return np.asarray(large[labels] * 255, np.uint8)


def read_clip(path: Path) -> Clip:
    """Read and reduce the clip."""
    frames = read_frames(path)
    empty = np.median(frames[::10], axis=0).astype(np.uint8)
    small = [cv2.resize(f, SCENE, interpolation=cv2.INTER_AREA) for f in frames]
    masks = [cv2.resize(people_in(f, empty), SCENE, interpolation=cv2.INTER_AREA) for f in frames]
    return Clip(np.stack(small).astype(np.uint8), np.stack(masks).astype(np.uint8))


def watched(frames: Pixels) -> Pixels:
    """Cut the watched window of the test frames: [400, 120, 160]."""
    left, top = WINDOW
    return frames[:TEST_FRAMES, top : top + HEIGHT, left : left + WIDTH]


def covered(masks: Pixels) -> NDArray[np.float64]:
    """Return how much of each 8x8 square people cover, 0..1: [N, H / 8, W / 8]."""
    count, high, wide = masks.shape
    squares = masks.reshape(count, high // CELL, CELL, wide // CELL, CELL)
    return squares.mean((2, 4)) / 255
