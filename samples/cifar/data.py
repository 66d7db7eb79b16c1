"""CIFAR-10 as one blob of JPEG files a split -> the arrays of training, and those of `tdsl eval`.

    python -m samples.cifar.data cifar10_jpeg.npz --test cifar10_test.npz
In: an .npz with `train_jpeg` (all files one after the other), `train_offset` (where each begins,
and the end), `train_label`, and the same three for `test`.
"""

import argparse
import io
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image


class Split(NamedTuple):
    """Images [N, 3, 32, 32] u8 and labels [N]."""

    image: NDArray[np.uint8]
    label: NDArray[np.uint8]


def read_split(path: Path, name: str) -> Split:
    """Decode the split `train` or `test`."""
    with np.load(path) as file:
        blob, offsets = file[f"{name}_jpeg"].tobytes(), file[f"{name}_offset"]
        labels = file[f"{name}_label"]
    images = np.empty((len(labels), 3, 32, 32), np.uint8)
    for index, (start, end) in enumerate(pairwise(offsets)):
        with Image.open(io.BytesIO(blob[start:end])) as opened:
            images[index] = np.asarray(opened.convert("RGB")).transpose(2, 0, 1)
    return Split(images, labels)


def main() -> None:
    """Write the test split as a data set for `tdsl eval`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the .npz with JPEG blobs")
    parser.add_argument("--test", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--count", type=int, help="only so many, drawn at random")
    args = parser.parse_args()
    test = read_split(args.data, "test")
    chosen = np.arange(len(test.label))
    if args.count:
        chosen = np.random.default_rng(0).permutation(chosen)[: args.count]
    np.savez_compressed(args.test, image=test.image[chosen], label=test.label[chosen])


if __name__ == "__main__":
    main()
