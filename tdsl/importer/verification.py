"""An imported network and inputs -> whether onnxruntime and qonnx compute the same integers.

The written files are loaded and simulated; the model is executed in floating point on the same
inputs, and its outputs turned back into integers by the scales of the report. Where they differ,
the first tensor of the model that differs is looked for and named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl.api import Network, load
from tdsl.diagnostics import CompileError
from tdsl.images.port import Array as Image
from tdsl.images.reading import read_frames
from tdsl.importer.conversion import Port
from tdsl.importer.formulas import Integers
from tdsl.importer.imported import Imported
from tdsl.importer.model import Array
from tdsl.importer.opening import missing_extra
from tdsl.ir.interpreter import interpret, run
from tdsl.refusal import refusal

_TOO_LARGE = ("E0801", "E0802")


@dataclass(frozen=True, slots=True)
class Verified:
    """A comparison without differences."""

    frames: int
    integers: int
    executor: str
    simulated: bool
    """Whether the simulator ran; else the network does not fit, and the graph's meaning did."""

    def text(self) -> str:
        """In one line."""
        by = "the simulator" if self.simulated else "the graph (it does not fit the machine)"
        return (
            f"verified: {self.frames} inputs, {self.integers:,} output integers of {by} are those "
            f"of {self.executor}"
        )

    def data(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "frames": self.frames,
            "integers": self.integers,
            "executor": self.executor,
            "simulated": self.simulated,
        }


def verify_import(imported: Imported, path: Path, inputs: Sequence[str]) -> Verified:
    """Compare on the files `inputs`. Raises CompileError: E0905 where an integer differs."""
    try:
        from tdsl.importer.executor import Executor
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error
    network = load(path)
    executor = Executor(imported.model)
    frames = integers = 0
    simulated = True
    for frame in read_frames(inputs, network.inputs, grey=False):
        # Shape arithmetic may read the file's own inputs, whose numbers nothing else needs.
        given = {name: np.zeros(s, np.float32) for name, s in imported.shapes.items()}
        given |= {port.tensor: numbers(port, frame.arrays[port.name]) for port in imported.inputs}
        wanted = [port.tensor for port in imported.outputs]
        theirs = executor.run(given, wanted)
        simulated, ours = _outputs(network, imported, frame.arrays)
        for port in imported.outputs:
            expected = integers_of(port, theirs[port.tensor])
            if not np.array_equal(expected, ours[port.name].reshape(expected.shape)):
                _raise_first(imported, executor.described, frame.label, frame.arrays, theirs)
                raise _differs(
                    port.tensor, frame.label, expected, ours[port.name], executor.described
                )
            integers += expected.size
        frames += 1
    return Verified(frames, integers, executor.described, simulated)


def numbers(port: Port, integers: Image) -> Array:
    """The numbers that integers of the graph stand for, as the file's tensor, float32."""
    flat = integers.reshape(len(port.scale), -1)
    scale = np.array([float(one) for one in port.scale])[:, None]
    offset = np.array([float(one) for one in port.offset])[:, None]
    made: NDArray[np.float32] = (flat * scale + offset).ravel()[port.index].astype(np.float32)
    return made


def integers_of(port: Port, tensor: Array) -> Integers:
    """The integers that numbers of the file's tensor stand for, (C, pixels) as in the graph."""
    size = port.index.size
    flat = np.zeros(size)
    flat[port.index.ravel()] = np.asarray(tensor, np.float64).ravel()
    rows = flat.reshape(len(port.scale), -1)
    scale = np.array([float(one) or 1.0 for one in port.scale])[:, None]
    offset = np.array([float(one) for one in port.offset])[:, None]
    whole: Integers = np.round((rows - offset) / scale).astype(np.int64)
    return whole


def _outputs(
    network: Network, imported: Imported, arrays: Mapping[str, Image]
) -> tuple[bool, Mapping[str, Integers]]:
    try:
        runner = network.runner(network.machine(), {})
    except CompileError as error:
        if {one.code for one in error.diagnostics} - set(_TOO_LARGE):
            raise
        return False, run(imported.graph, imported.arrays, arrays)
    return True, runner.run(arrays).outputs


def _raise_first(
    imported: Imported,
    executor: str,
    label: str,
    arrays: Mapping[str, Image],
    theirs: Mapping[str, Array],
) -> None:
    """Raise E0905 for the first tensor, in the order of the model, that differs in the graph."""
    values = interpret(imported.graph, imported.arrays, arrays)
    for port in imported.tensors:
        if port.tensor in theirs:
            expected = integers_of(port, theirs[port.tensor])
            found = values[port.node].reshape(expected.shape)
            if not np.array_equal(expected, found):
                raise _differs(port.tensor, label, expected, found, executor)


def _differs(
    tensor: str, label: str, expected: Integers, found: Array, executor: str
) -> CompileError:
    ours = found.reshape(expected.shape)
    channel, place = (int(i) for i in np.argwhere(expected != ours)[0])
    return refusal(
        "E0905",
        f"`{tensor}` is not the same: {ours[channel, place]} here, {expected[channel, place]} "
        f"there, in channel {channel} at position {place}, for {label}",
        note=f"there: {executor}; nothing was written",
        remedy="see docs/import.md on float32 sums; if no listed integer explains it, report it",
    )
