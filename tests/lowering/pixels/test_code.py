"""What tile code looks like: a golden program, sharing, exact widths, micro-ops of users."""

from collections import Counter

import numpy as np
import pytest

from tdsl.lowering.pixels.array_cost import array_cost
from tdsl.lowering.pixels.code import TileCode
from tdsl.lowering.pixels.compile_rows import candidates, compile_rows
from tdsl.lowering.pixels.order import deepest_first
from tdsl.lowering.pixels.places import Layout, PortSink, PortSource
from tdsl.lowering.pixels.predict import predict_program
from tdsl.lowering.pixels.sums import signed_digits
from tdsl.lowering.pixels.tile_code import tile_code
from tdsl.lowering.pixels.translate import translate
from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import (
    Arithmetic,
    Border,
    Range,
    Reduction,
    Relation,
    RowInput,
    RowOutput,
    RowProgram,
    RowTotal,
    Sole,
    UserOp,
)
from tdsl.rows.meaning import evaluate
from tdsl_runtime.assembly import disassemble
from tdsl_runtime.description import load_machine, machines
from tdsl_runtime.interpreter import Interpreter
from tdsl_runtime.isa import Opcode
from tests.conftest import Golden
from tests.lowering.pixels.machines import machine

U8 = Range(0, 255)


def program(builder: RowBuilder, *values: int) -> RowProgram:
    """A program that gives some values."""
    outputs = tuple(RowOutput(f"y{v}", (v,), builder.range(v)) for v in values)
    return RowProgram("made", tuple(builder.inputs), tuple(builder.values), outputs)


def code_of(rows: RowProgram) -> TileCode:
    """The code of a tile."""
    form = translate(rows)
    sources = [PortSource(k) for k in range(len(form.inputs))]
    return tile_code(form, sources, [PortSink(0)] * len(form.outputs), deepest_first(form))


def opcodes(rows: RowProgram) -> Counter[Opcode]:
    """How often each micro-op occurs in the code of a tile."""
    return Counter(step.opcode for step in code_of(rows).steps)


def sobel() -> RowProgram:
    """(|gx| + |gy|) / 2, at most 255, as a user writes it."""
    builder = RowBuilder([RowInput("img", U8, border=Border.EDGE)])
    pixel = builder.read(0)

    def side(places: list[tuple[int, int]]) -> int:
        ends = builder.binary(
            Arithmetic.ADD,
            builder.shift(pixel, *places[0]),
            builder.scale(builder.shift(pixel, *places[1]), 1),
        )
        return builder.binary(Arithmetic.ADD, ends, builder.shift(pixel, *places[2]))

    gx, gy = (
        builder.unary(
            Sole.ABS,
            builder.binary(Arithmetic.SUB, side(after), side(before)),
        )
        for after, before in (
            ([(-1, 1), (0, 1), (1, 1)], [(-1, -1), (0, -1), (1, -1)]),
            ([(1, -1), (1, 0), (1, 1)], [(-1, -1), (-1, 0), (-1, 1)]),
        )
    )
    half = builder.scale(builder.binary(Arithmetic.ADD, gx, gy), -1)
    return program(builder, builder.binary(Arithmetic.MIN, half, builder.constant(255)))


def test_golden_sobel(golden: Golden) -> None:
    compiled = compile_rows(sobel(), 100, 160, load_machine("nearmem-1mb"))
    golden("assembly", "rows_sobel", disassemble(compiled))


def test_the_sums_of_a_separable_filter_are_made_once() -> None:
    """Two sums of three columns and rows (a copied bit, two additions), each for both sides."""
    found = opcodes(sobel())
    assert found[Opcode.SUM] == 2 * 2 + 2 + 2 + 1  # column and row sums, gx gy, signs, |gx| + |gy|
    assert found[Opcode.MOVE] == 2 * 2 + 2 + 1  # the last one brings gx and gy together


def test_minimum_and_maximum_share_a_comparison() -> None:
    builder = RowBuilder([RowInput("a", U8), RowInput("b", U8)])
    a, b = builder.read(0), builder.read(1)
    low, high = (builder.binary(op, a, b) for op in (Arithmetic.MIN, Arithmetic.MAX))
    assert opcodes(program(builder, low, high)) == {Opcode.CMP: 1, Opcode.SELECT: 2}


def test_a_distance_is_a_difference_and_a_sign() -> None:
    builder = RowBuilder([RowInput("a", U8), RowInput("b", U8)])
    a, b = builder.read(0), builder.read(1)
    high, low = (builder.binary(op, a, b) for op in (Arithmetic.MAX, Arithmetic.MIN))
    found = opcodes(program(builder, builder.binary(Arithmetic.SUB, high, low)))
    assert found == {Opcode.SUM: 2, Opcode.LOGIC: 1}


