"""A compiled network and the counters of one run -> where cycles, energy and traffic went, and why.

Cycles are told from the array, which does the multiply-accumulates: at every cycle it is busy with
a micro-op, waits for a token, or stands idle for want of an issue. What is left at the end, when
other units finish, is the tail; so the layers' cycles and the tail are the program's, exactly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tdsl.compiler import Compiled
from tdsl.cost.summary import Range
from tdsl.lowering.steps import DotStep, RowStep
from tdsl_runtime.counters import Counter, Counters
from tdsl_runtime.description import ENERGY, PLANES
from tdsl_runtime.energy import EVENTS, Energy
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, Unit
from tdsl_runtime.row_energy import DECLARED

LOSSES = {
    "lanes": "lanes without work: macros, columns and pixels that are left over",
    "channels": "the broadcast channels bring a row over several cycles",
    "latches": "weight rows are taken into the latches",
    "sums": "accumulator and logic micro-ops",
    "issue": "the sequencer has not issued the next micro-op yet",
    "post": "waiting for thresholds and stores",
    "dma": "waiting for lines of the input or for weights",
}
"""Where the array's cycles go that are not multiply-accumulates at full width."""

_MEANINGS = {name: meaning for name, (_, meaning) in ENERGY.items()} | {
    DECLARED: "declared by the authors of user-defined micro-ops, not a figure of the machine"
}


@dataclass(frozen=True, slots=True)
class LayerCost:
    """One layer: `cycles` of the array's time, of which `lost` says what was no useful work.

    `bound` is the least number of cycles that its `macs` take with every lane at work, and `feed`
    that its trits take on the broadcast channels with all of them at work. `bits` moved on the
    channels, the gather path and the DMA.
    """

    name: str
    line: int
    cycles: int
    macs: int
    bound: float
    feed: float
    lost: dict[str, float]
    energy: Range
    bits: int

    @property
    def utilisation(self) -> float:
        """The part of all lanes and cycles that did useful work."""
        return self.bound / self.cycles if self.cycles else 0.0

    @property
    def binding(self) -> str:
        """What takes most of its cycles: `macs`, or the largest loss."""
        name = max(self.lost, key=lambda kind: self.lost[kind])
        return "macs" if self.bound >= self.lost[name] else name


@dataclass(frozen=True, slots=True)
class MicroOpCost:
    """One class of micro-ops: how often it ran, how long its unit was busy, its energy."""

    name: str
    unit: str
    executed: int
    busy: int
    energy: Range


@dataclass(frozen=True, slots=True)
class EventCost:
    """One entry of the machine's energy table: what it is, and the energy of all such events."""

    name: str
    meaning: str
    energy: Range


@dataclass(frozen=True, slots=True)
class LineCost:
    """One line of the source (0: what belongs to none)."""

    line: int
    cycles: int
    energy: Range


@dataclass(frozen=True, slots=True)
class UnitCost:
    """One unit of the machine: cycles busy, and when its last work was done."""

    name: str
    busy: int
    done: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that `tdsl cost` prints; `tail` are the cycles after the array's last work."""

    layers: tuple[LayerCost, ...]
    micro_ops: tuple[MicroOpCost, ...]
    events: tuple[EventCost, ...]
    lines: tuple[LineCost, ...]
    units: tuple[UnitCost, ...]
    tail: int
    static_energy: Range


def make_report(compiled: Compiled, counters: Counters, energy: Energy) -> Report:
    """The report of one run of `compiled`."""
    parts = _Parts(compiled, counters, energy)
    layers = tuple(parts.layers())
    return Report(
        layers=layers,
        micro_ops=tuple(parts.micro_ops()),
        events=tuple(
            EventCost(name, _MEANINGS[name], Range(*map(float, row)))
            for name, row in zip(EVENTS, energy.by_event, strict=True)
            if name != DECLARED or row.any()
        ),
        lines=tuple(parts.lines()),
        units=tuple(
            UnitCost(unit.name.lower(), int(counters.busy[unit]), int(counters.done[unit]))
            for unit in Unit
        ),
        tail=counters.cycles - sum(layer.cycles for layer in layers),
        static_energy=Range(*energy.static),
    )


