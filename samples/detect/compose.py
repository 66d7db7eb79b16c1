"""Photographs and small objects -> 160x120 grey frames with known boxes.

The scenes are synthetic: pieces of clothing (28x28 pictures of Fashion-MNIST) of random size,
contrast and polarity are laid over real photographs, blurred a little, and noise is added.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

HEIGHT, WIDTH = 120, 160
MOST_OBJECTS = 4
SIDES = (14.0, 40.0)
"""Smallest and largest side of an object's 28x28 square, in pixels of the frame."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a frame: its tight box in pixels, ends excluded, and its class 0..9."""

    left: int
    top: int
    right: int
    bottom: int
    kind: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture [120, 160] and what stands in it."""

    picture: Picture
    things: tuple[Thing, ...]


def overlap(a: Thing, b: Thing) -> float:
    """Return the area both boxes share, as a part of the smaller one."""
    wide = min(a.right, b.right) - max(a.left, b.left)
    high = min(a.bottom, b.bottom) - max(a.top, b.top)
    areas = [(t.right - t.left) * (t.bottom - t.top) for t in (a, b)]
    return max(wide, 0) * max(high, 0) / min(areas)


def background(photograph: Picture, rng: np.random.Generator) -> Picture:
    """Cut a random 4:3 piece and reduce it to 160x120."""
    high, wide = photograph.shape
    most = min(high / HEIGHT, wide / WIDTH)
    scale = rng.uniform(min(1.0, most), min(3.5, most))
    left = rng.uniform(0, wide - WIDTH * scale)
    top = rng.uniform(0, high - HEIGHT * scale)
    box = (left, top, left + WIDTH * scale, top + HEIGHT * scale)
    piece = Image.fromarray(photograph).resize((WIDTH, HEIGHT), Image.Resampling.BOX, box=box)
    array = np.array(piece)
    return array[:, ::-1].copy() if rng.random() < 0.5 else array


def cut_out(picture: Picture, side: int, blur: float) -> tuple[NDArray[np.float64], ...]:
    """Scale an object to side x side: its brightness and its coverage, both 0..1."""
    layers = []
    for layer in (picture, np.where(picture > 12, 255, 0).astype(np.uint8)):
        image = Image.fromarray(layer).resize((side, side), Image.Resampling.BILINEAR)
        layers.append(np.asarray(image.filter(ImageFilter.GaussianBlur(blur))) / 255.0)
    return tuple(layers)


def place(
    canvas: NDArray[np.float64],
    picture: Picture,
    kind: int,
    others: list[Thing],
    rng: np.random.Generator,
) -> Thing | None:
    """Lay an object on the canvas, in place; None where it would cover another one."""
    side = round(float(np.exp(rng.uniform(*np.log(SIDES)))))
    light, cover = cut_out(picture, side, rng.uniform(0.2, 0.7))
    rows, columns = (np.flatnonzero(cover.max(axis) > 0.5) for axis in (1, 0))
    if not rows.size:
        return None
    x, y = rng.integers(0, WIDTH - side + 1), rng.integers(0, HEIGHT - side + 1)
    thing = Thing(
        int(x + columns[0]),
        int(y + rows[0]),
        int(x + columns[-1] + 1),
        int(y + rows[-1] + 1),
        kind,
    )
    if any(overlap(thing, other) > 0.1 for other in others):
        return None
    dark, bright = rng.uniform(0, 90), rng.uniform(150, 255)
    if rng.random() < 0.5:
        dark, bright = bright, dark
    area = canvas[y : y + side, x : x + side]
    area += cover * (dark + light * (bright - dark) - area)
    return thing


def compose(
    photographs: list[Picture],
    objects: Picture,
    kinds: NDArray[np.uint8],
    rng: np.random.Generator,
) -> Frame:
    """Make one frame of 0 to 4 objects; `objects` is [N, 28, 28], `kinds` [N]."""
    photograph = photographs[rng.integers(len(photographs))]
    canvas = background(photograph, rng).astype(float)
    things: list[Thing] = []
    for _ in range(rng.integers(MOST_OBJECTS + 1)):
        index = rng.integers(len(objects))
        thing = place(canvas, objects[index], int(kinds[index]), things, rng)
        if thing is not None:
            things.append(thing)
    canvas += rng.normal(0, rng.uniform(0, 6), canvas.shape)
    return Frame(np.clip(np.rint(canvas), 0, 255).astype(np.uint8), tuple(things))
