"""A network and a frame -> the native runtimes, warm, one thread each, ready to run that frame.

Each `Contestant.run` takes the frame in the layout its runtime likes best and gives the result;
no conversion of layout or type is charged to a peer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from benchmarks import litert_twin, onnx_twin
from benchmarks.networks import Network, macs
from benchmarks.reference import expected

Frame = NDArray[np.int8] | NDArray[np.uint8]
Run = Callable[[], NDArray[np.generic]]


class Kind(StrEnum):
    """What a contestant is compared as."""

    OURS = "ours"
    INT8 = "int8"
    FLOAT = "fp32"
    CEILING = "ceiling"


@dataclass(frozen=True, slots=True)
class Contestant:
    """Something to time: `run` does one frame of `macs` multiply-accumulates."""

    name: str
    kind: Kind
    run: Run
    macs: int


def onnx_run(model: bytes, frame: NDArray[np.generic]) -> Run:
    """An onnxruntime session on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run() -> NDArray[np.generic]:
        return session.run(None, {"x": frame})[0]

    return run


def litert_run(model: bytes, frame: NDArray[np.int8]) -> Run:
    """A LiteRT interpreter on one thread (XNNPACK is its default)."""
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]

    def run() -> NDArray[np.generic]:
        interpreter.set_tensor(source, frame)
        interpreter.invoke()
        return interpreter.get_tensor(result)

    return run


def unsigned(network: Network, frame: Frame) -> NDArray[np.uint8]:
    """u8 `[1, C, H, W]`: pixels, or trits around the zero point."""
    shift = onnx_twin.first_zero_point(network)
    return (frame.astype(np.int16) + shift).astype(np.uint8)[None]


def channels_last(network: Network, frame: Frame) -> NDArray[np.int8]:
    """int8 `[1, H, W, C]`: trits, or pixels - 128."""
    shift = 0 if network.levels is None else litert_twin.PIXEL_ZERO
    signed = (frame.astype(np.int16) + shift).astype(np.int8)
    return np.ascontiguousarray(signed.transpose(1, 2, 0)[None])


def peers(network: Network, frame: Frame) -> tuple[Contestant, ...]:
    """Fresh instances of every native runtime for one network."""
    work = macs(network, network.twin_layers)
    int8 = onnx_run(onnx_twin.int8_model(network), unsigned(network, frame))
    real = onnx_run(onnx_twin.float_model(network), frame.astype(np.float32)[None])
    litert = litert_run(litert_twin.int8_model(network), channels_last(network, frame))
    return (
        Contestant("onnxruntime u8s8", Kind.INT8, int8, work),
        Contestant("LiteRT XNNPACK", Kind.INT8, litert, work),
        Contestant("onnxruntime fp32", Kind.FLOAT, real, work),
    )


def check_peers(network: Network, frame: Frame) -> None:
    """Refuse (ValueError) an int8 peer that does not compute the network's integers.

    LiteRT computes every maximum-pooled or unpooled ternary network exactly, onnxruntime one
    layer: it saturates at 8 bits, not at one trit, so its result is clipped here.
    """
    if any(layer.average for layer in network.layers):
        return
    trits = expected(network, network.twin_layers, frame)
    u8s8, litert, _ = (contestant.run()[0] for contestant in peers(network, frame))
    if not np.array_equal(litert.transpose(2, 0, 1), trits):
        raise ValueError(f"LiteRT does not compute {network.name}")
    single = len(network.layers) == 1
    zero = onnx_twin.ZERO_POINT
    if single and not np.array_equal(np.clip(u8s8.astype(np.int16) - zero, -1, 1), trits):
        raise ValueError(f"onnxruntime does not compute {network.name}")
