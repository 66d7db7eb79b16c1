"""The event-driven model, which reads only the assembly, gives the executed cycles exactly."""

import pytest
from hypothesis import assume, given, settings

from tdsl_runtime.assembly import disassemble
from tdsl_runtime.errors import MachineError
from tdsl_runtime.event_model import predict
from tdsl_runtime.interpreter import Interpreter
from tdsl_runtime.isa import Opcode, Unit, micro_op
from tdsl_runtime.program import Program
from tests.programs import build_program, programs, random_inputs, random_program


def _agrees(program: Program) -> None:
    counters = Interpreter(program).run(random_inputs(program)).counters
    prediction = predict(disassemble(program), program.machine)
    assert prediction.cycles == counters.cycles
    assert prediction.busy == {unit: int(counters.busy[unit]) for unit in prediction.busy}


@settings(max_examples=100, deadline=None)
@given(programs(30))
def test_it_predicts_the_cycles_of_random_programs(program: Program) -> None:
    try:
        _agrees(program)
    except MachineError:
        assume(False)


def test_a_token_posted_twice_is_taken_in_the_order_of_the_program() -> None:
    machine = random_program(1, 1).machine
    slow = micro_op(Opcode.ACC, imm=1, span=40, limit=40)
    ops = [
        slow,
        micro_op(Opcode.SIGNAL, unit=Unit.ARRAY),
        micro_op(Opcode.SIGNAL, unit=Unit.DMA),
        micro_op(Opcode.WAIT, unit=Unit.POST),
        micro_op(Opcode.TLOAD),
        micro_op(Opcode.HALT),
    ]
    program = build_program(machine, ops)
    assert Interpreter(program).run({}).counters.done[Unit.POST] > 40
    _agrees(program)


def test_a_wait_that_nothing_serves_is_an_error_for_both() -> None:
    ops = [micro_op(Opcode.WAIT, unit=Unit.POST), micro_op(Opcode.HALT)]
    program = build_program(random_program(1, 1).machine, ops)
    with pytest.raises(MachineError, match="no earlier SIGNAL posts"):
        Interpreter(program).run({})
    with pytest.raises(MachineError, match="no earlier SIGNAL posts"):
        predict(disassemble(program), program.machine)
