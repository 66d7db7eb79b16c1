"""Every integer of an accumulator's range: thresholds against onnxruntime's floats.

The input stands for the accumulator: each channel holds every integer of its range once.
"""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from tdsl.ir import ops
from tests.importer.twins import Floats, Integers, Twins, check

LOW, HIGH = -700, 699
QUANTS: dict[str, dict[str, Any]] = {
    "trit": {"bits": 2, "narrow": True},
    "i2": {"bits": 2},
    "u1": {"bits": 1, "signed": False},
    "u2": {"bits": 2, "signed": False},
    "i4": {"bits": 4},
    "u4 narrow": {"bits": 4, "signed": False, "narrow": True},
    "i8": {"bits": 8, "narrow": True},
    "u8": {"bits": 8, "signed": False},
    "i1": {"bits": 1},
}
MODES = ("ROUND", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN")


def every_integer(channels: int) -> Integers:
    """(1, channels, 1, HIGH - LOW + 1): each channel holds LOW..HIGH."""
    return np.tile(np.arange(LOW, HIGH + 1), (1, channels, 1, 1))


def statistics(random: np.random.Generator, channels: int) -> list[Floats]:
    """Scale, bias, mean and variance; a third of the factors negative, one zero."""
    scale = random.normal(0, 1.2, channels)
    scale[0], scale[1] = 0, -abs(scale[1])
    rest = (
        random.normal(0, 1, channels),
        random.normal(0, 90, channels),
        random.uniform(1, 9e4, channels),
    )
    return [np.asarray(one, np.float32) for one in (scale, *rest)]


@pytest.mark.parametrize("name", QUANTS)
@pytest.mark.parametrize("seed", range(3))
def test_batch_norm_and_quantiser_on_every_integer(name: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    channels = 6
    image = every_integer(channels)
    net = Twins(image.shape)
    names = [net.constant(one) for one in statistics(random, channels)]
    y = net.add("BatchNormalization", "x", *names, epsilon=1e-3)
    options = QUANTS[name]
    if name == "i1":
        net.bipolar(y, random.uniform(0.1, 2))
    else:
        scale = random.uniform(0.01, 1, (1, channels, 1, 1)) if seed else 0.5
        net.quant(y, scale, **options)
    imported = check(net, image)
    (fold,) = imported.folds
    assert fold.proof.exhaustive
    assert fold.proof.integers == image.size
    assert fold.proof.fragile == 0
    assert fold.turned > 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("narrow", [False, True])
def test_ties_in_every_rounding_mode(mode: str, narrow: bool) -> None:
    image = every_integer(2)
    net = Twins(image.shape)
    y = net.add("Mul", "x", net.constant(np.array([0.5, -0.25]).reshape(1, 2, 1, 1)))
    net.quant(y, 1.0, 4, narrow=narrow, mode=mode)
    imported = check(net, image)
    assert (imported.folds[0].proof.ties > 0) == (mode in ("ROUND", "HALF_UP", "HALF_DOWN"))


def test_a_tie_of_a_ternary_activation_is_zero() -> None:
    image = every_integer(1)
    net = Twins(image.shape)
    net.quant(net.add("Mul", "x", net.constant(0.5)), 1.0, 2, narrow=True)
    imported = check(net, image)
    # x / 2 is a tie at -1 and +1, which goes to the even 0: +1 begins at 2, -1 at -2.
    assert imported.graph.nodes[-1].op == ops.Ternarize(ops.Constant((-1,)), ops.Constant((1,)))
    assert imported.folds[0].proof.ties == 2


@pytest.mark.parametrize("seed", range(4))
def test_thresholds_at_integers_and_between(seed: int) -> None:
    random = np.random.default_rng(seed)
    channels = 3 if seed % 2 else 1
    count = (1, 2, 3, 5)[seed]
    table = np.sort(random.integers(-300, 300, (channels, count)) + (seed > 2) * 0.5)
    image = every_integer(3)
    net = Twins(image.shape, domain="finn.custom_op.general")
    bias = (-0.5, -1.0, 0.0, 0.25)[seed]
    net.multi_threshold("x", table.astype(np.float32), 1.0, bias)
    check(net, image)


@pytest.mark.parametrize("bias", [-1.0, 0.0])
def test_bipolar_thresholds(bias: float) -> None:
    image = every_integer(2)
    net = Twins(image.shape)
    net.multi_threshold("x", np.array([[5.0], [-3.5]], np.float32), 2.0, bias)
    imported = check(net, image)
    kinds = {-1.0: "bin", 0.0: "u1"}
    assert str(imported.graph.nodes[-1].type.element) == kinds[bias]


@pytest.mark.parametrize("zero", [3.0, 128.0, -2.0])
@pytest.mark.parametrize("signed", [False, True])
def test_zero_points(zero: float, signed: bool) -> None:
    image = every_integer(2)
    net = Twins(image.shape)
    net.quant(net.add("Mul", "x", net.constant(0.37)), 0.5, 5, zero=zero, signed=signed)
    check(net, image)


def test_relu_clip_and_leaky_relu_before_a_quantiser() -> None:
    image = every_integer(2)
    net = Twins(image.shape)
    y = net.add("Relu", net.add("Add", "x", net.constant([[[7.5]], [[-3.0]]])))
    y = net.add("Clip", net.add("Mul", y, net.constant(0.02)), net.constant(0.5), net.constant(6.0))
    y = net.add("LeakyRelu", net.add("Sub", y, net.constant(3.1)), alpha=0.125)
    y = net.add("Sub", net.constant(0.3), net.add("Div", y, net.constant(1.7)))
    net.quant(net.add("Neg", y), 0.11, 4)
    check(net, image)


def test_a_constant_in_front_turns_every_channel() -> None:
    image = every_integer(2)
    net = Twins(image.shape)
    net.quant(net.add("Sub", net.constant(1.25), "x"), 50.0, 3)
    imported = check(net, image)
    assert imported.folds[0].turned == 2


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_quantize_clip_dequantize(dtype: type[np.generic]) -> None:
    image = every_integer(3)
    net = Twins(image.shape)
    scales = net.constant([0.31, 2.0, 11.0])
    zeros = net.constant([0, 0, 0], dtype)
    y = net.add("QuantizeLinear", "x", scales, zeros, axis=1)
    low, high = (-7, 7) if dtype is np.int8 else (0, 15)
    y = net.add("Clip", y, net.constant(low, dtype), net.constant(high, dtype))
    net.add("DequantizeLinear", y, scales, zeros, axis=1)
    check(net, image)


@pytest.mark.parametrize("zero", [0, 77, 128, 255])
def test_asymmetric_codes(zero: int) -> None:
    image = every_integer(1)
    net = Twins(image.shape)
    scale, code = net.constant(0.9), net.constant(zero, np.uint8)
    net.add("DequantizeLinear", net.add("QuantizeLinear", "x", scale, code), scale, code)
    imported = check(net, image)
    kinds = {0: "u8", 128: "i8"}
    assert str(imported.graph.nodes[-1].type.element) == kinds.get(zero, "u8")


def test_a_large_range_is_folded_by_bisection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tdsl.importer.thresholds.MOST_EXHAUSTIVE", 100)
    image = every_integer(4)
    net = Twins(image.shape)
    names = [net.constant(one) for one in statistics(np.random.default_rng(5), 4)]
    net.quant(net.add("BatchNormalization", "x", *names), 0.2, 4)
    imported = check(net, image)
    assert not imported.folds[0].proof.exhaustive
