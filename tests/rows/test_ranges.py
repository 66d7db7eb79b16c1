"""Ranges and folds against brute force: every combination of input values."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import Arithmetic, Range, RowInput, RowOutput, RowProgram, Sole
from tdsl.rows.meaning import evaluate
from tdsl.rows.verifier import verify_rows
from tests.rows.programs import builders


def _everything(builder: RowBuilder) -> dict[str, np.ndarray]:
    """All combinations of input values, side by side."""
    spans = [range(one.range.low, one.range.high + 1) for one in builder.inputs]
    table = np.array(list(product(*spans))).T
    return {one.name: row[None, None] for one, row in zip(builder.inputs, table, strict=True)}


def _program(builder: RowBuilder) -> RowProgram:
    outputs = [RowOutput(f"v{n}", (n,), value.range) for n, value in enumerate(builder.values)]
    return RowProgram("made", tuple(builder.inputs), tuple(builder.values), tuple(outputs))


@settings(max_examples=300, deadline=None)
@given(builders(inputs=3))
def test_no_value_leaves_its_range(builder: RowBuilder) -> None:
    program = _program(builder)
    verify_rows(program)
    found = evaluate(program, _everything(builder))
    for position, value in enumerate(builder.values):
        there = found[f"v{position}"]
        assert value.range.low <= there.min()
        assert there.max() <= value.range.high


A, B = Range(-3, 5), Range(2, 4)


@pytest.mark.parametrize("op", Arithmetic)
@pytest.mark.parametrize("b", [B, Range(0, 7), Range(-8, 7), Range(-1, 1)])
def test_arithmetic_of_independent_values_is_exact_or_as_wide_as_bits(
    op: Arithmetic, b: Range
) -> None:
    builder = RowBuilder([RowInput("a", A, pad=A.low), RowInput("b", b, pad=b.low)])
    result = builder.binary(op, builder.read(0), builder.read(1))
    found = evaluate(_program(builder), _everything(builder))[f"v{result}"]
    exact = Range(int(found.min()), int(found.max()))
    if op in (Arithmetic.AND, Arithmetic.OR, Arithmetic.XOR):
        assert builder.range(result).holds(exact)
        assert builder.range(result).bits <= max(A.bits, b.bits) + 1
    else:
        assert builder.range(result) == exact


def test_differences_of_maximum_and_minimum_and_squares_are_never_negative() -> None:
    builder = RowBuilder([RowInput("a", A, pad=A.low), RowInput("b", B, pad=B.low)])
    a, b = builder.read(0), builder.read(1)
    larger, smaller = (builder.binary(op, a, b) for op in (Arithmetic.MAX, Arithmetic.MIN))
    spread = builder.binary(Arithmetic.SUB, larger, smaller)
    assert builder.range(spread) == Range(0, 7)
    assert builder.range(builder.binary(Arithmetic.MUL, a, a)) == Range(0, 25)


def test_what_is_no_work_makes_no_value() -> None:
    builder = RowBuilder([RowInput("a", Range(0, 7))])
    a = builder.read(0)
    zero, one, four, minus = (builder.constant(n) for n in (0, 1, 4, -1))
    assert builder.binary(Arithmetic.ADD, a, zero) == a
    assert builder.binary(Arithmetic.MUL, one, a) == a
    assert builder.binary(Arithmetic.MUL, a, four) == builder.scale(a, 2)
    assert builder.binary(Arithmetic.MUL, a, minus) == builder.unary(Sole.NEG, a)
    assert builder.binary(Arithmetic.SUB, zero, a) == builder.unary(Sole.NEG, a)
    assert builder.binary(Arithmetic.MAX, a, minus) == a
    assert builder.binary(Arithmetic.MIN, a, a) == a
    assert builder.binary(Arithmetic.SUB, a, a) == zero
    assert builder.binary(Arithmetic.MUL, a, zero) == zero


def test_values_made_apart_are_shared_with_nothing() -> None:
    builder = RowBuilder([RowInput("a", Range(0, 7))])
    a = builder.read(0)
    outside = builder.binary(Arithmetic.ADD, a, a)
    with builder.enclosed() as inside:
        again = builder.binary(Arithmetic.ADD, a, a)
    assert inside == [again]
    assert again != outside
    assert builder.binary(Arithmetic.ADD, a, a) == outside
