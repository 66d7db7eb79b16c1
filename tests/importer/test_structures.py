"""Layers and layouts against onnxruntime: exact sums, every padding, stride, order and shape.

All scales are powers of two here, so that floating point computes the same in any order.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx

from tdsl.diagnostics import CompileError
from tdsl.frontend.checker import load
from tdsl.importer.imported import Imported, import_model
from tdsl.importer.reading import parse_model
from tdsl.importer.saving import save
from tdsl.importer.value import Declared
from tdsl.ir.interpreter import run
from tests.importer.twins import Integers, Twins, check

RANDOM = np.random.default_rng(7)


def image(*shape: int, low: int = -3, high: int = 4) -> Integers:
    """A random image (1, C, H, W) that holds its extremes."""
    made = RANDOM.integers(low, high + 1, (1, *shape))
    made.flat[0], made.flat[-1] = low, high
    return made


def quantised(net: Twins, shape: Sequence[int], bits: int = 2, scale: float = 0.25) -> str:
    """Weights behind a `Quant`."""
    floats = RANDOM.normal(0, scale * 2 ** (bits - 2), shape)
    return net.quant(net.constant(floats), scale, bits, narrow=True)


def refused(net: Twins, x: Integers, reason: str) -> None:
    """Fail unless the model is refused with `reason`."""
    with pytest.raises(CompileError, match=reason):
        check(net, x)


CONVS: dict[str, dict[str, Any]] = {
    "no padding": {},
    "asymmetric": {"pads": [0, 2, 1, 0]},
    "strided": {"pads": [1, 1, 1, 1], "strides": [2, 3]},
    "dilated": {"pads": [2, 0, 2, 4], "dilations": [2, 2]},
    "upper": {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    "lower": {"auto_pad": "SAME_LOWER", "strides": [1, 2]},
    "valid": {"auto_pad": "VALID"},
}


@pytest.mark.parametrize("name", CONVS)
@pytest.mark.parametrize(("bits", "groups"), [(2, 1), (4, 2), (8, 4)])
def test_convolutions(name: str, bits: int, groups: int) -> None:
    x = image(4, 9, 8)
    net = Twins(x.shape)
    weights = quantised(net, (8, 4 // groups, 3, 2), bits)
    y = net.add(
        "Conv", "x", weights, net.constant(RANDOM.integers(-9, 9, 8)), group=groups, **CONVS[name]
    )
    net.quant(y, 2.0, 4)
    check(net, x)


def test_scales_of_weights_differ_from_channel_to_channel() -> None:
    x = image(3, 6, 6)
    net = Twins(x.shape)
    scales = (2.0 ** RANDOM.integers(-3, 3, 5)).reshape(5, 1, 1, 1)
    weights = net.quant(net.constant(RANDOM.normal(0, 1, (5, 3, 3, 3))), scales, 3)
    net.add("Conv", "x", weights, pads=[1, 0, 0, 1])
    imported = check(net, x)
    assert len(set(imported.outputs[0].scale)) > 1


def test_a_pad_node_goes_into_the_convolution() -> None:
    x = image(2, 5, 5)
    net = Twins(x.shape)
    y = net.add("Pad", "x", net.constant([0, 0, 2, 0, 0, 0, 1, 3], np.int64))
    net.add("Conv", y, quantised(net, (3, 2, 3, 3)), pads=[0, 1, 0, 0])
    imported = check(net, x)
    assert [type(node.op).__name__ for node in imported.graph.nodes] == ["Input", "Conv"]


def test_a_pad_node_alone() -> None:
    x = image(2, 5, 5, low=0, high=7)
    net = Twins(x.shape)
    net.add("Pad", "x", net.constant([0, 0, 2, 0, 0, 0, 1, 3], np.int64))
    check(net, x)


def test_bipolar_activations_are_padded_with_zeros() -> None:
    x = image(2, 6, 6)
    net = Twins(x.shape)
    y = net.bipolar("x", 0.5)
    net.add(
        "Conv", y, net.bipolar(net.constant(RANDOM.normal(0, 1, (4, 2, 3, 3))), 0.25), pads=[1] * 4
    )
    check(net, x)


POOLS: dict[str, dict[str, Any]] = {
    "plain": {"kernel_shape": [2, 2], "strides": [2, 2]},
    "overlapping": {"kernel_shape": [3, 2], "strides": [2, 1]},
    "ceiling": {"kernel_shape": [2, 3], "strides": [2, 2], "ceil_mode": 1},
    "padded": {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
    "uneven": {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 1, 1, 0]},
}


@pytest.mark.parametrize("name", POOLS)
def test_maxima_of_unsigned_values(name: str) -> None:
    x = image(3, 7, 8, low=0, high=9)
    net = Twins(x.shape)
    net.add("MaxPool", "x", **POOLS[name])
    check(net, x)


@pytest.mark.parametrize("name", ["plain", "overlapping"])
def test_maxima_of_falling_numbers_turn_the_channel(name: str) -> None:
    x = image(3, 7, 8)
    net = Twins(x.shape)
    y = net.add("Mul", "x", net.constant(np.array([1, -2, 0.5]).reshape(1, 3, 1, 1)))
    y = net.add("MaxPool", net.add("Relu", y), **POOLS[name])
    net.quant(y, 0.5, 3, signed=False)
    check(net, x)


def test_a_border_that_could_win_is_refused() -> None:
    x = image(3, 7, 8)
    net = Twins(x.shape)
    net.add("MaxPool", "x", **POOLS["padded"])
    refused(net, x, "its border can win")


@pytest.mark.parametrize("name", ["plain", "overlapping", "padded"])
def test_averages(name: str) -> None:
    x = image(3, 8, 8, low=-8, high=7)
    net = Twins(x.shape)
    y = net.add("AveragePool", "x", count_include_pad=1, **POOLS[name])
    net.quant(y, 0.25, 5)
    check(net, x)


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND"])
def test_a_truncated_average(mode: str) -> None:
    x = image(2, 6, 6, low=0, high=15)
    net = Twins(x.shape)
    y = net.add("AveragePool", "x", kernel_shape=[2, 2], strides=[2, 2])
    y = net.add("Mul", y, net.constant(4.0))
    scales = [net.constant(one) for one in (1.0, 0.0, 6.0, 4.0)]
    truncated = net.custom("Trunc", y, *scales, rounding_mode=mode)
    quarter = net.only("Div", y, net.constant(4.0))
    net.only("Identity", net.only("Floor" if mode == "FLOOR" else "Round", quarter))
    net.standard[-1].output[0] = truncated
    imported = check(net, x)
    kinds = [type(node.op).__name__ for node in imported.graph.nodes]
    assert ("Shift" in kinds) == (mode == "FLOOR")


@pytest.mark.parametrize("kind", ["GlobalAveragePool", "GlobalMaxPool"])
def test_global_pooling_and_a_matrix_of_one_pixel(kind: str) -> None:
    x = image(4, 4, 4)
    net = Twins(x.shape)
    y = net.add(kind, "x")
    y = net.add("Conv", y, quantised(net, (5, 4, 1, 1)))
    net.add("Gemm", net.add("Flatten", y), quantised(net, (3, 5)), transB=1)
    check(net, x)


def test_means_over_height_and_width() -> None:
    x = image(4, 4, 4)
    net = Twins(x.shape)
    net.add("ReduceMean", "x", net.constant([-2, -1], np.int64), keepdims=0)
    check(net, x)


@pytest.mark.parametrize("transposed", [0, 1])
def test_gemm(transposed: int) -> None:
    x = image(2, 3, 4)
    net = Twins(x.shape)
    y = net.add("Reshape", "x", net.constant([1, -1], np.int64))
    weights = quantised(net, (5, 24) if transposed else (24, 5), 3)
    net.add(
        "Gemm",
        y,
        weights,
        net.constant(RANDOM.integers(-3, 3, 5)),
        transB=transposed,
        alpha=0.5,
        beta=2.0,
    )
    check(net, x)


def test_quantised_weights_behind_a_transpose() -> None:
    x = image(24)
    net = Twins(x.shape)
    weights = net.add("Transpose", quantised(net, (5, 24)), perm=[1, 0])
    net.add("MatMul", "x", weights)
    check(net, x)


def test_shape_arithmetic_that_was_not_folded() -> None:
    x = image(2, 3, 4)
    net = Twins(x.shape)
    first = net.add("Gather", net.add("Shape", "x"), net.constant(0, np.int64))
    axes = net.constant([0], np.int64)
    parts = [net.add("Unsqueeze", first, axes), net.constant([-1], np.int64)]
    y = net.add("Reshape", "x", net.add("Concat", *parts, axis=0))
    net.add("MatMul", y, net.add("Transpose", quantised(net, (5, 24)), perm=[1, 0]))
    check(net, x)


def test_a_tensor_norm_at_the_end() -> None:
    x = image(24)
    net = Twins(x.shape)
    y = net.add("MatMul", "x", quantised(net, (24, 3)))
    y = net.add("Sub", y, net.constant(0.25))
    root = net.add("Pow", net.constant([4.0]), net.constant(0.5))
    y = net.add("Mul", net.add("Div", y, root), net.constant([0.5]))
    net.add("Add", y, net.constant([-1.0]))
    check(net, x)


def residual(one: float, two: float) -> tuple[Twins, Integers]:
    """A sum of two branches of the scales `one` and `two`."""
    x = image(3, 6, 6, low=-40, high=40)
    net = Twins(x.shape)
    a = net.quant("x", one, 4)
    b = net.add("Conv", net.quant("x", two, 4), quantised(net, (3, 3, 3, 3)), pads=[1] * 4)
    net.quant(net.add("Add", a, b), 2.0, 4)
    return net, x


@pytest.mark.parametrize(("one", "two"), [(4.0, 4.0), (8.0, 2.0), (2.0, 16.0), (3.0, 2.0)])
def test_a_residual_sum_of_unequal_scales(one: float, two: float) -> None:
    check(*residual(one, two))


def test_scales_without_a_common_measure_are_refused() -> None:
    net, x = residual(3.1, 2.7)
    refused(net, x, "no small multiples of one number")


def test_a_difference_and_a_concatenation() -> None:
    x = image(4, 5, 5)
    net = Twins(x.shape)
    y = net.add("Sub", net.quant("x", 2.0, 2, narrow=True), net.quant("x", 1.0, 3))
    y = net.add("Concat", y, net.bipolar("x", 0.5), net.quant("x", 1.0, 2, signed=False), axis=1)
    net.add("Conv", y, quantised(net, (3, 12, 2, 2)))
    check(net, x)


def test_parts_of_the_channels() -> None:
    x = image(6, 4, 4)
    net = Twins(x.shape)
    net.add("Split", "x", net.constant([2, 4], np.int64), axis=1, outputs=2)
    first, second = net.quantised[-1].output
    cut = [net.constant([one], np.int64) for one in (1, 3, 1)]
    y = net.add("Concat", net.add("Slice", second, *cut), first, axis=1)
    net.add("Conv", y, quantised(net, (2, 4, 1, 1)))
    check(net, x)


def test_shuffled_channels() -> None:
    x = image(6, 3, 3)
    net = Twins(x.shape)
    y = net.add("Reshape", "x", net.constant([1, 2, 3, 3, 3], np.int64))
    y = net.add("Transpose", y, perm=[0, 2, 1, 3, 4])
    y = net.add("Reshape", y, net.constant([1, 6, 3, 3], np.int64))
    net.add("Conv", y, quantised(net, (4, 3, 2, 2)), group=2)
    check(net, x)


@pytest.mark.parametrize("mode", ["CRD", "DCR"])
def test_pixel_shuffles(mode: str) -> None:
    x = image(12, 3, 4)
    net = Twins(x.shape)
    y = net.add("DepthToSpace", net.quant("x", 1.0, 3), blocksize=2, mode=mode)
    net.quant(net.add("Relu", y), 1.0, 2, signed=False)
    check(net, x)


def test_a_pixel_shuffle_written_out() -> None:
    x = image(8, 3, 4)
    net = Twins(x.shape)
    y = net.add("Reshape", "x", net.constant([1, 2, 2, 2, 3, 4], np.int64))
    y = net.add("Transpose", y, perm=[0, 1, 4, 2, 5, 3])
    net.add("Reshape", y, net.constant([1, 2, 6, 8], np.int64))
    imported = check(net, x)
    assert [type(node.op).__name__ for node in imported.graph.nodes] == ["Input", "PixelShuffle"]


RESIZES = [
    ("asymmetric", "floor", True),
    ("half_pixel", "round_prefer_floor", True),
    ("half_pixel", "round_prefer_ceil", True),
    ("align_corners", "floor", False),
    ("asymmetric", "ceil", False),
]


@pytest.mark.parametrize(("coordinates", "rounding", "possible"), RESIZES)
@pytest.mark.parametrize("by", ["scales", "sizes"])
def test_nearest_resizing(coordinates: str, rounding: str, possible: bool, by: str) -> None:
    x = image(2, 3, 4)
    net = Twins(x.shape)
    given = ["x", "", net.constant([1.0, 1.0, 3.0, 3.0])]
    if by == "sizes":
        given = ["x", "", "", net.constant([1, 2, 9, 12], np.int64)]
    net.add(
        "Resize",
        *given,
        mode="nearest",
        nearest_mode=rounding,
        coordinate_transformation_mode=coordinates,
    )
    if possible:
        check(net, x)
    else:
        refused(net, x, "repeats some pixels more than others")


def test_channels_last_in_the_file() -> None:
    x = RANDOM.integers(-3, 5, (1, 5, 6, 2))
    net = Twins(x.shape)
    y = net.add("Transpose", "x", perm=[0, 3, 1, 2])
    y = net.quant(net.add("Conv", y, quantised(net, (3, 2, 2, 2))), 1.0, 3)
    y = net.add("Transpose", y, perm=[0, 2, 3, 1])
    y = net.add("Add", y, net.constant([0.5, -1.0, 0.25]))
    y = net.quant(y, 1.0, 2, signed=False)
    flat = net.add("Flatten", y)
    net.add("MatMul", flat, quantised(net, (4 * 5 * 3, 4)))
    declared = channels_last(net, x)
    assert declared.graph.nodes[0].type.shape == (2, 5, 6)


def channels_last(net: Twins, x: Integers) -> Imported:
    """Compare with the image given to the network as it takes it: channels first."""
    imported = net.imported(Declared(-3, 4, Fraction(1)))
    frame = x[0].transpose(2, 0, 1)
    (found,) = run(imported.graph, imported.arrays, {imported.inputs[0].name: frame}).values()
    expected = net.executed(x.astype(np.float32))
    scale = np.array([float(one) for one in imported.outputs[0].scale])
    np.testing.assert_array_equal(found * scale, expected.ravel())
    return imported


@pytest.mark.parametrize("kind", ["ArgMax", "TopK"])
def test_the_index_of_the_largest(kind: str) -> None:
    x = image(24)
    net = Twins(x.shape)
    y = net.add("MatMul", "x", quantised(net, (24, 6)))
    if kind == "ArgMax":
        net.add("Cast", net.add("ArgMax", y, axis=1), to=1)
        net.quantised.pop()
        net.standard[-1].output[0] = net.quantised[-1].output[0]
        net.standard[-2].output[0] = "index"
        net.standard[-1].input[0] = "index"
        net.last = net.quantised[-1].output[0]
    else:
        net.add("TopK", y, net.constant([1], np.int64), outputs=2, axis=1)
        net.last = net.quantised[-1].output[1]
    check(net, x)


def test_attributes_where_newer_files_have_inputs() -> None:
    x = image(4, 5, 5, low=-8, high=7)
    net = Twins(x.shape, opset=9)
    y = net.add("Clip", "x", min=-3.0, max=5.0)
    above = net.add("Sign", net.add("Add", y, net.constant(0.5)))
    y = net.add("Upsample", above, net.constant([1.0, 1.0, 2.0, 2.0]), mode="nearest")
    y = net.add("Slice", y, axes=[1], starts=[1], ends=[4])
    y = net.add("Pad", net.add("Dropout", y), pads=[0, 0, 1, 0, 0, 0, 0, 2], value=0.0)
    y = net.add("Conv", y, net.constant(RANDOM.integers(-1, 2, (2, 3, 3, 3))))
    net.add("Squeeze", net.add("Unsqueeze", y, axes=[2]), axes=[2])
    check(net, x)


def test_an_activation_that_nothing_rounds_is_refused() -> None:
    x = image(4, 5, 5, low=-8, high=7)
    net = Twins(x.shape)
    net.add("Conv", net.add("Relu", "x"), quantised(net, (2, 4, 3, 3)))
    refused(net, x, "been through an activation that was not rounded")


def test_a_network_in_the_style_of_finn() -> None:
    x = image(1, 6, 6, low=0, high=255)
    net = Twins(x.shape, domain="finn.custom_op.general")
    y = net.add("Div", "x", net.constant(255.0))
    y = net.add("Reshape", y, net.constant([1, 36], np.int64))
    y = net.add("Sub", net.add("Mul", y, net.constant(2.0)), net.constant([1.0]))
    y = net.multi_threshold_of_features(y, 0.0)
    y = net.add("MatMul", y, net.constant(RANDOM.choice([-1.0, 1.0], (36, 8))))
    y = net.add("Unsqueeze", y, net.constant([2], np.int64))
    statistics = [RANDOM.normal(size=8), RANDOM.normal(size=8), RANDOM.normal(size=8)]
    names = [net.constant(one) for one in (*statistics, RANDOM.uniform(0.1, 2, 8))]
    y = net.add("BatchNormalization", y, *names)
    y = net.multi_threshold_of_features(net.add("Squeeze", y, net.constant([2], np.int64)), 0.0)
    y = net.add("MatMul", y, net.constant(RANDOM.choice([-1.0, 1.0], (8, 4))))
    y = net.add("Add", net.add("Mul", y, net.constant([0.734])), net.constant([-1.14]))
    net.add("TopK", y, net.constant([1], np.int64), outputs=2, axis=-1)
    net.last = net.quantised[-1].output[1]
    imported = check(net, x)
    kinds = [type(node.op).__name__ for node in imported.graph.nodes]
    assert kinds == ["Input", "Binarize", "Flatten", "Linear", "Binarize", "Linear", "Argmax"]


@pytest.mark.parametrize("name", ["conv1", "P", "x", "return", "conv1.x", "1", ""])
def test_names_of_the_file_meet_those_of_the_text(name: str, tmp_path: Path) -> None:
    x = image(2, 5, 5)
    net = Twins(x.shape)
    y = net.add("Conv", "x", quantised(net, (3, 2, 3, 3)))
    net.quant(net.add("Conv", y, quantised(net, (3, 3, 2, 2))), 1.0, 3)
    model = onnx.ModelProto.FromString(net.model())
    model.graph.input[0].name = model.graph.node[1].input[0] = name or "."
    model.graph.output[0].name = model.graph.node[-1].output[0] = f"{name}.out"
    declared: dict[str | None, Declared] = {None: Declared(-3, 4, Fraction(1))}
    parsed = parse_model(model.SerializeToString(), "m.onnx")
    for network in ("conv1", "x", "net"):
        written = save(import_model(parsed, network, declared), tmp_path)
        assert load(written[0]).networks[network].graph.outputs


def test_classes_of_unlike_scales_are_not_ranked() -> None:
    x = image(24)
    net = Twins(x.shape)
    y = net.add("MatMul", "x", quantised(net, (24, 6)))
    net.add("ArgMax", net.add("Add", y, net.constant(np.arange(6))), axis=1)
    refused(net, x, "integers do not rank them")
