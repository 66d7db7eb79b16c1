"""The weights files and libraries that the checker's tests read."""

from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file  # pyright: ignore[reportUnknownVariableType]

from tdsl.frontend.weights import save_packed
from tests.frontend.check_cases import LIBRARY


def save_npz(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write an `.npz` file; NumPy's own signature mixes options and arrays."""
    np.savez(path, **cast("dict[str, Any]", arrays))


def write_files(folder: Path) -> None:
    """Write good and bad files into `folder`."""
    random = np.random.default_rng(7)
    lo, hi = np.full(4, -3), np.full(4, 3)
    crossed = lo.copy()
    crossed[[1, 3]] = 6
    wide = random.integers(-1, 2, (4, 4, 3, 3))
    wide[2, 1, 0, 2] = 2
    arrays = {
        "c.w": random.integers(-1, 2, (4, 4, 3, 3)),
        "c.lo": lo,
        "c.hi": hi,
        "d.lo": crossed,
        "d.hi": hi,
        "e.w": random.integers(-1, 2, (3, 4, 1, 1)),
        "floats": np.full((4, 4, 3, 3), 0.5),
        "wide": wide,
        "nan": np.array([1.0, np.nan, 0.0, 0.0]),
        "huge": np.array([1, 2**40, 0, 0]),
        "text": np.array(["a", "b", "c", "d"]),
        "unsorted": np.array([[1, 2, 3], [1, 3, 2], [0, 0, 0], [5, 5, 4]]),
        "image": random.integers(-1, 2, (4, 8, 8)),
        "scores": np.zeros((4, 8)),
        "a": np.zeros(3),
        "b": np.zeros(3),
    }
    save_npz(folder / "good.npz", arrays)
    data = (folder / "good.npz").read_bytes()
    (folder / "cut.npz").write_bytes(data[: len(data) // 2])
    save_packed(folder / "good.safetensors", {key: arrays[key] for key in ("c.w", "c.lo", "c.hi")})
    data = (folder / "good.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(data[:-9])
    short = {"c.w": np.zeros(3, dtype=np.uint8)}
    save_file(short, folder / "short.safetensors", {"tdsl.packed.c.w": "5trits:4,4,3,3"})
    np.savez(folder / "pickled.npz", w=np.array([{}, []], dtype=object))
    (folder / "folder.npz").mkdir()
    (folder / "library.tnn").write_text(LIBRARY.replace("const BAD = 1 // 0\n", ""))
    (folder / "2-blocks.tnn").write_text(LIBRARY.replace("const BAD = 1 // 0\n", ""))
