"""Everything that is known wrong before a program runs, each with the micro-op's number."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from tdsl_runtime.description import MachineDescription, load_machine
from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import AccOp, MicroOp, Opcode, StoreMode, micro_op
from tdsl_runtime.program import Port, Program
from tdsl_runtime.validation import loop_ends, validate
from tests.programs import build_program, programs

MACHINE = replace(
    load_machine("nearmem-1mb"), macro_rows=2, macro_columns=3, channels=2, window_lines=2
)
HALT = micro_op(Opcode.HALT)
BUF = micro_op(Opcode.BUF, pitch=8, width=4, image_width=4, image_height=4, base=64)
WIDE = micro_op(
    Opcode.BUF, buffer=1, pitch=9, width=4, image_width=4, image_height=4, planes=3, base=4096
)
ODD = micro_op(Opcode.BUF, buffer=2, pitch=8, width=4, image_width=3, image_height=4)
LOOP = micro_op(Opcode.LOOP, level=1, count=2)
END = micro_op(Opcode.END, level=1)
ONE = {"span": 1, "limit": 1}
ACC = micro_op(Opcode.ACC, **ONE)
IN = Port("in", 2, 4, 4, 0, 3)
OUT = Port("out", 3, 4, 4, -1, 1)


def _program(*ops: MicroOp, machine: MachineDescription = MACHINE) -> Program:
    return build_program(machine, ops, inputs=(IN,), outputs=(OUT,))


def _op(opcode: Opcode, **fields: int) -> MicroOp:
    return micro_op(opcode, **fields)


WRONG: list[tuple[MicroOp, str]] = [
    (_op(Opcode.DOT, buffer=5, **ONE), "buffer 5 is used before a BUF describes it"),
    (_op(Opcode.DOT, plane=1, **ONE), "plane 1 of a buffer with 1"),
    (_op(Opcode.DOT, counter=1, **ONE), "counter 1 is not the counter of an open loop"),
    (_op(Opcode.DOT, xcounter=2, **ONE), "xcounter 2 is not the counter of an open loop"),
    (_op(Opcode.DOT, div=2, **ONE), "div has no say where counter is 0, so it must be 1"),
    (_op(Opcode.DOT, mul=1, **ONE), "mul has no say where counter is 0"),
    (_op(Opcode.DOT, span=2, limit=1), "span and limit must be equal"),
    (_op(Opcode.DOT, groups=4, **ONE), "4 groups do not divide 6 macros"),
    (_op(Opcode.DOT, groups=3, **ONE), "3 groups need as many channels; the machine has 2"),
    (_op(Opcode.DOT, segments=3, **ONE), "3 segments do not divide 4 words"),
    (_op(Opcode.DOT, groups=2, macros=4, **ONE), "4 active macros in a group of 3"),
    (_op(Opcode.DOT, row=32, **ONE), "row 32; the machine has rows 0 to 31"),
    (_op(Opcode.DOT, acc=64, **ONE), "accumulator 64; the machine has 64"),
    (_op(Opcode.DOT, acc=60, astep=1, span=5, limit=5), "accumulator 64"),
    (_op(Opcode.DOT, ldil=2, **ONE), "ldil has no say where lines is 1"),
    (_op(Opcode.DOT, lines=3, **ONE), "3 lines; the window register holds 2"),
    (_op(Opcode.DOT, col=250, len=7, **ONE), "columns 250 to 256 are not all lanes"),
    (_op(Opcode.DOT, segments=2, col=120, len=9, **ONE), "columns 120 to 128 are not all lanes"),
    (_op(Opcode.ACC, op=9, **ONE), "unknown operation 9"),
    (_op(Opcode.ACC, op=AccOp.COPY, imm=1, **ONE), "imm has no say in this operation"),
    (_op(Opcode.ACC, op=AccOp.ADDI, src=1, **ONE), "src has no say in this operation"),
    (_op(Opcode.ACC, op=AccOp.SHR, imm=64, **ONE), "shifts go from 0 to 63"),
    (_op(Opcode.ACC, op=AccOp.ADD, src=64, **ONE), "accumulator 64"),
    (_op(Opcode.LUT, b=1, **ONE), "the buffers differ in pitch"),
    (_op(Opcode.LUT, table=2, **ONE), "which is no trit"),
    (_op(Opcode.TLOAD, n=65), "65 thresholds; the machine has 64"),
    (_op(Opcode.TLOAD, row=31, slot=15, n=2), "row 32"),
    (_op(Opcode.STORE, chan=8, **ONE), "channel 8 of a pitch of 8"),
    (_op(Opcode.STORE, buffer=1, pool=2, **ONE), "the maximum needs a buffer of one plane"),
    (_op(Opcode.STORE, buffer=1, combine=1, **ONE), "the maximum needs a buffer of one plane"),
    (_op(Opcode.STORE, levels=1, **ONE), "levels has no say in this mode"),
    (_op(Opcode.STORE, mode=StoreMode.RAW, bias=1, **ONE), "bias has no say in this mode"),
    (_op(Opcode.STORE, mode=StoreMode.COUNT, shift=1, **ONE), "shift has no say in this mode"),
    (_op(Opcode.STORE, mode=StoreMode.COUNT, levels=2, **ONE), "values from 0 to 2 do not fit"),
    (_op(Opcode.STORE, mode=StoreMode.COUNT, levels=65, **ONE), "65 thresholds"),
    (_op(Opcode.DMAIN, buffer=2), "the image of the buffer is not that of port `in`"),
    (_op(Opcode.DMAIN, port=1), "input 1; the program has 1"),
    (_op(Opcode.DMAIN, levels=1), "levels has no say in format 0"),
    (_op(Opcode.DMAIN), "values from 0 to 3 do not fit 1 planes"),
    (_op(Opcode.DMAIN, format=1), "format 1 needs levels"),
    (_op(Opcode.DMAIN, format=1, levels=1, base=3), "levels 3 to 3 are not all set"),
    (_op(Opcode.DMAIN, buffer=1, format=1, levels=1), "format 1 needs a buffer of one plane"),
    (_op(Opcode.DMAOUT, port=2), "output 2; the program has 1"),
    (_op(Opcode.DMAOUT, chan=7, n=2), "channel 8 of a pitch of 8"),
    (_op(Opcode.DMAOUT, to=2, n=2), "channel 3 of output `out`, which has 3"),
    (_op(Opcode.DMAW, row=31, n=2), "row 32"),
    (_op(Opcode.DMAW), "row 0 of external memory, which has 0"),
    (_op(Opcode.WAIT, token=64), "token 64; the machine has 64"),
    (_op(Opcode.SIGNAL, token=64), "token 64; the machine has 64"),
    (_op(Opcode.BUF, buffer=64), "buffer 64; the machine has 64"),
    (_op(Opcode.BUF, base=8), "base is not a multiple of 64"),
    (_op(Opcode.BUF, base=49088, depth=2), "the buffer ends at trit 49216"),
    (_op(Opcode.BUF, step=1), "step has no say where the other is 0"),
    (_op(Opcode.BUF, strip=1), "strip has no say where the other is 0"),
    (_op(Opcode.DMAOUT, x0=1, limit=4), "pixels 1 to 4 of lines of 4"),
    (_op(Opcode.DMAOUT, buffer=2), "the image of the buffer is not that of port `out`"),
    (_op(Opcode.GUARD, rem=1, skip=1), "remainder 1 of modulus 1 never occurs"),
]


@pytest.mark.parametrize(("op", "words"), WRONG, ids=[words[:40] for _, words in WRONG])
def test_a_wrong_micro_op_is_refused(op: MicroOp, words: str) -> None:
    with pytest.raises(MachineError) as caught:
        validate(_program(BUF, WIDE, ODD, op, ACC, HALT))
    assert caught.value.message.startswith("micro-op 3 is wrong: ")
    assert words in caught.value.message
    assert op.opcode.name in caught.value.note


@pytest.mark.parametrize(
    ("ops", "words"),
    [
        ((), "one HALT"),
        ((ACC,), "one HALT"),
        ((HALT, HALT), "one HALT"),
        ((LOOP, HALT), "micro-op 0 is wrong: is never closed"),
        ((END, HALT), "closes a loop that is not the innermost"),
        ((LOOP, LOOP, END, END, HALT), "micro-op 1 is wrong: the level is open already"),
        ((LOOP, BUF, END, HALT), "stands inside a loop"),
        ((LOOP, micro_op(Opcode.LEVEL), END, HALT), "stands inside a loop"),
        ((micro_op(Opcode.GUARD, skip=1), HALT), "skips beyond the program"),
        ((micro_op(Opcode.GUARD), ACC, HALT), "skips nothing"),
        ((micro_op(Opcode.GUARD, skip=1), LOOP, END, HALT), "skips a part of a loop"),
        ((LOOP, micro_op(Opcode.GUARD, skip=2), ACC, END, HALT), "skips a part of a loop"),
        ((micro_op(Opcode.GUARD, skip=1), BUF, HALT), "skips a BUF, LEVEL or ACTIVE"),
    ],
)
def test_a_wrong_structure_is_refused(ops: tuple[MicroOp, ...], words: str) -> None:
    with pytest.raises(MachineError) as caught:
        validate(_program(*ops))
    assert words in str(caught.value)


def test_what_is_wrong_beside_the_micro_ops_is_refused() -> None:
    good = _program(ACC, HALT)
    validate(good)
    assert loop_ends((LOOP, ACC, END)) == {0: 2}
    wrong = [
        (
            replace(good, machine=replace(MACHINE, program_words=2)),
            "exceed the 2 of program memory",
        ),
        (replace(good, rows=np.array([0])), "memory image does not have the shape"),
        (replace(good, external=np.zeros((1, 2, 4, 5), np.uint64)), "external memory"),
        (replace(good, code_origins=np.array([0, 1], np.int32)), "an origin that is not"),
        (replace(good, code_origins=np.array([0], np.int32)), "origins for 1"),
        (replace(good, inputs=(replace(IN, height=0),)), "port `in` holds nothing"),
        (
            replace(good, rows=np.array([32]), row_data=np.zeros((1, 2, 4, 6), np.uint64)),
            "a row that the machine does not have",
        ),
    ]
    for program, words in wrong:
        with pytest.raises(MachineError) as caught:
            validate(program)
        assert words in caught.value.message


@settings(max_examples=60, deadline=None)
@given(programs(30))
def test_random_programs_are_valid(program: Program) -> None:
    validate(program)
