"""Arrays given to a network: accepted, or refused with a sentence."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tdsl.ir.values import InputError, check_inputs, first_outside
from tests.builder import Builder, element

GOOD = np.zeros((1, 2, 3), np.uint8)


def checked(elements: str, array: NDArray[Any]) -> NDArray[np.int64]:
    b = Builder("net")
    b.input("img", elements, (1, 2, 3))
    return check_inputs(b.case().graph, {"img": array})["img"]


@pytest.mark.parametrize(
    ("elements", "array", "message"),
    [
        ("u8", GOOD[0], "input `img` needs shape (1, 2, 3), got (2, 3)"),
        ("u8", GOOD.astype(float), "input `img` needs integers (u8[1, 2, 3]), "
         "got an array of float64"),
        ("u4", GOOD + 16, "input `img` is u4[1, 2, 3]: values are 0 to 15, got 16 at [0, 0, 0]"),
        ("bin", GOOD, "input `img` is bin[1, 2, 3]: values are -1 and 1, got 0 at [0, 0, 0]"),
        ("trit", GOOD - 1, "input `img` is trit[1, 2, 3]: values are -1 to 1, "
         "got 255 at [0, 0, 0]"),
        ("i8", np.full((1, 2, 3), 2**64 - 1, np.uint64), "input `img` is i8[1, 2, 3]: values are "
         "-128 to 127, got 18446744073709551615 at [0, 0, 0]"),
    ],
    ids=["shape", "dtype", "range", "bin", "unsigned", "huge"],
)  # fmt: skip
def test_refused(elements: str, array: NDArray[Any], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        checked(elements, array)
    assert str(refusal.value) == message


def test_names_have_to_match() -> None:
    b = Builder("net")
    b.input("now", "u8", (1, 2, 3))
    b.input("before", "u8", (1, 2, 3))
    graph = b.case().graph
    with pytest.raises(InputError, match="needs an array for input `before`: u8"):
        check_inputs(graph, {"now": GOOD})
    with pytest.raises(InputError, match="has no input `img`; its inputs are `now`, `before`"):
        check_inputs(graph, {"now": GOOD, "before": GOOD, "img": GOOD})


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.uint64, np.int64])
def test_every_integer_dtype_is_taken(dtype: type[np.generic]) -> None:
    ones = np.ones((1, 2, 3), dtype)
    out = checked("u1", ones)
    assert out.dtype == np.int64
    assert out.tolist() == [[[1, 1, 1], [1, 1, 1]]]


def test_first_outside_finds_the_first() -> None:
    assert first_outside(np.array([[0, 3], [4, 9]]), element("u2")) == (1, 0)
    assert first_outside(np.array([[0, 3], [3, 0]]), element("u2")) is None
    assert first_outside(np.array([-1, 1, 0]), element("bin")) == (2,)
