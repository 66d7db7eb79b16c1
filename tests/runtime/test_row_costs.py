"""Cycles and energy of row micro-ops against closed forms."""

from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings

from tdsl_runtime.counters import Counter, Counters
from tdsl_runtime.description import EnergyTable, Figure
from tdsl_runtime.energy import EVENTS, energy
from tdsl_runtime.errors import MachineError
from tdsl_runtime.interpreter import Interpreter
from tdsl_runtime.isa import MicroOp, Opcode, Unit, micro_op
from tdsl_runtime.program import Program
from tdsl_runtime.row_energy import DECLARED
from tdsl_runtime.validation import uop_bodies
from tests.programs import random_inputs
from tests.row_programs import row_programs
from tests.runtime.row_cases import IN, MACHINE, OUT, SUMS, Bench, every_row_micro_op, image, op

COUNTS = replace(
    MACHINE,
    macro_columns=5,
    latch_cycles=3,
    tree_cycles=7,
    gather_cycles=2,
    dma_cycles=4,
    gather_trits=3,
    channel_trits=16,
    dma_bits=10,
)
ACTIVE = micro_op(Opcode.ACTIVE, macros=4)
BUF = micro_op(
    Opcode.BUF, base=40 * 5 * 128, pitch=5, width=11, depth=7, image_width=11, image_height=7
)
TILE = {"pitch": 20, "lines": 4, "width": 12, "off": 4, "xoff": -2}
"""30 of its 48 pixels lie inside the image: 3 lines of 10."""


def _counters(*ops: MicroOp) -> Counters:
    program = Bench(COUNTS).program(BUF, ACTIVE, *ops, inputs=(IN,), outputs=(OUT, SUMS))
    return Interpreter(program).run(image()).counters


@pytest.mark.parametrize(
    ("one", "busy", "latency", "rows", "pixels"),
    [
        (op(Opcode.LOGIC, n=6, astep=1, table=0b1100), 3 + 6, 1, 6, 0),
        (op(Opcode.SUM, n=9, an=8, bn=8), 3 + 9, 1, 9, 0),
        (op(Opcode.SUMI, n=9, an=8, imm=-3), 3 + 9, 1, 9, 0),
        (op(Opcode.CMP, an=5, bn=8), 3 + 1 + 8, 1, 8, 0),
        (op(Opcode.CMPI, an=5, imm=255), 3 + 1 + 8, 1, 8, 0),
        (op(Opcode.CMPI, an=5, imm=-256), 3 + 1 + 9, 1, 9, 0),
        (op(Opcode.CMPI, an=5, imm=0), 3 + 1 + 5, 1, 5, 0),
        (op(Opcode.SELECT, n=6), 3 + 1 + 6, 1, 6, 0),
        (op(Opcode.MOVE, n=4), 3 + 4, 1, 4, 0),
        (op(Opcode.MOVE, n=4, by=128), 3 + 4 * 2, 1, 4, 0),
        (op(Opcode.MOVE, n=4, by=-128 - 7), 3 + 4 * (1 + 1 + 3), 1, 4, 0),
        # 4 macros' sums of 16 bits, 6 bits a cycle.
        (op(Opcode.COUNT, an=8), 3 + 11 + 8, 7 + 2, 8, 0),
        # 8 bits a pixel at the port, 10 a cycle: 24 cycles; 3 bit rows at 6 bits a cycle: 15.
        (op(Opcode.BANDIN, n=3, **TILE), 1 + 24, 4, 3, 30),
        # 8 bits a pixel at the port: 24 cycles; 9 bit rows at 6 bits a cycle: 45.
        (op(Opcode.BANDOUT, an=9, **TILE), 1 + 45, 4, 9, 30),
        (op(Opcode.REGOUT, port=1, n=3), 1 + 10, 4, 0, 1),
        (op(Opcode.SPREAD, n=2, **TILE), 20, 2, 4, 30),
        (op(Opcode.PACK, n=4, **TILE), 40, 2, 8, 30),
    ],
)
def test_cycles(one: MicroOp, busy: int, latency: int, rows: int, pixels: int) -> None:
    counters = _counters(one)
    row = counters.table[2]
    assert row[Counter.BUSY] == busy
    assert counters.cycles == 3 + 1 + busy + latency
    assert row[Counter.TRITS] == rows * 4 * 128
    assert row[Counter.PIXELS] == pixels


def test_the_body_of_a_user_defined_micro_op_takes_no_time() -> None:
    sums = [op(Opcode.SUM, n=9, an=8, bn=8)] * 3
    counters = _counters(micro_op(Opcode.UOP, body=3, cycles=17), *sums)
    assert counters.busy[Unit.ARRAY] == 17
    assert counters.issued == 4
    assert counters.cycles == 3 + 1 + 17
    assert counters.column(Counter.EXECUTED).tolist() == [1] * 7


NOTHING, ONE = Figure(0, 0, 0, "test"), Figure(1, 1, 1, "test")


