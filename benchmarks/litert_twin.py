"""A network -> its int8 .tflite flatbuffer, written with the object API of the shipped schema.

Trits are int8 with scale 1; a convolution's per-channel weight scale is 1 / (2 half + 1) and its
fused activation clips to [-1, 1], so the file computes the ternary layer exactly.
"""

from dataclasses import dataclass, field

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from benchmarks.networks import Layer, Network
from benchmarks.onnx_twin import layer_scales

PIXEL_ZERO = -128  # pixel p is stored as int8 p - 128


@dataclass
class FlatBuilder:
    """Collects the one subgraph's tensors, buffers and operators; methods return tensor numbers."""

    tensors: list[object] = field(default_factory=list[object])
    buffers: list[object] = field(default_factory=lambda: [schema.BufferT()])
    operators: list[object] = field(default_factory=list[object])
    codes: list[int] = field(default_factory=list[int])

    def tensor(
        self,
        shape: tuple[int, ...],
        scale: NDArray[np.float32],
        zero: int = 0,
        kind: int = schema.TensorType.INT8,
        data: NDArray[np.generic] | None = None,
    ) -> int:
        """Add a tensor; several scales are per output channel (axis 0)."""
        quantization = schema.QuantizationParametersT()
        quantization.scale = [float(s) for s in scale]
        quantization.zeroPoint = [zero] * len(scale)
        tensor = schema.TensorT()
        tensor.name = f"t{len(self.tensors)}".encode()
        tensor.shape, tensor.type, tensor.quantization = list(shape), kind, quantization
        tensor.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def add(self, code: int, kind: int, options: object, inputs: list[int], output: int) -> int:
        """Add an operator of builtin `code`."""
        if code not in self.codes:
            self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.codes.index(code)
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self.operators.append(operator)
        return output

    def pack(self, source: int, result: int) -> bytes:
        """The finished file."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = [source], [result]
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = [operator_code(code) for code in self.codes]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


ONE = np.ones(1, np.float32)


def operator_code(code: int) -> object:
    """The table entry of a builtin operator."""
    entry = schema.OperatorCodeT()
    entry.builtinCode = entry.deprecatedBuiltinCode = code
    entry.version = 5 if code == schema.BuiltinOperator.CONV_2D else 3
    return entry


def convolution(b: FlatBuilder, layer: Layer, flow: int, size: tuple[int, int]) -> int:
    """3x3, stride 1, SAME, clipped to trits unless an average follows."""
    outputs = layer.weight.shape[0]
    scales = layer_scales(layer)
    kernel = np.ascontiguousarray(layer.weight.transpose(0, 2, 3, 1))
    weight = b.tensor(kernel.shape, scales, data=kernel)
    bias = b.tensor((outputs,), scales, kind=schema.TensorType.INT32, data=-layer.centre)
    options = schema.Conv2DOptionsT()
    options.padding, options.strideW, options.strideH = schema.Padding.SAME, 1, 1
    clip = schema.ActivationFunctionType.RELU_N1_TO_1
    options.fusedActivationFunction = schema.ActivationFunctionType.NONE if layer.average else clip
    result = b.tensor((1, *size, outputs), ONE)
    operator = schema.BuiltinOperator.CONV_2D
    kind = schema.BuiltinOptions.Conv2DOptions
    return b.add(operator, kind, options, [flow, weight, bias], result)


def pooling(b: FlatBuilder, layer: Layer, flow: int, size: tuple[int, int]) -> int:
    """Non-overlapping windows of the layer's pool size."""
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideW = options.strideH = options.filterWidth = options.filterHeight = layer.pool
    result = b.tensor((1, size[0], size[1], layer.weight.shape[0]), ONE)
    operators = schema.BuiltinOperator
    operator = operators.AVERAGE_POOL_2D if layer.average else operators.MAX_POOL_2D
    return b.add(operator, schema.BuiltinOptions.Pool2DOptions, options, [flow], result)


def classifier(b: FlatBuilder, matrix: NDArray[np.int8], flow: int) -> int:
    """Fully connected scores."""
    weight = b.tensor(matrix.shape, ONE, data=matrix)
    classes = matrix.shape[0]
    zeros = np.zeros(classes, np.int32)
    bias = b.tensor((classes,), ONE, kind=schema.TensorType.INT32, data=zeros)
    operator = schema.BuiltinOperator.FULLY_CONNECTED
    kind = schema.BuiltinOptions.FullyConnectedOptions
    options = schema.FullyConnectedOptionsT()
    return b.add(operator, kind, options, [flow, weight, bias], b.tensor((1, classes), ONE))


def int8_model(network: Network) -> bytes:
    """Input int8 `[1, H, W, C]` (trits, or pixels - 128), output int8."""
    b = FlatBuilder()
    size = network.height, network.width
    zero = 0 if network.levels is None else PIXEL_ZERO
    source = flow = b.tensor((1, *size, network.channels), ONE, zero)
    for layer in network.twin_layers:
        flow = convolution(b, layer, flow, size)
        if layer.pool > 1:
            size = size[0] // layer.pool, size[1] // layer.pool
            flow = pooling(b, layer, flow, size)
    if network.classifier is not None:
        flow = classifier(b, network.classifier, flow)
    return b.pack(source, flow)
