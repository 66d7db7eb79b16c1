"""Conditions: what they prove, what they simplify, which ones would help."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tdsl.ir.condition import (
    Condition,
    Truth,
    Where,
    bounds,
    condition_text,
    contradictory,
    decide,
    find,
    holds,
    prove,
    samples,
    simplify,
    suggest,
)
from tdsl.ir.size import Size, evaluate, symbol

H, W = symbol("H"), symbol("W")
EVEN: Where = ((H % 2, "==", 0),)
BY_4: Where = ((H % 4, "==", 0), (H, ">=", 16))


@pytest.mark.parametrize(
    ("size", "where", "text"),
    [
        (H // 2 * 2, EVEN, "H"),
        (H // 2 * 2, (), "2 * floor(H / 2)"),
        (H // 4 * 4, BY_4, "H"),
        ((H + 1) // 2, BY_4, "floor(H / 2)"),
        (H // 2, BY_4, "floor(H / 2)"),
        (H // 3, BY_4, "floor(H / 3)"),
        (H + W, ((H, "==", 8),), "W + 8"),
        (H // 3 * 3, ((H % 3, "==", 1),), "H - 1"),
    ],
)
def test_conditions_simplify_sizes(size: Size, where: Where, text: str) -> None:
    assert str(simplify(size, where)) == text


@pytest.mark.parametrize(
    ("condition", "where", "truth"),
    [
        ((H, "==", H // 2 * 2), EVEN, Truth.ALWAYS),
        ((H, "==", H // 2 * 2), (), Truth.SOMETIMES),
        ((H, "==", H + 1), (), Truth.NEVER),
        ((H, ">=", 1), (), Truth.ALWAYS),
        ((H, ">", 15), BY_4, Truth.ALWAYS),
        ((H, "<", 16), BY_4, Truth.NEVER),
        ((H % 4, "==", 1), BY_4, Truth.NEVER),
        ((H % 4, "!=", 1), BY_4, Truth.ALWAYS),
        ((H // 8, ">=", 2), BY_4, Truth.ALWAYS),
        ((H, "<=", W), (), Truth.SOMETIMES),
        ((2 * H, "<=", 9), ((H, "<", 5),), Truth.ALWAYS),
        ((H, "==", 4), ((H + 2, "<=", 6), (2 * H, ">=", 7)), Truth.ALWAYS),
    ],
)
def test_conditions_are_decided(condition: Condition, where: Where, truth: Truth) -> None:
    assert decide(condition, where) is truth


def test_an_example_has_positive_sizes() -> None:
    assert find((H // 2 * 2, "!=", H), positive=True) == {"H": 3}


@pytest.mark.parametrize(
    ("wanted", "texts"),
    [
        (((H // 2 * 2, "==", H), (W // 4 * 4, "==", W)), ["H % 2 == 0", "W % 4 == 0"]),
        (((H // 4 * 4, "==", H // 2 * 2),), ["H % 4 == 0"]),
        (((H - 4, ">=", 1),), ["H >= 5"]),
    ],
)
def test_suggested_conditions_are_enough(wanted: Where, texts: list[str]) -> None:
    added = suggest(wanted, ())
    assert added is not None
    assert [condition_text(condition) for condition in added] == texts
    assert all(decide(condition, added) is Truth.ALWAYS for condition in wanted)


def test_nothing_is_suggested_where_nothing_helps() -> None:
    assert suggest(((H, "==", H + 1),), ()) is None


@pytest.mark.parametrize(
    ("where", "is_contradictory"),
    [
        (((H, ">", 4), (H, "<", 3)), True),
        (((H % 4, "==", 0), (H % 4, "==", 1)), True),
        (((H % 4, "==", 0), (H % 6, "==", 2)), False),
        (((H % 99999989, "==", 0), (H % 99999959, "==", 3)), False),
        (((H, ">=", 5), (H, "<=", 7), (H % 8, "==", 0)), True),
        (((H // 100, "==", 50),), False),
    ],
)
def test_contradictions_are_proved(where: Where, is_contradictory: bool) -> None:
    assert contradictory(where) is is_contradictory


ATOMS = st.sampled_from([H, W, H // 2, H // 3, (H + 1) // 2, H + W, H // 2 * 2, W // 4 * 4])
CONDITIONS = st.tuples(
    ATOMS, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.integers(0, 9)
)
REMAINDERS = st.tuples(st.sampled_from([H, W]), st.integers(2, 6), st.integers(0, 5)).map(
    lambda t: (t[0] % t[1], "==", t[2] % t[1])
)
WHERES = st.lists(st.one_of(CONDITIONS, REMAINDERS), max_size=3).map(tuple)


@given(ATOMS, WHERES)
def test_simplified_sizes_keep_their_value_and_stay_in_bounds(size: Size, where: Where) -> None:
    simple = simplify(size, where)
    low, high = bounds(size, where)
    for values in samples(frozenset(("H", "W")), where):
        value = evaluate(size, values)
        assert evaluate(simple, values) == value
        assert low is None or low <= value
        assert high is None or value <= high


@given(CONDITIONS, WHERES)
def test_proofs_hold_for_every_sample(condition: Condition, where: Where) -> None:
    proved = prove(condition, where)
    assume(proved is not None)
    for values in samples(frozenset(("H", "W")), where):
        assert holds(condition, values) is proved


@given(WHERES)
def test_what_is_contradictory_has_no_sample(where: Where) -> None:
    if contradictory(where):
        assert next(samples(frozenset(("H", "W")), where), None) is None
