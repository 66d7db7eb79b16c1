"""Changing any field of a small program of row micro-ops is noticed."""

from dataclasses import replace

import numpy as np
import pytest

from tdsl_runtime.encoding import encode
from tdsl_runtime.energy import energy
from tdsl_runtime.errors import MachineError
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, Reduction, check_field
from tdsl_runtime.program import Program
from tests.runtime.row_cases import every_row_micro_op, image

PROGRAM = every_row_micro_op()


def _may_stay_unseen(op: MicroOp, name: str) -> bool:
    """A number that only tells UOPs apart; and of the COUNT any that must find nothing, so that
    any other operand or mask is seen, what the sums before it show."""
    if op.opcode is Opcode.COUNT and op["op"] == Reduction.ANY:
        return name in ("slot", "op")
    return op.opcode is Opcode.UOP and name == "code"


FIELDS = [
    (number, place)
    for number, op in enumerate(PROGRAM.ops)
    for place, field in enumerate(TABLE[op.opcode].fields)
    if not _may_stay_unseen(op, field.name)
]


@pytest.fixture(scope="module")
def expected() -> Result:
    return Interpreter(PROGRAM).run(image())


def _is_noticed(program: Program, expected: Result) -> bool:
    try:
        result = Interpreter(program).run(image())
    except MachineError:
        return True
    if any(not np.array_equal(result.outputs[n], expected.outputs[n]) for n in expected.outputs):
        return True
    spent, wanted = energy(program, result.counters), energy(PROGRAM, expected.counters)
    differences = result.counters.differences(expected.counters)
    return bool(differences) or spent.total != wanted.total


def _mutants(op: MicroOp, place: int) -> list[MicroOp]:
    field, value = TABLE[op.opcode].fields[place], op.values[place]
    found: list[MicroOp] = []
    for changed in (value + 1, value - 1):
        try:
            check_field(op.opcode, field, changed)
        except ValueError:
            continue
        values = (*op.values[:place], changed, *op.values[place + 1 :])
        found.append(MicroOp(op.opcode, values, op.origin))
    return found


def test_the_program_uses_every_row_micro_op(expected: Result) -> None:
    assert {op.opcode for op in PROGRAM.ops} >= {op for op in Opcode if op >= Opcode.ACTIVE}
    assert all(image.any() for image in expected.outputs.values())


@pytest.mark.parametrize(
    ("number", "place"),
    FIELDS,
    ids=[
        f"{n}-{PROGRAM.ops[n].opcode.name}-{TABLE[PROGRAM.ops[n].opcode].fields[p].name}"
        for n, p in FIELDS
    ],
)
def test_a_changed_field_is_noticed(number: int, place: int, expected: Result) -> None:
    ops = list(PROGRAM.ops)
    for mutant in _mutants(ops[number], place):
        code = encode([*ops[:number], mutant, *ops[number + 1 :]])
        assert _is_noticed(replace(PROGRAM, code=code), expected), mutant
