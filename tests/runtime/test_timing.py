"""Cycles against closed forms, and what the counters must always satisfy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings

from tdsl_runtime.counters import Counter, Counters
from tdsl_runtime.description import load_machine
from tdsl_runtime.errors import MachineError
from tdsl_runtime.interpreter import Interpreter
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, Unit, micro_op
from tdsl_runtime.program import Program
from tests.programs import build_program, programs, random_inputs

MACHINE = load_machine("cutie-lanes")
BUF = micro_op(Opcode.BUF, pitch=96, width=32, depth=4, image_width=32, image_height=32)
LINE = {"span": 32, "limit": 32, "astep": 1, "macros": 96}
CONV = {"lines": 3, "x0": -1, "dx": 1, "len": 288, "off": -1, "clear": 1}
STORE = {"dx": 1, "span": 32, "limit": 32, "macros": 96}
HALT = micro_op(Opcode.HALT)


def _counters(*ops: MicroOp, window_lines: int = 3) -> Counters:
    machine = replace(MACHINE, window_lines=window_lines)
    return Interpreter(build_program(machine, ops)).run({}).counters


def test_a_window_costs_its_new_column_alone() -> None:
    counters = _counters(BUF, micro_op(Opcode.DOT, **LINE, **CONV), HALT)
    assert counters.busy[Unit.ARRAY] == 1 + 3 + 31 * 1
    assert counters.table[1, Counter.TRITS] == 864 + 31 * 288
    assert counters.cycles == 2 + 1 + 35 + MACHINE.tree_cycles


def test_without_the_window_register_all_columns_travel() -> None:
    dot = micro_op(Opcode.DOT, **LINE, **(CONV | {"lines": 1}))
    counters = _counters(BUF, dot, HALT, window_lines=0)
    assert counters.busy[Unit.ARRAY] == 1 + 32 * 1
    assert counters.table[1, Counter.TRITS] == 32 * 288


def test_a_line_of_a_convolution_and_its_store_overlap_with_tokens() -> None:
    turn = [
        micro_op(Opcode.DOT, **LINE, **CONV),
        micro_op(Opcode.SIGNAL, unit=Unit.ARRAY),
        micro_op(Opcode.WAIT, unit=Unit.POST),
        micro_op(Opcode.STORE, **STORE),
    ]
    body = [micro_op(Opcode.LOOP, level=1, count=10), *turn, micro_op(Opcode.END, level=1)]
    counters = _counters(BUF, *body, HALT)
    assert counters.done[Unit.ARRAY] == 3 + 1 + 10 * 35 + MACHINE.tree_cycles
    assert counters.done[Unit.POST] == counters.done[Unit.ARRAY] + 32 + MACHINE.gather_cycles


@pytest.mark.parametrize(
    ("op", "busy", "latency"),
    [
        (micro_op(Opcode.ACC, imm=1, span=7, limit=7, groups=2), 4, 1),
        (micro_op(Opcode.LUT, span=32, limit=32), 32, MACHINE.gather_cycles),
        (micro_op(Opcode.TLOAD, slot=55, n=1), 1, MACHINE.latch_cycles),
        (micro_op(Opcode.TLOAD, slot=55, n=2), 2, MACHINE.latch_cycles),
        (micro_op(Opcode.STORE, **STORE), 32, MACHINE.gather_cycles),
        (micro_op(Opcode.DMAW, n=2), 1 + 2 * 2688, MACHINE.dma_cycles),
    ],
)
def test_busy_and_latency_of_single_micro_ops(op: MicroOp, busy: int, latency: int) -> None:
    external = np.zeros((2, 2, MACHINE.words, MACHINE.macros), np.uint64)
    program = build_program(MACHINE, [BUF, op, HALT], external=external)
    counters = Interpreter(program).run({}).counters
    assert counters.table[1, Counter.BUSY] == busy
    assert counters.cycles == 3 + busy + latency


def test_a_full_queue_holds_the_sequencer() -> None:
    machine = replace(MACHINE, queue=2)
    slow = [micro_op(Opcode.ACC, imm=k, span=50, limit=50) for k in range(5)]
    counters = Interpreter(build_program(machine, [*slow, HALT])).run({}).counters
    # Micro-op 4 enters when micro-op 2 starts, at 2 + 2 * 50; HALT follows.
    assert counters.issue_cycles == 103


@settings(max_examples=60, deadline=None)
@given(programs(30))
def test_a_unit_is_always_busy_idle_or_waiting(program: Program) -> None:
    try:
        counters = Interpreter(program).run(random_inputs(program)).counters
    except MachineError:
        assume(False)
        return
    table = counters.table
    assert counters.issued == table[:, Counter.EXECUTED].sum()
    assert counters.cycles == max(counters.issue_cycles, *counters.done)
    for unit in (Unit.DMA, Unit.ARRAY, Unit.POST):
        mine = np.array([_unit(op) == unit for op in program.ops])
        spent = table[mine][:, [Counter.BUSY, Counter.IDLE, Counter.WAIT]].sum()
        assert counters.busy[unit] <= spent <= counters.cycles
        if spent:
            assert counters.done[unit] <= spent + 8


def _unit(op: MicroOp) -> Unit:
    if op.opcode in (Opcode.WAIT, Opcode.SIGNAL):
        return Unit(op["unit"])
    return TABLE[op.opcode].unit
