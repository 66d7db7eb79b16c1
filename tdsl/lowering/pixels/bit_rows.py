"""Registers -> bit rows: a linear scan over the steps, results in place of operands that end.

A register takes the lowest run of free rows; rows of an operand read for the last time are free for
the result of the same step, as far as the order in which bits are read and written allows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tdsl.lowering.pixels.code import NO_REGISTER, Register, Rows, Step
from tdsl_runtime.isa import Opcode


@dataclass(frozen=True, slots=True)
class Life:
    """The first and the last step that touch a register."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """The first bit row of every register; how many are needed; the step `peak` that needs most."""

    bases: tuple[int, ...]
    rows: int
    peak: int


def lives(
    registers: Sequence[Register],
    steps: Sequence[Step],
    before: Sequence[int],
    after: Sequence[int],
) -> tuple[Life | None, ...]:
    """When every register is in use; those never touched have no life.

    Registers `before` hold something already when the steps begin, those `after` when they end.
    """
    first = dict.fromkeys(before, -1)
    last: dict[int, int] = {}
    for number, step in enumerate(steps):
        for register in step.touched():
            first.setdefault(register, number)
            last[register] = number
    for register in after:
        last[register] = len(steps)
        first.setdefault(register, -1)
    return tuple(
        Life(first[r], last.get(r, -1)) if r in first else None for r in range(len(registers))
    )


def assign(
    registers: Sequence[Register], steps: Sequence[Step], found: Sequence[Life | None]
) -> Assignment:
    """Bit rows for all registers, counted from 0; how many there are is for the caller to judge."""
    scan = _Scan(registers, [0] * len(registers))
    ends: dict[int, list[int]] = {}
    starts: dict[int, list[int]] = {}
    for register, life in enumerate(found):
        if life is not None:
            starts.setdefault(life.start, []).append(register)
            ends.setdefault(life.end, []).append(register)
    for number in range(-1, len(steps) + 1):
        step = steps[number] if 0 <= number < len(steps) else None
        starting = starts.get(number, [])
        ending = [r for r in ends.get(number, []) if r not in starting]
        scan.free(ending)
        for register in starting:
            scan.place(register, step, ending, number)
        scan.free([r for r in ends.get(number, []) if r in starting])
    return Assignment(tuple(scan.bases), scan.high, scan.peak)


@dataclass(slots=True)
class _Scan:
    """The rows in use (bit `j` for row `j`) while the scan goes on."""

    registers: Sequence[Register]
    bases: list[int]
    used: int = 0
    high: int = 0
    peak: int = 0

    def place(self, register: int, step: Step | None, ending: Sequence[int], at: int) -> None:
        """Give a register the lowest rows that it can have; those of `ending` ones are free."""
        size = self.registers[register]
        wanted = (1 << size.bits) - 1
        base = 0
        while self.used >> base & wanted or not self._in_order(register, base, step, ending):
            base += 2 if size.even else 1
        self.bases[register] = base
        self.used |= self._mask(register)
        if base + size.bits > self.high:
            self.high, self.peak = base + size.bits, at

    def free(self, registers: Sequence[int]) -> None:
        """The rows of registers are free."""
        for register in registers:
            self.used &= ~self._mask(register)

    def _mask(self, register: int) -> int:
        return (1 << self.registers[register].bits) - 1 << self.bases[register]

    def _in_order(self, register: int, base: int, step: Step | None, ending: Sequence[int]) -> bool:
        """Whether every bit of an ending operand is read before its row is written."""
        if step is None or step.into is None or step.into.register != register:
            return True
        return all(
            rows.register not in ending or self._read_first(step, rows, index, base)
            for index, rows in enumerate(step.reads)
            if rows.register != NO_REGISTER
        )

    def _read_first(self, step: Step, rows: Rows, index: int, base: int) -> bool:
        """Whether no row of an operand is written before its last reading."""
        assert step.into is not None
        if step.opcode in (Opcode.CMP, Opcode.CMPI) or (
            step.opcode is Opcode.SELECT and index == 0
        ):
            return True
        written = base + step.into.low
        read = self.bases[rows.register] + rows.low
        if step.opcode is Opcode.LOGIC and rows.count == 1:
            return not written <= read < written + step.into.count - 1
        return written <= read or written >= read + rows.count
