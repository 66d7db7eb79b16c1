"""The assembly text of a program and a machine -> its cycles, by discrete events.

A second opinion on time: it holds no trits, shares no code with `timing.py`, and lets every unit,
the sequencer and the tokens be processes that wake each other, where `timing.py` follows the
program's order.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import ceil

from tdsl_runtime.assembly import Listing, assemble
from tdsl_runtime.description import MachineDescription
from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import MicroOp, Opcode, StoreMode, Unit
from tdsl_runtime.row_event_model import ROW_UNITS, RowSize

_UNIT_OF = {
    Opcode.DMAIN: Unit.DMA,
    Opcode.DMAOUT: Unit.DMA,
    Opcode.DMAW: Unit.DMA,
    Opcode.DOT: Unit.ARRAY,
    Opcode.ACC: Unit.ARRAY,
    Opcode.LUT: Unit.ARRAY,
    Opcode.TLOAD: Unit.POST,
    Opcode.STORE: Unit.POST,
}


@dataclass(frozen=True, slots=True)
class Prediction:
    """The length of a program, and the cycles that every unit works."""

    cycles: int
    busy: dict[Unit, int]


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the sequencer sends to a unit: work, or (with a ticket) a signal or a wait."""

    unit: Unit
    busy: int = 0
    latency: int = 0
    signal: tuple[int, int] | None = None
    wait: tuple[int, int] | None = None


def predict(text: str, machine: MachineDescription) -> Prediction:
    """Predict the cycles of a program from its assembly text.

    Raises MachineError for text that cannot be read, and for a WAIT that no earlier SIGNAL serves.
    """
    return _Events(_entries(assemble(text), machine), machine.queue).run()


# -- what the sequencer issues ---------------------------------------------------------------------


def _entries(program: Listing, machine: MachineDescription) -> Iterator[_Entry | None]:
    """What is issued, in order; None is a micro-op of the sequencer itself."""
    counters = [0] * 8
    buffers: dict[int, MicroOp] = {}
    signals: Counter[int] = Counter()
    waits: Counter[int] = Counter()
    loops: list[int] = []
    at, active = 0, machine.macros
    while True:
        op = program.ops[at]
        at += 1
        if op.opcode in _UNIT_OF:
            busy, latency = _Size(machine, program, counters, buffers).of(op)
            yield _Entry(_UNIT_OF[op.opcode], busy, latency)
        elif op.opcode in ROW_UNITS:
            ports = program.inputs, program.outputs
            row_size = RowSize(machine, *ports, counters, buffers, active)
            yield _Entry(ROW_UNITS[op.opcode], *row_size.of(op))
        elif op.opcode is Opcode.SIGNAL:
            token = op["token"]
            yield _Entry(Unit(op["unit"]), signal=(token, signals[token]))
            signals[token] += 1
        elif op.opcode is Opcode.WAIT:
            token = op["token"]
            if waits[token] == signals[token]:
                raise MachineError(f"token {token} is awaited, but no earlier SIGNAL posts it")
            yield _Entry(Unit(op["unit"]), wait=(token, waits[token]))
            waits[token] += 1
        else:
            yield None
        if op.opcode is Opcode.HALT:
            return
        if op.opcode is Opcode.BUF:
            buffers[op["buffer"]] = op
        elif op.opcode is Opcode.ACTIVE:
            active = op["macros"]
        elif op.opcode is Opcode.UOP:
            at += op["body"]
        elif op.opcode is Opcode.LOOP and op["count"] == 0:
            at = _behind(program, at, op["level"])
        elif op.opcode is Opcode.LOOP:
            loops.append(at)
        elif op.opcode is Opcode.GUARD and not _lets_pass(op, counters[op["counter"]]):
            at += op["skip"]
        elif op.opcode is Opcode.END:
            counters[op["level"]] += 1
            if counters[op["level"]] < program.ops[loops[-1] - 1]["count"]:
                at = loops[-1]
            else:
                counters[op["level"]] = 0
                loops.pop()


