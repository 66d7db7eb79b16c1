"""Changing any field, weight or threshold of a small program is noticed."""

from dataclasses import replace

import numpy as np
import pytest

from tdsl_runtime.encoding import encode
from tdsl_runtime.errors import MachineError
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, check_field
from tdsl_runtime.program import Program
from tests.runtime.machine_cases import every_micro_op, image

PROGRAM = every_micro_op()
FIELDS = [
    (number, place)
    for number, op in enumerate(PROGRAM.ops)
    for place in range(len(TABLE[op.opcode].fields))
]


@pytest.fixture(scope="module")
def expected() -> Result:
    return Interpreter(PROGRAM).run(image())


def _is_noticed(program: Program, expected: Result) -> bool:
    try:
        result = Interpreter(program).run(image())
    except MachineError:
        return True
    outputs = np.array_equal(result.outputs["out"], expected.outputs["out"])
    return not outputs or bool(result.counters.differences(expected.counters))


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


def test_the_program_uses_every_micro_op(expected: Result) -> None:
    assert {op.opcode for op in PROGRAM.ops} == {op for op in Opcode if op < Opcode.ACTIVE}
    assert expected.outputs["out"].any(axis=(1, 2)).all()


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


@pytest.mark.parametrize("place", [(0, 0, 0, 1), (0, 1, 0, 2), (2, 1, 0, 0), (3, 0, 0, 3)])
def test_a_changed_row_is_noticed(place: tuple[int, int, int, int], expected: Result) -> None:
    """A weight, a sign, a threshold: of each some bit that the program uses."""

    def flipped(bit: int) -> Program:
        data = PROGRAM.row_data.copy()
        data[place] ^= np.uint64(1 << bit)
        return replace(PROGRAM, row_data=data)

    assert any(_is_noticed(flipped(bit), expected) for bit in range(64))


def test_a_changed_external_row_is_noticed(expected: Result) -> None:
    external = PROGRAM.external.copy()
    external[0, 0, 0, 0] ^= np.uint64(1 << 8)
    assert _is_noticed(replace(PROGRAM, external=external), expected)
