"""What does not fit is refused at its line, with the figures."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tdsl.diagnostics import CompileError, Diagnostic
from tdsl.lowering.pixels.compile_rows import compile_rows, plan_rows
from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import (
    Arithmetic,
    Range,
    Reduction,
    RowInput,
    RowOutput,
    RowProgram,
    RowTotal,
)
from tdsl.source import Span
from tdsl_runtime.description import MachineDescription
from tests.lowering.pixels.machines import machine

U8 = Range(0, 255)


def line(number: int) -> Span:
    return Span(file="k.py", line=number, column=5, end_line=number, end_column=9)


def sorted_neighbours(count: int) -> RowProgram:
    """`count` pixels that are all needed in the end: line 1 reads, lines 2.. shift, then use."""
    builder = RowBuilder([RowInput("x", U8)])
    builder.span = line(1)
    pixel = builder.read(0)
    sums: list[int] = []
    for k in range(1, count):
        builder.span = line(1 + k)
        product = builder.binary(Arithmetic.XOR, pixel, builder.constant(k))
        sums.append(builder.binary(Arithmetic.MUL, product, pixel))
    builder.span = line(100)
    total = sums[0]
    for other in sums[1:]:
        total = builder.binary(Arithmetic.MAX, total, other)
    for other in sums:
        total = builder.binary(Arithmetic.XOR, total, other)
    output = RowOutput("y", (total,), builder.range(total))
    return RowProgram("many", tuple(builder.inputs), tuple(builder.values), (output,))


def refusal(program: RowProgram, on: MachineDescription, size: int = 20) -> Diagnostic:
    with pytest.raises(CompileError) as caught:
        compile_rows(program, size, size, on)
    (found,) = caught.value.diagnostics
    assert found.code == "K0112"
    return found


def test_rows_run_out_at_a_line_with_the_figures() -> None:
    program = sorted_neighbours(9)
    found = refusal(program, machine(rows=40))
    assert found.message.endswith("`small` has 80")
    assert (found.span.line, found.span.column) == (9, 5)
    needed = int(found.message.split()[2])
    assert refusal(program, machine(rows=needed // 2 - 1)).message.split()[2] == str(needed)
    plan = plan_rows(program, 20, 20, machine(rows=-(-needed // 2)))
    assert plan.placed.assignment.rows == needed


def test_values_wider_than_micro_ops() -> None:
    builder = RowBuilder([RowInput("x", Range(0, 65535))])
    builder.span = line(3)
    pixel = builder.read(0)
    builder.span = line(4)
    square = builder.binary(Arithmetic.MUL, pixel, pixel)
    output = RowOutput("y", (square,), builder.range(square))
    program = RowProgram("wide", tuple(builder.inputs), tuple(builder.values), (output,))
    found = refusal(program, machine())
    assert (found.message, found.span.line) == (
        "a value of `wide` has 32 bits; row micro-ops work on at most 31",
        4,
    )


def test_neighbours_further_away_than_the_array_is_large() -> None:
    builder = RowBuilder([RowInput("x", U8)])
    pixel = builder.read(0)
    builder.span = line(2)
    both = builder.binary(Arithmetic.ADD, pixel, builder.shift(pixel, 0, 70))
    output = RowOutput("y", (both,), builder.range(both))
    program = RowProgram("far", tuple(builder.inputs), tuple(builder.values), (output,))
    found = refusal(program, machine(macros=1))
    assert found.message == "`far` reads 1 x 71 pixels around a pixel; `small` has 64 columns"
    assert found.span.line == 2


def test_pads_that_no_micro_op_can_hold() -> None:
    builder = RowBuilder([RowInput("x", U8, pad=1 << 22)])
    builder.span = line(6)
    builder.read(0)
    output = RowOutput("y", (0,), builder.range(0))
    program = RowProgram("pads", tuple(builder.inputs), tuple(builder.values), (output,))
    found = refusal(program, machine())
    assert "BANDIN.pad = 4194304" in found.primary.text
    assert found.span.line == 6


def test_programs_longer_than_the_memory() -> None:
    found = refusal(sorted_neighbours(9), replace(machine(), program_words=50))
    assert found.message.endswith("words of program memory; `small` has 50")


def test_more_totals_than_registers() -> None:
    builder = RowBuilder([RowInput("x", U8)])
    builder.span = line(7)
    pixel = builder.read(0)
    total = RowTotal("n", (pixel,) * 1025, Reduction.SUM)
    program = RowProgram("counts", tuple(builder.inputs), tuple(builder.values), (), (total,))
    assert refusal(program, machine()).message == (
        "`counts` counts 1025 totals; the machine has 1024 result registers"
    )


HUNGRY = """from tdsl import *


@kernel
def hungry(img: U8[L]) -> U32[L]:
    a, b, c = img * img, img * img[0, 1], img * img[1, 0]
    d, e = img * img[1, 1], img * img[0, 2]
    return max(a, b, c, d, e) + (a ^ b ^ c ^ d ^ e)
"""


def test_a_kernel_is_refused_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "hungry.py"
    file.write_text(HUNGRY, encoding="utf-8")
    hungry = runpy.run_path(str(file))["hungry"]
    image = np.zeros((20, 20), np.uint8)
    with pytest.raises(CompileError) as caught:
        hungry(image)
    (found,) = caught.value.diagnostics
    assert found.code == "K0112"
    assert found.message.startswith("`hungry` needs ")
    assert found.message.endswith(" bit rows at once; `nearmem-1mb` has 64")
    assert (found.span.line, found.span.column) == (8, 12), "at the maximum"
    np.testing.assert_array_equal(hungry(image, machine="nearmem-16mb"), image)
