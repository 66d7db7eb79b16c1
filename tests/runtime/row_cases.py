"""A small machine, values placed in its columns, and programs of row micro-ops on it."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.description import MachineDescription, load_machine
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import MicroOp, Opcode, Unit, micro_op
from tdsl_runtime.program import Port, Program
from tdsl_runtime.row_fields import row_micro_op
from tdsl_runtime.state import State, pack
from tests.programs import build_program, random_trits

Values = NDArray[np.int64]

MACHINE = replace(
    load_machine("nearmem-1mb"),
    macro_rows=1,
    macro_columns=3,
    rows=48,
    columns=128,
    lanes=128,
    gather_trits=4,
    channel_trits=3,
    dma_bits=8,
    queue=2,
)
COLUMNS = 3 * 128
IN = Port("in", 2, 7, 11, 0, 255)
OUT = Port("out", 2, 7, 11, -128, 127)
SUMS = Port("sums", 4, 1, 1, -(1 << 30), 1 << 30)
ROWS = Port("rows", 5, 2, 512, 0, 65535)


@dataclass
class Bench:
    """An array whose columns hold given values; what a test runs, and looks at afterwards."""

    machine: MachineDescription = MACHINE
    rows: dict[int, NDArray[np.uint8]] = field(default_factory=dict[int, NDArray[np.uint8]])

    @property
    def columns(self) -> int:
        """Columns of all macros."""
        return self.machine.macros * self.machine.columns

    def place(self, row: int, bits: int, values: Values) -> None:
        """Put values [columns] into bit rows before the program starts."""
        for j in range(bits):
            self.rows[row + j] = (values >> j & 1).astype(np.uint8)

    def program(
        self, *ops: MicroOp, inputs: tuple[Port, ...] = (), outputs: tuple[Port, ...] = ()
    ) -> Program:
        """The micro-ops and a HALT, with the memory as placed."""
        machine = self.machine
        bits = np.zeros((machine.rows, 2, self.columns), np.uint8)
        for row, values in self.rows.items():
            bits[row // 2, row % 2] = values
        shape = (machine.rows, 2, machine.macros, machine.words, 64)
        data = pack(bits.reshape(shape)).transpose(0, 1, 3, 2)
        ops = (*ops, micro_op(Opcode.HALT))
        return build_program(
            machine, ops, row_data=np.ascontiguousarray(data), inputs=inputs, outputs=outputs
        )


@dataclass
class Ended:
    """The result of a run of the interpreter, and the state it left."""

    result: Result
    state: State

    def value(self, row: int, bits: int, *, signed: bool = False) -> Values:
        """The values [columns] of bit rows, of all macros."""
        machine = self.state.machine
        total = np.zeros(machine.macros * machine.columns, np.int64)
        for j in range(bits):
            cells = self.state.cells[(row + j) % 2, (row + j) // 2]
            total += np.moveaxis(cells, 1, 0).reshape(-1).astype(np.int64) << j
        return total - ((total >> bits - 1 & 1) << bits if signed else 0)


def run(program: Program, images: dict[str, Values] | None = None) -> Ended:
    """Run the interpreter; the program has at least one micro-op before its HALT."""
    states: list[State] = []
    result = Interpreter(program).run(images or {}, lambda _, state: states.append(state))
    return Ended(result, states[-1])


def every_row_micro_op() -> Program:
    """A band comes in, goes through every row micro-op, and out; trits through a line buffer.

    The buffer fills the end of the memory, so that it cannot grow unnoticed. All that the active
    columns hold goes out too.
    """
    across = {"xcounter": 2, "xmul": 6, "xoff": -1}
    place = {"counter": 1, "mul": 3, **across}
    into = {"pitch": 9, "lines": 5, "width": 8, **place, "off": -1}
    out = {"first": 10, "step": 2, "pitch": 9, "lines": 3, "width": 3, **place}
    whole = {"pitch": 13, "lines": 9, "width": 9, "counter": 1, "mul": -1, **across}
    turn = {"width": 256, "counter": 1, "mul": 1, "xcounter": 2, "xmul": 256}
    size = {"pitch": 11, "width": 11, "depth": 7, "image_width": 11, "image_height": 7}
    row = row_micro_op
    ops = [
        row(Opcode.BUF, base=MACHINE.trits - 896, pad=-1, **size),
        row(Opcode.ACTIVE, macros=2),
        row(Opcode.LOOP, level=1, count=2),
        row(Opcode.LOOP, level=2, count=2),
        row(Opcode.BANDIN, dst=0, n=8, chan=1, pad=77, **into),
        row(Opcode.BANDIN, dst=8, n=9, border=1, **into),
        *_hand_over(Unit.DMA, Unit.ARRAY, 0),
        row(Opcode.SUM, dst=17, n=9, a=0, an=8, b=8, bn=9, sub=1),
        row(Opcode.SUM, dst=26, n=11, a=17, an=9, b=1, bn=5, **{"as": 1, "bs": 1}),
        row(Opcode.SUMI, dst=37, n=10, a=8, an=8, neg=1, imm=300, **{"as": 1}),
        row(Opcode.LOGIC, dst=48, n=3, a=17, astep=1, b=37, bstep=1, table=0b1001),
        row(Opcode.CMP, dst=51, a=0, an=8, b=26, bn=11, bs=1),
        row(Opcode.CMPI, dst=52, a=17, an=5, imm=-3, inv=1, **{"as": 1}),
        row(Opcode.CMP, dst=53, op=1, a=0, an=3, b=8, bn=3),
        row(Opcode.SELECT, dst=54, n=10, tag=52, a=26, an=10, b=17, bn=9, bs=1),
        row(Opcode.MOVE, dst=54, n=7, a=54, by=10),
        row(Opcode.UOP, code=1, body=1, cycles=6, energy=900),
        row(Opcode.MOVE, dst=61, n=2, a=48, by=-66),
        row(Opcode.LOGIC, dst=68, a=53, table=0b0011),
        row(Opcode.COUNT, slot=1, a=17, an=9, mask=52, **{"as": 1}),
        row(Opcode.COUNT, slot=3, clear=1, a=17, an=4, mask=53),
        row(Opcode.COUNT, slot=3, op=1, a=53, an=1, mask=68),
        *_hand_over(Unit.ARRAY, Unit.DMA, 1),
        row(Opcode.BANDOUT, a=17, an=9, **out, **{"as": 1}),
        row(Opcode.PACK, row=24, n=2, chan=1, **out, off=1),
        row(Opcode.SPREAD, row=32, n=2, chan=1, **whole),
        *_hand_over(Unit.ARRAY, Unit.DMA, 2),
        row(Opcode.BANDOUT, a=64, an=4, chan=1, **out, **{"as": 1}),
        *(row(Opcode.BANDOUT, a=16 * k, an=16, port=2, chan=k, **turn) for k in range(5)),
        row(Opcode.END, level=2),
        row(Opcode.END, level=1),
        row(Opcode.REGOUT, slot=0, n=4, port=1),
        row(Opcode.HALT),
    ]
    rows = random_trits(np.random.default_rng(5), MACHINE.rows, 2, 3)
    return build_program(MACHINE, ops, inputs=(IN,), outputs=(OUT, SUMS, ROWS), row_data=rows)


def image() -> dict[str, Values]:
    """An input image for that program."""
    return {"in": np.random.default_rng(3).integers(0, 255, IN.shape, endpoint=True)}


def _hand_over(giver: Unit, taker: Unit, token: int) -> list[MicroOp]:
    signal, wait = (Opcode.SIGNAL, giver), (Opcode.WAIT, taker)
    return [micro_op(opcode, unit=unit, token=token) for opcode, unit in (signal, wait)]


def op(opcode: Opcode, **fields: int) -> MicroOp:
    """A row micro-op whose fields that have no say hold what they must."""
    return row_micro_op(opcode, **fields)
