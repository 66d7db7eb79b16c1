"""A network -> its ONNX twins: u8 activations with s8 weights, and float32."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from benchmarks.networks import Layer, Network

ZERO_POINT = 128
AVERAGE_RANGE = 8  # sums per int8 step where an average follows: the threshold comes later


@dataclass
class GraphBuilder:
    """Collects nodes and initialisers; `add` returns the name of the node's output."""

    nodes: list[onnx.NodeProto] = field(default_factory=list[onnx.NodeProto])
    constants: list[onnx.TensorProto] = field(default_factory=list[onnx.TensorProto])

    def constant(self, value: NDArray[np.generic] | np.generic) -> str:
        """Add an initialiser and return its name."""
        name = f"k{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: int | list[int]) -> str:
        """Add a node of the default domain."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def model(self, network: Network, result: str, element: int, rank: int) -> bytes:
        """Close the graph: input `x` `[1, C, H, W]`, output `result`."""
        shape = [1, network.channels, network.height, network.width]
        source = helper.make_tensor_value_info("x", element, shape)
        target = helper.make_tensor_value_info(result, element, [None] * rank)
        graph = helper.make_graph(self.nodes, network.name, [source], [target], self.constants)
        opset = [helper.make_opsetid("", 18)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=9)
        return bytes(model.SerializeToString())


def layer_scales(layer: Layer) -> NDArray[np.float32]:
    """Per-channel factor from centred sums to output steps."""
    if layer.average:
        return np.full(len(layer.half), 1 / AVERAGE_RANGE, np.float32)
    return (1 / (2 * layer.half + 1)).astype(np.float32)


def first_zero_point(network: Network) -> int:
    """Pixels are unsigned from zero; trits are stored around the zero point."""
    return ZERO_POINT if network.levels is None else 0


def with_zero_points(network: Network) -> Iterator[tuple[Layer, int]]:
    """Each twin layer with the zero point of its input."""
    for index, layer in enumerate(network.twin_layers):
        yield layer, first_zero_point(network) if index == 0 else ZERO_POINT


def int8_model(network: Network) -> bytes:
    """u8 activations, s8 per-channel weights, QLinearConv: input u8 (trits + 128, or pixels)."""
    b = GraphBuilder()
    one, zero = b.constant(np.float32(1)), b.constant(np.int8(0))
    centre_point = b.constant(np.uint8(ZERO_POINT))
    flow = "x"
    for layer, zero_point in with_zero_points(network):
        point = b.constant(np.uint8(zero_point))
        weight, scales = b.constant(layer.weight), b.constant(layer_scales(layer))
        zeros = b.constant(np.zeros(len(layer.half), np.int8))
        bias = b.constant(-layer.centre)
        flow = b.add(
            "QLinearConv", flow, one, point, weight, scales, zeros, one, centre_point, bias,
            pads=[1, 1, 1, 1], kernel_shape=[3, 3],
        )  # fmt: skip
        flow = pooled(b, layer, flow, quantized=True)
    if network.classifier is None:
        return b.model(network, flow, TensorProto.UINT8, 4)
    flat = b.add("Flatten", flow)
    matrix = b.constant(np.ascontiguousarray(network.classifier.T))
    scores = b.add("QLinearMatMul", flat, one, centre_point, matrix, one, zero, one, centre_point)
    return b.model(network, scores, TensorProto.UINT8, 2)


def pooled(b: GraphBuilder, layer: Layer, flow: str, quantized: bool) -> str:
    """The layer's pooling. The average stays in float inside a QDQ pair, which runtimes fuse."""
    window = {"kernel_shape": [layer.pool] * 2, "strides": [layer.pool] * 2}
    if layer.pool == 1:
        return flow
    if not layer.average:
        return b.add("MaxPool", flow, **window)
    if not quantized:
        return b.add("AveragePool", flow, **window)
    one, point = b.constant(np.float32(1)), b.constant(np.uint8(ZERO_POINT))
    real = b.add("DequantizeLinear", flow, one, point)
    return b.add("QuantizeLinear", b.add("AveragePool", real, **window), one, point)


def float_model(network: Network) -> bytes:
    """float32 convolutions with ReLU."""
    b = GraphBuilder()
    flow = "x"
    for layer in network.twin_layers:
        scales = layer_scales(layer)
        weight = b.constant(layer.weight * scales[:, None, None, None])
        bias = b.constant((-layer.centre * scales).astype(np.float32))
        flow = b.add("Conv", flow, weight, bias, pads=[1, 1, 1, 1], kernel_shape=[3, 3])
        flow = pooled(b, layer, b.add("Relu", flow), quantized=False)
    if network.classifier is None:
        return b.model(network, flow, TensorProto.FLOAT, 4)
    matrix = b.constant(network.classifier.T.astype(np.float32))
    return b.model(network, b.add("MatMul", b.add("Flatten", flow), matrix), TensorProto.FLOAT, 2)
