"""Ternary and integer arrays <-> a `.safetensors` file with five trits in a byte.

A ternary array is flattened in C order, padded with zeros to a multiple of five and stored as
bytes, sum of (t_i + 1) 3^i; the header entry `tdsl.packed.<key>` = "5trits:<shape>" says so.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

POWERS = 3 ** np.arange(5)


def pack_trits(trits: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Pack an array of -1, 0, +1 of any shape into bytes."""
    flat = trits.reshape(-1).astype(np.int64)
    groups = np.pad(flat, (0, -flat.size % 5)).reshape(-1, 5)
    return ((groups + 1) @ POWERS).astype(np.uint8)


def unpack_trits(packed: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.int8]:
    """Undo `pack_trits`."""
    digits = packed.astype(np.int64)[:, None] // POWERS % 3 - 1
    return digits.reshape(-1)[: int(np.prod(shape))].reshape(shape).astype(np.int8)


def save_weights(
    path: Path,
    trits: Mapping[str, NDArray[np.int8]],
    integers: Mapping[str, NDArray[np.int32]],
) -> None:
    """Write ternary arrays packed and integer arrays as they are."""
    arrays: dict[str, NDArray[np.generic]] = {key: pack_trits(w) for key, w in trits.items()}
    arrays |= integers
    shapes = {
        f"tdsl.packed.{key}": "5trits:" + ",".join(map(str, w.shape)) for key, w in trits.items()
    }
    save_file(arrays, path, metadata=shapes)


def load_weights(path: Path) -> dict[str, NDArray[np.integer]]:
    """Read a file of `save_weights`; ternary arrays come back as int8."""
    arrays: dict[str, NDArray[np.integer]] = {}
    with safe_open(path, framework="numpy") as file:
        packed = file.metadata() or {}
        for key in file.keys():
            array = file.get_tensor(key)
            shape = packed.get(f"tdsl.packed.{key}")
            arrays[key] = (
                array
                if shape is None
                else unpack_trits(array, tuple(map(int, shape.removeprefix("5trits:").split(","))))
            )
    return arrays
