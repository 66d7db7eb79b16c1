"""Row micro-ops: simulator, interpreter and event model agree on random programs."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings

from tdsl_runtime.assembly import assemble, disassemble
from tdsl_runtime.description import load_machine, machines
from tdsl_runtime.encoding import FIELD, decode, encode
from tdsl_runtime.errors import MachineError
from tdsl_runtime.event_model import predict
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import Border, MicroOp, Opcode, Reduction, micro_op
from tdsl_runtime.kernels import row_columns
from tdsl_runtime.program import Port, Program
from tdsl_runtime.row_fields import row_micro_op
from tdsl_runtime.simulator import Simulator
from tests.programs import build_program, random_inputs
from tests.row_programs import mixed_programs, row_programs

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
    assert_alike(program)


@given(program=mixed_programs())
@MANY
def test_both_organisations_work_on_the_same_cells(program: Program) -> None:
    assert_alike(program)


def assert_alike(program: Program) -> None:
    """Outputs and counters of both engines, or their errors, are the same."""
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


def test_the_kernels_read_the_columns_of_the_instruction_table() -> None:
    prefixes = {
        "AC": Opcode.ACTIVE, "LG": Opcode.LOGIC, "SU": Opcode.SUM, "SI": Opcode.SUMI,
        "CM": Opcode.CMP, "CI": Opcode.CMPI, "SE": Opcode.SELECT, "MV": Opcode.MOVE,
        "CO": Opcode.COUNT, "BI": Opcode.BANDIN, "BO": Opcode.BANDOUT, "RO": Opcode.REGOUT,
        "SP": Opcode.SPREAD, "PK": Opcode.PACK,
    }  # fmt: skip
    names = [name for name in vars(row_columns) if name[2:3] == "_"]
    assert {name[:2] for name in names} == prefixes.keys()
    for name in names:
        fields = FIELD[prefixes[name[:2]]]
        assert getattr(row_columns, name) == fields[name[3:].lower()], name
    shared = {name: column for name, column in FIELD[Opcode.CMP].items() if column <= 6}
    assert shared.items() <= FIELD[Opcode.CMPI].items()
    tiles = (Opcode.BANDIN, Opcode.BANDOUT, Opcode.SPREAD, Opcode.PACK)
    for field, at in (("div", 1), ("mul", 2), ("off", 3), ("xcounter", 4), ("xoff", 6)):
        assert all(FIELD[op][field] == FIELD[op]["counter"] + at for op in tiles)
    assert (row_columns.ANY_OF, row_columns.EDGE) == (Reduction.ANY, Border.EDGE)


@pytest.mark.parametrize("name", machines())
def test_images_wider_than_a_tile_on_the_presets(name: str) -> None:
    machine, height, width = load_machine(name), 37, 333
    lines = machine.macros * machine.columns // width
    pixel = Port("a", 1, height, width, 0, 255)
    place = {"pitch": width, "lines": lines, "width": width, "counter": 1, "mul": lines}
    program = build_program(
        machine,
        [
            micro_op(Opcode.LOOP, level=1, count=-(-height // lines)),
            row_micro_op(Opcode.BANDIN, dst=0, n=8, **place),
            row_micro_op(Opcode.BANDIN, dst=8, n=8, port=1, **place),
            row_micro_op(Opcode.CMP, dst=16, a=0, an=8, b=8, bn=8),
            row_micro_op(Opcode.SUM, dst=17, n=8, a=0, an=8, b=8, bn=8, sub=1),
            row_micro_op(Opcode.SUM, dst=25, n=8, a=8, an=8, b=0, bn=8, sub=1),
            row_micro_op(Opcode.SELECT, dst=0, n=8, tag=16, a=25, an=8, b=17, bn=8),
            row_micro_op(Opcode.BANDOUT, a=0, an=8, **place),
            micro_op(Opcode.END, level=1),
            micro_op(Opcode.HALT),
        ],
        inputs=(pixel, replace(pixel, name="b")),
        outputs=(replace(pixel, name="out"),),
    )
    images = random_inputs(program)
    quick = Simulator(program).run({n: image.astype(np.uint8) for n, image in images.items()})
    np.testing.assert_array_equal(quick.outputs["out"], abs(images["a"] - images["b"]))
    assert quick.counters.differences(Interpreter(program).run(images).counters) == ()


def test_fields_that_have_no_say_are_set_for_the_author() -> None:
    given = micro_op(Opcode.SUM, dst=3, n=4, a=1, an=4, b=2, bn=3, **{"as": 1, "bs": 1})
    op = row_micro_op(Opcode.SUM, 7, **dict(zip(FIELD[Opcode.SUM], given.values, strict=True)))
    assert op == MicroOp(Opcode.SUM, (3, 4, 1, 4, 0, 2, 3, 1, 0), 7)
    assert row_micro_op(Opcode.LOGIC, n=2, a=1, astep=1, b=5, bstep=1, table=0b0011)["b"] == 0
