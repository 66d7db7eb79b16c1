"""Code planes [40, H, W] -> a grey picture [8 H, 8 W]: a small float network, in NumPy.

Its weights are `decoder.npz`: for every convolution int8 weights, a scale for each channel and
a bias. The same layers as `Decoder` in `train.py`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float32]

BLOCKS = 3
"""Residual blocks on the grid of the code; one more follows on a grid twice as fine."""
GREY = 64.0
"""Grey levels that one unit of the network's output is worth."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """The convolutions by name: weights (out, in * 9) and bias (out,)."""

    layers: dict[str, tuple[Maps, Maps]]

    @staticmethod
    def read(path: Path) -> "Decoder":
        """Read `decoder.npz`."""
        with np.load(path) as held:
            names = [key.removesuffix(".w") for key in held.files if key.endswith(".w")]
            return Decoder(
                {
                    name: (
                        (held[f"{name}.w"] * held[f"{name}.scale"][:, None]).astype(np.float32),
                        held[f"{name}.bias"].astype(np.float32),
                    )
                    for name in names
                }
            )

    def __call__(self, planes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the picture."""
        code = planes.astype(np.float32)
        x = self._conv("first", code)
        for block in range(BLOCKS):
            x = self._residual(f"block{block}", x)
        x = self._residual("fine", pixel_shuffle(self._conv("finer", x), 2))
        x = np.maximum(pixel_shuffle(self._conv("finest", x), 2), 0)
        detail = pixel_shuffle(self._conv("last", x), 2)
        picture = GREY * (pixel_shuffle(self._conv("linear", code), 8) + detail)
        pixels: NDArray[np.uint8] = np.clip(np.rint(picture[0]), 0, 255).astype(np.uint8)
        return pixels

    def _conv(self, name: str, x: Maps) -> Maps:
        weight, bias = self.layers[name]
        _, high, wide = x.shape
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        near = [padded[:, a : a + high, b : b + wide] for a, b in np.ndindex(3, 3)]
        columns = np.stack(near, axis=1).reshape(-1, high * wide)
        return (weight @ columns + bias[:, None]).reshape(-1, high, wide)

    def _residual(self, name: str, x: Maps) -> Maps:
        return x + self._conv(f"{name}.b", np.maximum(self._conv(f"{name}.a", x), 0))


def pixel_shuffle(x: Maps, factor: int) -> Maps:
    """[C f^2, H, W] -> [C, f H, f W]."""
    _, high, wide = x.shape
    split = x.reshape(-1, factor, factor, high, wide)
    return split.transpose(0, 3, 1, 4, 2).reshape(-1, factor * high, factor * wide)
