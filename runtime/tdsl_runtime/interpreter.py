"""Programs executed in plain Python and NumPy: the living definition of the machine.

A program and its input images in, output images and counters out. Obvious and slow: control is
here, the meaning of the units' work in `micro_ops.py` and `row_micro_ops.py`, time in `timing.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.counters import Counter, Counters
from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, Unit
from tdsl_runtime.micro_ops import MEANINGS
from tdsl_runtime.ports import Images, check_inputs
from tdsl_runtime.program import Program
from tdsl_runtime.row_micro_ops import ROW_MEANINGS
from tdsl_runtime.state import Buffer, State
from tdsl_runtime.timing import Passage, Timeline, cost
from tdsl_runtime.validation import loop_ends, uop_bodies, validate

_MEANINGS = MEANINGS | ROW_MEANINGS

Hook = Callable[[int, State], None]
"""Called after every micro-op executed, with its number and the state it left."""


@dataclass(frozen=True, slots=True)
class Result:
    """The output images [C, H, W] of a run by port name, and what it counted."""

    outputs: Images
    counters: Counters


class Interpreter:
    """Runs one program, as often as wanted; every run starts from the program's memory image."""

    def __init__(self, program: Program) -> None:
        """Take a program. Raises MachineError if it is not valid on its machine."""
        validate(program)
        self.program = program

    def run(self, inputs: Mapping[str, NDArray[Any]], hook: Hook | None = None) -> Result:
        """Run on images [C, H, W] by port name.

        Raises MachineError for images that do not fit the ports, and for a program that reads
        what no buffer holds or waits for a token that is never posted.
        """
        return _Run(self.program, check_inputs(self.program.inputs, inputs)).execute(hook)


class _Run:
    """One run: the state, the clock and the counters."""

    def __init__(self, program: Program, inputs: Mapping[str, NDArray[Any]]) -> None:
        self.program = program
        self.state = State(program, inputs)
        self.clock = Timeline(program.machine.queue)
        self.ends = loop_ends(program.ops)
        self.bodies = uop_bodies(program.ops)
        self.starts = {end: start for start, end in self.ends.items()}
        self.table = np.zeros((len(program.ops), len(Counter)), np.int64)

    def execute(self, hook: Hook | None) -> Result:
        """Run until HALT."""
        at, op = 0, self.program.ops[0]
        while op.opcode is not Opcode.HALT:
            follower = self.step(at, op)
            if hook is not None:
                hook(at, self.state)
            at, op = follower, self.program.ops[follower]
        self.step(at, op)
        outputs = {port.name: image for port, image in self.state.outputs}
        return Result(outputs, self.counters())

    def step(self, at: int, op: MicroOp) -> int:
        """Execute one micro-op; return the number of the next one."""
        self.table[at, Counter.EXECUTED] += 1
        try:
            if TABLE[op.opcode].unit is not Unit.SEQUENCER:
                return self.work(at, op)
            if op.opcode in (Opcode.WAIT, Opcode.SIGNAL):
                return self.synchronise(at, op)
            self.clock.control()
            return self.control(at, op)
        except MachineError as error:
            where = f"micro-op {at} ({op.opcode.name}): {error.message}"
            raise MachineError(where, error.note, error.remedy) from error

    def work(self, at: int, op: MicroOp) -> int:
        """Let a unit do its work; in the body of a UOP it takes no time."""
        effect = _MEANINGS[op.opcode](self.state, op)
        if at in self.bodies:
            return at + 1
        spent = cost(self.program.machine, op, effect.extent)
        row = self.table[at]
        row[Counter.ITEMS] += spent.items
        row[Counter.PIXELS] += effect.extent.pixels
        row[Counter.TRITS] += effect.extent.trits
        row[Counter.ONES] += effect.ones
        self.count(at, self.clock.work(TABLE[op.opcode].unit, spent))
        return at + 1

    def synchronise(self, at: int, op: MicroOp) -> int:
        """Let a unit wait for a token or post it."""
        enter = self.clock.wait if op.opcode is Opcode.WAIT else self.clock.signal
        self.count(at, enter(Unit(op["unit"]), op["token"]))
        return at + 1

    def count(self, at: int, passage: Passage) -> None:
        """Count the cycles of an entry of a unit's queue."""
        row = self.table[at]
        row[Counter.BUSY] += passage.busy
        row[Counter.IDLE] += passage.idle
        row[Counter.WAIT] += passage.wait

    def control(self, at: int, op: MicroOp) -> int:
        """Execute a micro-op of the sequencer; return the number of the next one."""
        state = self.state
        match op.opcode:
            case Opcode.LOOP:
                return at + 1 if op["count"] else self.ends[at] + 1
            case Opcode.END:
                return self.end_turn(at, op)
            case Opcode.GUARD:
                value = state.counters[op["counter"]]
                runs = op["lo"] <= value < op["hi"] and value % op["mod"] == op["rem"]
                return at + 1 if runs else at + 1 + op["skip"]
            case Opcode.BUF:
                state.buffers[op["buffer"]] = Buffer.described(op)
            case Opcode.LEVEL:
                state.levels[op["index"]] = op["lo"], op["hi"]
            case Opcode.ACTIVE:
                state.active = op["macros"]
            case _:
                assert op.opcode is Opcode.HALT
        return at + 1

    def end_turn(self, at: int, op: MicroOp) -> int:
        """Go back for the next turn of the loop, or leave it with its counter at 0."""
        start = self.starts[at]
        turn = self.state.counters[op["level"]] + 1
        again = turn < self.program.ops[start]["count"]
        self.state.counters[op["level"]] = turn if again else 0
        return start + 1 if again else at + 1

    def counters(self) -> Counters:
        """What was counted so far."""
        units = np.array([TABLE[op.opcode].unit for op in self.program.ops])
        busy = self.table[:, Counter.BUSY]
        return Counters(
            table=self.table,
            done=np.array([self.clock.done[unit] for unit in Unit], np.int64),
            busy=np.array([busy[units == unit].sum() for unit in Unit], np.int64),
            issued=self.clock.issued,
            issue_cycles=self.clock.issue_cycles,
            cycles=self.clock.cycles,
        )
