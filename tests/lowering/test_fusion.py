"""Nodes that look linear but are not, one after the other: each keeps its own meaning."""

from itertools import product

import pytest

from tdsl.ir import ops
from tdsl.ir.ops import CompareKind, PoolKind
from tdsl_runtime.description import load_machine
from tests.builder import Builder, Case, element
from tests.chain.engines import ENGINES, chain

MACHINE = load_machine("nearmem-1mb")
FIRST: dict[str, tuple[ops.Op, ...]] = {
    **{kind.name: (ops.Compare(kind, 0),) for kind in CompareKind},
    "max": (ops.Pool(PoolKind.MAX, (2, 2), (1, 1)),),
    "avg": (ops.Pool(PoolKind.AVG, (2, 2), (2, 2)),),
    "sum": (ops.Pool(PoolKind.SUM, (2, 3), (2, 1)),),
    "shift": (ops.Shift(1),),
    "halve": (ops.Shift(-1),),
    "clip": (ops.Clip(element("i2")),),
    "rise": (ops.Upsample(2),),
    "shuffle": (ops.PixelShuffle(2),),
    "mix": (ops.ChannelShuffle(2),),
    "slice": (ops.Slice(1, 3),),
    "whole": (ops.GlobalPool(PoolKind.MAX),),
    "total": (ops.GlobalPool(PoolKind.SUM),),
}
LAST = ("ternarize", "binarize", "step", "quantize", "compare", "conv", "negative", "same")


def network(first: str, last: str, *, of_sums: bool) -> Case:
    """An operation on an input or on sums, and another one on its result."""
    b = Builder(f"{first}_{last}")
    x = b.input("img", "i3", (4, 5, 6))
    x = b.conv(x, 4, padding=1) if of_sums else x
    for op in FIRST[first]:
        x = b.add(op, x)
    return b.case(finish(b, x, last))


def finish(b: Builder, x: int, last: str) -> int:
    match last:
        case "ternarize":
            return b.ternarize(x)
        case "binarize":
            return b.binarize(x)
        case "step":
            return b.step(x)
        case "quantize":
            return b.quantize(x, "i3")
        case "compare":
            return b.add(ops.Compare(CompareKind.LT, 1), x)
        case "negative":
            return b.add(ops.Sub(), x, b.add(ops.Shift(1), x))
        case "same":
            return b.add(ops.Add(), x, x)
        case _:
            image = len(b.shape(x)) == 3
            return b.conv(x, 5, padding=1) if image else b.linear(x, 5)


@pytest.mark.parametrize("of_sums", [False, True])
@pytest.mark.parametrize(("first", "last"), list(product(FIRST, LAST)))
def test_one_after_the_other(first: str, last: str, of_sums: bool) -> None:
    found = chain(network(first, last, of_sums=of_sums), MACHINE)
    assert found is not None
    found.check(ENGINES["fused"])


@pytest.mark.parametrize("kind", list(CompareKind))
@pytest.mark.parametrize("last", LAST)
def test_after_a_comparison_of_two(kind: CompareKind, last: str) -> None:
    b = Builder("two")
    x, y = b.input("a", "i3", (4, 5, 6)), b.input("b", "i3", (4, 5, 6))
    found = chain(b.case(finish(b, b.add(ops.Compare(kind), x, y), last)), MACHINE)
    assert found is not None
    found.check(ENGINES["fused"])


@pytest.mark.parametrize("first", ["max", "avg", "sum", "halve", "rise", "whole", "total"])
def test_a_code_of_a_value_that_is_worked_out_once(first: str) -> None:
    b = Builder(f"{first}_code")
    x = b.input("img", "u4", (4, 5, 6))
    for op in FIRST[first]:
        x = b.add(op, x)
    found = chain(b.case(b.add(ops.Thermometer(2), x)), MACHINE)
    assert found is not None
    found.check(ENGINES["fused"])