def test_shifts_signs_and_powers_of_two_cost_nothing() -> None:
    builder = RowBuilder([RowInput("a", Range(-128, 127))])
    a = builder.read(0)
    negative = builder.compare(Relation.LESS, a, builder.constant(0))
    neighbour = builder.shift(builder.scale(a, -3), 2, 5)
    found = opcodes(program(builder, negative, neighbour))
    assert found == {Opcode.LOGIC: 2}, "copies of what was read alone"


def test_widths_are_exact() -> None:
    """8 + 8 bits are 9, and 3 times that is 11; with latches 1 + n cycles each."""
    builder = RowBuilder([RowInput("a", U8), RowInput("b", U8)])
    total = builder.binary(Arithmetic.ADD, builder.read(0), builder.read(1))
    tripled = builder.binary(Arithmetic.MUL, total, builder.constant(3))
    code = code_of(program(builder, tripled))
    assert [step.into.count for step in code.steps if step.into] == [9, 1, 10]
    cost = array_cost(code, code.steps, load_machine("nearmem-1mb"))
    assert cost.cycles(Layout(1, 1, 1, 1), (1, 1), load_machine("nearmem-1mb")) == 3 + 9 + 1 + 10


@pytest.mark.parametrize("factor", [1, 3, 7, 15, -1, -5, 23, 255, 1000, -999])
def test_digits_make_the_factor_with_few_additions(factor: int) -> None:
    digits = signed_digits(factor)
    assert sum(sign << place for place, sign in digits) == factor
    assert len(digits) <= abs(factor).bit_count()


def declared(inside_first: bool) -> RowProgram:
    """A user's micro-op that doubles the sum of a pixel and its neighbour."""
    builder = RowBuilder([RowInput("a", U8)])
    a = builder.read(0)
    beside = builder.shift(a, 0, 1)
    outside = builder.binary(Arithmetic.ADD, a, beside)
    with builder.enclosed() as inside:
        total = builder.binary(Arithmetic.ADD, a, beside)
        body = builder.scale(total, 1) if inside_first else a
    value = builder.user_op(UserOp("twice", 0x2A, 5, 1200, body, tuple(inside)))
    return program(builder, value, outside)


@pytest.mark.parametrize("inside_first", [True, False])
def test_micro_ops_of_users_take_what_they_declare(inside_first: bool) -> None:
    rows = declared(inside_first)
    compiled = compile_rows(rows, 9, 40, machine())
    image = {"a": np.random.default_rng(1).integers(0, 256, (1, 9, 40))}
    result = Interpreter(compiled).run(image)
    for name, expected in evaluate(rows, image).items():
        np.testing.assert_array_equal(result.outputs[name], expected)
    assert predict_program(compiled).differences(result.counters) == ()
    (number,) = (k for k, op in enumerate(compiled.ops) if op.opcode is Opcode.UOP)
    op = compiled.ops[number]
    assert (op["code"], op["cycles"], op["energy"]) == (0x2A, 5, 1200)
    assert op["body"] >= 1


@pytest.mark.parametrize("name", machines())
@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (121, 77)])
def test_cycles_are_near_those_that_the_ports_take_alone(name: str, size: tuple[int, int]) -> None:
    """And near those by which the way was chosen."""
    on = load_machine(name)
    rows = sobel()
    best = min(candidates(rows, *size, on, True), key=lambda c: c.estimate.cycles).estimate
    compiled = compile_rows(rows, *size, on)
    cycles = predict_program(compiled).cycles
    alone = size[0] * size[1] * 16 // on.dma_bits
    assert alone < cycles < 1.05 * alone + 500
    assert abs(cycles - best.cycles) < 0.08 * cycles + 100


def test_all_result_registers_are_brought_out() -> None:
    builder = RowBuilder([RowInput("a", Range(0, 1023))])
    a = builder.read(0)
    bins = tuple(
        builder.compare(Relation.EQUAL, a, builder.constant(value)) for value in range(1024)
    )
    total = RowTotal("n", bins, Reduction.SUM)
    rows = RowProgram("all", tuple(builder.inputs), tuple(builder.values), (), (total,))
    image = {"a": np.random.default_rng(2).integers(0, 1024, (1, 5, 60))}
    found = Interpreter(compile_rows(rows, 5, 60, machine())).run(image).outputs["n"]
    np.testing.assert_array_equal(found.ravel(), np.bincount(image["a"].ravel(), minlength=1024))
