"""Graph -> ONNX model of the same integers, for another executor; every node is an output.

Integers travel as float32, exact below 2**24. Convolutions and matrices run in float32, or in
8-bit integers where their operands fit. Divisions that round run in float64.
"""

from collections.abc import Sequence
from typing import Any, assert_never

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node
from tdsl.ir.ops import CompareKind, GateKind, Parameter, PoolKind
from tdsl.ir.parameters import Arrays, resolve
from tdsl.ir.size import evaluate
from tdsl.ir.tensor_type import U1, Kind, TensorType

OPSET = 18


def onnx_model(graph: Graph, arrays: Arrays, *, eight_bits: bool) -> onnx.ModelProto:
    """The model; its tensors bear the nodes' names and have a leading axis of size 1."""
    export = _Export(graph, arrays, eight_bits)
    for node in graph.nodes:
        assert node.type.element.bits <= 24, f"{node.name} is too wide for float32"
        export.add(node)
    inputs = [n for n in graph.nodes if isinstance(n.op, ops.Input)]
    made = helper.make_graph(
        export.nodes,
        graph.name,
        [_value_info(n) for n in inputs],
        [_value_info(n, n.name + OUT) for n in graph.nodes],
        export.constants,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


OUT = ".out"
"""Appended to a node's name: the output with its value."""

_COMPARISONS = {
    CompareKind.EQ: "Equal",
    CompareKind.LT: "Less",
    CompareKind.LE: "LessOrEqual",
    CompareKind.GT: "Greater",
    CompareKind.GE: "GreaterOrEqual",
}


def _value_info(node: Node, name: str | None = None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(
        name or node.name, TensorProto.FLOAT, [1, *shape(node.type)]
    )


def shape(type_: TensorType) -> tuple[int, ...]:
    """The sizes of a type without symbols."""
    return tuple(evaluate(size, {}) for size in type_.shape)


class _Export:
    def __init__(self, graph: Graph, arrays: Arrays, eight_bits: bool) -> None:
        self.graph = graph
        self.arrays = arrays
        self.eight_bits = eight_bits
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, node: Node) -> None:
        """Emit `node` under its own name, and the copy of it that is an output."""
        if not isinstance(node.op, ops.Input):
            operands = [self.graph.nodes[i] for i in node.inputs]
            result = self.meaning(node.op, operands, node)
            self.nodes.append(helper.make_node("Identity", [result], [node.name]))
        self.nodes.append(helper.make_node("Identity", [node.name], [node.name + OUT]))

    def emit(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One ONNX node; returns the name of its result."""
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, array: NDArray[np.generic]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def sizes(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def cast(self, x: str, to: int) -> str:
        return self.emit("Cast", x, to=to)

    def truth(self, kind: str, *inputs: str) -> str:
        """A comparison or a Boolean operation as 0.0 and 1.0."""
        return self.cast(self.emit(kind, *inputs), TensorProto.FLOAT)

    def floor_divide(self, x: str, divisor: int) -> str:
        wide = self.cast(x, TensorProto.DOUBLE)
        by = self.constant(np.array(divisor, np.float64))
        return self.cast(self.emit("Floor", self.emit("Div", wide, by)), TensorProto.FLOAT)

    def meaning(self, op: ops.Op, operands: Sequence[Node], node: Node) -> str:
        names = [operand.name for operand in operands]
        x = names[0]
        here = operands[0].type
        match op:
            case ops.Input():
                raise AssertionError("inputs are given")
            case ops.Conv():
                return self.conv(op, x, here)
            case ops.Linear():
                return self.linear(op, x, here)
            case ops.Pool():
                return self.pool(op, x, shape(here)[0])
            case ops.GlobalPool():
                return self.global_pool(op.kind, x, here)
            case ops.Sum():
                return self.reshape(self.emit("ReduceSum", x, keepdims=0), 1, 1)
            case ops.Ternarize():
                hi, lo = self.along(op.hi, here), self.along(op.lo, here)
                return self.emit("Sub", self.truth("Greater", x, hi), self.truth("Less", x, lo))
            case ops.Binarize():
                above = self.emit("Greater", x, self.along(op.t, here))
                return self.emit("Where", above, self.number(1), self.number(-1))
            case ops.Step():
                return self.truth("Greater", x, self.along(op.t, here))
            case ops.Quantize():
                return self.quantize(op, x, here)
            case ops.Thermometer():
                return self.thermometer(op, x, here)
            case ops.Upsample():
                scales = self.constant(np.array([1, 1, op.factor, op.factor], np.float32))
                modes = {"mode": "nearest", "nearest_mode": "floor"}
                place = "asymmetric"
                return self.emit(
                    "Resize", x, "", scales, coordinate_transformation_mode=place, **modes
                )
            case ops.PixelShuffle():
                return self.emit("DepthToSpace", x, blocksize=op.factor, mode="CRD")
            case ops.Concat():
                return self.emit("Concat", *names, axis=1)
            case ops.Slice():
                return self.emit(
                    "Slice", x, self.sizes(op.start), self.sizes(op.stop), self.sizes(1)
                )
            case ops.ChannelShuffle():
                channels, *rest = shape(here)
                grouped = self.reshape(x, 1, op.groups, channels // op.groups, *rest)
                axes = [0, 2, 1, *range(3, 3 + len(rest))]
                return self.reshape(self.emit("Transpose", grouped, perm=axes), 1, channels, *rest)
            case ops.Add():
                return self.emit("Add", *names)
            case ops.Sub():
                return self.emit("Sub", *names)
            case ops.Gate():
                return self.gate(op.kind, names, here)
            case ops.Not():
                if here.element == U1:
                    return self.truth("Not", self.cast(x, TensorProto.BOOL))
                return self.emit("Neg", x)
            case ops.Mux():
                selector = self.cast(x, TensorProto.BOOL)
                if len(shape(here)) < len(shape(node.type)):
                    selector = self.emit("Unsqueeze", selector, self.sizes(2, 3))
                return self.emit("Where", selector, names[1], names[2])
            case ops.Shift():
                if op.amount < 0:
                    return self.floor_divide(x, 1 << -op.amount)
                return self.emit("Mul", x, self.number(1 << op.amount))
            case ops.Compare():
                other = names[1] if op.constant is None else self.number(op.constant)
                if op.kind is CompareKind.NE:
                    return self.truth("Not", self.emit("Equal", x, other))
                return self.truth(_COMPARISONS[op.kind], x, other)
            case ops.Clip():
                low, high = self.number(op.element.low), self.number(op.element.high)
                return self.emit("Clip", x, low, high)
            case ops.Flatten():
                return self.emit("Flatten", x)
            case ops.Kernel():
                raise AssertionError("kernels have no counterpart")
            case ops.Argmax():
                found = self.emit("ArgMax", x, axis=1, keepdims=1, select_last_index=0)
                return self.cast(found, TensorProto.FLOAT)
            case _:
                assert_never(op)

    def conv(self, op: ops.Conv, x: str, here: TensorType) -> str:
        top, left, bottom, right = op.padding
        weight = resolve(op.weight, self.arrays)
        pads = [top, left, bottom, right]
        if op.pad_value:
            border = self.sizes(0, 0, top, left, 0, 0, bottom, right)
            x = self.emit("Pad", x, border, self.number(op.pad_value))
            pads = [0, 0, 0, 0]
        options = {
            "kernel_shape": list(op.kernel),
            "pads": pads,
            "strides": list(op.stride),
            "dilations": list(op.dilation),
            "group": op.groups,
        }
        if not self.fits(here):
            return self.emit("Conv", x, self.constant(weight.astype(np.float32)), **options)
        operands = self.eight_bit_operands(x, weight, here)
        return self.cast(self.emit("ConvInteger", *operands, **options), TensorProto.FLOAT)

    def linear(self, op: ops.Linear, x: str, here: TensorType) -> str:
        weight = resolve(op.weight, self.arrays).T
        if not self.fits(here):
            return self.emit("MatMul", x, self.constant(weight.astype(np.float32)))
        operands = self.eight_bit_operands(x, weight, here)
        return self.cast(self.emit("MatMulInteger", *operands), TensorProto.FLOAT)

    def fits(self, here: TensorType) -> bool:
        """Whether to compute with 8-bit integers."""
        return self.eight_bits and -128 <= here.element.low and here.element.high <= 255

    def eight_bit_operands(
        self, x: str, weight: NDArray[np.int64], here: TensorType
    ) -> tuple[str, str, str]:
        """`x` as u8 (signed values around 128), the weights as i8, and the zero point of `x`."""
        zero = 0 if here.element.low == 0 else 128
        moved = self.cast(self.emit("Add", x, self.number(zero)), TensorProto.UINT8)
        zero_point = self.constant(np.array(zero, np.uint8))
        return moved, self.constant(weight.astype(np.int8)), zero_point

    def pool(self, op: ops.Pool, x: str, channels: int) -> str:
        options = {"kernel_shape": list(op.kernel), "strides": list(op.stride)}
        if op.kind is PoolKind.MAX:
            return self.emit("MaxPool", x, **options)
        ones = self.constant(np.ones((channels, 1, *op.kernel), np.float32))
        total = self.emit("Conv", x, ones, group=channels, **options)
        return self.average(op.kind, total, op.kernel[0] * op.kernel[1])

    def global_pool(self, kind: PoolKind, x: str, here: TensorType) -> str:
        channels, height, width = shape(here)
        if kind is PoolKind.MAX:
            return self.reshape(self.emit("GlobalMaxPool", x), 1, channels)
        total = self.emit("ReduceSum", x, self.sizes(2, 3), keepdims=0)
        return self.average(kind, total, height * width)

    def average(self, kind: PoolKind, total: str, area: int) -> str:
        if kind is PoolKind.SUM:
            return total
        return self.floor_divide(self.emit("Add", total, self.number(area // 2)), area)

    def quantize(self, op: ops.Quantize, x: str, here: TensorType) -> str:
        count = op.element.high - op.element.low
        rank = len(shape(here))
        th = resolve(op.th, self.arrays, (shape(here)[0], count)).astype(np.float32)
        level = self.number(op.element.low)
        for j in range(count):
            column = self.constant(th[:, j].reshape(1, -1, *(1,) * (rank - 1)))
            level = self.emit("Add", level, self.truth("Greater", x, column))
        return level

    def thermometer(self, op: ops.Thermometer, x: str, here: TensorType) -> str:
        """The definition without divisions: x >= ceil(n a / b) is b x >= n a."""
        k, n = op.levels, here.element.high + 1
        channels, *rest = shape(here)
        spread = self.reshape(x, 1, channels, 1, *rest)
        if op.kind is Kind.BIN:
            scaled = self.emit("Mul", spread, self.number(k + 1))
            above = self.emit("GreaterOrEqual", scaled, self.levels(rest, n, range(1, k + 1)))
            planes = self.emit("Where", above, self.number(1), self.number(-1))
        else:
            scaled = self.emit("Mul", spread, self.number(2 * k + 1))
            hi = self.levels(rest, n, range(k + 1, 2 * k + 1))
            lo = self.levels(rest, n, range(k, 0, -1))
            above, below = self.truth("GreaterOrEqual", scaled, hi), self.truth("Less", scaled, lo)
            planes = self.emit("Sub", above, below)
        return self.reshape(planes, 1, channels * k, *rest)

    def levels(self, rest: Sequence[int], n: int, factors: range) -> str:
        values = np.array([n * factor for factor in factors], np.float32)
        return self.constant(values.reshape(1, 1, -1, *(1,) * len(rest)))

    def gate(self, kind: GateKind, names: Sequence[str], here: TensorType) -> str:
        match kind:
            case GateKind.AND:
                return self.emit("Min", *names)
            case GateKind.OR:
                return self.emit("Max", *names)
            case GateKind.XOR:
                if here.element == U1:
                    bits = [self.cast(name, TensorProto.BOOL) for name in names]
                    return self.truth("Xor", *bits)
                return self.emit("Neg", self.emit("Mul", *names))
            case _:
                assert_never(kind)

    def along(self, parameter: Parameter, here: TensorType) -> str:
        """A threshold that meets axis 1."""
        values = resolve(parameter, self.arrays).astype(np.float32)
        if values.ndim:
            values = values.reshape(1, -1, *(1,) * (len(shape(here)) - 1))
        return self.constant(values)

    def reshape(self, x: str, *sizes: int) -> str:
        return self.emit("Reshape", x, self.sizes(*sizes))
