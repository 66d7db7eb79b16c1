"""Sizes: one normal form, exact under evaluation, printed as the language writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdsl.ir.size import (
    ProductOfSymbols,
    Size,
    ceil_divide,
    evaluate,
    product,
    substitute,
    symbol,
    symbols_of,
)

H, W = symbol("H"), symbol("W")
VALUES = st.fixed_dictionaries({"H": st.integers(1, 300), "W": st.integers(1, 300)})


def _added(a: Size, b: Size) -> Size:
    return a + b


def _subtracted(a: Size, b: Size) -> Size:
    return a - b


def _scaled(a: Size, k: int) -> Size:
    return a * k


def _divided(a: Size, k: int) -> Size:
    return a // k


def _remainder(a: Size, k: int) -> Size:
    return a % k


def _larger(inner: st.SearchStrategy[Size]) -> st.SearchStrategy[Size]:
    return st.one_of(
        st.builds(_added, inner, inner),
        st.builds(_subtracted, inner, inner),
        st.builds(_scaled, inner, st.integers(-4, 4)),
        st.builds(_divided, inner, st.integers(1, 6)),
        st.builds(_remainder, inner, st.integers(1, 6)),
    )


LEAVES: st.SearchStrategy[Size] = st.one_of(st.integers(-9, 9), st.sampled_from([H, W]))
SIZES = st.recursive(LEAVES, _larger, max_leaves=6)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (H // 2 * 2, "2 * floor(H / 2)"),
        ((H + 1) // 2, "floor((H + 1) / 2)"),
        (H // 2 // 2, "floor(H / 4)"),
        ((2 * H + 1) // 4, "floor(H / 2)"),
        (4 - H, "4 - H"),
        (-H - 3, "-H - 3"),
        (3 * H + 2 * W - 5, "3 * H + 2 * W - 5"),
        (H % 4, "H - 4 * floor(H / 4)"),
        (ceil_divide(H, 2), "floor((H + 1) / 2)"),
        ((-H) // 2, "floor(H / 2) - H"),
        (H - H, "0"),
        ((H - 2) // 2 + 1, "floor(H / 2)"),
    ],
)
def test_sizes_print_as_the_language_writes_them(size: Size, text: str) -> None:
    assert str(size) == text


@given(SIZES, SIZES, VALUES)
def test_arithmetic_means_what_integers_do(a: Size, b: Size, values: dict[str, int]) -> None:
    x, y = evaluate(a, values), evaluate(b, values)
    assert evaluate(a + b, values) == x + y
    assert evaluate(a - b, values) == x - y
    assert evaluate(a * 3, values) == 3 * x
    assert evaluate(a // 5, values) == x // 5
    assert evaluate(a % 7, values) == x % 7


@given(SIZES, SIZES)
def test_the_normal_form_does_not_depend_on_the_way_there(a: Size, b: Size) -> None:
    assert a + b == b + a
    assert (a + b) - b == a
    assert (a + 6 * b) // 6 == a // 6 + b
    assert hash(a + b) == hash(b + a)


@given(SIZES, VALUES)
def test_substitution_of_numbers_is_evaluation(a: Size, values: dict[str, int]) -> None:
    assert substitute(a, values) == evaluate(a, values)


def test_products_of_symbols_are_refused() -> None:
    with pytest.raises(ProductOfSymbols):
        _ = H * W
    with pytest.raises(ProductOfSymbols):
        _ = H // W
    with pytest.raises(ProductOfSymbols):
        _ = 8 // H
    with pytest.raises(ProductOfSymbols):
        _ = 8 % H
    with pytest.raises(ProductOfSymbols):
        product((2, H, W))


def test_symbols_are_found_inside_floors() -> None:
    assert symbols_of((H + W) // 2 + 1) == {"H", "W"}
    assert symbols_of(3) == frozenset()