def _behind(program: Listing, at: int, level: int) -> int:
    while program.ops[at].opcode is not Opcode.END or program.ops[at]["level"] != level:
        at += 1
    return at + 1


def _lets_pass(guard: MicroOp, counter: int) -> bool:
    in_range = guard["lo"] <= counter < guard["hi"]
    return in_range and (counter - guard["rem"]) % guard["mod"] == 0


@dataclass(frozen=True, slots=True)
class _Size:
    """Computes how long a unit is busy with a micro-op, and the latency behind it."""

    machine: MachineDescription
    program: Listing
    counters: list[int]
    buffers: dict[int, MicroOp]

    def of(self, op: MicroOp) -> tuple[int, int]:
        machine = self.machine
        match op.opcode:
            case Opcode.DOT:
                return machine.latch_cycles + self._dot(op), machine.tree_cycles
            case Opcode.ACC:
                return self._turns(op), 1
            case Opcode.LUT:
                width = min(machine.channel_trits, machine.gather_trits)
                pitch = self.buffers[op["buffer"]]["pitch"]
                return ceil(self._pixels(op) * pitch / width), machine.gather_cycles
            case Opcode.TLOAD:
                slots, last = machine.columns // 16, op["slot"] + op["n"] - 1
                return last // slots - op["slot"] // slots + 1, machine.latch_cycles
            case Opcode.STORE:
                return self._store(op) * self._turns(op), machine.gather_cycles
            case Opcode.DMAW:
                row = 2 * machine.columns * machine.macros
                return 1 + op["n"] * ceil(row / machine.dma_bits), machine.dma_cycles
            case _:
                return 1 + self._transfer(op), machine.dma_cycles

    def _pixels(self, op: MicroOp) -> int:
        left = op["limit"] - self.counters[op["xcounter"]] * op["span"]
        return sorted((0, left, op["span"]))[1] if left > 0 else 0

    def _turns(self, op: MicroOp) -> int:
        return ceil(self._pixels(op) / op["groups"] / op["segments"])

    def _dot(self, op: MicroOp) -> int:
        turns, rate = self._turns(op), self.machine.channel_trits
        if turns == 0:
            return 0
        first = later = op["lines"] * op["len"] * op["segments"]
        if op["segments"] == 1 and op["lines"] <= self.machine.window_lines:
            moved = op["dx"] * op["groups"] * self.buffers[op["buffer"]]["pitch"]
            later = min(first, op["lines"] * moved)
        return max(1, ceil(first / rate)) + (turns - 1) * max(1, ceil(later / rate))

    def _store(self, op: MicroOp) -> int:
        planes = self.buffers[op["buffer"]]["planes"]
        trits = planes * op["groups"] * op["segments"] * op["macros"]
        compares = (op["levels"] + 1) // 2 if op["mode"] == StoreMode.COUNT else 1
        return max(compares, ceil(trits / self.machine.gather_trits))

    def _transfer(self, op: MicroOp) -> int:
        buffer = self.buffers[op["buffer"]]
        line = self.counters[op["counter"]] // op["div"] * op["mul"] + op["off"]
        shift = self.counters[buffer["strip"]] * buffer["step"] - buffer["halo"]
        if op.opcode is Opcode.DMAIN:
            port = self.program.inputs[op["port"]]
            first, last = shift, shift + buffer["width"]
            values = port.channels
            trits = values * (op["levels"] if op["format"] else buffer["planes"])
        else:
            port = self.program.outputs[op["port"]]
            first, last = shift + op["x0"], shift + op["x0"] + op["limit"]
            values = 1 if op["format"] else op["n"]
            trits = op["n"] * buffer["planes"]
        inside = max(0, min(last, port.width) - max(first, 0)) if 0 <= line < port.height else 0
        gather = ceil(inside * trits / self.machine.gather_trits)
        return max(
            gather, ceil(inside * values * _bits(port.low, port.high) / self.machine.dma_bits)
        )


