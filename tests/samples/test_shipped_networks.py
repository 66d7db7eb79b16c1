"""The shipped networks of the samples, computed anew from their weights files."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PngImage

from tdsl.frontend.checker import load
from tdsl.frontend.weights import WeightsFile, open_weights
from tdsl.ir.interpreter import run
from tdsl.ir.specialize import specialize

SAMPLES = Path(__file__).parents[2] / "samples"
Image = NDArray[np.int64]


def thermometer(image: Image, levels: int) -> Image:
    """Encode [N, H, W] as [N, levels, H, W]."""
    j, n = np.arange(levels).reshape(-1, 1, 1), 256
    hi = -(-n * (levels + 1 + j) // (2 * levels + 1)) - 1
    lo = -(-n * (levels - j) // (2 * levels + 1))
    x = image[:, None]
    return (x > hi).astype(np.int64) - (x < lo)


def conv3x3(x: Image, w: NDArray[np.integer], dilation: int = 1) -> Image:
    """Convolve [N, C, H, W] with zero padding, one tap after the other."""
    height, width = x.shape[2:]
    d = dilation
    padded = np.pad(x, ((0, 0), (0, 0), (d, d), (d, d))).astype(np.float32)
    taps = (
        np.einsum(
            "nchw,oc->nohw",
            padded[:, :, dy * d : dy * d + height, dx * d : dx * d + width],
            w[:, :, dy, dx].astype(np.float32),
            optimize=True,
        )
        for dy in range(3)
        for dx in range(3)
    )
    return np.asarray(sum(taps), np.int64)


def maxpool2(x: Image) -> Image:
    n, c, h, w = x.shape
    windows = x[:, :, : h // 2 * 2, : w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2)
    return np.asarray(windows.max((3, 5)))


def ternarize(x: Image, file: WeightsFile, step: str) -> Image:
    lo, hi = (file.array(f"{step}.{role}").reshape(-1, 1, 1) for role in ("lo", "hi"))
    return (x > hi).astype(np.int64) - (x < lo)


def test_shipped_classifier_recognises_shipped_images() -> None:
    file = open_weights(SAMPLES / "fashion" / "fashion.safetensors")
    tests = np.load(SAMPLES / "fashion" / "test_images.npz")
    x = thermometer(tests["image"].astype(np.int64), 16)
    for step, pools in (("c1", True), ("c2", False), ("c3", True), ("c4", False), ("c5", True)):
        sums = conv3x3(x, file.array(f"{step}.w"))
        x = ternarize(maxpool2(sums) if pools else sums, file, step)
    scores = x.reshape(len(x), -1) @ file.array("fc.w").astype(np.int64).T
    assert len(scores) >= 200
    assert np.mean(scores.argmax(1) == tests["label"]) >= 0.88


def run_denoiser(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Run the shipped integer denoiser on [H, W]."""
    file = open_weights(SAMPLES / "denoise" / "denoise.safetensors")
    noisy = picture.astype(np.int64)
    x = thermometer(noisy[None], 16)
    features = [x]
    for number, dilation in enumerate((1, 1, 2, 3, 2, 1), start=1):
        x = ternarize(conv3x3(x, file.array(f"e{number}.w"), dilation), file, f"e{number}")
        features.append(x)
    sums = conv3x3(np.concatenate(features, axis=1), file.array("noise.w"))[0, 0]
    noise = -128 + (sums[..., None] > file.array("noise.th")[0]).sum(axis=-1)
    return np.asarray(np.clip(noisy - noise, 0, 255), np.uint8)


def grey(name: str) -> NDArray[np.uint8]:
    with PngImage.open(SAMPLES / "denoise" / f"{name}.png") as picture:
        return np.asarray(picture)


def psnr(picture: NDArray[np.uint8], clean: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / np.mean((picture.astype(float) - clean) ** 2)))


def test_shipped_denoiser_restores_the_shipped_picture() -> None:
    clean, noisy = grey("coffee_160x120"), grey("coffee_160x120_noisy")
    denoised = run_denoiser(noisy)
    np.testing.assert_array_equal(denoised, grey("coffee_160x120_denoised"))
    assert psnr(denoised, clean) > psnr(noisy, clean) + 6.5


def test_source_text_means_the_trained_network() -> None:
    checked = load(SAMPLES / "denoise" / "denoise.tnn").networks["denoise"]
    crop = grey("coffee_160x120_noisy")[40:65, 50:81]
    graph = specialize(checked.graph, {"H": 25, "W": 31})
    outputs = run(graph, checked.arrays, {"img": crop[None].astype(np.int64)})
    np.testing.assert_array_equal(outputs["clean"][0], run_denoiser(crop))


def test_quantize_thresholds_are_spaced_by_a_power_of_two() -> None:
    th = open_weights(SAMPLES / "denoise" / "denoise.safetensors").array("noise.th")
    assert th.shape == (1, 255)
    assert set(np.diff(th[0]).tolist()) == {4}