def _events(*ops: MicroOp) -> Mapping[str, float]:
    """How often each event happens, by a machine on which each one costs 1 pJ."""
    every = EnergyTable(**{field.name: ONE for field in fields(EnergyTable)})
    machine = replace(COUNTS, energy=every, macro_pitch=ONE)
    program = Bench(machine).program(BUF, ACTIVE, *ops, inputs=(IN,), outputs=(OUT, SUMS))
    counters = Interpreter(program).run(image()).counters
    spent = energy(program, counters)
    before = Bench(machine).program(BUF, ACTIVE, inputs=(IN,), outputs=(OUT, SUMS))
    less = energy(before, Interpreter(before).run(image()).counters)
    found = (spent.by_event - less.by_event)[:, 1]
    return {
        name: round(float(number), 6)
        for name, number in zip(EVENTS, found, strict=True)
        if number and name not in ("clock", "leakage", "sequence")
    }


COLUMNS = 4 * 128
HALF_WAY = 3
"""Half of one macro and five, of 1 mm each."""


@pytest.mark.parametrize(
    ("one", "events"),
    [
        (
            op(Opcode.SUM, n=9, an=8, bn=7),
            {"row_read": 15 * 4, "logic": 9 * COLUMNS, "latch": 9 * COLUMNS, "write": 9 * COLUMNS},
        ),
        (
            op(Opcode.LOGIC, n=6, astep=1, table=0b1100),
            {"row_read": 6 * 4, "logic": 6 * COLUMNS, "write": 6 * COLUMNS},
        ),
        (
            op(Opcode.CMP, an=5, bn=8),
            {"row_read": 13 * 4, "logic": 8 * COLUMNS, "latch": 8 * COLUMNS, "write": COLUMNS},
        ),
        (
            op(Opcode.SELECT, n=6, an=5, bn=6),
            {"row_read": 12 * 4, "logic": 6 * COLUMNS, "latch": COLUMNS, "write": 6 * COLUMNS},
        ),
        (
            op(Opcode.MOVE, n=4, by=-64),
            {
                "row_read": 4 * 4,
                "logic": 4 * COLUMNS,
                "wire": 4 * COLUMNS / 2 * 0.5,
                "write": 4 * COLUMNS,
            },
        ),
        (
            op(Opcode.COUNT, an=8),
            {
                "row_read": 9 * 4,
                "latch": COLUMNS,
                "logic": 8 * COLUMNS,
                "tree": 8 * COLUMNS,
                "accumulate": 9 * 4,
                "wire": 4 * 16 / 2 * HALF_WAY,
            },
        ),
        (
            op(Opcode.BANDIN, n=3, **TILE),
            {
                "write": 3 * COLUMNS,
                "dma": 3 * 30,
                "sensor": 8 * 30,
                "wire": 3 * 30 / 2 * HALF_WAY,
            },
        ),
        (
            op(Opcode.BANDOUT, an=9, **TILE),
            {"row_read": 9 * 4, "dma": 9 * 30, "sensor": 8 * 30, "wire": 9 * 30 / 2 * HALF_WAY},
        ),
        (op(Opcode.REGOUT, port=1, n=3), {"dma": 3 * 32, "sensor": 3 * 32}),
        (
            op(Opcode.PACK, n=4, **TILE),
            {"row_read": 8 * 4, "wire": 4 * 30 * HALF_WAY, "write": 8 * 30},
        ),
        (
            op(Opcode.SPREAD, n=2, **TILE),
            {
                "row_read": round(4 * 30 / 128, 6),
                "wire": 2 * 30 * HALF_WAY,
                "write": 4 * COLUMNS,
            },
        ),
    ],
)
def test_events(one: MicroOp, events: Mapping[str, float]) -> None:
    assert _events(one) == events


def test_what_is_declared_stands_apart() -> None:
    body = op(Opcode.SUM, n=9, an=8, bn=8)
    assert _events(micro_op(Opcode.UOP, body=1, energy=1500), body) == {DECLARED: 1.5 * 4}


def test_a_program_of_all_row_micro_ops_declares_energy() -> None:
    program = every_row_micro_op()
    spent = energy(program, Interpreter(program).run(image()).counters)
    assert spent.by_event[EVENTS.index(DECLARED)].tolist() == [4 * 2 * 0.9] * 3
    assert np.allclose(spent.by_micro_op.sum(axis=0) + spent.static, spent.total)


@settings(max_examples=40, deadline=None)
@given(row_programs(20))
def test_bodies_count_nothing_but_that_they_were_done(program: Program) -> None:
    try:
        counters = Interpreter(program).run(random_inputs(program)).counters
    except MachineError:
        assume(False)
        return
    bodies = sorted(uop_bodies(program.ops))
    assert not counters.table[bodies][:, Counter.ITEMS :].any()
    assert not energy(program, counters).by_micro_op[bodies].any()
    in_body = int(counters.table[bodies][:, Counter.EXECUTED].sum())
    assert counters.issued == counters.column(Counter.EXECUTED).sum() - in_body
