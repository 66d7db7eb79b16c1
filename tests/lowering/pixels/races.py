"""Finds accesses to bit rows and result registers that no token orders, with vector clocks.

The program's loops are followed as the sequencer does; of every unit it is known how far the others
were when it last waited. Two units that touch the same place, one of them writing, must be ordered.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from tdsl_runtime.isa import TABLE, MicroOp, Opcode, Unit
from tdsl_runtime.program import Program
from tdsl_runtime.row_fields import reads
from tdsl_runtime.validation import loop_ends

UNITS = (Unit.DMA, Unit.ARRAY)
Clock = dict[Unit, int]
Place = tuple[str, int]


@dataclass(slots=True)
class Detector:
    """`hazards` are the unordered accesses found, in words."""

    hazards: list[str] = field(default_factory=list[str])
    clocks: dict[Unit, Clock] = field(
        default_factory=lambda: {unit: dict.fromkeys(UNITS, 0) for unit in UNITS}
    )
    posts: dict[int, deque[Clock]] = field(default_factory=dict[int, deque[Clock]])
    last: dict[tuple[Place, Unit, bool], int] = field(
        default_factory=dict[tuple[Place, Unit, bool], int]
    )

    def issue(self, op: MicroOp, *, heeded: bool) -> None:
        """Take note of what a micro-op touches, or of its token."""
        if op.opcode is Opcode.SIGNAL:
            clock = self._tick(Unit(op["unit"]))
            self.posts.setdefault(op["token"], deque()).append(dict(clock))
        elif op.opcode is Opcode.WAIT:
            clock, post = self._tick(Unit(op["unit"])), self.posts[op["token"]].popleft()
            if heeded:
                clock |= {unit: max(clock[unit], post[unit]) for unit in UNITS}
        elif TABLE[op.opcode].unit in UNITS:
            unit = TABLE[op.opcode].unit
            self._tick(unit)
            for place, writes in accesses(op):
                self._touch(unit, op, place, writes)

    def _tick(self, unit: Unit) -> Clock:
        self.clocks[unit][unit] += 1
        return self.clocks[unit]

    def _touch(self, unit: Unit, op: MicroOp, place: Place, writes: bool) -> None:
        for other in UNITS:
            if other is not unit:
                for wrote in (True, False) if writes else (True,):
                    if self.last.get((place, other, wrote), 0) > self.clocks[unit][other]:
                        self.hazards.append(f"{op.opcode.name} of {unit.name} at {place}")
        self.last[place, unit, writes] = self.clocks[unit][unit]


def hazards(program: Program, without: int | None = None) -> list[str]:
    """The unordered accesses of a program; as if the WAIT `without` did not wait."""
    ops = program.ops
    detector = Detector()
    ends = loop_ends(ops)
    starts = {end: start for start, end in ends.items()}
    counters = [0] * 8
    at = 0
    while at < len(ops):
        op = ops[at]
        at += 1
        if op.opcode is Opcode.END:
            counters[op["level"]] += 1
            if counters[op["level"]] < ops[starts[at - 1]]["count"]:
                at = starts[at - 1] + 1
            else:
                counters[op["level"]] = 0
        elif op.opcode is Opcode.GUARD:
            if not op["lo"] <= counters[op["counter"]] < op["hi"]:
                at += op["skip"]
        else:
            detector.issue(op, heeded=at - 1 != without)
    assert program.machine.tokens > max(detector.posts, default=0)
    return detector.hazards


def accesses(op: MicroOp) -> Iterator[tuple[Place, bool]]:
    """The bit rows and registers that a micro-op reads (False) and writes (True)."""
    names = {field.name for field in TABLE[op.opcode].fields}
    if "dst" in names:
        rows = 1 if op.opcode in (Opcode.CMP, Opcode.CMPI) else op["n"]
        yield from ((("row", op["dst"] + j), True) for j in range(rows))
    idle = idle_operands(op) if op.opcode is Opcode.LOGIC else ()
    for name in ("a", "b"):
        if name in names and name not in idle:
            yield from ((("row", op[name] + j), False) for j in range(_read(op, name)))
    for name in {"tag", "mask"} & names:
        yield ("row", op[name]), False
    if op.opcode is Opcode.COUNT:
        yield ("register", op["slot"]), True
    if op.opcode is Opcode.REGOUT:
        yield from ((("register", op["slot"] + j), False) for j in range(op["n"]))


def idle_operands(op: MicroOp) -> tuple[str, ...]:
    """The operands of a LOGIC that its table does not ask for."""
    return tuple(name for name, used in zip("ab", reads(op), strict=True) if not used)


def _read(op: MicroOp, name: str) -> int:
    match op.opcode:
        case Opcode.LOGIC:
            return (op["n"] - 1) * op[f"{name}step"] + 1
        case Opcode.MOVE:
            return op["n"]
        case _:
            return op[f"{name}n"]
