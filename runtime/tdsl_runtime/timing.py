"""What a micro-op costs in cycles, and when it happens: the rules of `docs/machine.md`."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tdsl_runtime.description import PLANES, MachineDescription
from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import MicroOp, Opcode, StoreMode, Unit


@dataclass(frozen=True, slots=True)
class Extent:
    """The size of one execution of a micro-op: what its operands and counters make of it.

    `pixels` of the span or line; `trits` moved and `bits` at the port (DMA); `pitch` and `planes`
    of the buffer.
    """

    pixels: int = 0
    trits: int = 0
    bits: int = 0
    pitch: int = 0
    planes: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """Cycles of one execution: `startup`, then `first` and `each` for the items; then `latency`."""

    startup: int
    items: int
    first: int
    each: int
    latency: int

    @property
    def busy(self) -> int:
        """Cycles the unit is taken."""
        return self.startup + (self.first + (self.items - 1) * self.each if self.items else 0)


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the cost table: startup, items, first, each, latency in words; and computed."""

    terms: tuple[str, str, str, str, str]
    cost: Callable[[MachineDescription, MicroOp, Extent], Cost]


def steps(op: MicroOp, pixels: int) -> int:
    """Steps that `groups * segments` pixels at a time take."""
    return _ceil(pixels, op["groups"] * op["segments"])


def new_trits(machine: MachineDescription, op: MicroOp, pitch: int) -> int:
    """Trits of each line of a DOT that a pixel sends after the first step."""
    if op["segments"] > 1 or op["lines"] > machine.window_lines:
        return op["len"]
    return min(op["len"], op["dx"] * op["groups"] * pitch)


def _dot(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    rate = machine.channel_trits
    lines = op["segments"] * op["lines"]
    return Cost(
        startup=machine.latch_cycles,
        items=steps(op, extent.pixels),
        first=max(1, _ceil(lines * op["len"], rate)),
        each=max(1, _ceil(lines * new_trits(machine, op, extent.pitch), rate)),
        latency=machine.tree_cycles,
    )


def _acc(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    return Cost(startup=0, items=steps(op, extent.pixels), first=1, each=1, latency=1)


def _lut(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    rate = min(machine.channel_trits, machine.gather_trits)
    items = _ceil(extent.pixels * extent.pitch, rate)
    return Cost(startup=0, items=items, first=1, each=1, latency=machine.gather_cycles)


def _tload(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    slots = PLANES * 2 * machine.words
    items = (op["slot"] + op["n"] - 1) // slots - op["slot"] // slots + 1
    return Cost(startup=0, items=items, first=1, each=1, latency=machine.latch_cycles)


def _store(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    gathered = extent.planes * op["macros"] * op["groups"] * op["segments"]
    compares = _ceil(op["levels"], 2) if op["mode"] == StoreMode.COUNT else 1
    each = max(_ceil(gathered, machine.gather_trits), compares)
    return Cost(0, steps(op, extent.pixels), each, each, machine.gather_cycles)


def _dma(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    items = max(_ceil(extent.bits, machine.dma_bits), _ceil(extent.trits, machine.gather_trits))
    return Cost(startup=1, items=items, first=1, each=1, latency=machine.dma_cycles)


def _dmaw(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    items = op["n"] * _ceil(PLANES * machine.macros * machine.columns, machine.dma_bits)
    return Cost(startup=1, items=items, first=1, each=1, latency=machine.dma_cycles)


def _ceil(a: int, b: int) -> int:
    return -(-a // b)


_LINE = "max(ceil(bits / dma_bits), ceil(trits / gather_trits))"
RULES: dict[Opcode, Rule] = {
    Opcode.DOT: Rule(
        (
            "latch",
            "steps",
            "max(1, ceil(all / channel_trits))",
            "max(1, ceil(new / channel_trits))",
            "tree",
        ),
        _dot,
    ),
    Opcode.ACC: Rule(("0", "steps", "1", "1", "1"), _acc),
    Opcode.LUT: Rule(
        ("0", "ceil(n * pitch / min(channel_trits, gather_trits))", "1", "1", "gather"), _lut
    ),
    Opcode.TLOAD: Rule(("0", "rows touched", "1", "1", "latch"), _tload),
    Opcode.STORE: Rule(
        (
            "0",
            "steps",
            "as each",
            "max(ceil(planes * macros * groups * segments / gather_trits), compares)",
            "gather",
        ),
        _store,
    ),
    Opcode.DMAIN: Rule(("1", _LINE, "1", "1", "dma"), _dma),
    Opcode.DMAOUT: Rule(("1", _LINE, "1", "1", "dma"), _dma),
    Opcode.DMAW: Rule(("1", "n * ceil(2 * M * C / dma_bits)", "1", "1", "dma"), _dmaw),
}
"""The cost of every micro-op that works in a unit; all others take their issue cycle alone."""


def cost(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    """The cycles of one execution of a micro-op that works in a unit."""
    return RULES[op.opcode].cost(machine, op, extent)


@dataclass(frozen=True, slots=True)
class Passage:
    """How an entry went through its unit, in cycles."""

    idle: int
    wait: int
    busy: int


class Timeline:
    """The clock of a run: the sequencer, the queues of the units, and the tokens."""

    def __init__(self, queue: int) -> None:
        self.issue_cycles = 0
        self.issued = 0
        self.free = {unit: 0 for unit in Unit}
        self.done = {unit: 0 for unit in Unit}
        self._started: dict[Unit, deque[int]] = {unit: deque(maxlen=queue) for unit in Unit}
        self._queue = queue
        self._posts: dict[int, deque[int]] = {}

    @property
    def cycles(self) -> int:
        """The length of the program so far."""
        return max(self.issue_cycles, *self.done.values())

    def control(self) -> None:
        """Issue a micro-op that concerns the sequencer alone."""
        self.issue_cycles += 1
        self.issued += 1

    def work(self, unit: Unit, cost: Cost) -> Passage:
        """Issue work to a unit."""
        idle, ready = self._enter(unit)
        self._leave(unit, ready, cost.busy)
        self.done[unit] = max(self.done[unit], self.free[unit] + cost.latency)
        return Passage(idle, 0, cost.busy)

    def signal(self, unit: Unit, token: int) -> Passage:
        """Post the end of all earlier work of the unit."""
        idle, ready = self._enter(unit)
        self._leave(unit, ready, 0)
        self._posts.setdefault(token, deque()).append(max(self.done[unit], ready))
        return Passage(idle, 0, 0)

    def wait(self, unit: Unit, token: int) -> Passage:
        """Hold the unit until the token's oldest post. Raises MachineError if there is none."""
        posts = self._posts.get(token)
        if not posts:
            raise MachineError(
                f"WAIT for token {token}, which no earlier SIGNAL posts",
                remedy="the program is wrong: compile it again",
            )
        idle, ready = self._enter(unit)
        start = max(ready, posts.popleft())
        self._leave(unit, start, 0)
        return Passage(idle, start - ready, 0)

    def _enter(self, unit: Unit) -> tuple[int, int]:
        """Issue to a unit's queue; return its idle cycles and the cycle at which it is ready."""
        self.control()
        started = self._started[unit]
        if len(started) == self._queue:
            self.issue_cycles = max(self.issue_cycles, started[0])
        ready = max(self.issue_cycles + 1, self.free[unit])
        return ready - self.free[unit], ready

    def _leave(self, unit: Unit, start: int, busy: int) -> None:
        self._started[unit].append(start)
        self.free[unit] = start + busy
