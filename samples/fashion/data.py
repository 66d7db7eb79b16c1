"""Fashion-MNIST as one .npz -> the arrays of training, and the pictures that the sample ships.

    python -m samples.fashion.data fashion_mnist.npz --out samples/fashion
In: `train_image` (60000, 28, 28) u8, `train_label`, `test_image` (10000, 28, 28), `test_label`.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from samples.cifar.data import Split

PICTURES = {
    1: "trouser",
    2: "pullover",
    6: "shirt",
    7: "sneaker",
    8: "bag",
    9: "ankle-boot",
}
"""The classes of which the first test image is shipped."""


def read_split(path: Path, name: str) -> Split:
    """Read the split `train` or `test`: images [N, 1, 28, 28] u8 and labels [N]."""
    with np.load(path) as file:
        return Split(file[f"{name}_image"][:, None], file[f"{name}_label"])


def main() -> None:
    """Write the first test images, and a picture each of some classes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the .npz data set")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--count", type=int, default=250, help="images in test_images.npz")
    args = parser.parse_args()
    test = read_split(args.data, "test")
    images = test.image[:, 0]
    np.savez_compressed(
        args.out / "test_images.npz", image=images[: args.count], label=test.label[: args.count]
    )
    for label, name in PICTURES.items():
        index = int(np.flatnonzero(test.label == label)[0])
        Image.fromarray(images[index]).save(args.out / f"{name}.png")


if __name__ == "__main__":
    main()