class _Parts:
    """The counters as arrays over the micro-ops of the program."""

    def __init__(self, compiled: Compiled, counters: Counters, energy: Energy) -> None:
        program = compiled.program
        self.compiled = compiled
        self.ops = program.ops
        self.origins = program.origins
        self.counters = counters
        self.energy = energy
        self.origin = np.array([op.origin for op in self.ops])
        self.opcode = np.array([op.opcode for op in self.ops])
        self.unit = np.array([_unit(op) for op in self.ops])
        self.busy, self.idle, self.wait = (
            counters.column(c) for c in (Counter.BUSY, Counter.IDLE, Counter.WAIT)
        )
        self.array_time = np.where(
            self.unit == Unit.ARRAY, self.busy + self.idle + self.wait, np.int64(0)
        )

    def layers(self) -> Iterator[LayerCost]:
        """One row an origin that did anything."""
        steps = self.compiled.plan.selection.steps
        machine = self.compiled.program.machine
        peak = machine.peak_macs
        for number, origin in enumerate(self.origins):
            chosen = self.origin == number
            step = steps[number - 1] if number else None
            macs = step.macs if isinstance(step, DotStep | RowStep) else 0
            if not self.counters.column(Counter.EXECUTED)[chosen].any():
                continue
            trits = self.counters.column(Counter.TRITS)
            dots = chosen & (self.opcode == Opcode.DOT)
            yield LayerCost(
                name=origin.layer if number else "(control)",
                line=origin.line,
                cycles=int(self.array_time[chosen].sum()),
                macs=macs,
                bound=macs / peak,
                feed=int(trits[dots].sum()) / (machine.channels * machine.channel_trits),
                lost=self._lost(chosen, macs / peak),
                energy=self._energy(chosen),
                bits=int(trits[chosen].sum()) * PLANES,
            )

    def micro_ops(self) -> Iterator[MicroOpCost]:
        """One row an opcode that ran."""
        for opcode in Opcode:
            chosen = self.opcode == opcode
            executed = int(self.counters.column(Counter.EXECUTED)[chosen].sum())
            if executed:
                yield MicroOpCost(
                    f"{opcode.name} (declared)" if opcode is Opcode.UOP else opcode.name,
                    TABLE[opcode].unit.name.lower(),
                    executed,
                    int(self.busy[chosen].sum()),
                    self._energy(chosen),
                )

    def lines(self) -> Iterator[LineCost]:
        """One row a source line."""
        line_of = np.array([origin.line for origin in self.origins])[self.origin]
        for line in np.unique(line_of):
            chosen = line_of == line
            cycles = int(self.array_time[chosen].sum())
            yield LineCost(int(line), cycles, self._energy(chosen))

    def _lost(self, chosen: NDArray[np.bool_], useful: float) -> dict[str, float]:
        machine = self.compiled.program.machine
        dots = chosen & (self.opcode == Opcode.DOT)
        items = int(self.counters.column(Counter.ITEMS)[dots].sum())
        latches = int(self.counters.column(Counter.EXECUTED)[dots].sum()) * machine.latch_cycles
        busy = int(self.busy[dots].sum())
        array = chosen & (self.unit == Unit.ARRAY)
        waits = self.wait * array
        return {
            "lanes": items - useful,
            "channels": busy - latches - items,
            "latches": latches,
            "sums": int(self.busy[array].sum()) - busy,
            "issue": int(self.idle[array].sum()),
            "post": int(waits[~self._waits_for_dma].sum()),
            "dma": int(waits[self._waits_for_dma].sum()),
        }

    @cached_property
    def _waits_for_dma(self) -> NDArray[np.bool_]:
        """Which micro-ops wait for a token that the DMA alone signals."""
        signals = [op for op in self.ops if op.opcode is Opcode.SIGNAL]
        others = {op["token"] for op in signals if op["unit"] != Unit.DMA}
        return np.array([op.opcode is Opcode.WAIT and op["token"] not in others for op in self.ops])

    def _energy(self, chosen: NDArray[np.bool_]) -> Range:
        low, typical, high = self.energy.by_micro_op[chosen].sum(axis=0)
        return Range(float(low), float(typical), float(high))


def _unit(op: MicroOp) -> Unit:
    """The unit that works, or waits, or signals."""
    if op.opcode in (Opcode.WAIT, Opcode.SIGNAL):
        return Unit(op["unit"])
    return TABLE[op.opcode].unit
