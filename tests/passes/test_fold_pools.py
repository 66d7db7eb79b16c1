"""Average pools before thresholds become sum pools: exactly, over every sum there can be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdsl.ir import ops
from tdsl.ir.graph import Graph
from tdsl.ir.interpreter import interpret, run
from tdsl.ir.ops import Constant, GlobalPool, Pool, PoolKind
from tdsl.passes.fold_pools import fold_pools
from tdsl.passes.pipeline import Model, run_passes
from tests.builder import Builder, element
from tests.networks import Case, named_networks, random_networks


def pool_kinds(graph: Graph) -> list[PoolKind]:
    return [node.op.kind for node in graph.nodes if isinstance(node.op, Pool | GlobalPool)]


def agree(case: Case) -> Graph:
    """Fold, check that the outputs stay the same, and return the folded graph."""
    folded = run_passes(Model(case.graph, case.arrays), (fold_pools,))
    before = run(case.graph, case.arrays, case.inputs)
    after = run(folded.graph, folded.arrays, case.inputs)
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name], name)
    return folded.graph


AREAS = ((1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3))


@pytest.mark.parametrize("elements", ["trit", "bin", "u2", "i3"])
@pytest.mark.parametrize("kernel", AREAS, ids=str)
def test_every_sum_meets_every_threshold(elements: str, kernel: tuple[int, int]) -> None:
    """One window for each sum; thresholds from below all averages to above all."""
    low, high, area = element(elements).low, element(elements).high, kernel[0] * kernel[1]
    step = 2 if elements == "bin" else 1
    windows = [one_window(total, low, high, area) for total in range(area * low, area * high + 1)]
    image = np.stack([w for w in windows if step == 1 or 0 not in w])
    image = image.reshape(-1, *kernel).transpose(1, 0, 2).reshape(1, kernel[0], -1)
    for lo in range(low - 2, high + 3):
        for hi in range(lo - 1, high + 3):
            b = Builder()
            b.pool(b.input("x", elements, image.shape), "avg", kernel)
            b.add(ops.Ternarize(Constant((lo,)), Constant((hi,))), 1)
            b.add(ops.Binarize(Constant((hi,))), 1)
            b.add(ops.Step(Constant((hi,))), 1)
            b.add(ops.Quantize(element("i2"), Constant((lo, hi + 1, hi + 1), (3,))), 1)
            b.inputs["x"] = image
            assert pool_kinds(agree(b.case(2, 3, 4, 5))) == [PoolKind.SUM]


def one_window(
    total: int, low: int, high: int, area: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """`area` values between `low` and `high` with this sum, as extreme as possible."""
    values = np.full(area, low, np.int64)
    left = total - area * low
    for i in range(area):
        values[i] += min(left, high - low)
        left -= min(left, high - low)
    return values


@pytest.mark.parametrize("far", [2**31, -(2**31), 2**40, -(2**40), 2**62, -(2**62)])
def test_thresholds_far_outside_stay_outside(far: int) -> None:
    b = Builder()
    b.pool(b.input("x", "i8", (3, 4, 4)), "avg", 4)
    lo, hi = b.store("lo", np.full(3, far)), b.store("hi", np.full(3, far))
    b.add(ops.Ternarize(lo, hi), 1)
    b.add(ops.Step(Constant((far,))), 1)
    assert pool_kinds(agree(b.case(2, 3))) == [PoolKind.SUM]


def test_global_pools_and_thresholds_of_each_channel() -> None:
    b = Builder(seed=3)
    pooled = b.add(GlobalPool(PoolKind.AVG), b.input("x", "i8", (65, 5, 7)))
    assert pool_kinds(agree(b.case(b.ternarize(pooled), b.quantize(pooled, "i3")))) == [
        PoolKind.SUM
    ]


def test_one_array_may_serve_two_thresholds_and_two_pools() -> None:
    b = Builder(seed=4)
    x = b.input("x", "i4", (6, 6, 6))
    shared = b.store("t", np.arange(-3, 3))
    small, large = b.pool(x, "avg", 2), b.pool(x, "avg", 3)
    out = [b.add(ops.Ternarize(shared, shared), p) for p in (small, large)]
    agree(b.case(*out, b.add(ops.Step(shared), x)))


def test_an_average_that_others_read_stays() -> None:
    b = Builder()
    x = b.input("x", "u4", (2, 4, 4))
    read, shown, kept = b.pool(x, "avg", 2), b.pool(x, "avg", 2), b.pool(x, "max", 2)
    b.add(ops.Add(), read, kept)
    case = b.case(b.ternarize(read), b.ternarize(shown), b.ternarize(kept), 4, shown)
    model = Model(case.graph, case.arrays)
    assert fold_pools(model) is model


def test_an_average_whose_sum_is_too_wide_stays() -> None:
    b = Builder()
    b.ternarize(b.pool(b.input("x", "i32", (2, 4, 4)), "avg", 2))
    case = b.case()
    model = Model(case.graph, case.arrays)
    assert fold_pools(model) is model


@pytest.mark.parametrize("case", named_networks(), ids=str)
def test_named_networks(case: Case) -> None:
    agree(case)


@settings(max_examples=60, deadline=None)
@given(random_networks(steps=("layer", "pool", "threshold", "mux")))
def test_random_networks(case: Case) -> None:
    agree(case)


@given(st.integers(1, 40), st.integers(-70, 70), st.integers(-80, 80))
def test_the_rule_itself(area: int, threshold: int, average: int) -> None:
    """Every sum that has this average falls on the right side of the scaled thresholds."""
    b = Builder()
    b.add(GlobalPool(PoolKind.AVG), b.input("x", "i16", (1, area, 1)))
    b.add(ops.Ternarize(Constant((threshold,)), Constant((threshold,))), 1)
    case = b.case()
    folded = fold_pools(Model(case.graph, case.arrays))
    for total in range(area * average - area // 2, area * (average + 1) - area // 2):
        image = np.full((1, area, 1), total // area)
        image[0, : total % area] += 1
        values = interpret(folded.graph, folded.arrays, {"x": image})
        assert values[1].item() == total
        assert values[2].item() == (average > threshold) - (average < threshold)