def _bits(low: int, high: int) -> int:
    bits = 1
    while not (low >= -(1 << bits - 1) if low < 0 else True) or high >= 1 << bits - (low < 0):
        bits += 1
    return bits


# -- when it happens -------------------------------------------------------------------------------


@dataclass(slots=True)
class _UnitProcess:
    """A unit: its queue, and whether a start of the queue's head is under way."""

    queue: deque[tuple[int, _Entry]] = field(default_factory=deque[tuple[int, _Entry]])
    pending: bool = False
    free: int = 0
    done: int = 0
    busy: int = 0


class _Events:
    """The heap of events: (time, rank, number, action); the sequencer ranks after the units."""

    def __init__(self, issued: Iterator[_Entry | None], capacity: int) -> None:
        self.issued = issued
        self.capacity = capacity
        self.units = {unit: _UnitProcess() for unit in (Unit.DMA, Unit.ARRAY, Unit.POST)}
        self.heap: list[tuple[int, int, int, Callable[[int], None]]] = []
        self.number = 0
        self.posted: set[tuple[int, int]] = set()
        self.waiting: dict[tuple[int, int], Unit] = {}
        self.held: _Entry | None = None
        self.last_issue = 0

    def run(self) -> Prediction:
        self.at(1, 1, self.sequencer)
        while self.heap:
            time, _, _, action = heappop(self.heap)
            action(time)
        ends = [process.done for process in self.units.values()]
        busy = {unit: process.busy for unit, process in self.units.items()}
        return Prediction(max(self.last_issue, *ends), busy)

    def at(self, time: int, rank: int, action: Callable[[int], None]) -> None:
        self.number += 1
        heappush(self.heap, (time, rank, self.number, action))

    def sequencer(self, now: int) -> None:
        """Issue the next micro-op, or sleep until its unit's queue has room."""
        try:
            entry = next(self.issued)
        except StopIteration:
            return
        if entry is None:
            self.last_issue = now
            self.at(now + 1, 1, self.sequencer)
        elif len(self.units[entry.unit].queue) < self.capacity:
            self.issue(entry, now)
        else:
            self.held = entry

    def issue(self, entry: _Entry, now: int) -> None:
        self.last_issue = now
        self.units[entry.unit].queue.append((now + 1, entry))
        self.wake(entry.unit)
        self.at(now + 1, 1, self.sequencer)

    def wake(self, unit: Unit) -> None:
        """Plan the start of the head of a unit's queue."""
        process = self.units[unit]
        if process.queue and not process.pending:
            process.pending = True
            arrival, _ = process.queue[0]
            self.at(max(arrival, process.free), 0, lambda now: self.head(unit, now))

    def head(self, unit: Unit, now: int) -> None:
        """The head of the queue starts, unless it waits for a token that is still to come."""
        _, entry = self.units[unit].queue[0]
        if entry.wait is not None and entry.wait not in self.posted:
            self.waiting[entry.wait] = unit
        else:
            self.start(unit, entry, now)

    def start(self, unit: Unit, entry: _Entry, now: int) -> None:
        process = self.units[unit]
        process.queue.popleft()
        process.pending = False
        process.free = now + entry.busy
        process.busy += entry.busy
        if entry.signal is not None:
            ticket = entry.signal
            self.at(max(now, process.done), 0, lambda time: self.post(ticket, time))
        elif entry.wait is None:
            process.done = max(process.done, process.free + entry.latency)
        if self.held is not None and self.held.unit is unit:
            held, self.held = self.held, None
            self.at(now, 1, lambda time: self.issue(held, time))
        self.wake(unit)

    def post(self, ticket: tuple[int, int], now: int) -> None:
        self.posted.add(ticket)
        if ticket in self.waiting:
            self.head(self.waiting.pop(ticket), now)
