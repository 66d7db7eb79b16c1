"""Seeds -> the benchmarked networks: shapes, random ternary weights, integer thresholds.

A network is described once, here; `peers` builds its int8 and float twins from the description and
`tnn` writes it as a `.tnn` file. Thresholds are `centre +- half`, so an int8 runtime that computes
clip(round((sum - centre) / (2 half + 1)), -1, 1) computes exactly the same ternary layer.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRIT_DEVIATION = math.sqrt(2 / 3)
MAX_OF_FOUR = 1.03  # mean of the largest of four normal variables, in deviations
THIRD = 0.43  # +-0.43 deviations cut a normal distribution into equal thirds


@dataclass(frozen=True, slots=True)
class Layer:
    """A 3x3 convolution (padding 1), an optional pooling, thresholds centre +- half.

    `weight` is int8 `[out, in, 3, 3]` in {-1, 0, 1}; `centre` and `half` are int32 `[out]`.
    `average` replaces the maximum by the mean over the whole `pool` x `pool` window.
    """

    weight: NDArray[np.int8]
    centre: NDArray[np.int32]
    half: NDArray[np.int32]
    pool: int = 1
    average: bool = False


@dataclass(frozen=True, slots=True)
class Network:
    """Layers on an image of `channels` x `height` x `width`.

    `levels` is the number of thermometer planes a pixel channel becomes, None for a ternary
    input. `raw_first` is the first layer of the int8 and float twins, which read pixels.
    `classifier` is int8 `[classes, features]`.
    """

    name: str
    channels: int
    height: int
    width: int
    layers: tuple[Layer, ...]
    levels: int | None = None
    raw_first: Layer | None = None
    classifier: NDArray[np.int8] | None = None

    @property
    def twin_layers(self) -> tuple[Layer, ...]:
        """The layers an int8 or float runtime executes."""
        return self.layers if self.raw_first is None else (self.raw_first, *self.layers[1:])


def macs(network: Network, layers: tuple[Layer, ...]) -> int:
    """Multiply-accumulates of one frame, borders counted as full windows, no channel padding."""
    height, width, total = network.height, network.width, 0
    for layer in layers:
        total += height * width * layer.weight.size
        height, width = height // layer.pool, width // layer.pool
    return total + (0 if network.classifier is None else network.classifier.size)


def random_layer(
    rng: np.random.Generator,
    inputs: int,
    outputs: int,
    pool: int = 1,
    average: bool = False,
    input_mean: float = 0.0,
    input_deviation: float = TRIT_DEVIATION,
) -> Layer:
    """Uniform random trits and thresholds that give all three values about equally often."""
    weight = rng.integers(-1, 2, (outputs, inputs, 3, 3), dtype=np.int8)
    deviation = math.sqrt(inputs * 9) * TRIT_DEVIATION * input_deviation
    drift = weight.sum(axis=(1, 2, 3), dtype=np.int32) * input_mean
    drift += deviation * MAX_OF_FOUR if pool > 1 and not average else 0
    jitter = rng.integers(-2, 3, outputs)
    half = np.maximum(
        1, THIRD * deviation / (pool if average else 1) + rng.integers(-2, 3, outputs)
    )
    return Layer(weight, (drift + jitter).astype(np.int32), half.astype(np.int32), pool, average)


def single_layer(channels: int, seed: int = 1) -> Network:
    """One 3x3 layer on 160x120 trits."""
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, channels, channels)
    return Network(f"conv3x3_{channels}", channels, 120, 160, (layer,))


def raw_layer(rng: np.random.Generator, channels: int, outputs: int) -> Layer:
    """A first layer that reads unsigned 8-bit pixels."""
    return random_layer(rng, channels, outputs, input_mean=127.5, input_deviation=147.0)


def cifar10(seed: int = 2) -> Network:
    """The CUTIE-like CIFAR-10 network: eight 3x3 layers of 96 channels and a classifier."""
    rng = np.random.default_rng(seed)
    pools = (1, 1, 2, 1, 2, 1, 2)
    layers = tuple(random_layer(rng, 96, 96, pool) for pool in pools)
    last = random_layer(rng, 96, 96, 4, average=True)
    classifier = rng.integers(-1, 2, (10, 96), dtype=np.int8)
    raw = raw_layer(rng, 3, 96)
    return Network("cifar10", 3, 32, 32, (*layers, last), 32, raw, classifier)


def vga_stack(seed: int = 3, depth: int = 4) -> Network:
    """A grey 640x480 image, 16 thermometer planes -> 64 channels, then `depth` 64->64 layers."""
    rng = np.random.default_rng(seed)
    layers = tuple(random_layer(rng, 64, 64) for _ in range(depth))
    first, raw = random_layer(rng, 16, 64), raw_layer(rng, 1, 64)
    return Network("vga_stack", 1, 480, 640, (first, *layers), 16, raw)


def all_networks() -> tuple[Network, ...]:
    """Every benchmarked network, smallest frame first."""
    return cifar10(), single_layer(64), single_layer(128), vga_stack()


def random_input(network: Network, seed: int = 0) -> NDArray[np.int8] | NDArray[np.uint8]:
    """One frame `[channels, height, width]`: pixels, or trits where the network has no pixels."""
    rng = np.random.default_rng(seed)
    shape = network.channels, network.height, network.width
    if network.levels is None:
        return rng.integers(-1, 2, shape, dtype=np.int8)
    return rng.integers(0, 256, shape, dtype=np.uint8)
