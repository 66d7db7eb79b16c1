"""Row micro-ops: simulator, interpreter and event model agree on random programs."""

from collections.abc import Sequence

import numpy as np
from hypothesis import assume, given, settings

from tdsl_runtime.assembly import assemble, disassemble
from tdsl_runtime.encoding import decode, encode
from tdsl_runtime.errors import MachineError
from tdsl_runtime.event_model import predict
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import MicroOp
from tdsl_runtime.program import Program
from tdsl_runtime.simulator import Simulator
from tests.programs import random_inputs
from tests.row_programs import row_programs

MANY = settings(deadline=None, max_examples=100)


def outcomes(engine: Interpreter | Simulator, program: Program) -> Sequence[Result | str]:
    """What two frames give, one after the other."""
    found: list[Result | str] = []
    for seed in range(2):
        try:
            found.append(engine.run(random_inputs(program, seed)))
        except MachineError as error:
            found.append(str(error))
    return found


@given(program=row_programs())
@MANY
def test_random_programs_run_alike(program: Program) -> None:
    slow, quick = outcomes(Interpreter(program), program), outcomes(Simulator(program), program)
    for wanted, got in zip(slow, quick, strict=True):
        if isinstance(wanted, str) or isinstance(got, str):
            assert got == wanted
            continue
        for name, image in wanted.outputs.items():
            np.testing.assert_array_equal(got.outputs[name], image, err_msg=name)
        assert got.counters.differences(wanted.counters) == ()


@given(program=row_programs(30))
@MANY
def test_the_event_model_predicts_the_cycles(program: Program) -> None:
    try:
        counters = Interpreter(program).run(random_inputs(program)).counters
        prediction = predict(disassemble(program), program.machine)
    except MachineError:
        assume(False)
        return
    assert prediction.cycles == counters.cycles
    assert prediction.busy == {unit: int(counters.busy[unit]) for unit in prediction.busy}


@given(program=row_programs(30))
@MANY
def test_text_and_code_hold_a_program(program: Program) -> None:
    ops = tuple(MicroOp(op.opcode, op.values) for op in program.ops)
    assert decode(encode(ops)) == ops
    assert assemble(disassemble(program)).ops == program.ops
