"""A program of row micro-ops -> what its execution will count, without data.

Nothing that row micro-ops take depends on the pixels' values, so the prediction is exact: cycles,
work of every micro-op, and with them the energy.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tdsl_runtime.counters import Counter, Counters
from tdsl_runtime.description import PLANES
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, Unit
from tdsl_runtime.program import Port, Program
from tdsl_runtime.state import Buffer
from tdsl_runtime.timing import Extent, Passage, Timeline, cost, immediate_bits
from tdsl_runtime.validation import loop_ends, uop_bodies

Fields = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Work:
    """One execution: its size, and what it takes of its unit."""

    pixels: int
    trits: int
    bits: int = 0


def predict_program(program: Program) -> Counters:
    """The counters of any run of a program whose work is done by row micro-ops alone."""
    return _Prediction(program).run()


class _Prediction:
    """The program's loops, its clock and its counters."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.ops = program.ops
        self.fields = [_fields(op) for op in self.ops]
        self.ends = loop_ends(self.ops)
        self.starts = {end: start for start, end in self.ends.items()}
        self.bodies = uop_bodies(self.ops)
        self.clock = Timeline(program.machine.queue)
        self.table = np.zeros((len(self.ops), len(Counter)), np.int64)
        self.counters = [0] * 8
        self.active = program.machine.macros
        self.buffers: dict[int, Buffer] = {}

    def run(self) -> Counters:
        """Until HALT."""
        at = 0
        while at < len(self.ops):
            at = self._step(at)
        units = np.array([TABLE[op.opcode].unit for op in self.ops])
        busy = self.table[:, Counter.BUSY]
        return Counters(
            table=self.table,
            done=np.array([self.clock.done[unit] for unit in Unit], np.int64),
            busy=np.array([busy[units == unit].sum() for unit in Unit], np.int64),
            issued=self.clock.issued,
            issue_cycles=self.clock.issue_cycles,
            cycles=self.clock.cycles,
        )

    def _step(self, at: int) -> int:
        """One micro-op; the number of the next one."""
        op, fields = self.ops[at], self.fields[at]
        self.table[at, Counter.EXECUTED] += 1
        if at in self.bodies:
            return at + 1
        if op.opcode in (Opcode.WAIT, Opcode.SIGNAL):
            enter = self.clock.wait if op.opcode is Opcode.WAIT else self.clock.signal
            self._count(at, enter(Unit(fields["unit"]), fields["token"]))
            return at + 1
        if TABLE[op.opcode].unit is not Unit.SEQUENCER:
            self._work(at, op)
            return at + 1
        self.clock.control()
        return self._control(at, op.opcode, fields)

    def _control(self, at: int, opcode: Opcode, fields: Fields) -> int:
        match opcode:
            case Opcode.LOOP if fields["count"] == 0:
                return self.ends[at] + 1
            case Opcode.END:
                start, level = self.starts[at], fields["level"]
                turn = self.counters[level] + 1
                again = turn < self.fields[start]["count"]
                self.counters[level] = turn if again else 0
                return start + 1 if again else at + 1
            case Opcode.GUARD:
                value = self.counters[fields["counter"]]
                runs = fields["lo"] <= value < fields["hi"]
                runs = runs and value % fields["mod"] == fields["rem"]
                return at + 1 if runs else at + 1 + fields["skip"]
            case Opcode.ACTIVE:
                self.active = fields["macros"]
            case Opcode.BUF:
                self.buffers[fields["buffer"]] = Buffer.described(self.ops[at])
            case _:
                pass
        return at + 1

    def _work(self, at: int, op: MicroOp) -> None:
        machine = self.program.machine
        work = self._size(op.opcode, self.fields[at])
        extent = Extent(work.pixels, work.trits, work.bits, macros=self.active)
        spent = cost(machine, op, extent)
        row = self.table[at]
        row[Counter.ITEMS] += spent.items
        row[Counter.PIXELS] += work.pixels
        row[Counter.TRITS] += work.trits
        self._count(at, self.clock.work(TABLE[op.opcode].unit, spent))

    def _count(self, at: int, passage: Passage) -> None:
        row = self.table[at]
        row[Counter.BUSY] += passage.busy
        row[Counter.IDLE] += passage.idle
        row[Counter.WAIT] += passage.wait

    def _size(self, opcode: Opcode, fields: Fields) -> _Work:
        columns = self.active * self.program.machine.columns
        match opcode:
            case Opcode.BANDIN | Opcode.BANDOUT:
                reads = opcode is Opcode.BANDIN
                ports = self.program.inputs if reads else self.program.outputs
                port = ports[fields["port"]]
                pixels = self._inside(fields, port.height, port.width)
                rows = fields["n"] if reads else fields["an"]
                return _Work(pixels, rows * columns, pixels * port.bits)
            case Opcode.REGOUT:
                return _Work(1, 0, fields["n"] * self._output(fields).bits)
            case Opcode.SPREAD | Opcode.PACK:
                buffer = self.buffers[fields["buffer"]]
                pixels = self._inside(fields, buffer.image_height, buffer.image_width)
                return _Work(pixels, PLANES * fields["n"] * columns)
            case _:
                return _Work(0, _rows(opcode, fields) * columns)

    def _output(self, fields: Fields) -> Port:
        return self.program.outputs[fields["port"]]

    def _inside(self, fields: Fields, height: int, width: int) -> int:
        """Pixels of a tile that lie inside an image."""
        y = self.counters[fields["counter"]] // fields["div"] * fields["mul"] + fields["off"]
        x = self.counters[fields["xcounter"]] * fields["xmul"] + fields["xoff"]
        lines = max(0, min(height, y + fields["lines"]) - max(0, y))
        return lines * max(0, min(width, x + fields["width"]) - max(0, x))


def _fields(op: MicroOp) -> Fields:
    pairs = zip(TABLE[op.opcode].fields, op.values, strict=True)
    return {field.name: value for field, value in pairs}


def _rows(opcode: Opcode, fields: Fields) -> int:
    """Bit rows that a micro-op of the array works through."""
    match opcode:
        case Opcode.CMP:
            return max(fields["an"], fields["bn"])
        case Opcode.CMPI:
            return max(fields["an"], immediate_bits(fields["imm"]))
        case Opcode.COUNT:
            return fields["an"]
        case Opcode.UOP:
            return 1
        case _:
            return fields["n"]
