"""Everything that is known wrong of row micro-ops before a program runs."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import MicroOp, Opcode, micro_op
from tdsl_runtime.program import Port, Program
from tdsl_runtime.validation import validate
from tests.programs import build_program
from tests.row_programs import row_programs
from tests.runtime.row_cases import IN, MACHINE, OUT, SUMS

BUF = micro_op(
    Opcode.BUF, base=24 * 3 * 128, pitch=5, width=11, depth=7, image_width=11, image_height=7
)
ACTIVE = micro_op(Opcode.ACTIVE, macros=2)
HALT = micro_op(Opcode.HALT)
GOOD = micro_op(Opcode.MOVE)
LOOP, END = micro_op(Opcode.LOOP, level=1, count=2), micro_op(Opcode.END, level=1)


def _op(opcode: Opcode, **fields: int) -> MicroOp:
    return micro_op(opcode, **fields)


def _program(*ops: MicroOp) -> Program:
    smaller = replace(MACHINE, rows=32)
    return build_program(smaller, ops, inputs=(IN,), outputs=(OUT, SUMS))


WRONG: list[tuple[MicroOp, str]] = [
    (_op(Opcode.ACTIVE, macros=4), "4 macros; the machine has 3"),
    (_op(Opcode.LOGIC, dst=63, n=2, table=6), "bit row 64; the machine has bit rows 0 to 63"),
    (_op(Opcode.LOGIC, a=60, astep=1, n=5, table=6), "bit row 64"),
    (_op(Opcode.LOGIC, b=64, table=6), "bit row 64"),
    (_op(Opcode.LOGIC, astep=1, table=6), "astep has no say here, so it must be 0"),
    (_op(Opcode.LOGIC, bstep=1, n=2, table=0b1100), "bstep has no say here"),
    (_op(Opcode.LOGIC, b=3, table=0b0011), "b has no say here"),
    (_op(Opcode.LOGIC, a=3, table=0b1010), "a has no say here"),
    (_op(Opcode.SUM, n=3, an=4), "4 bit rows of a for a result of 3"),
    (_op(Opcode.SUM, n=3, an=3, bn=4), "4 bit rows of b for a result of 3"),
    (_op(Opcode.SUM, n=3, a=62, an=3), "bit row 64"),
    (_op(Opcode.SUM, n=3, an=3, **{"as": 1}), "as has no say here, so it must be 0"),
    (_op(Opcode.SUM, n=3, bn=3, bs=1), "bs has no say here"),
    (_op(Opcode.SUMI, n=3, an=3, imm=8), "imm 8 does not fit 3 bits"),
    (_op(Opcode.SUMI, n=3, an=3, imm=-5), "imm -5 does not fit 3 bits"),
    (_op(Opcode.SUMI, n=3, an=3, **{"as": 1}), "as has no say here"),
    (_op(Opcode.CMP, dst=64), "bit row 64"),
    (_op(Opcode.CMP, a=62, an=4), "bit row 65"),
    (_op(Opcode.CMP, b=62, bn=4), "bit row 65"),
    (_op(Opcode.CMPI, a=62, an=4), "bit row 65"),
    (_op(Opcode.SELECT, tag=64), "bit row 64"),
    (_op(Opcode.SELECT, n=2, an=2, bn=2, bs=1), "bs has no say here"),
    (_op(Opcode.MOVE, a=60, n=5), "bit row 64"),
    (_op(Opcode.COUNT, mask=70), "bit row 70"),
    (_op(Opcode.COUNT, op=1, **{"as": 1}), "as has no say here"),
    (_op(Opcode.BANDIN, port=1), "input 1; the program has 1"),
    (_op(Opcode.BANDIN, chan=2), "channel 2 of port `in`, which has 2"),
    (_op(Opcode.BANDIN, n=2, pad=4), "pad 4 does not fit 2 bits"),
    (_op(Opcode.BANDIN, border=1, n=2, pad=1), "pad has no say here"),
    (_op(Opcode.BANDIN, lines=2, width=3, pitch=2), "lines of 3 pixels overlap at a pitch of 2"),
    (_op(Opcode.BANDIN, width=3, pitch=4), "pitch has no say here, so it must be 3"),
    (_op(Opcode.BANDIN, lines=26, pitch=10, width=10), "column 259 of a tile; the active macros"),
    (_op(Opcode.BANDIN, counter=1, mul=1), "counter 1 is not the counter of an open loop"),
    (_op(Opcode.BANDIN, xcounter=1, xmul=1), "xcounter 1 is not the counter of an open loop"),
    (_op(Opcode.BANDIN, xmul=1), "xmul has no say here"),
    (_op(Opcode.BANDIN, div=2), "div has no say where counter is 0, so it must be 1"),
    (_op(Opcode.BANDOUT, port=2), "output 2; the program has 2"),
    (_op(Opcode.BANDOUT, chan=2), "channel 2 of port `out`, which has 2"),
    (_op(Opcode.BANDOUT, first=200, width=57), "column 256 of a tile; the active macros have 256"),
    (_op(Opcode.BANDOUT, pitch=2), "pitch has no say here, so it must be 1"),
    (_op(Opcode.BANDOUT, step=2), "step has no say here, so it must be 1"),
    (_op(Opcode.REGOUT), "port `out` has more than one pixel"),
    (_op(Opcode.REGOUT, port=1, n=4, chan=1), "channel 4 of port `sums`, which has 4"),
    (_op(Opcode.REGOUT, port=1, n=2, slot=1023), "result register 1024; the machine has 1024"),
    (_op(Opcode.SPREAD, buffer=1), "buffer 1 is used before a BUF describes it"),
    (_op(Opcode.SPREAD, plane=1), "plane 1 of a buffer with 1"),
    (_op(Opcode.SPREAD, row=32), "row 32; the machine has rows 0 to 31"),
    (_op(Opcode.SPREAD, n=5, chan=1), "channel 5 of a pitch of 5"),
    (_op(Opcode.SPREAD, row=22, n=3), "rows 22 to 24 meet the buffer"),
    (_op(Opcode.PACK, row=25), "rows 25 to 25 meet the buffer"),
    (_op(Opcode.UOP, body=2), "its body holds HALT"),
]  # fmt: skip


@pytest.mark.parametrize(("op", "words"), WRONG, ids=[words[:40] for _, words in WRONG])
def test_a_wrong_micro_op_is_refused(op: MicroOp, words: str) -> None:
    with pytest.raises(MachineError) as caught:
        validate(_program(BUF, ACTIVE, op, GOOD, HALT))
    assert caught.value.message.startswith("micro-op 2 is wrong: ")
    assert words in caught.value.message
    assert op.opcode.name in caught.value.note


@pytest.mark.parametrize(
    ("ops", "words"),
    [
        ((LOOP, ACTIVE, END), "stands inside a loop"),
        ((_op(Opcode.GUARD, skip=1), ACTIVE), "skips a BUF, LEVEL or ACTIVE"),
        ((_op(Opcode.GUARD, skip=2), _op(Opcode.UOP, body=2), GOOD, GOOD), "skips a part of a UOP"),
        ((_op(Opcode.GUARD, skip=1), _op(Opcode.UOP, body=1), GOOD), "skips a part of a UOP"),
        ((_op(Opcode.UOP, body=1), _op(Opcode.UOP, body=1), GOOD), "its body holds UOP"),
        ((LOOP, _op(Opcode.UOP, body=1), END), "its body holds END"),
        ((_op(Opcode.UOP, body=1), _op(Opcode.BANDIN)), "its body holds BANDIN"),
    ],
)
def test_a_wrong_structure_is_refused(ops: tuple[MicroOp, ...], words: str) -> None:
    with pytest.raises(MachineError) as caught:
        validate(_program(*ops, HALT))
    assert words in str(caught.value)


def test_a_whole_user_defined_micro_op_may_be_skipped() -> None:
    guard = _op(Opcode.GUARD, skip=2)
    validate(_program(guard, _op(Opcode.UOP, body=1), GOOD, HALT))


def test_a_tile_may_fill_the_active_columns() -> None:
    tile = {"lines": 2, "pitch": 128, "width": 128}
    port = Port("in", 1, 1, 1, 0, 1)
    validate(build_program(MACHINE, [ACTIVE, _op(Opcode.BANDIN, **tile), HALT], inputs=(port,)))


@settings(max_examples=60, deadline=None)
@given(row_programs(30))
def test_random_programs_are_valid(program: Program) -> None:
    validate(program)
