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
from tdsl.execution import Runner
from tdsl.images.port import Array as Image
from tdsl.images.port import Frame
from tdsl.images.reading import read_frames
from tdsl.importer.conversion import Folded, Port
from tdsl.importer.formulas import Integers
from tdsl.importer.imported import Imported
from tdsl.importer.model import Array
from tdsl.importer.opening import missing_extra
from tdsl.importer.thresholds import order_decides
from tdsl.ir.interpreter import interpret, run
from tdsl.ir.ops import Binarize, Quantize, Step, Ternarize
from tdsl.refusal import refusal

_TOO_LARGE = ("E0801", "E0802")


@dataclass(frozen=True, slots=True)
class Verified:
    """A comparison without differences, but for those that the executor's order explains."""

    frames: int
    integers: int
    executor: str
    simulated: bool
    """Whether the simulator ran; else the network does not fit, and the graph's meaning did."""
    explained: tuple[str, ...]
    """Inputs whose executor took a neighbouring level where its order of additions decides."""

    def text(self) -> str:
        """In words."""
        by = "the simulator" if self.simulated else "the graph (it does not fit the machine)"
        equal = self.frames - len(self.explained)
        head = (
            f"compared {self.frames} inputs with {self.executor}: {equal} are equal in all their "
            f"output integers, {self.integers:,}, as {by} computes them"
        )
        return "\n".join([head, *(f"  not equal: {one}" for one in self.explained)])

    def data(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "frames": self.frames,
            "integers": self.integers,
            "executor": self.executor,
            "simulated": self.simulated,
            "explained": list(self.explained),
        }


def verify_import(imported: Imported, path: Path, inputs: Sequence[str]) -> Verified:
    """Compare on the files `inputs`. Raises CompileError: E0905 where an integer differs."""
    try:
        from tdsl.importer.executor import Executor
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error
    network = load(path)
    executor = Executor(imported.model)
    runner = _runner(network)
    frames = integers = 0
    explained: list[str] = []
    for frame in read_frames(inputs, network.inputs, grey=False):
        theirs = executor.run(_given(imported, frame), [p.tensor for p in imported.outputs])
        ours = _outputs(runner, imported, frame)
        unlike = [port for port in imported.outputs if not _same(port, ours[port.name], theirs)]
        if unlike:
            explained.append(_explained(imported, executor.described, frame, theirs))
        else:
            integers += sum(port.index.size for port in imported.outputs)
        frames += 1
    return Verified(frames, integers, executor.described, runner is not None, tuple(explained))


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


def _given(imported: Imported, frame: Frame) -> dict[str, Array]:
    """The tensors that the executor starts from."""
    # Shape arithmetic may read the file's own inputs, whose numbers nothing else needs.
    given: dict[str, Array] = {n: np.zeros(s, np.float32) for n, s in imported.shapes.items()}
    return given | {port.tensor: numbers(port, frame.arrays[port.name]) for port in imported.inputs}


def _runner(network: Network) -> Runner | None:
    """The simulator, ready to run; None where the network does not fit the machine."""
    try:
        return network.runner(network.machine(), {})
    except CompileError as error:
        if {one.code for one in error.diagnostics} - set(_TOO_LARGE):
            raise
        return None


def _outputs(runner: Runner | None, imported: Imported, frame: Frame) -> Mapping[str, Integers]:
    if runner is None:
        return run(imported.graph, imported.arrays, frame.arrays)
    return runner.run(frame.arrays).outputs


def _same(port: Port, ours: Array, theirs: Mapping[str, Array]) -> bool:
    expected = integers_of(port, theirs[port.tensor])
    return np.array_equal(expected, ours.reshape(expected.shape))


def _explained(imported: Imported, executor: str, frame: Frame, theirs: Mapping[str, Array]) -> str:
    """What happened at the first tensor that differs, if the order of additions explains it all.

    Raises CompileError (E0905) if it does not. What follows such a tensor cannot be compared.
    """
    values = interpret(imported.graph, imported.arrays, frame.arrays)
    for port in (*imported.tensors, *imported.outputs):
        if port.tensor not in theirs or _same(port, values[port.node], theirs):
            continue
        expected = integers_of(port, theirs[port.tensor])
        ours = values[port.node].reshape(expected.shape)
        apart = np.argwhere(expected != ours)
        fold = next((one for one in imported.folds if one.node == port.node), None)
        if fold is None or not _order_explains(imported, fold, values, apart):
            raise _differs(port.tensor, frame.label, expected, ours, executor)
        channel, place = (int(i) for i in apart[0])
        return (
            f"`{port.tensor}` for {frame.label}: {len(apart)} of {ours.size:,} levels are "
            f"neighbouring ones there, first {expected[channel, place]} for {ours[channel, place]} "
            f"in channel {channel}; at these integers its order of additions decides"
        )
    raise AssertionError("the simulator and the graph compute different integers")


def _order_explains(
    imported: Imported, fold: Folded, values: Mapping[int, Integers], apart: Integers
) -> bool:
    """Whether each difference stands at an integer where the executor's order decides."""
    node = imported.graph.nodes[fold.node]
    if not isinstance(node.op, Ternarize | Binarize | Step | Quantize):
        return False
    sums = values[node.inputs[0]].reshape(fold.channels, -1)
    return all(
        order_decides(fold.value, fold.quantiser, int(c), sums[c, p : p + 1]).all()
        for c, p in apart
    )


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
        remedy="the order of float32 additions does not explain it: please report it",
    )
