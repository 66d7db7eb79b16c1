"""Layers as row programs: the same integers as the graph, and additions that are shared."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tdsl.lowering.row_form import has_row_form, row_form
from tdsl.lowering.select import select
from tdsl.lowering.shared_sums import Sums, plain_sums, shared_sums
from tdsl.lowering.steps import Array, DotStep, InputStep
from tdsl.rows.meaning import evaluate
from tdsl.rows.verifier import verify_rows
from tests.builder import Case
from tests.lowering.single_layers import case_value, layers


def totals(sums: Sums, columns: Array) -> Array:
    """What the sums make of the columns' values."""
    values = [int(value) for value in columns]
    for pair in sums.pairs:
        values.append(values[pair.a] + pair.sign * values[pair.b])
    rows = [sum(sign * values[column] for column, sign in row) for row in sums.rows]
    return np.array(rows, dtype=np.int64)


@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 1 << 30))
def test_shared_sums_are_the_product_and_never_more_additions(
    rows: int, columns: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    matrix = random.integers(-1, 2, (rows, columns))
    values = random.integers(-9, 10, columns)
    shared, plain = shared_sums(matrix), plain_sums(matrix)
    assert np.array_equal(totals(shared, values), matrix @ values)
    assert np.array_equal(totals(plain, values), matrix @ values)
    assert shared.additions <= plain.additions


def test_equal_rows_are_summed_once() -> None:
    matrix = np.tile(np.array([[1, -1, 0, 1, 1]]), (6, 1))
    assert shared_sums(matrix).additions == 3
    assert plain_sums(matrix).additions == 18


def test_a_random_layer_of_64_by_64_channels_loses_most_of_its_additions() -> None:
    matrix = np.random.default_rng(0).integers(-1, 2, (64, 576))
    assert shared_sums(matrix).additions < 0.4 * plain_sums(matrix).additions


@settings(deadline=None)
@given(layers(), st.integers(1, 9))
def test_row_programs_compute_the_layer(case: Case, together: int) -> None:
    selection = select(case.graph, case.arrays)
    load, *dots = selection.steps
    assert isinstance(load, InputStep)
    if len(dots) != 1:
        return  # not one layer for the machine: covered where layers are mixed
    (step,) = dots
    assert isinstance(step, DotStep)
    if not has_row_form(step):
        return
    wanted = case_value(case)
    image = {load.out.name: np.stack(list(case.inputs["img"]))}
    program = row_form(step, together)
    verify_rows(program)
    found = evaluate(program, image)[step.out.name]
    height, width = wanted.shape[1:]
    assert np.array_equal(found[:, :height, :width], wanted)
