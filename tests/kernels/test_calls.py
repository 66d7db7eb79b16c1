"""Kernels called on images: against plain NumPy, with their shapes, types, caches and refusals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tdsl import CompileError, Kernel
from tests.kernels import examples

Array = np.ndarray[Any, np.dtype[Any]]
SIZES = [(1, 1), (3, 63), (5, 64), (4, 65), (60, 80), (2, 257)]


def images(height: int, width: int, low: int = 0, high: int = 255, count: int = 1) -> Array:
    """Images of random values."""
    return np.random.default_rng(height * width).integers(low, high + 1, (count, height, width))


def neighbours(img: Array, mode: str) -> list[Array]:
    """The 3x3 neighbours of every pixel, line by line."""
    height, width = img.shape
    padded = np.pad(img, 1, mode=mode)  # type: ignore[call-overload]
    return [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_motion(height: int, width: int) -> None:
    a, b = images(height, width, count=2).astype(np.uint8)
    wanted = np.abs(a.astype(int) - b) > 12
    assert np.array_equal(examples.changed(a, b), wanted)
    assert np.array_equal(examples.changed(a, before=b, thr=100), np.abs(a.astype(int) - b) > 100)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_stencils(height: int, width: int) -> None:
    (img,) = images(height, width)
    n = neighbours(img, "edge")
    gx = n[2] + 2 * n[5] + n[8] - n[0] - 2 * n[3] - n[6]
    gy = n[6] + 2 * n[7] + n[8] - n[0] - 2 * n[1] - n[2]
    assert np.array_equal(examples.sobel(img), np.minimum(np.abs(gx) + np.abs(gy), 255))
    wanted = np.median(np.stack(neighbours(img, "constant")), axis=0)
    assert np.array_equal(examples.median(img), wanted)


def test_blurring_twice_is_one_formula() -> None:
    (img,) = images(20, 30)

    def blur(padded: Array) -> Array:
        height, width = padded.shape
        total = sum(
            w * padded[y : height - 2 + y, x : width - 2 + x]
            for y, line in enumerate(examples.WEIGHTS)
            for x, w in enumerate(line)
        )
        return np.asarray((total + 8) >> 4)

    assert np.array_equal(examples.blur(img), blur(np.pad(img, 1, mode="edge")))
    # Outside the image the formula goes on, on the nearest pixels of the input.
    assert np.array_equal(examples.twice_blurred(img), blur(blur(np.pad(img, 2, mode="edge"))))


def test_totals_are_numbers() -> None:
    (img,) = images(33, 70)
    bins, total, white, complement = examples.exposure(img)
    assert bins.tolist() == np.histogram(img, 8, (0, 256))[0].tolist()
    assert (total, white) == (int(img.sum()), int((img == 255).any()))
    assert isinstance(total, int)
    assert np.array_equal(complement, 255 - img)
    result = examples.exposure.run(img)
    assert list(result.outputs) == ["result_0", "result_1", "result_2", "result_3"]


def test_channels() -> None:
    rgb = images(9, 66, count=3)
    weights = np.array([77, 150, 29])[:, None, None]
    assert np.array_equal(examples.luma(rgb), (weights * rgb).sum(0) >> 8)
    two = examples.spread(rgb[0])
    assert two.tolist() == [rgb[0].tolist(), (rgb[0] >> 1).tolist()]
    assert examples.spread(rgb[0], flip=True).tolist() == two[::-1].tolist()


def test_a_kernel_without_channels_works_on_each() -> None:
    rgb = images(5, 65, count=3)
    assert np.array_equal(examples.sobel(rgb), np.stack([examples.sobel(one) for one in rgb]))
    bins, totals, _, _ = examples.exposure(rgb)
    assert totals.tolist() == rgb.sum((1, 2)).tolist()
    assert bins.tolist() == [examples.exposure(one)[0].tolist() for one in rgb]
    assert examples.spread(rgb).shape == (3, 2, 5, 65)
    assert np.array_equal(examples.spread(rgb)[:, 1], rgb >> 1)


def test_trits() -> None:
    a, b = images(7, 64, -1, 1, count=2)
    smaller, larger, product, opposite, numbers = examples.gates(a, b)
    assert np.array_equal(smaller, np.minimum(a, b))
    assert np.array_equal(larger, np.maximum(a, b))
    assert np.array_equal(product, -(a * b))
    assert np.array_equal(opposite, -a)
    assert np.array_equal(numbers, a + 2 * b)
    assert smaller.dtype == np.int8


def test_bits() -> None:
    a, b = images(7, 64, count=2)
    a[0, 0], b[0, :9] = 255, 7
    joined, other, ones, low, both, signed = examples.bits(a, b)
    assert np.array_equal(joined, a & b | 1)
    assert np.array_equal(other, a ^ b)
    assert np.array_equal(ones, np.bitwise_count(a))
    assert np.array_equal(low, (a + b) % 256)
    assert np.array_equal(both, -((a > 10) & (a <= 200) & (b != 7)).astype(int))
    assert np.array_equal(signed, (a - b).astype(np.int8))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_arithmetic(n: int) -> None:
    (a,), (b,) = images(7, 64, -128, 127), images(7, 64)
    product, quarter, total, rest = examples.arithmetic(a, b, n=n)
    assert np.array_equal(product, a * b)
    assert np.array_equal(quarter, (a - b) // 4)
    assert np.array_equal(total, a + (n if n > 2 else -n) * b)
    assert np.array_equal(rest, b * b % 1024 + (a < 0))
    assert rest.dtype == np.uint16


def test_micro_ops_have_the_cost_that_is_declared() -> None:
    x, w = images(6, 65, -1, 1, count=2)
    acc = images(6, 65, -32768, 32767)[0]
    acc[0, 0], x[0, 0], w[0, 0] = 32767, 1, 1
    wanted = (acc + x * w).astype(np.int16)
    assert np.array_equal(examples.tmac(acc, x, w), wanted)
    few, many = (examples.dot.run(x, w, acc, taps=taps) for taps in (1, 5))
    assert np.array_equal(few.value, wanted)
    assert np.array_equal(many.value, (acc + 5 * x * w).astype(np.int16))
    for result, taps in ((few, 1), (many, 5)):
        declared = result.cost.declared
        assert declared is not None
        assert declared.cycles % (2 * taps) == 0 < declared.cycles
        macros = declared.energy_pj / (0.25 * declared.cycles / 2)
        assert macros in range(1, 65)
    assert examples.changed.run(acc & 1, acc & 1).cost.declared is None


@pytest.mark.parametrize(("mode", "dtype"), [("L", np.uint8), ("1", np.uint8), ("RGB", np.uint8)])
def test_pillow_images(mode: str, dtype: type[np.generic]) -> None:
    picture = Image.fromarray(images(8, 9, count=3).transpose(1, 2, 0).astype(np.uint8), "RGB")
    array = np.asarray(picture.convert(mode), dtype=dtype)
    found = examples.changed(picture.convert(mode), picture.convert(mode), thr=0)
    assert found.shape == ((3, 8, 9) if mode == "RGB" else array.shape)
    assert not found.any()


def test_programs_are_kept() -> None:
    a, b = images(4, 64, count=2)
    first = examples.changed.rows(thr=5)
    assert examples.changed.rows(thr=5) is first
    assert examples.changed.rows(thr=6) != first
    examples.changed(a, b)
    cost = examples.changed.cost
    assert cost is not None
    assert cost.cycles > 0
    assert cost.machine == "nearmem-1mb"
    examples.changed(a, b, machine="csram-128")
    assert examples.changed.cost is not None
    assert examples.changed.cost.machine == "csram-128"


def test_a_program_of_a_kernel_can_be_kept(tmp_path: Any) -> None:
    program = examples.changed.compile((65, 4), thr=3)
    program.save(tmp_path / "changed.tprog")
    assert [port.name for port in program.inputs] == ["now", "before"]
    assert program.inputs[0].shape == (1, 4, 65)


GREY = np.zeros((4, 5), np.uint8)


def _no_picture() -> Any:
    return examples.changed(Image.new("RGBA", (5, 4)), GREY)


REFUSED: list[tuple[str, str, Callable[[], Any]]] = [
    ("K0201", "missing", lambda: examples.changed(GREY)),
    ("K0201", "too many", lambda: examples.changed(GREY, GREY, 3, 4)),
    ("K0201", "unexpected", lambda: examples.changed(GREY, GREY, trh=3)),
    ("K0201", "there is no `x`", lambda: examples.changed.rows(x=3)),
    ("K0202", "0.5", lambda: examples.changed(GREY, GREY, thr=0.5)),
    ("K0202", "Const[bool]", lambda: examples.spread(GREY, flip=2)),
    ("K0203", "float64", lambda: examples.sobel(GREY / 255)),
    ("K0203", "<U1", lambda: examples.sobel(np.array([["a"]]))),
    ("K0203", "RGBA", _no_picture),
    ("K0204", "[5]", lambda: examples.sobel(GREY[0])),
    ("K0204", "[9, 9, 3]", lambda: examples.sobel(np.zeros((9, 9, 3), np.uint8))),
    ("K0204", "[0, 5]", lambda: examples.sobel(GREY[:0])),
    ("K0204", "[3, H, W]", lambda: examples.luma(GREY)),
    ("K0204", "[3, H, W]", lambda: examples.luma(np.zeros((2, 4, 4), np.uint8))),
    ("K0205", "[4, 5] and [3, 5]", lambda: examples.changed(GREY, GREY[:3])),
    ("K0205", "differ", lambda: examples.changed(np.zeros((2, 4, 5), int), GREY)),
    ("K0206", "256 at [0, 0]", lambda: examples.sobel(GREY.astype(int) + 256)),
    ("K0206", "-1 at [0, 0]", lambda: examples.sobel(GREY.astype(int) - 1)),
    ("E0710", "nowhere", lambda: examples.sobel(GREY, machine="nowhere")),
]


@pytest.mark.parametrize(("code", "told", "call"), REFUSED)
def test_calls_that_misfit_are_refused(code: str, told: str, call: Callable[[], Any]) -> None:
    with pytest.raises(CompileError) as caught:
        call()
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert told in found.message
    assert found.helps


def test_a_kernel_is_still_its_function() -> None:
    assert isinstance(examples.changed, Kernel)
    assert examples.changed.__name__ == "changed"
    assert examples.changed.__doc__ == "Where two pictures differ by more than `thr`."
