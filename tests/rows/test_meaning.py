"""The meaning of row programs: a second way of working it out, by formulas at single pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdsl.rows.ir import (
    Arithmetic,
    Binary,
    Border,
    Compare,
    Constant,
    Range,
    Read,
    Reduction,
    Relation,
    RowInput,
    RowOutput,
    RowProgram,
    RowTotal,
    RowValue,
    Scale,
    Select,
    Shift,
    Sole,
    Unary,
    UserOp,
)
from tdsl.rows.meaning import evaluate
from tdsl.rows.printer import print_rows
from tdsl.rows.rewrite import for_channels, without_dead_values
from tdsl.rows.verifier import VerificationError, verify_rows
from tests.rows.programs import programs


def _at(program: RowProgram, images: list[np.ndarray], v: int, y: int, x: int) -> int:
    """The formula of a value at one pixel, in plain Python numbers."""

    def here(a: int) -> int:
        return _at(program, images, a, y, x)

    match program.values[v].op:
        case Constant(value=value):
            return value
        case Read(input=number, channel=channel):
            one, image = program.inputs[number], images[number][channel]
            height, width = image.shape
            if 0 <= y < height and 0 <= x < width:
                return int(image[y, x])
            if one.border is Border.CONSTANT:
                return one.pad
            return int(image[min(max(y, 0), height - 1), min(max(x, 0), width - 1)])
        case Shift(a=a, dy=dy, dx=dx):
            return _at(program, images, a, y + dy, x + dx)
        case Binary(op=op, a=a, b=b):
            p, q = here(a), here(b)
            found: dict[str, int] = {
                "+": p + q, "-": p - q, "*": p * q, "min": min(p, q), "max": max(p, q),
                "&": p & q, "|": p | q, "^": p ^ q,
            }  # fmt: skip
            return found[op]
        case Unary(op=op, a=a):
            bit = Range(0, 1).holds(program.values[a].range)
            p = here(a)
            alone: dict[str, int] = {
                "-": -p, "abs": abs(p), "~": 1 - p if bit else ~p, "popcount": p.bit_count()
            }  # fmt: skip
            return alone[op]
        case Scale(a=a, amount=amount):
            return here(a) * (1 << amount) if amount >= 0 else here(a) // (1 << -amount)
        case Compare(relation=relation, a=a, b=b, inverted=inverted):
            holds = here(a) < here(b) if relation is Relation.LESS else here(a) == here(b)
            return int(holds != inverted)
        case Select(condition=condition, a=a, b=b):
            return here(a) if here(condition) else here(b)
        case UserOp(body=body):
            return here(body)


@settings(max_examples=80, deadline=None)
@given(programs(), st.integers(1, 4), st.integers(1, 4), st.integers(0, 1 << 30))
def test_every_pixel_is_the_formula_worked_out_there(
    program: RowProgram, height: int, width: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    images = [
        random.integers(one.range.low, one.range.high + 1, (one.channels, height, width))
        for one in program.inputs
    ]
    program = without_dead_values(program)
    verify_rows(program)
    named = dict(zip([one.name for one in program.inputs], images, strict=True))
    found = evaluate(program, named)
    rows, columns = program.stride
    for output in program.outputs:
        wanted = [
            [_at(program, images, output.values[0], y, x) for x in range(0, width, columns)]
            for y in range(0, height, rows)
        ]
        assert found[output.name].tolist() == [wanted]


def _two() -> RowProgram:
    a = RowValue(Read(0), Range(0, 7))
    total = RowValue(Binary(Arithmetic.ADD, 0, 1), Range(0, 14))
    return RowProgram(
        "two",
        (RowInput("a", Range(0, 7)),),
        (a, RowValue(Shift(0, 0, 1), Range(0, 7)), total),
        (RowOutput("sum", (2,), Range(0, 15)),),
        (RowTotal("all", (0, 2), Reduction.SUM), RowTotal("some", (0,), Reduction.ANY)),
    )


def test_totals_are_numbers_over_the_whole_image() -> None:
    found = evaluate(_two(), {"a": np.array([[[1, 2], [0, 4]]])})
    assert found["sum"].tolist() == [[[3, 2], [4, 4]]]
    assert found["all"].tolist() == [[[7]], [[13]]]
    assert found["some"].tolist() == [[[1]]]


def test_a_program_for_one_channel_is_done_for_each_of_several() -> None:
    images = np.arange(12).reshape(3, 2, 2) % 8
    found = evaluate(for_channels(_two(), 3), {"a": images})
    alone = [evaluate(_two(), {"a": images[c : c + 1]}) for c in range(3)]
    for name in found:
        assert found[name].tolist() == np.concatenate([one[name] for one in alone]).tolist()


def test_the_text_of_a_program() -> None:
    assert print_rows(_two()) == (
        "rows two\n"
        "  input a: 0 to 7, outside 0\n"
        "  v0 = a                             0 to 7\n"
        "  v1 = v0 at (0, 1)                  0 to 7\n"
        "  v2 = v0 + v1                       0 to 14\n"
        "  output sum = v2 as 0 to 15\n"
        "  total all = sum of v0, v2\n"
        "  total some = any of v0\n"
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (RowValue(Binary(Arithmetic.ADD, 0, 2), Range(0, 14)), "value 2 reads value 2"),
        (RowValue(Binary(Arithmetic.ADD, 0, 1), Range(0, 15)), "value 2 is"),
        (RowValue(Select(0, 0, 1), Range(0, 7)), "selects by no bit"),
        (RowValue(Scale(0, 0), Range(0, 7)), "does not scale"),
        (RowValue(Read(1), Range(0, 7)), "reads input 1"),
        (RowValue(Read(0, 1), Range(0, 7)), "reads channel 1"),
        (RowValue(Constant(1 << 70), Range(1 << 70, 1 << 70)), "has 71 bits"),
        (RowValue(UserOp("u", 1, 0, 0, 0, ()), Range(0, 7)), "costs less"),
    ],
)
def test_what_is_wrong_with_a_value_is_found(value: RowValue, message: str) -> None:
    whole = _two()
    broken = RowProgram(whole.name, whole.inputs, (*whole.values[:2], value), whole.outputs)
    with pytest.raises(VerificationError, match=message):
        verify_rows(broken)


def test_bits_below_zero_are_not_counted() -> None:
    values = (RowValue(Constant(-1), Range(-1, -1)), RowValue(Unary(Sole.POPCOUNT, 0), Range(1, 1)))
    program = RowProgram(
        "p", (RowInput("a", Range(0, 1)),), values, (RowOutput("o", (1,), Range(0, 1)),)
    )
    with pytest.raises(VerificationError, match="counts bits below 0"):
        verify_rows(program)
