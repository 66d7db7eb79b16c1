"""Composed test frames, run on the simulated machine -> average precision, and pictures of boxes.

    python -m samples.detect.evaluate --frames 200
    python -m samples.detect.evaluate --frames 1000 --skimage --picture found.png
    python -m samples.detect.evaluate --look samples/detect/frame1.png --picture one.png
Neither the objects (the test images beside the Fashion-MNIST sample) nor the photographs (those
beside the denoiser, with --skimage scikit-image's) took part in the training.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import tdsl
from samples.detect.boxes import Found, Scales, average_precision, find_boxes
from samples.detect.compose import Frame, Picture, Thing, compose

FOLDER = Path(__file__).parent
SHIPPED = [f"../denoise/{name}.png" for name in ("astronaut", "chelsea", "coffee_160x120")]
SKIMAGE = ("camera", "astronaut", "chelsea", "coffee", "rocket")
KINDS = (
    *("T-shirt", "trousers", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "boot"),
)
SHOWN, COLUMNS, ENLARGED = 12, 4, 2
TRUTH, FOUND = (60, 200, 80), (255, 140, 0)
SURE_ENOUGH = 0.4
"""For pictures; average precision looks at all boxes."""


class Detector:
    """Frames -> boxes, through the simulator."""

    def __init__(self) -> None:
        """Load network, weights and scales."""
        self.network = tdsl.load(FOLDER / "detect.tnn")
        self.scales = Scales.read(FOLDER / "boxes.json")

    def __call__(self, picture: Picture) -> list[Found]:
        """Return the boxes of one frame, the surest first."""
        maps = self.network(picture)
        heat, box, kind = (np.asarray(m, np.int64) for m in (maps.heat, maps.box, maps.kind))
        return find_boxes(heat, box, kind, self.scales)


def photographs(skimage: bool) -> list[Picture]:
    """Backgrounds, in grey."""
    if not skimage:
        return [grey(Image.open(FOLDER / path)) for path in SHIPPED]
    from skimage import data

    return [grey(Image.fromarray(getattr(data, name)())) for name in SKIMAGE]


def grey(picture: Image.Image) -> Picture:
    """Turn a picture grey."""
    return np.array(picture.convert("L"))


def frames(args: argparse.Namespace) -> Iterator[Frame]:
    """Compose the test frames: the same ones for the same seed."""
    rng = np.random.default_rng(args.seed)
    backgrounds = photographs(args.skimage)
    with np.load(FOLDER / "../fashion/test_images.npz") as held:
        objects, kinds = held["image"], held["label"]
    for _ in range(args.frames):
        yield compose(backgrounds, objects, kinds, rng)


def drawn(picture: Picture, found: list[Found], things: tuple[Thing, ...]) -> NDArray[np.uint8]:
    """Draw the truth in green and what was found in orange, with its name."""
    size = picture.shape[1] * ENLARGED, picture.shape[0] * ENLARGED
    image = Image.fromarray(picture).resize(size, Image.Resampling.NEAREST).convert("RGB")
    draw = ImageDraw.Draw(image)
    for box in things:
        draw.rectangle(_edges(box), outline=TRUTH)
    for box in found:
        if box.sure >= SURE_ENOUGH:
            draw.rectangle(_edges(box), outline=FOUND)
            draw.text((ENLARGED * box.left, ENLARGED * box.top - 11), KINDS[box.kind], FOUND)
    return np.array(image)


def _edges(box: Found | Thing) -> tuple[float, float, float, float]:
    left, top, right, bottom = (ENLARGED * e for e in (box.left, box.top, box.right, box.bottom))
    return left, top, max(left, right - 1), max(top, bottom - 1)


def save(pictures: list[NDArray[np.uint8]], path: Path) -> None:
    """Write pictures in rows of four; few colours keep the file small."""
    columns = min(COLUMNS, len(pictures))
    full = len(pictures) // columns * columns
    rows = [np.hstack(pictures[i : i + columns]) for i in range(0, full, columns)]
    greys = [(level, level, level) for level in range(0, 256, 4)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in (*greys, TRUTH, FOUND) for part in colour])
    image = Image.fromarray(np.vstack(rows))
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def report(results: list[tuple[list[Found], tuple[Thing, ...]]]) -> None:
    """Print the figures."""
    count = sum(len(things) for _, things in results)
    by_kind = [average_precision(results, kind=kind) for kind in range(len(KINDS))]
    print(f"{len(results)} frames, {count} objects")
    print(f"average precision of boxes, overlap 0.5:   {average_precision(results):.3f}")
    print(f"average precision of boxes, overlap 0.75:  {average_precision(results, 0.75):.3f}")
    print(f"mean over the ten kinds, overlap 0.5:      {np.mean(by_kind):.3f}")
    print(", ".join(f"{name} {one:.2f}" for name, one in zip(KINDS, by_kind, strict=True)))


def main() -> None:
    """Report on composed frames, or look at given ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--skimage", action="store_true", help="scikit-image's photographs")
    parser.add_argument("--look", type=Path, nargs="+", default=[], help="frames of your own")
    parser.add_argument("--picture", type=Path, help="where to draw the first twelve frames")
    args = parser.parse_args()
    detect = Detector()
    shown: list[NDArray[np.uint8]] = []
    results: list[tuple[list[Found], tuple[Thing, ...]]] = []
    given = (Frame(grey(Image.open(path)), ()) for path in args.look)
    for frame in given if args.look else frames(args):
        found = detect(frame.picture)
        results.append((found, frame.things))
        if len(shown) < SHOWN:
            shown.append(drawn(frame.picture, found, frame.things))
    if not args.look:
        report(results)
    for path, (found, _) in zip(args.look, results, strict=False):
        for box in found:
            if box.sure >= SURE_ENOUGH:
                place = f"{box.left:.0f},{box.top:.0f} to {box.right:.0f},{box.bottom:.0f}"
                print(f"{path.name}: {KINDS[box.kind]} at {place}, {box.sure:.0%} sure")
    if args.picture:
        save(shown, args.picture)


if __name__ == "__main__":
    main()
