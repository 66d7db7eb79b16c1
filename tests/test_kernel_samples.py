"""Every kernel sample: as a script it makes the picture shipped; its kernels mean what they say."""

import runpy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tdsl.kernel_calls import Kernel
from tdsl.resources import samples_folder
from tdsl.rows.meaning import evaluate
from tdsl_runtime.description import machines

FOLDER = samples_folder() / "kernels"
SAMPLES = sorted(FOLDER.glob("*.py"))


def sample(path: Path) -> dict[str, Any]:
    """The names of a sample."""
    return runpy.run_path(str(path))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_makes_its_picture(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in FOLDER.glob("*"):
        if file.is_file():
            shutil.copy(file, tmp_path)
    made = tmp_path / f"{path.stem}.png"
    made.unlink(missing_ok=True)
    runpy.run_path(str(tmp_path / path.name), run_name="__main__")
    assert "cycles" in capsys.readouterr().out
    shipped = path.with_suffix(".png")
    assert made.exists() == shipped.exists()
    if shipped.exists():
        with Image.open(made) as new, Image.open(shipped) as old:
            np.testing.assert_array_equal(np.asarray(new), np.asarray(old))


@pytest.mark.parametrize("machine", machines())
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_its_kernels_mean_what_they_say(path: Path, machine: str) -> None:
    kernels = [found for found in sample(path).values() if isinstance(found, Kernel)]
    assert kernels
    kernel = kernels[-1]
    rows = kernel.rows()
    rng = np.random.default_rng(0)
    shape = (61, 83)
    images = {i.name: rng.integers(i.range.low, i.range.high + 1, (1, *shape)) for i in rows.inputs}
    found = kernel.run(*(image[0] for image in images.values()), machine=machine)
    for name, expected in evaluate(rows, images).items():
        np.testing.assert_array_equal(np.ravel(found.outputs[name]), expected.ravel())


def test_sobel_and_median_against_plain_numpy() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (31, 47)).astype(np.uint8)
    wide: NDArray[np.int64] = np.pad(image.astype(np.int64), 1, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(wide, (3, 3))
    median = sample(FOLDER / "median.py")["median"]
    np.testing.assert_array_equal(median(image), np.median(windows, axis=(2, 3)))
    weights = np.outer([1, 2, 1], [-1, 0, 1])
    gx, gy = (np.abs((windows * w).sum(axis=(2, 3))) for w in (weights, weights.T))
    sobel = sample(FOLDER / "sobel.py")["sobel"]
    np.testing.assert_array_equal(sobel(image), np.minimum((gx + gy) >> 1, 255))


def test_motion_and_exposure_against_plain_numpy() -> None:
    rng = np.random.default_rng(2)
    now, before = rng.integers(0, 256, (2, 30, 70)).astype(np.uint8)
    changed = sample(FOLDER / "motion.py")["changed"]
    distance = np.abs(now.astype(int) - before)
    np.testing.assert_array_equal(changed(now, before, thr=40), distance > 40)
    counts, black, white = sample(FOLDER / "exposure.py")["exposure"](now)
    assert list(counts) == np.histogram(now, 16, (0, 256))[0].tolist()
    assert (black, white) == ((now == 0).sum(), (now == 255).sum())
