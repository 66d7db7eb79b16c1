"""What an input must be and where one came from: the terms between files and networks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Port:
    """An input: its shape, channels first (None: any size), and the values that it takes."""

    name: str
    shape: tuple[int | None, ...]
    low: int
    high: int
    has_zero: bool = True
    """Whether 0 is one of the values; it is none of `bin`."""

    @property
    def channels(self) -> int | None:
        """The first extent of the shape."""
        return self.shape[0]

    @property
    def is_image(self) -> bool:
        """Whether the shape is `[C, H, W]`."""
        return len(self.shape) == 3

    def __str__(self) -> str:
        extents = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"[{extents}]"


@dataclass(frozen=True, slots=True)
class Frame:
    """One set of inputs by name, and the file (and place in it) that they came from."""

    label: str
    arrays: dict[str, Array]


def size_text(shape: tuple[int | None, ...]) -> str:
    """A shape in the words of its reader: `28x28` (width first) for images, else extents."""
    if len(shape) == 3:
        height, width = shape[1:]
        return f"{'any' if width is None else width}x{'any' if height is None else height}"
    return "x".join("any" if size is None else str(size) for size in shape)
