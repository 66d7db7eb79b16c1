"""Models built node by node in a test, twice: with QONNX's quantisers, and in standard ONNX alone.

The second twin is what onnxruntime executes, without optimisation: it shares no line with the
importer, which reads the first.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from importlib import import_module
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tdsl.importer.imported import Imported, import_model
from tdsl.importer.reading import parse_model
from tdsl.importer.value import Declared
from tdsl.ir.interpreter import run

OPSET = 18
DOMAIN = "qonnx.custom_op.general"
Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


class Twins:
    """Collects nodes; every method returns the name of its result."""

    def __init__(self, shape: Sequence[int], domain: str = DOMAIN, opset: int = OPSET) -> None:
        self.shape = tuple(shape)
        self.opset = opset
        self.domain = domain
        self.quantised: list[onnx.NodeProto] = []
        self.standard: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.last = "x"

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """A standard node, the same in both."""
        names = [f"v{len(self.quantised)}_{i}" for i in range(outputs)]
        for nodes in (self.quantised, self.standard):
            nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        self.last = names[0]
        return self.last

    def constant(self, values: Any, dtype: type[np.generic] = np.float32) -> str:
        """An array of the file."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def quant(
        self,
        x: str,
        scale: Any,
        bits: int,
        *,
        zero: float = 0.0,
        signed: bool = True,
        narrow: bool = False,
        mode: str = "ROUND",
        kind: str = "Quant",
    ) -> str:
        """`Quant`, and the same in standard nodes."""
        names = [self.constant(scale), self.constant(zero), self.constant(float(bits))]
        options = {"signed": int(signed), "narrow": int(narrow), "rounding_mode": mode}
        result = self._custom(kind, [x, *names], options)
        low, high = _limits(bits, signed=signed, narrow=narrow)
        y = self.only("Div", x, names[0])
        y = self.only("Add", y, names[1])
        y = self.only("Clip", y, self.constant(low), self.constant(high))
        y = self._rounded(y, mode)
        y = self.only("Sub", y, names[1])
        self.standard.append(helper.make_node("Mul", [y, names[0]], [result]))
        return result

    def bipolar(self, x: str, scale: Any) -> str:
        """`BipolarQuant`, and the same in standard nodes."""
        name = self.constant(scale)
        result = self._custom("BipolarQuant", [x, name], {})
        above = self.only("GreaterOrEqual", x, self.constant(0.0))
        signs = self.only("Where", above, self.constant(1.0), self.constant(-1.0))
        self.standard.append(helper.make_node("Mul", [signs, name], [result]))
        return result

    def multi_threshold(self, x: str, table: Floats, scale: float, bias: float) -> str:
        """`MultiThreshold` on (1, C, H, W), and the same in standard nodes."""
        options = {"out_dtype": "INT8", "out_scale": scale, "out_bias": bias}
        result = self._custom("MultiThreshold", [x, self.constant(table)], options)
        spread = self.only("Unsqueeze", x, self.constant([4], np.int64))
        levels = self.constant(table.reshape(1, len(table), 1, 1, -1))
        above = self.only("Cast", self.only("GreaterOrEqual", spread, levels), to=1)
        count = self.only("ReduceSum", above, self.constant([4], np.int64), keepdims=0)
        scaled = self.only("Mul", count, self.constant(scale))
        self.standard.append(helper.make_node("Add", [scaled, self.constant(bias)], [result]))
        return result

    def multi_threshold_of_features(self, x: str, threshold: float) -> str:
        """`MultiThreshold` to -1 and +1 on (1, C), and the same in standard nodes."""
        options = {"out_dtype": "BIPOLAR", "out_scale": 2.0, "out_bias": -1.0}
        result = self._custom("MultiThreshold", [x, self.constant([[threshold]])], options)
        above = self.only("GreaterOrEqual", x, self.constant(threshold))
        signs = [above, self.constant(1.0), self.constant(-1.0)]
        self.standard.append(helper.make_node("Where", signs, [result]))
        return result

    def custom(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A quantiser that only the importer sees."""
        return self._custom(kind, list(inputs), attributes)

    def imported(self, declared: Declared | None = None, name: str = "net") -> Imported:
        """What the importer makes of the twin with quantisers."""
        return import_model(
            parse_model(self.model(), "net.onnx"), name, {None: declared} if declared else {}
        )

    def model(self) -> bytes:
        """The bytes of the twin with quantisers."""
        return self._model(self.quantised, [helper.make_opsetid(self.domain, 1)])

    def executed(self, x: Floats) -> Floats:
        """What onnxruntime computes for `x` with the standard twin."""
        runtime: Any = import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 3
        session = runtime.InferenceSession(self._model(self.standard, []), options)
        (result,) = session.run(None, {"x": x})
        return np.asarray(result, np.float32)

    def _custom(self, kind: str, inputs: list[str], attributes: Mapping[str, Any]) -> str:
        name = f"q{len(self.quantised)}"
        node = helper.make_node(kind, inputs, [name], domain=self.domain, **attributes)
        self.quantised.append(node)
        self.last = name
        return name

    def only(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node that only onnxruntime sees."""
        name = f"s{len(self.standard)}"
        self.standard.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _rounded(self, y: str, mode: str) -> str:
        half = self.constant(0.5)
        sign, size = self.only("Sign", y), self.only("Abs", y)
        match mode:
            case "ROUND":
                return self.only("Round", y)
            case "CEIL" | "FLOOR":
                return self.only(mode.capitalize(), y)
            case "UP":
                return self.only("Mul", sign, self.only("Ceil", size))
            case "DOWN":
                return self.only("Mul", sign, self.only("Floor", size))
            case "HALF_UP":
                return self.only("Mul", sign, self.only("Floor", self.only("Add", size, half)))
            case "HALF_DOWN":
                return self.only("Mul", sign, self.only("Ceil", self.only("Sub", size, half)))
            case _:
                raise AssertionError(mode)

    def _model(self, nodes: list[onnx.NodeProto], extra: list[onnx.OperatorSetIdProto]) -> bytes:
        graph = helper.make_graph(
            nodes,
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [onnx.ValueInfoProto(name=self.last)],
            self.constants,
        )
        opsets = [helper.make_opsetid("", self.opset), *extra]
        made = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        return bytes(made.SerializeToString())


def check(
    twins: Twins, integers: Integers, scale: float = 1.0, element: tuple[int, int] | None = None
) -> Imported:
    """Fail unless the imported network gives, on `integers`, the numbers that onnxruntime gives.

    The model takes integers * scale. Without `element`, its limits are those of the integers.
    """
    low, high = element or (int(integers.min()), int(integers.max()))
    imported = twins.imported(Declared(low, high, Fraction(float(np.float32(scale)))))
    (given,), (result,) = imported.inputs, imported.outputs
    frame = integers.reshape([int(str(s)) for s in imported.graph.nodes[given.node].type.shape])
    (found,) = run(imported.graph, imported.arrays, {given.name: frame}).values()
    x = (integers.astype(np.float32) * np.float32(scale)).reshape(twins.shape)
    expected = twins.executed(x)
    rows = found.reshape(len(result.scale), -1)
    numbers = [
        [float(np.float32(s * int(n) + o)) for n in row]
        for row, s, o in zip(rows, result.scale, result.offset, strict=True)
    ]
    ours = np.array(numbers, np.float32).ravel()[result.index].reshape(expected.shape)
    np.testing.assert_array_equal(ours, expected)
    return imported


def _limits(bits: int, *, signed: bool, narrow: bool) -> tuple[float, float]:
    if not signed:
        return 0.0, float((1 << bits) - (2 if narrow else 1))
    return float(-(1 << (bits - 1)) + int(narrow)), float((1 << (bits - 1)) - 1)
