"""Every sample: checked, in the standard layout, run on its own pictures, equal to its meaning."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tdsl.api import load
from tdsl.frontend.formatter import format_source
from tdsl.ir.interpreter import run
from tdsl.ir.specialize import specialize
from tdsl.resources import samples_folder

SAMPLES = sorted(samples_folder().glob("*/*.tnn"))
LARGEST = 160
"""Pictures are cut to this size: the reference is slow."""


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_in_the_standard_layout(path: Path) -> None:
    text = path.read_text("utf-8")
    assert format_source(text, str(path)) == text


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_says_what_it_is(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert next(line for line in lines if line != "tnn 1").startswith("## ")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_runs_on_its_own_picture(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = load(path)
    channels = net.inputs[0].shape[0]
    picture = next(
        array
        for array in (_cut(png, channels) for png in sorted(path.parent.glob("*.png")))
        if all(
            want in (None, have)
            for want, have in zip(net.inputs[0].shape, array.shape, strict=True)
        )
    )
    frames = [np.roll(picture, 5 * place, axis=2) for place in range(len(net.inputs))]
    result = net(*frames)
    arrays = {
        port.name: frame.astype(np.int64) for port, frame in zip(net.inputs, frames, strict=True)
    }
    graph = specialize(net.checked.graph, net.sizes_of(arrays))
    for name, expected in run(graph, net.checked.arrays, arrays).items():
        assert np.array_equal(result[name], expected)
    assert result.cost.cycles > 0


def test_the_weights_of_the_first_sample_are_those_of_its_script(tmp_path: Path) -> None:
    folder = samples_folder() / "first"
    script = tmp_path / "make_weights.py"
    script.write_bytes((folder / "make_weights.py").read_bytes())
    runpy.run_path(str(script))
    with np.load(folder / "first.npz") as shipped, np.load(tmp_path / "first.npz") as made:
        assert list(shipped) == list(made)
        assert all(np.array_equal(shipped[name], made[name]) for name in shipped)


def _cut(path: Path, channels: int | None) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A corner of a picture as [1, H, W] or [3, H, W]."""
    with Image.open(path) as picture:
        array = np.array(picture.convert("L" if channels == 1 else "RGB"))[:LARGEST, :LARGEST]
    return np.moveaxis(array.reshape(*array.shape[:2], -1), -1, 0)
