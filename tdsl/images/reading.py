"""Paths on the command line -> frames, read one after the other.

A path is a picture (all its frames, if it is animated or has pages), a `.npy` or `.npz` file, or a
folder of these. Networks with several inputs take `name=path` for each, or one `.npz` with an array
a name.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence, UnidentifiedImageError

from tdsl.diagnostics import CompileError
from tdsl.images.fitting import fit_array, fit_picture
from tdsl.images.port import Array, Frame, Port
from tdsl.refusal import refusal

ARRAYS = (".npy", ".npz")
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm")


def read_frames(inputs: Sequence[str], ports: Sequence[Port], grey: bool) -> Iterator[Frame]:
    """The frames of all `inputs` in their order. Raises CompileError (E0701 to E0707)."""
    named = [text.partition("=") for text in inputs if _is_named(text, ports)]
    if not named:
        for text in inputs:
            for path in _files(Path(text)):
                yield from _read_unnamed(path, ports, grey)
        return
    if len(named) < len(inputs):
        raise _unbound(ports, "some inputs are named and some are not")
    _check_names([name for name, _, _ in named], ports)
    yield from _read_named({name: Path(path) for name, _, path in named}, ports, grey)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a `.npz` file by name, or the one of a `.npy` file under the name ''."""
    _check_exists(path)
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"": loaded}
            return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, KeyError, BadZipFile, NotImplementedError) as error:
        raise _unreadable(path, "NumPy file of plain arrays") from error


def _is_named(text: str, ports: Sequence[Port]) -> bool:
    name, equals, _ = text.partition("=")
    return bool(equals) and (name in {port.name for port in ports} or not Path(text).exists())


def _read_unnamed(path: Path, ports: Sequence[Port], grey: bool) -> Iterator[Frame]:
    if len(ports) == 1:
        yield from _read_single(path, ports[0], grey)
        return
    if path.suffix.lower() != ".npz":
        raise _unbound(ports, f"`{path}` does not say which one it is")
    arrays = read_arrays(path)
    _check_names(list(arrays), ports)
    frames = {
        port.name: fit_array(arrays[port.name], port, f"{path}:{port.name}") for port in ports
    }
    yield from _together(str(path), frames)


def _read_named(paths: Mapping[str, Path], ports: Sequence[Port], grey: bool) -> Iterator[Frame]:
    frames = {
        port.name: [
            frame.arrays[port.name]
            for path in _files(paths[port.name])
            for frame in _read_single(path, port, grey)
        ]
        for port in ports
    }
    yield from _together(str(paths[ports[0].name]), frames)


def _together(label: str, frames: Mapping[str, Sequence[Array]]) -> Iterator[Frame]:
    counts = {name: len(arrays) for name, arrays in frames.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"`{name}` has {count}" for name, count in counts.items())
        raise refusal(
            "E0707",
            f"the inputs differ in their number of frames: {listed}",
            remedy="give the same number of frames for each input",
        )
    for index, arrays in enumerate(zip(*frames.values(), strict=True)):
        yield Frame(
            _numbered(label, index, max(counts.values())), dict(zip(frames, arrays, strict=True))
        )


def _read_single(path: Path, port: Port, grey: bool) -> Iterator[Frame]:
    if path.suffix.lower() in ARRAYS:
        arrays = fit_array(_only_array(path, port), port, str(path))
    else:
        arrays = _read_picture(path, port, grey)
    for index, array in enumerate(arrays):
        yield Frame(_numbered(str(path), index, len(arrays)), {port.name: array})


def _only_array(path: Path, port: Port) -> NDArray[Any]:
    arrays = read_arrays(path)
    for name in (port.name, "image", ""):
        if name in arrays:
            return arrays[name]
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    raise refusal(
        "E0707",
        f"`{path}` has the arrays {_listed(arrays)}; which one is input `{port.name}` is not clear",
        remedy=f"name the array `{port.name}` or `image`",
    )


def _read_picture(path: Path, port: Port, grey: bool) -> list[Array]:
    _check_exists(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                pages = [page.copy() for page in ImageSequence.Iterator(picture)]
    except MemoryError:
        raise
    except Exception as error:  # a decoder may raise anything on bytes that it did not expect
        raise _unreadable(path, f"picture: {_reason(error)}") from error
    labels = (_numbered(str(path), index, len(pages)) for index in range(len(pages)))
    return [fit_picture(page, port, label, grey) for page, label in zip(pages, labels, strict=True)]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in (*PICTURES, *ARRAYS))
    if not files:
        raise refusal(
            "E0701",
            f"folder `{path}` holds no picture and no array",
            note=f"files are taken by their ending: {', '.join((*PICTURES, *ARRAYS))}",
            remedy="give a folder of pictures, or the files themselves",
        )
    return files


def _check_exists(path: Path) -> None:
    if not path.exists():
        raise refusal("E0701", f"there is no file `{path}`", remedy="check the path")
    if path.is_dir():
        raise refusal("E0701", f"`{path}` is a folder", remedy="give a file")


def _check_names(given: Sequence[str], ports: Sequence[Port]) -> None:
    if sorted(given) != sorted(port.name for port in ports):
        raise _unbound(ports, f"given are {_listed(given)}")


def _unbound(ports: Sequence[Port], reason: str) -> CompileError:
    names = [port.name for port in ports]
    example = " ".join(f"{name}=FILE" for name in names)
    return refusal(
        "E0707",
        f"the network takes the inputs {_listed(names)}; {reason}",
        remedy=f"name them: {example}, or give one .npz with an array for each name",
    )


def _unreadable(path: Path, reason: str) -> CompileError:
    return refusal(
        "E0702",
        f"`{path}` cannot be read as a {reason}",
        remedy="check that the file is complete; pictures may be .png or .jpg, arrays .npy or .npz",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no known picture format"
    return str(error) or type(error).__name__


def _numbered(label: str, index: int, count: int) -> str:
    return label if count == 1 else f"{label}#{index}"


def _listed(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(f"`{name}`" for name in names)
