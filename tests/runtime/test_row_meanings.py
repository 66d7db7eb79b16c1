"""What row micro-ops compute, against NumPy on whole numbers, which knows nothing of bits."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdsl_runtime.counters import Counter
from tdsl_runtime.isa import Border, MicroOp, Opcode, Reduction, Relation, micro_op
from tdsl_runtime.program import Port
from tests.runtime.row_cases import COLUMNS, MACHINE, Bench, Ended, Values, op, run

MANY = settings(max_examples=60, deadline=None)
BITS = st.integers(1, 20)
SIGNS = st.booleans()
SEEDS = st.integers(0, 2**32 - 1)
A, B, TAG, OUT = 0, 24, 48, 50
"""Bit rows of two operands, a mask and the result."""


def numbers(seed: int, bits: int, *, signed: bool) -> Values:
    """A number for each column, small and extreme ones among them."""
    rng = np.random.default_rng(seed)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    found = rng.integers(low, high, COLUMNS, endpoint=True)
    found[::7] = rng.choice((low, high, 0), len(found[::7]))
    return found


def wrapped(values: Values, bits: int) -> Values:
    """The low bits of numbers, unsigned."""
    return values & (1 << bits) - 1


class Two:
    """Two operands in place: their numbers, and the fields that name them."""

    def __init__(self, seed: int, an: int, asigned: bool, bn: int, bsigned: bool) -> None:
        self.a = numbers(seed, an, signed=asigned)
        self.b = numbers(seed + 1, bn, signed=bsigned)
        self.b[::5] = wrapped(self.a[::5], bn) - (bsigned * (self.a[::5] >> bn - 1 & 1) << bn)
        self.tag = np.random.default_rng(seed + 2).integers(0, 2, COLUMNS)
        self.bench = Bench()
        self.bench.place(A, an, self.a)
        self.bench.place(B, bn, self.b)
        self.bench.place(TAG, 1, self.tag)
        self.of_a = {"a": A, "an": an, "as": int(asigned)}
        self.of_b = {"b": B, "bn": bn, "bs": int(bsigned)}

    def run(self, *ops: MicroOp) -> Ended:
        """Run micro-ops on the operands."""
        return run(self.bench.program(*ops))


def operands() -> st.SearchStrategy[Two]:
    """Two operands of any size."""
    return st.builds(Two, SEEDS, BITS, SIGNS, BITS, SIGNS)


def room(two: Two, n: int) -> int:
    """A result size that both operands fit."""
    return max(n, two.of_a["an"], two.of_b["bn"])


@given(two=operands(), n=BITS, sub=SIGNS)
@MANY
def test_sums_and_differences(two: Two, n: int, sub: bool) -> None:
    n = room(two, n)
    ended = two.run(op(Opcode.SUM, dst=OUT, n=n, **two.of_a, **two.of_b, sub=sub))
    wanted = two.a - two.b if sub else two.a + two.b
    np.testing.assert_array_equal(ended.value(OUT, n), wrapped(wanted, n))


@given(two=operands(), n=BITS, neg=SIGNS, seed=SEEDS)
@MANY
def test_sums_with_an_immediate(two: Two, n: int, neg: bool, seed: int) -> None:
    n = max(n, two.of_a["an"])
    imm = Random(seed).randint(-(1 << n - 1), min((1 << n), 1 << 19) - 1)
    ended = two.run(op(Opcode.SUMI, dst=OUT, n=n, **two.of_a, neg=neg, imm=imm))
    wanted = imm - two.a if neg else two.a + imm
    np.testing.assert_array_equal(ended.value(OUT, n), wrapped(wanted, n))


@given(two=operands(), relation=st.sampled_from(Relation), inv=SIGNS)
@MANY
def test_comparisons(two: Two, relation: Relation, inv: bool) -> None:
    ended = two.run(op(Opcode.CMP, dst=OUT, op=relation, inv=inv, **two.of_a, **two.of_b))
    wanted = two.a < two.b if relation is Relation.LESS else two.a == two.b
    np.testing.assert_array_equal(ended.value(OUT, 1), wanted ^ inv)


@given(two=operands(), relation=st.sampled_from(Relation), inv=SIGNS, seed=SEEDS)
@MANY
def test_comparisons_with_an_immediate(two: Two, relation: Relation, inv: bool, seed: int) -> None:
    imm = Random(seed).choice((int(two.a[0]) >> 1, 0, -1, 300, -70_000, (1 << 19) - 1))
    ended = two.run(op(Opcode.CMPI, dst=OUT, op=relation, inv=inv, **two.of_a, imm=imm))
    wanted = two.a < imm if relation is Relation.LESS else two.a == imm
    np.testing.assert_array_equal(ended.value(OUT, 1), wanted ^ inv)


@given(two=operands(), n=BITS)
@MANY
def test_selection(two: Two, n: int) -> None:
    n = room(two, n)
    ended = two.run(op(Opcode.SELECT, dst=OUT, n=n, tag=TAG, **two.of_a, **two.of_b))
    np.testing.assert_array_equal(ended.value(OUT, n), wrapped(np.where(two.tag, two.a, two.b), n))


LOGIC: dict[int, Callable[[Values, Values], Values]] = {
    0b1000: lambda a, b: a & b,
    0b1110: lambda a, b: a | b,
    0b0110: lambda a, b: a ^ b,
    0b0100: lambda a, b: a & ~b,
    0b0011: lambda a, b: ~a,
    0b1010: lambda a, b: b,
    0b1111: lambda a, b: a | ~a,
}


@pytest.mark.parametrize("table", LOGIC)
@pytest.mark.parametrize("held", [False, True])
def test_logic(table: int, held: bool) -> None:
    two = Two(table, 8, False, 8, False)
    ended = two.run(op(Opcode.LOGIC, dst=OUT, n=8, a=A, astep=1, b=B, bstep=not held, table=table))
    wanted = LOGIC[table](two.a, -(two.b & 1) if held else two.b)
    np.testing.assert_array_equal(ended.value(OUT, 8), wrapped(wanted, 8))


@given(by=st.one_of(st.integers(-70, 70), st.integers(-COLUMNS - 9, COLUMNS + 9)), seed=SEEDS)
@MANY
def test_moves(by: int, seed: int) -> None:
    two = Two(seed, 5, False, 5, False)
    ended = two.run(op(Opcode.MOVE, dst=OUT, n=5, a=A, by=by))
    wide = np.pad(two.a, 2 * COLUMNS)
    np.testing.assert_array_equal(ended.value(OUT, 5), wide[2 * COLUMNS + by : 3 * COLUMNS + by])


@given(two=operands(), clear=SIGNS)
@MANY
def test_counts(two: Two, clear: bool) -> None:
    fields = {**two.of_a, "mask": TAG}
    ended = two.run(
        op(Opcode.COUNT, slot=3, **fields),
        op(Opcode.COUNT, slot=3, clear=clear, **fields),
        op(Opcode.COUNT, slot=4, op=Reduction.ANY, **fields),
    )
    counted = two.a[two.tag == 1]
    assert ended.state.results[3] == counted.sum() * (1 if clear else 2)
    assert ended.state.results[4] == counted.any()


@given(two=operands(), sub=SIGNS)
@MANY
def test_a_result_may_overwrite_an_operand(two: Two, sub: bool) -> None:
    n = 22
    for dst in (A, B):
        ended = two.run(op(Opcode.SUM, dst=dst, n=n, **two.of_a, **two.of_b, sub=sub))
        wanted = two.a - two.b if sub else two.a + two.b
        np.testing.assert_array_equal(ended.value(dst, n), wrapped(wanted, n))


def test_inactive_macros_read_as_0_and_keep_their_state() -> None:
    two = Two(4, 8, False, 8, False)
    ended = two.run(
        micro_op(Opcode.ACTIVE, macros=2),
        op(Opcode.SUM, dst=B, n=8, **two.of_a, **two.of_b),
        op(Opcode.MOVE, dst=OUT, n=8, a=A, by=128),
        op(Opcode.COUNT, a=A, an=8, mask=TAG),
    )
    active = 2 * 128
    np.testing.assert_array_equal(ended.value(B, 8)[:active], wrapped(two.a + two.b, 8)[:active])
    np.testing.assert_array_equal(ended.value(B, 8)[active:], two.b[active:])
    np.testing.assert_array_equal(ended.value(OUT, 8)[:active], [*two.a[128:active], *[0] * 128])
    assert ended.state.results[0] == two.a[:active][two.tag[:active] == 1].sum()


@given(seed=SEEDS, border=st.sampled_from(Border), y=st.integers(-9, 9), x=st.integers(-9, 12))
@MANY
def test_a_tile_comes_in(seed: int, border: Border, y: int, x: int) -> None:
    port = Port("in", 2, 6, 9, -128, 127)
    image = np.random.default_rng(seed).integers(-128, 127, port.shape, endpoint=True)
    pad = 5 if border is Border.CONSTANT else 0
    band = {"dst": OUT, "n": 8, "chan": 1, "border": border, "pad": pad, "off": y, "xoff": x}
    bench = Bench()
    bench.place(OUT, 9, numbers(seed, 9, signed=False))
    program = bench.program(op(Opcode.BANDIN, **band, pitch=13, lines=8, width=10), inputs=(port,))
    ended = run(program, {"in": image})
    if border is Border.EDGE:
        wide = np.pad(image[1], 32, mode="edge")
    else:
        wide = np.pad(image[1], 32, constant_values=pad)
    wanted = np.zeros(COLUMNS, np.int64)
    for line in range(8):
        wanted[13 * line : 13 * line + 10] = wide[32 + y + line, 32 + x : 42 + x]
    np.testing.assert_array_equal(ended.value(OUT, 8, signed=True), wanted)
    inside = max(0, min(6, y + 8) - max(0, y)) * max(0, min(9, x + 10) - max(0, x))
    assert ended.result.counters.table[0, Counter.PIXELS] == inside
    assert ended.result.counters.table[0, Counter.TRITS] == 8 * COLUMNS


@given(two=operands(), y=st.integers(-4, 6), x=st.integers(-4, 8), step=st.integers(1, 3))
@MANY
def test_a_tile_goes_out(two: Two, y: int, x: int, step: int) -> None:
    port = Port("out", 2, 6, 9, -(1 << 20), 1 << 20)
    fields = {**two.of_a, "chan": 1, "off": y, "xoff": x, "first": 11, "step": step}
    program = two.bench.program(
        op(Opcode.BANDOUT, **fields, pitch=40, lines=5, width=7), outputs=(port,)
    )
    wanted = np.zeros(port.shape, np.int64)
    for line in range(5):
        for i in range(7):
            if 0 <= y + line < 6 and 0 <= x + i < 9:
                wanted[1, y + line, x + i] = two.a[11 + 40 * line + i * step]
    np.testing.assert_array_equal(run(program).result.outputs["out"], wanted)


def test_results_go_out() -> None:
    two = Two(1, 6, True, 6, True)
    port = Port("out", 4, 1, 1, -(1 << 20), 1 << 20)
    program = two.bench.program(
        op(Opcode.COUNT, slot=6, **two.of_a, mask=TAG),
        op(Opcode.REGOUT, slot=5, n=2, chan=1),
        outputs=(port,),
    )
    wanted = [0, 0, two.a[two.tag == 1].sum(), 0]
    assert run(program).result.outputs["out"].reshape(-1).tolist() == wanted


@given(seed=SEEDS, pitch=st.sampled_from((3, 21, 32)), y=st.integers(-2, 3), x=st.integers(-3, 5))
@MANY
def test_trits_spread_and_packed_are_the_same(seed: int, pitch: int, y: int, x: int) -> None:
    rng, height, width, n = np.random.default_rng(seed), 6, 8, 3
    picture = rng.integers(-1, 1, (pitch, height, width), endpoint=True)
    one = Port("in", pitch, height, width, -1, 1)
    size = {"pitch": pitch, "width": width, "depth": height}
    shape = {"image_width": width, "image_height": height, "pad": -1}
    base = MACHINE.trits - 20 * COLUMNS
    tile = {"pitch": 9, "lines": 4, "width": 6, "off": y, "xoff": x}
    ops = [
        *(micro_op(Opcode.BUF, buffer=k, base=base + k * 10 * COLUMNS, **size, **shape)
          for k in range(2)),
        *(micro_op(Opcode.DMAIN, off=line) for line in range(height)),
        op(Opcode.SPREAD, row=2, n=n, chan=pitch - n, **tile),
        op(Opcode.PACK, row=2, n=n, buffer=1, **tile),
        *(micro_op(Opcode.DMAOUT, buffer=1, n=n, limit=width, off=k) for k in range(height)),
    ]  # fmt: skip
    program = Bench().program(*ops, inputs=(one,), outputs=(replace(one, name="out", channels=n),))
    ended = run(program, {"in": picture})
    wanted, padded = np.zeros((n, height, width), np.int64), np.pad(
        picture[pitch - n :], ((0, 0), (8, 8), (8, 8)), constant_values=-1
    )  # fmt: skip
    for c in range(n):
        spread = ended.value(2 * (2 + c), 2, signed=True)
        for line in range(4):
            here = padded[c, 8 + y + line, 8 + x : 14 + x]
            np.testing.assert_array_equal(spread[9 * line : 9 * line + 6], here)
            for i in range(6):
                if 0 <= y + line < height and 0 <= x + i < width:
                    wanted[c, y + line, x + i] = here[i]
    np.testing.assert_array_equal(ended.result.outputs["out"], wanted)


def test_a_user_defined_micro_op_does_what_its_body_does_in_its_own_time() -> None:
    two = Two(9, 8, False, 8, False)
    body = (
        op(Opcode.SUM, dst=OUT, n=9, **two.of_a, **two.of_b),
        op(Opcode.CMPI, dst=TAG, a=OUT, an=9, imm=200),
    )
    plain = two.run(*body)
    declared = two.run(micro_op(Opcode.UOP, body=2, cycles=5, energy=7), *body)
    np.testing.assert_array_equal(declared.state.cells, plain.state.cells)
    table = declared.result.counters.table
    assert table[:3, Counter.EXECUTED].tolist() == [1, 1, 1]
    assert table[:3, Counter.BUSY].tolist() == [5, 0, 0]
    assert declared.result.counters.issued == 2
