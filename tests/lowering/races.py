"""Finds every pair of accesses that no token orders: a race detector with vector clocks.

It watches a replay. Memory is looked at word by word, accumulators one by one. Two units that touch
the same place, one of them writing, must be ordered by a chain of tokens, or it is a hazard.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.description import WORD
from tdsl_runtime.isa import AccOp, MicroOp, Opcode, Unit
from tdsl_runtime.micro_ops import line, span
from tdsl_runtime.program import Program
from tdsl_runtime.state import Buffer, State
from tdsl_runtime.timing import steps
from tests.lowering.replay import UNITS, Entry
from tests.lowering.row_accesses import ROW_OPCODES, rows_touched, tile_lines

Clock = dict[Unit, int]


@dataclass(frozen=True, slots=True)
class Access:
    """Places `start .. stop - 1` of the memory's words, or of the accumulators behind them."""

    start: int
    stop: int
    writes: bool


@dataclass(slots=True)
class Detector:
    """Watches a replay of a program; `hazards` are descriptions of unordered accesses."""

    program: Program
    hazards: list[str] = field(default_factory=list[str])
    clocks: dict[Unit, Clock] = field(init=False)
    posts: dict[int, deque[Clock]] = field(default_factory=dict[int, deque[Clock]])
    reads: dict[Unit, NDArray[np.int64]] = field(init=False)
    writes: dict[Unit, NDArray[np.int64]] = field(init=False)

    def __post_init__(self) -> None:
        machine = self.program.machine
        size = machine.trits // WORD + machine.accumulators
        self.clocks = {unit: dict.fromkeys(UNITS, 0) for unit in UNITS}
        self.reads = {unit: np.zeros(size, np.int64) for unit in UNITS}
        self.writes = {unit: np.zeros(size, np.int64) for unit in UNITS}

    def watch(self, unit: Unit, entry: Entry, state: State) -> None:
        """Take note of an entry."""
        clock, op = self.clocks[unit], entry.op
        clock[unit] += 1
        if op.opcode is Opcode.SIGNAL:
            self.posts.setdefault(op["token"], deque()).append(dict(clock))
        elif op.opcode is Opcode.WAIT:
            post = self.posts[op["token"]].popleft()
            self.clocks[unit] = {u: max(clock[u], post[u]) for u in UNITS}
        else:
            state.counters[:] = entry.counters
            for access in accesses(op, state):
                self._touch(unit, entry, access)

    def _touch(self, unit: Unit, entry: Entry, access: Access) -> None:
        stretch = slice(access.start, access.stop)
        for other in UNITS:
            if other is unit:
                continue
            known = self.clocks[unit][other]
            late = self.writes[other][stretch] > known
            if access.writes:
                late |= self.reads[other][stretch] > known
            if late.any():
                place = access.start + int(late.argmax())
                kind = "writes" if access.writes else "reads"
                self.hazards.append(
                    f"micro-op {entry.at} {entry.op.opcode.name} at {entry.counters} of the "
                    f"{unit.name} {kind} place {place}, unordered with the {other.name}"
                )
        kept = self.writes if access.writes else self.reads
        kept[unit][stretch] = self.clocks[unit][unit]


def accesses(op: MicroOp, state: State) -> Iterator[Access]:
    """What a micro-op reads and writes, with the loop counters of the state."""
    match op.opcode:
        case Opcode.DOT:
            yield from _dot(op, state)
        case Opcode.ACC:
            count = steps(op, len(span(state, op)))
            yield _accumulators(state, op["dst"], op["dstep"], count, writes=True)
            if op["op"] in (AccOp.COPY, AccOp.ADD, AccOp.MAX, AccOp.MIN):
                yield _accumulators(state, op["src"], op["sstep"], count, writes=False)
        case Opcode.LUT:
            yield from _lut(op, state)
        case Opcode.TLOAD:
            rows = (op["slot"] + op["n"] - 1) // (4 * state.machine.words) + 1
            yield _rows(state, op["row"], rows, writes=False)
        case Opcode.STORE:
            count = steps(op, len(span(state, op)))
            yield _accumulators(state, op["acc"], 1, count, writes=False)
            yield from _written(op, state, state.buffers[op["buffer"]])
        case Opcode.DMAIN:
            yield from _written(op, state, state.buffers[op["buffer"]])
        case Opcode.DMAOUT:
            buffer = state.buffers[op["buffer"]]
            for plane in range(buffer.planes):
                yield from _line_words(buffer, plane, line(state, op), writes=False)
        case Opcode.DMAW:
            yield _rows(state, op["row"], op["n"], writes=True)
        case opcode if opcode in ROW_OPCODES:
            for first, past, writes in rows_touched(op):
                yield _rows(state, first, past - first, writes=writes)
            if opcode in (Opcode.SPREAD, Opcode.PACK):
                yield from _transposed(op, state)
        case _:
            raise AssertionError(f"{op.opcode.name} works in no unit")


def _transposed(op: MicroOp, state: State) -> Iterator[Access]:
    buffer = state.buffers[op["buffer"]]
    for y in tile_lines(op, state):
        yield from _line_words(buffer, op["plane"], y, writes=op.opcode is Opcode.PACK)


def _dot(op: MicroOp, state: State) -> Iterator[Access]:
    buffer = state.buffers[op["buffer"]]
    for k in range(op["lines"]):
        y = line(state, op) + k * op["ldil"]
        yield from _line_words(buffer, op["plane"], y, writes=False)
    yield _rows(state, op["row"], 1, writes=False)
    count = steps(op, len(span(state, op)))
    yield _accumulators(state, op["acc"], op["astep"], count, writes=True)


def _lut(op: MicroOp, state: State) -> Iterator[Access]:
    for name in ("a", "b"):
        y = 0 if op[f"{name}hold"] else line(state, op)
        yield from _line_words(state.buffers[op[name]], op[f"{name}plane"], y, writes=False)
    yield from _line_words(state.buffers[op["buffer"]], op["plane"], line(state, op), writes=True)


def _written(op: MicroOp, state: State, buffer: Buffer) -> Iterator[Access]:
    for plane in range(buffer.planes):
        yield from _line_words(buffer, plane, line(state, op), writes=True)


def _line_words(buffer: Buffer, plane: int, y: int, *, writes: bool) -> Iterator[Access]:
    if 0 <= y < buffer.image_height:
        start = buffer.address(plane, y, 0) // WORD
        yield Access(start, start + buffer.line_trits // WORD, writes)


def _rows(state: State, row: int, count: int, *, writes: bool) -> Access:
    words = state.machine.words * state.machine.macros
    return Access(row * words, (row + count) * words, writes)


def _accumulators(state: State, first: int, step: int, count: int, *, writes: bool) -> Access:
    start = state.machine.trits // WORD + first
    return Access(start, start + max(1, 1 + (count - 1) * step), writes)
