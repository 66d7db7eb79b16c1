"""A network and a data set -> a picture of its first images and what the network takes them for.

    python -m samples.cifar.decisions samples/cifar/cifar.tnn samples/cifar/test_images.npz grid.png
Wrong decisions are red, with the right class behind them.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import tdsl

CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
COLUMNS, ROWS, SCALE = 8, 5, 2
CELL = (76, 84)


def draw(page: Image.Image, at: int, image: NDArray[np.uint8], decided: int, label: int) -> None:
    """Put image number `at` [3, 32, 32] and its caption on the page."""
    x, y = at % COLUMNS * CELL[0], at // COLUMNS * CELL[1]
    picture = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
    enlarged = picture.resize((32 * SCALE, 32 * SCALE), Image.Resampling.NEAREST)
    page.paste(enlarged, (x + (CELL[0] - 32 * SCALE) // 2, y + 2))
    right = decided == label
    caption = CLASSES[decided] if right else f"{CLASSES[decided]} ({CLASSES[label]})"
    ink = "#176117" if right else "#b01010"
    middle = (x + CELL[0] // 2, y + 32 * SCALE + 10)
    ImageDraw.Draw(page).text(middle, caption, fill=ink, anchor="mm")


def main() -> None:
    """Decide on the first images and draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", type=Path)
    parser.add_argument("data", type=Path, help="an .npz with image [N, 3, 32, 32] and label")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    args = parser.parse_args()
    net = tdsl.load(args.network)
    with np.load(args.data) as data:
        images, labels = data["image"][: COLUMNS * ROWS], data["label"]
    page = Image.new("RGB", (COLUMNS * CELL[0], ROWS * CELL[1]), "white")
    for at, (image, label) in enumerate(zip(images, labels, strict=False)):
        draw(page, at, image, int(net(image)["class"].item()), int(label))
    page.save(args.picture, optimize=True)


if __name__ == "__main__":
    main()
