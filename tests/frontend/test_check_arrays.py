"""Messages about arrays, word by word: the wrong name, the wrong shape, crossed thresholds."""

from pathlib import Path

import numpy as np
import pytest

from tdsl.diagnostics import CompileError
from tdsl.frontend.checker import load
from tests.frontend.check_files import save_npz

LENET = {
    "c1.w": (16, 1, 5, 5),
    "c1.lo": (16,),
    "c1.hi": (16,),
    "c2.w": (32, 16, 5, 5),
    "c2.lo": (32,),
    "c2.hi": (32,),
    "f1.w": (96, 800),
    "f1.lo": (96,),
    "f1.hi": (96,),
    "f2.w": (10, 96),
}

MISSING = """tnn 1
weights P = "lenet.npz"

network n(img: u8[1, 28, 28]) -> trit[16, 14, 14] from P {
    x     = img -> ternarize(lo = 85, hi = 170)
    conv1 = x -> conv(16, 5x5, w = P.conv1.weight) -> maxpool(2)
    return conv1 -> ternarize(lo = P.c1.lo, hi = P.c1.hi)
}
"""
MISSING_MESSAGE = """error[E0401]: `lenet.npz` has no array `conv1.weight`
 --> net.tnn:6:32
  |
6 |     conv1 = x -> conv(16, 5x5, w = P.conv1.weight) -> maxpool(2)
  |                                ^^^^^^^^^^^^^^^^^^ a 16x1x5x5 array is needed here
  |
  = note: the file holds 10 arrays; the closest is `c1.w` (16, 1, 5, 5)
  = help: write `w = P.c1.w`"""

SHAPE = """tnn 1
weights P = "lenet.npz"

network n(x: trit[8, 14, 14]) -> trit[32, 14, 14] from P {
    c2 = x -> conv(32, 5x5) -> ternarize
    return c2
}
"""
SHAPE_MESSAGE = """error[E0402]: array `c2.w` does not fit this operation
 --> net.tnn:5:15
  |
5 |     c2 = x -> conv(32, 5x5) -> ternarize
  |               ^^^^^^^^^^^^^ needs shape (32, 8, 5, 5)
  |
  = note: `lenet.npz` holds `c2.w` with shape (32, 16, 5, 5)
  = note: the array expects 16 input channels, this layer receives 8"""

CROSSED = """tnn 1
weights P = "swapped.npz"

network n(x: trit[8, 14, 14]) -> trit[16, 14, 14] from P {
    c = x -> conv(16, 3x3) -> ternarize
    return c
}
"""
CROSSED_MESSAGE = """error[E0403]: the lower threshold is above the upper one
 --> net.tnn:5:31
  |
5 |     c = x -> conv(16, 3x3) -> ternarize
  |                               ^^^^^^^^^ channel 3: lo = 7, hi = -2
  |
  = note: 2 of 16 channels are affected, read from `c.lo` and `c.hi` in `swapped.npz`
  = note: `ternarize` gives +1 above hi, -1 below lo, 0 from lo to hi
  = help: a negative batch-norm scale swaps the two: \
on export negate that channel's weights, lo and hi"""


@pytest.mark.parametrize(
    ("source", "message"),
    [(MISSING, MISSING_MESSAGE), (SHAPE, SHAPE_MESSAGE), (CROSSED, CROSSED_MESSAGE)],
    ids=["missing", "shape", "crossed"],
)
def test_messages_about_arrays(source: str, message: str, tmp_path: Path) -> None:
    save_npz(tmp_path / "lenet.npz", {k: np.zeros(s, np.int8) for k, s in LENET.items()})
    lo, hi = np.full(16, -3), np.full(16, 3)
    lo[3], hi[3], lo[9], hi[9] = 7, -2, 4, 1
    arrays = {"c.w": np.zeros((16, 8, 3, 3)), "c.lo": lo, "c.hi": hi}
    save_npz(tmp_path / "swapped.npz", arrays)
    (tmp_path / "net.tnn").write_text(source)
    with pytest.raises(CompileError) as caught:
        load(tmp_path / "net.tnn")
    assert str(caught.value).replace(str(tmp_path) + "/", "") == message
