"""The outputs of a network -> files: pictures where their values have such a form, else arrays."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from numpy.lib.format import write_array
from PIL import Image

from tdsl.diagnostics import CompileError
from tdsl.images.port import Array, Port
from tdsl.refusal import refusal
from tdsl.replacing import replacing

_GREYS = {(0, 255): range(256), (0, 1): (0, 255), (-1, 1): (0, 128, 255)}
"""The grey level of each value, from the lowest on, by the range of values of an output."""

FILES = (".png", ".npy", ".npz")
Outputs = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where outputs go: one file, or a folder with a file for each frame and output."""

    path: Path
    ports: tuple[Port, ...]
    is_folder: bool
    _used: set[str] = field(default_factory=set[str])

    def write(self, label: str, outputs: Outputs) -> dict[str, Path]:
        """Write the outputs of the frame called `label`; return the file of each, whole."""
        if not self.is_folder:
            _write(self.path, outputs, self.ports)
            return dict.fromkeys((port.name for port in self.ports), self.path)
        stem = self._unused(re.sub(r"#(\d+)$", r"-\1", Path(label).name))
        return {port.name: self._write_one(stem, port, outputs[port.name]) for port in self.ports}

    def _write_one(self, stem: str, port: Port, array: Array) -> Path:
        ending = "png" if has_picture(port) else "npy"
        middle = f".{port.name}" if len(self.ports) > 1 else ""
        path = self.path / f"{stem}{middle}.{ending}"
        _write(path, {port.name: array}, (port,))
        return path

    def _unused(self, name: str) -> str:
        stem = re.sub(r"\.\w+(?=(-\d+)?$)", "", name)
        candidates = (stem, *(f"{stem}_{count}" for count in range(2, len(self._used) + 3)))
        chosen = next(c for c in candidates if c not in self._used)
        self._used.add(chosen)
        return chosen


def open_destination(where: str, ports: Sequence[Port], several: bool) -> Destination:
    """Decide what `where` stands for, before anything is computed. Raises CompileError (E0712)."""
    path = Path(where)
    named_as_folder = where.endswith("/")
    is_file = path.suffix in FILES and not named_as_folder and not path.is_dir()
    if not is_file and not path.is_dir():
        _check_new_folder(path, named_as_folder)
    if is_file and several:
        raise refusal(
            "E0712",
            f"`{path}` is one file, but there are several inputs",
            remedy=f"name a folder: -o {path.with_suffix('')}",
        )
    chosen = _ports_for(path, tuple(ports)) if is_file else tuple(ports)
    try:
        if not is_file:
            path.mkdir(parents=True, exist_ok=True)
        elif not path.parent.is_dir():
            raise NotADirectoryError(f"there is no folder `{path.parent}`")
    except OSError as error:
        raise _unwritable(path, error) from error
    return Destination(path, chosen, not is_file)


def _check_new_folder(path: Path, named_as_folder: bool) -> None:
    """Refuse a name that reads as a file of another format, and a file that is there already."""
    if path.suffix and not named_as_folder:
        raise refusal(
            "E0712",
            f"`{path}` is no folder, and outputs are not written as {path.suffix}",
            remedy=f"write .png, .npy or .npz, or to a new folder: -o {path}/",
        )
    if path.exists():
        raise refusal(
            "E0712",
            f"`{path}` is a file, and no folder",
            remedy="name a folder, or a file that ends in .png, .npy or .npz",
        )


def has_picture(port: Port) -> bool:
    """Whether the values of an output have a form as a grey or colour picture."""
    return port.is_image and port.channels in (1, 3) and (port.low, port.high) in _GREYS


def to_picture(array: Array, port: Port) -> Image.Image:
    """The picture of an output `[1 or 3, H, W]` that `has_picture`."""
    greys = np.array(_GREYS[port.low, port.high], dtype=np.uint8)[array - port.low]
    return Image.fromarray(greys[0] if len(greys) == 1 else np.moveaxis(greys, 0, -1).copy())


def _ports_for(path: Path, ports: tuple[Port, ...]) -> tuple[Port, ...]:
    """The outputs that a single file takes: `.npz` all, `.npy` the only one, `.png` the picture."""
    match path.suffix:
        case ".npz":
            return ports
        case ".png":
            pictures = tuple(port for port in ports if has_picture(port))
            if len(pictures) == 1:
                return pictures
            listed = ", ".join(f"`{port.name}` {port}" for port in ports)
            raise refusal(
                "E0712",
                f"{'none' if not pictures else 'more than one'} of the outputs has a form as a "
                f"picture: {listed}",
                note="pictures have 1 or 3 channels of trit, bin, u1 or u8",
                remedy=f"write arrays: -o {path.with_suffix('.npz')}",
            )
        case _:
            if len(ports) == 1:
                return ports
            raise refusal(
                "E0712",
                f"`{path}` takes one array, but the network has {len(ports)} outputs",
                remedy=f"write all of them: -o {path.with_suffix('.npz')}",
            )


def _write(path: Path, outputs: Outputs, ports: Sequence[Port]) -> None:
    try:
        with replacing(path) as written, written.open("wb") as file:
            match path.suffix:
                case ".png":
                    to_picture(outputs[ports[0].name], ports[0]).save(file, "PNG")
                case ".npz":
                    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
                        for port in ports:
                            with archive.open(f"{port.name}.npy", "w") as entry:
                                write_array(entry, _narrow(outputs, port), allow_pickle=False)
                case _:
                    np.save(file, _narrow(outputs, ports[0]), allow_pickle=False)
    except OSError as error:
        raise _unwritable(path, error) from error


def _narrow(outputs: Outputs, port: Port) -> Array:
    """The values in NumPy's narrowest type for their range, so that it does not vary by frame."""
    widest = port.high if port.low >= 0 else min(port.low, -port.high - 1)
    return outputs[port.name].astype(np.min_scalar_type(widest))


def _unwritable(path: Path, error: OSError) -> CompileError:
    return refusal(
        "E0712",
        f"`{path}` cannot be written: {error.strerror or error}",
        remedy="name a place that exists and that you may write to",
    )
