"""A labelled data set through a network: right decisions, or the likeness of images.

Decisions are the index of the first largest score, or the class that the network returns itself.
Likeness is the peak signal-to-noise ratio in dB, of each image by itself, and then the mean.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tdsl.diagnostics import CompileError
from tdsl.images.fitting import fit_array
from tdsl.images.port import Array, Port
from tdsl.images.reading import read_arrays
from tdsl.refusal import refusal


@dataclass(frozen=True, slots=True)
class Dataset:
    """Frames for one input, and for each frame either a label or a target image."""

    images: list[Array]
    labels: NDArray[np.int64] | None
    targets: list[Array]

    def __len__(self) -> int:
        return len(self.images)


def read_dataset(path: Path, inputs: list[Port], limit: int | None) -> Dataset:
    """The first `limit` frames of a `.npz`. Raises CompileError (E0701 to E0706, E0713)."""
    arrays = read_arrays(path)
    if len(inputs) != 1:
        names = ", ".join(port.name for port in inputs)
        raise _lacking(path, f"the network has several inputs ({names})", "choose one with one")
    if "image" not in arrays or not {"label", "target"} & arrays.keys():
        held = ", ".join(f"`{name}`" for name in arrays)
        raise _lacking(
            path,
            f"its arrays are {held}; needed are `image`, and `label` or `target`",
            "name them so: numpy.savez(FILE, image=..., label=...)",
        )
    images = fit_array(arrays["image"][:limit], inputs[0], f"{path}:image")
    truth = arrays.get("label", arrays.get("target", np.zeros(0)))[:limit]
    if len(truth) != len(images):
        counts = f"{len(images)} images and {len(truth)} labels or targets"
        raise _lacking(path, f"it has {counts}", "give one for each image")
    if "label" in arrays:
        return Dataset(images, _labels(path, truth), [])
    target = Port("target", inputs[0].shape, -(1 << 31), (1 << 31) - 1)
    return Dataset(images, None, fit_array(truth, target, f"{path}:target"))


def decision(outputs: Mapping[str, Array]) -> int | None:
    """The class decided for: by scores if there are any, else as the network says."""
    vectors = [a.reshape(-1) for a in outputs.values() if a.size == a.shape[0]]
    scores = next((v for v in vectors if len(v) > 1), None)
    if scores is not None:
        return int(scores.argmax())
    return int(vectors[0][0]) if vectors else None


def check_judged(data: Dataset, outputs: Mapping[str, Array]) -> None:
    """Refuse labels for a network without a decision, and targets without an image like them."""
    if data.labels is not None and decision(outputs) is None:
        raise _unjudged("scores or a class", "`label`")
    if data.labels is None and picture_output(outputs, data.targets[0]) is None:
        raise _unjudged(f"an output of shape {list(data.targets[0].shape)}", "`target`")


def likeness(image: Array, target: Array, peak: int) -> float:
    """The peak signal-to-noise ratio in dB; infinite for equal images."""
    error = float(np.mean((image.astype(np.float64) - target) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def picture_output(outputs: Mapping[str, Array], target: Array) -> str | None:
    """The name of the first output of the target's shape."""
    return next((name for name, array in outputs.items() if array.shape == target.shape), None)


def batches(number: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover 0..number-1."""
    return (slice(start, start + size) for start in range(0, number, size))


def _labels(path: Path, labels: Array) -> NDArray[np.int64]:
    flat = labels.reshape(len(labels), -1)
    if flat.shape[1] != 1 or not np.issubdtype(labels.dtype, np.integer):
        found = f"`label` has shape {list(labels.shape)} and type {labels.dtype}"
        raise _lacking(path, found, "give one integer for each image")
    return flat[:, 0].astype(np.int64)


def _unjudged(wanted: str, array: str) -> CompileError:
    return refusal(
        "E0713",
        f"the network has no {wanted} to compare with {array}",
        remedy="give a data set that fits the network's outputs",
    )


def _lacking(path: Path, what: str, remedy: str) -> CompileError:
    return refusal("E0713", f"`{path}` is no data set for this network: {what}", remedy=remedy)
