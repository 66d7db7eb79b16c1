"""Weights files (`.npz` without pickles, `.safetensors`) <-> named arrays.

Opening a file reads names and shapes; an array is read when it is asked for. Whatever is wrong
with a file is a `WeightsError`, never another exception.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Protocol, cast

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file  # pyright: ignore[reportUnknownVariableType]

from tdsl.frontend.packed_trits import (
    METADATA,
    pack_trits,
    packed_shape,
    packed_tag,
    unpack_trits,
)

MOST_BYTES = 1 << 30
"""Larger arrays are refused: they are no weights of a network that fits an array of macros."""

_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
    SafetensorError,
    Warning,
)
"""What the readers raise for damaged files."""
_AGAIN = "write it again: it may have been cut short or altered"


@dataclass(eq=False)
class WeightsError(Exception):
    """A weights file, or an array in it, cannot be read."""

    message: str
    note: str = ""
    help: str = ""
    missing: bool = False

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """An opened weights file: the shapes of its arrays by key."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    packed: Mapping[str, tuple[int, ...]]
    """The keys whose trits stand five in a byte, with their true shapes."""

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return self.path.name

    def array(self, key: str) -> NDArray[Any]:
        """The array `key` as stored, trits unpacked. Raises WeightsError if it is damaged."""
        try:
            raw = _read_npz(self.path, key) if _is_npz(self.path) else _read_tensor(self.path, key)
            return unpack_trits(raw, self.packed[key]) if key in self.packed else raw
        except _UNREADABLE as error:
            raise WeightsError(
                f"array `{key}` of `{self.name}` cannot be read", note=_reason(error), help=_AGAIN
            ) from error


def open_weights(path: Path) -> WeightsFile:
    """Open `path` and read the shapes of its arrays. Raises WeightsError."""
    if path.suffix not in (".npz", ".safetensors"):
        raise WeightsError(
            f"`{path.name}` is not a weights file",
            help="weights are read from `.npz` and `.safetensors` files",
        )
    if not path.exists():
        raise WeightsError(
            f"there is no weights file `{path.name}`",
            note=f"looked for {path}",
            help="put it there; `tdsl cost --no-weights` counts without it",
            missing=True,
        )
    if not path.is_file():
        raise WeightsError(
            f"`{path.name}` is not a regular file",
            note=f"looked at {path}",
            help="name a `.npz` or `.safetensors` file",
        )
    try:
        return _open_npz(path) if _is_npz(path) else _open_tensors(path)
    except _UNREADABLE as error:
        raise WeightsError(
            f"`{path.name}` cannot be read as a `{path.suffix}` file",
            note=_reason(error),
            help=_AGAIN,
        ) from error


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def save_packed(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write integer arrays to a `.safetensors` file: ternary ones packed, thresholds as int32.

    Integers narrower than 32 bits keep their type. Raises ValueError for an array that does not
    hold integers or needs more than 32 bits.
    """
    tensors: dict[str, NDArray[Any]] = {}
    metadata: dict[str, str] = {}
    for key, values in arrays.items():
        if not (np.issubdtype(values.dtype, np.integer) or values.dtype == np.bool_):
            raise ValueError(f"array `{key}` holds {values.dtype}, not integers")
        if values.size and -1 <= int(values.min()) and int(values.max()) <= 1:
            tensors[key] = pack_trits(values.astype(np.int64))
            metadata[METADATA + key] = packed_tag(values.shape)
        else:
            tensors[key] = np.ascontiguousarray(_narrow(key, values))
    save_file(tensors, path, metadata)


def _narrow(key: str, values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.itemsize < 4:
        return values
    narrow = values.astype(np.int32)
    if not np.array_equal(narrow, values):
        raise ValueError(f"array `{key}` holds integers of more than 32 bits")
    return narrow


def _is_npz(path: Path) -> bool:
    return path.suffix == ".npz"


def _open_npz(path: Path) -> WeightsFile:
    with zipfile.ZipFile(path) as archive:
        shapes = {
            member.filename.removesuffix(".npy"): _npy_shape(archive, member)
            for member in archive.infolist()
            if member.filename.endswith(".npy")
        }
    return WeightsFile(path, shapes, {})


def _npy_shape(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[int, ...]:
    """Read one header, and refuse what must not be loaded: pickles, sizes that lie."""
    with archive.open(member) as stream:
        shape, dtype = _npy_header(stream)
        if dtype.hasobject:
            raise WeightsError(
                f"array `{member.filename.removesuffix('.npy')}` holds Python objects, no integers",
                help="save it as integers: array.astype(numpy.int64)",
            )
        size = prod(shape) * dtype.itemsize
        if size > MOST_BYTES:
            raise ValueError(f"array `{member.filename}` is larger than {MOST_BYTES >> 20} MiB")
        if stream.tell() + size != member.file_size:
            raise ValueError(f"array `{member.filename}` does not have the size it states")
    return shape


def _npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = npy.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = npy.read_array_header_2_0(stream)
    else:
        raise ValueError(f"version {version} of the `.npy` format is unknown")
    return shape, dtype


def _read_npz(path: Path, key: str) -> NDArray[Any]:
    with zipfile.ZipFile(path) as archive, archive.open(key + ".npy") as stream:
        array: NDArray[Any] = npy.read_array(stream, allow_pickle=False)
        return array


class _Tensors(Protocol):
    """What this file uses of the untyped `safe_open`."""

    def metadata(self) -> dict[str, str] | None: ...

    def keys(self) -> list[str]: ...

    def get_slice(self, key: str) -> Any: ...

    def get_tensor(self, key: str) -> NDArray[Any]: ...


def _tensors(path: Path) -> AbstractContextManager[_Tensors]:
    return cast("AbstractContextManager[_Tensors]", safe_open(path, framework="numpy"))


def _open_tensors(path: Path) -> WeightsFile:
    with _tensors(path) as file:
        stated = file.metadata() or {}
        shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}
    packed = {
        tag.removeprefix(METADATA): packed_shape(text)
        for tag, text in stated.items()
        if tag.startswith(METADATA)
    }
    for key in packed:
        if key not in shapes:
            raise ValueError(f"the packed array `{key}` is missing")
    return WeightsFile(path, shapes | packed, packed)


def _read_tensor(path: Path, key: str) -> NDArray[Any]:
    with _tensors(path) as file:
        return file.get_tensor(key)


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
