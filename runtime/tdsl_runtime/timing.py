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

    `pixels` of the span, line or tile; `trits` moved and `bits` at the port (DMA); `pitch` and
    `planes` of the buffer; `macros` that are active in row micro-ops.
    """

    pixels: int = 0
    trits: int = 0
    bits: int = 0
    pitch: int = 0
    planes: int = 0
    macros: int = 0


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


def _row(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    return Cost(startup=machine.latch_cycles, items=op["n"], first=1, each=1, latency=1)


def _compare(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    other = op["bn"] if op.opcode is Opcode.CMP else immediate_bits(op["imm"])
    return Cost(machine.latch_cycles + 1, max(op["an"], other), first=1, each=1, latency=1)


def immediate_bits(imm: int) -> int:
    """Bits of an immediate: unsigned if it is not negative, else two's complement."""
    return max(1, imm.bit_length()) if imm >= 0 else 1 + (-1 - imm).bit_length()


def _select(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    return Cost(machine.latch_cycles + 1, op["n"], first=1, each=1, latency=1)


def _move(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    macros, columns = divmod(abs(op["by"]), machine.columns)
    each = 1 + macros + columns.bit_count()
    return Cost(startup=machine.latch_cycles, items=op["n"], first=each, each=each, latency=1)


def _count(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    gathered = _ceil(_SUM_BITS * extent.macros, PLANES * machine.gather_trits)
    latency = machine.tree_cycles + machine.gather_cycles
    return Cost(machine.latch_cycles + gathered, op["an"], first=1, each=1, latency=latency)


def _band(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    rows = op["n"] if op.opcode is Opcode.BANDIN else op["an"]
    gathered = _ceil(rows * extent.pixels, PLANES * machine.gather_trits)
    items = max(_ceil(extent.bits, machine.dma_bits), gathered)
    return Cost(startup=1, items=items, first=1, each=1, latency=machine.dma_cycles)


def _regout(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    items = _ceil(extent.bits, machine.dma_bits)
    return Cost(startup=1, items=items, first=1, each=1, latency=machine.dma_cycles)


def _transpose(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    rate = min(machine.channel_trits, machine.gather_trits)
    items = _ceil(op["n"] * extent.pixels, rate)
    return Cost(startup=0, items=items, first=1, each=1, latency=machine.gather_cycles)


def _declared(machine: MachineDescription, op: MicroOp, extent: Extent) -> Cost:
    return Cost(startup=op["cycles"], items=0, first=1, each=1, latency=0)


def _ceil(a: int, b: int) -> int:
    return -(-a // b)


_SUM_BITS = 16
"""Bits of a macro's sum that COUNT gathers."""

_LINE = "max(ceil(bits / dma_bits), ceil(trits / gather_trits))"
_TILE = "max(ceil(bits / dma_bits), ceil(rows * pixels / (2 * gather_trits)))"
_TRANSPOSED = "ceil(n * pixels / min(channel_trits, gather_trits))"
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
    Opcode.LOGIC: Rule(("latch", "n", "1", "1", "1"), _row),
    Opcode.SUM: Rule(("latch", "n", "1", "1", "1"), _row),
    Opcode.SUMI: Rule(("latch", "n", "1", "1", "1"), _row),
    Opcode.CMP: Rule(("latch + 1", "max(an, bn)", "1", "1", "1"), _compare),
    Opcode.CMPI: Rule(("latch + 1", "max(an, bits(imm))", "1", "1", "1"), _compare),
    Opcode.SELECT: Rule(("latch + 1", "n", "1", "1", "1"), _select),
    Opcode.MOVE: Rule(("latch", "n", "as each", "1 + q + ones(r)", "1"), _move),
    Opcode.COUNT: Rule(
        ("latch + ceil(16 * active / (2 * gather_trits))", "an", "1", "1", "tree + gather"), _count
    ),
    Opcode.BANDIN: Rule(("1", _TILE, "1", "1", "dma"), _band),
    Opcode.BANDOUT: Rule(("1", _TILE, "1", "1", "dma"), _band),
    Opcode.REGOUT: Rule(("1", "ceil(bits / dma_bits)", "1", "1", "dma"), _regout),
    Opcode.SPREAD: Rule(("0", _TRANSPOSED, "1", "1", "gather"), _transpose),
    Opcode.PACK: Rule(("0", _TRANSPOSED, "1", "1", "gather"), _transpose),
    Opcode.UOP: Rule(("cycles", "0", "1", "1", "0"), _declared),
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
