"""A network and a frame -> its exact integers in NumPy: what every contestant must compute."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.networks import Layer, Network

Integers = NDArray[np.integer]


def layer_sums(layer: Layer, image: Integers) -> NDArray[np.int32]:
    """The sums `[out, H, W]` of a layer before its pooling."""
    _, height, width = image.shape
    padded = np.pad(image.astype(np.float32), ((0, 0), (1, 1), (1, 1)))
    sums = np.zeros((layer.weight.shape[0], height * width), np.float32)  # exact below 2**24
    for y in range(3):
        for x in range(3):
            window = padded[:, y : y + height, x : x + width].reshape(image.shape[0], -1)
            sums += layer.weight[:, :, y, x].astype(np.float32) @ window
    return sums.astype(np.int32).reshape(-1, height, width)


def layer_output(layer: Layer, image: Integers) -> NDArray[np.int8]:
    """The trits `[out, H / pool, W / pool]` of a layer; averages round half up."""
    sums, pool = layer_sums(layer, image), layer.pool
    channels, height, width = sums.shape
    windows = sums.reshape(channels, height // pool, pool, width // pool, pool)
    if layer.average:
        pooled = (windows.sum(axis=(2, 4)) + pool * pool // 2) // (pool * pool)
    else:
        pooled = windows.max(axis=(2, 4))
    centred, half = pooled - layer.centre[:, None, None], layer.half[:, None, None]
    trits: NDArray[np.int8] = (centred > half).astype(np.int8) - (centred < -half).astype(np.int8)
    return trits


def thermometer(levels: int, image: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Pixels `[C, H, W]` -> trits `[C * levels, H, W]`, evenly spaced."""
    j, values, parts = np.arange(levels), 256, 2 * levels + 1
    high = -(-values * (levels + 1 + j) // parts) - 1
    low = -(-values * (levels - j) // parts)
    pixels = image[:, None].astype(np.int16)
    above, below = pixels > high[:, None, None], pixels < low[:, None, None]
    return (above.astype(np.int8) - below).reshape(-1, *image.shape[1:])


def expected(network: Network, layers: tuple[Layer, ...], image: Integers) -> Integers:
    """The result of the layers and the classifier on trits or raw pixels."""
    for layer in layers:
        image = layer_output(layer, image)
    if network.classifier is None:
        return image
    return network.classifier.astype(np.int32) @ image.reshape(-1)
