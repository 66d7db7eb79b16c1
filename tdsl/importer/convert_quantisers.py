"""Quantisers: `Quant`, `BipolarQuant`, `Trunc`, `MultiThreshold`, `Sign`, QCDQ -> levels."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from tdsl.importer import formulas
from tdsl.importer.constants import along_axis
from tdsl.importer.conversion import Conversion
from tdsl.importer.layouts import per_channel
from tdsl.importer.model import Array, OnnxNode, as_float
from tdsl.importer.parameters import (
    bit_width,
    code_limits,
    integer_limits,
    positive_scale,
    quant_parameters,
    rounding,
    whole_zero,
)
from tdsl.importer.quantisers import Bipolar, Counted, Quantiser, Sign, Truncated, Uniform
from tdsl.importer.refusal import Refusal
from tdsl.importer.value import Coded, Item, Outside, Value


def quant(c: Conversion, node: OnnxNode) -> Item:
    """QONNX `Quant` and `IntQuant`."""
    arrays = [np.zeros(0), *(c.constant(node, i, _NAMES[i]) for i in (1, 2, 3))]
    low, high, mode, scale, zero, two_signs = quant_parameters(node, arrays)
    if two_signs and zero.any():
        raise Refusal("it has one signed bit and a zero point", "use `BipolarQuant`")

    def make(value: Value) -> Quantiser:
        scales = per_channel(value, scale)
        if two_signs:
            return Bipolar(scales)
        return Uniform(scales, per_channel(value, zero), low, high, mode)

    return c.quantised(node.place, node.outputs[0], _operand(c, node), make)


def bipolar_quant(c: Conversion, node: OnnxNode) -> Item:
    """QONNX `BipolarQuant`: 0 counts as positive."""
    scale = positive_scale(c.constant(node, 1, "scale"))
    return c.quantised(
        node.place, node.outputs[0], _operand(c, node), lambda v: Bipolar(per_channel(v, scale))
    )


def sign(c: Conversion, node: OnnxNode) -> Item:
    """`Sign`: -1, 0, +1."""
    return c.quantised(node.place, node.outputs[0], _operand(c, node), lambda _: Sign())


def trunc(c: Conversion, node: OnnxNode) -> Item:
    """QONNX `Trunc`, version 1 (five inputs) and 2 (six)."""
    scale = positive_scale(c.constant(node, 1, "scale"))
    if whole_zero(c.constant(node, 2, "zero point")).any():
        raise Refusal("it truncates around a zero point", "truncate with a zero point of 0")
    mode = rounding(node, "FLOOR")
    bits = bit_width(c.constant(node, 3, "input bit width"))
    if len(node.inputs) >= 6:
        out_scale = positive_scale(c.constant(node, 4, "output scale"))
        wide = bit_width(c.constant(node, 5, "output bit width"))
        divisor = 2 ** np.round(np.log2(out_scale / scale))
        signed, narrow = bool(node.integer("signed", 1)), bool(node.integer("narrow", 0))
        limits = integer_limits(wide, signed=signed, narrow=narrow)
    else:
        wide = bit_width(c.constant(node, 4, "output bit width"))
        out_scale, limits = scale, None
        divisor = np.array(2.0 ** (bits - wide), np.float32)

    def make(value: Value) -> Quantiser:
        return Truncated(
            per_channel(value, scale),
            np.zeros(value.channels, np.float32),
            per_channel(value, divisor.astype(np.float32)),
            mode,
            per_channel(value, out_scale),
            limits,
        )

    return c.quantised(node.place, node.outputs[0], _operand(c, node), make)


def multi_threshold(c: Conversion, node: OnnxNode) -> Item:
    """QONNX and FINN `MultiThreshold`: scale times the count of thresholds reached, plus a bias."""
    thresholds = as_float(c.constant(node, 1, "thresholds"))
    if thresholds.ndim != 2 or not thresholds.size or np.isnan(thresholds).any():
        raise Refusal("its thresholds are no table (channels, levels - 1)", "export it again")
    scale, bias = node.number("out_scale", 1.0), node.number("out_bias", 0.0)
    if not (np.isfinite(scale) and np.isfinite(bias) and scale > 0):
        raise Refusal("its output scale is not positive and finite", "use a positive scale")
    layout = node.text("data_layout", "")

    def make(value: Value) -> Quantiser:
        rank = value.index.ndim
        axis = layout.index("C") if "C" in layout else (2 if rank == 3 and not layout else 1)
        rows = thresholds
        if len(thresholds) > 1:
            if axis >= rank or value.index.shape[axis] != len(thresholds):
                raise Refusal("its thresholds do not fit the channels", "export it again")
            number = along_axis(np.arange(len(thresholds)), rank, axis)
            rows = thresholds[per_channel(value, number).astype(np.int64)]
        else:
            rows = np.repeat(thresholds, value.channels, axis=0)
        return Counted(rows, Fraction(scale), Fraction(bias))

    return c.quantised(node.place, node.outputs[0], _operand(c, node), make)


def quantize_linear(c: Conversion, node: OnnxNode) -> Item:
    """`QuantizeLinear`: levels are made where they are read, with any `Clip` in between."""
    operand = _operand(c, node)
    zero = c.constant(node, 2, "zero point") if node.has_input(2) else np.array(0, np.uint8)
    low, high = code_limits(zero.dtype)
    place = _place_along(node, operand)
    scale = place(positive_scale(c.constant(node, 1, "scale")))
    return Coded(operand, node.outputs[0], scale, place(whole_zero(zero)), low, high, low, high)


def dequantize_linear(c: Conversion, node: OnnxNode) -> Item:
    """`DequantizeLinear` of what `QuantizeLinear` made with the same scale and zero point."""
    item = c.item(node, 0)
    if not isinstance(item, Coded):
        raise Refusal(
            "it does not read a `QuantizeLinear`", "quantise and dequantise in pairs (QCDQ)"
        )
    place = _place_along(node, item.value)
    scale = place(positive_scale(c.constant(node, 1, "scale")))
    zero = place(whole_zero(c.constant(node, 2, "zero point"))) if node.has_input(2) else None
    if not np.array_equal(scale, item.scale) or (
        item.zero.any() if zero is None else not np.array_equal(zero, item.zero)
    ):
        raise Refusal(
            "its scale or zero point is not that of the `QuantizeLinear` before it",
            "use the same scale and zero point in the pair",
        )
    return c.decoded(item, node.place, node.outputs[0])


def clipped_codes(node: OnnxNode, item: Coded, low: float, high: float) -> Item:
    """`Clip` between `QuantizeLinear` and `DequantizeLinear`: fewer levels."""
    least, most = max(item.least, int(np.ceil(low))), min(item.most, int(np.floor(high)))
    if least > most:
        raise Refusal(f"it clips to nothing ({low} to {high})", "export it again")
    return replace(item, least=least, most=most)


def _place_along(node: OnnxNode, operand: Value | Outside) -> Callable[[Array], formulas.Floats]:
    """How a list of numbers meets the tensor: along the node's axis."""
    rank = operand.index.ndim if isinstance(operand, Value) else len(operand.shape)
    axis = node.integer("axis", 1)

    def place(values: Array) -> formulas.Floats:
        try:
            return as_float(along_axis(values, rank, axis))
        except ValueError as error:
            raise Refusal(f"its scales do not fit ({error})", "export it again") from error

    return place


def _operand(c: Conversion, node: OnnxNode) -> Value | Outside:
    item = c.item(node, 0)
    return item if isinstance(item, Value | Outside) else c.settled(item)


_NAMES = {1: "scale", 2: "zero point", 3: "bit width"}
