"""Energy: counted events times the machine's figures, and nothing else."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings

from tdsl_runtime.description import EnergyTable, Figure, load_machine
from tdsl_runtime.energy import EVENTS, Energy, energy
from tdsl_runtime.errors import MachineError
from tdsl_runtime.interpreter import Interpreter
from tdsl_runtime.isa import MicroOp, Opcode, micro_op
from tdsl_runtime.program import Program
from tdsl_runtime.row_energy import DECLARED
from tests.programs import build_program, programs, random_inputs
from tests.runtime.machine_cases import every_micro_op, image

MACHINE = load_machine("nearmem-1mb")
NOTHING = Figure(0, 0, 0, "test")
ONE = Figure(1, 2, 4, "test")


def _only(event: str) -> EnergyTable:
    table = {field.name: NOTHING for field in fields(EnergyTable)}
    return EnergyTable(**(table | {event: ONE}))


def _energy(event: str, *ops: MicroOp) -> Energy:
    machine = replace(MACHINE, energy=_only(event), macro_pitch=Figure(1, 1, 1, "test"))
    program = build_program(machine, [*ops, micro_op(Opcode.HALT)])
    return energy(program, Interpreter(program).run({}).counters)


BUF = micro_op(Opcode.BUF, pitch=8, width=4, image_width=4, image_height=4, pad=1)
DOT = micro_op(Opcode.DOT, off=-1, dx=1, len=8, span=3, limit=3, macros=5, groups=2, segments=2)


@pytest.mark.parametrize(
    ("event", "count"),
    [
        ("sequence", 3),
        # Two planes of ten rows read; three pixels of eight trits read in words.
        ("row_read", 20 + 3 * 8 * 2 / 256),
        ("logic", 3 * 5 * 8),
        ("tree", 3 * 5 * 8),
        ("accumulate", 3 * 5),
        # The pad is +1: one set bit a trit, over 32 macros after half of 8 and 8.
        ("wire", 3 * 8 * (32 + 8)),
        ("compare", 0),
    ],
)
def test_the_events_of_a_dot(event: str, count: float) -> None:
    spent = _energy(event, BUF, DOT)
    assert spent.total == pytest.approx((count, 2 * count, 4 * count))
    assert spent.static == (0, 0, 0)


def test_clock_and_leakage_take_all_macros_all_the_time() -> None:
    cycles = 1 + 1 + 5 + 1
    waits = micro_op(Opcode.ACC, imm=1, span=5, limit=5)
    assert _energy("clock", waits).static[0] == 64 * cycles
    assert _energy("leakage", waits).static[0] == pytest.approx(64 * cycles / 200e6 * 1e6)


@settings(max_examples=40, deadline=None)
@given(programs(20))
def test_the_parts_add_up(program: Program) -> None:
    try:
        counters = Interpreter(program).run(random_inputs(program)).counters
    except MachineError:
        assume(False)
        return
    spent = energy(program, counters)
    low, typical, high = spent.total
    assert 0 < low < typical < high
    parts = spent.by_micro_op.sum(axis=0) + spent.static
    assert np.allclose(parts, spent.total)


def test_every_event_happens_somewhere() -> None:
    program = every_micro_op()
    spent = energy(program, Interpreter(program).run(image()).counters)
    happens = dict(zip(EVENTS, spent.by_event[:, 1] > 0, strict=True))
    assert happens == {event: event != DECLARED for event in EVENTS}
