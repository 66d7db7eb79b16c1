"""A program and the counters of a run -> its energy: events counted times the machine's figures.

Every event is so many times a counter of a micro-op; `_events` says how many, from the micro-op's
fields alone. Assumptions that no counter measures:

- a row is read in words: a word of 64 columns costs its part of a whole row;
- half of the bits that cross the gather path or the DMA's wires are set;
- a broadcast channel passes every macro of its group, after half the width and height of the
  grid; gathered and DMA bits travel half the width and height.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.counters import Counter, Counters
from tdsl_runtime.description import PLANES, EnergyTable, Figure, MachineDescription
from tdsl_runtime.encoding import decode
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, StoreMode, Unit
from tdsl_runtime.program import Port, Program
from tdsl_runtime.row_energy import DECLARED, SET_BITS, Event, half_way, row_events
from tdsl_runtime.validation import uop_bodies

EVENTS: tuple[str, ...] = (*(field.name for field in fields(EnergyTable)), DECLARED)
"""The entries of the energy table and what programs declare, in the order of `Energy.by_event`."""

_STATIC = ("clock", "leakage")
_PICO_PER_MICRO = 1e6

Rates = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Energy:
    """The energy of a run in pJ, always low, typical, high.

    `by_micro_op` is float64 [micro-ops, 3], without the clock and leakage; `by_event` float64
    [len(EVENTS), 3]; `static` the clock and leakage of all macros over all cycles.
    """

    by_micro_op: NDArray[np.float64]
    by_event: NDArray[np.float64]
    static: tuple[float, float, float]

    @property
    def total(self) -> tuple[float, float, float]:
        """Everything."""
        low, typical, high = self.by_event.sum(axis=0)
        return float(low), float(typical), float(high)


def energy(program: Program, counters: Counters) -> Energy:
    """The energy of one run of a program."""
    machine = program.machine
    rates = _rates(program.code.tobytes(), program.inputs, program.outputs, machine)
    events = np.einsum("nce,nc->ne", rates, counters.table.astype(np.float64))
    figures = np.array([_figure(machine, name) for name in EVENTS])
    by_event = events.sum(axis=0)[:, None] * figures
    cycles = machine.macros * counters.cycles
    by_event[EVENTS.index("clock")] = cycles * figures[EVENTS.index("clock")]
    watts = figures[EVENTS.index("leakage")] * _PICO_PER_MICRO
    by_event[EVENTS.index("leakage")] = watts * cycles / machine.hertz
    low, typical, high = by_event[[EVENTS.index(name) for name in _STATIC]].sum(axis=0)
    return Energy(events @ figures, by_event, (float(low), float(typical), float(high)))


def picojoules(op: MicroOp, counts: Mapping[Counter, float], machine: MachineDescription) -> float:
    """The typical energy of a micro-op that does not use ports, from what it would count."""
    return sum(
        times * counts.get(counter, 0.0) * _figure(machine, event)[1]
        for event, counter, times in _events(op, machine, (), ())
    )


def _figure(machine: MachineDescription, event: str) -> tuple[float, float, float]:
    """What an event costs in pJ: low, typical, high. What is declared is counted in pJ."""
    if event == DECLARED:
        return 1.0, 1.0, 1.0
    figure: Figure = getattr(machine.energy, event)
    return figure.triple()


@lru_cache(maxsize=16)
def _rates(
    code: bytes, inputs: tuple[Port, ...], outputs: tuple[Port, ...], machine: MachineDescription
) -> Rates:
    """How often each event happens for each count of a counter: [micro-ops, counters, events]."""
    ops = decode(np.frombuffer(code, np.uint64))
    rates = np.zeros((len(ops), len(Counter), len(EVENTS)))
    bodies = uop_bodies(ops)
    for number, op in enumerate(ops):
        if number in bodies:
            continue
        for event, counter, times in _events(op, machine, inputs, outputs):
            rates[number, counter, EVENTS.index(event)] += times
    return rates


def _events(
    op: MicroOp, machine: MachineDescription, inputs: Sequence[Port], outputs: Sequence[Port]
) -> Iterator[Event]:
    """The events of a micro-op."""
    yield "sequence", Counter.EXECUTED, 1
    match op.opcode:
        case Opcode.DOT:
            yield from _dot_events(op, machine)
        case Opcode.ACC:
            yield "accumulate", Counter.ITEMS, machine.macros * op["segments"]
        case Opcode.LUT:
            yield from _read(machine, operands=2)
            yield "logic", Counter.TRITS, 1
            yield from _written(machine)
        case Opcode.TLOAD:
            yield "row_read", Counter.ITEMS, PLANES * machine.macros
            yield "latch", Counter.EXECUTED, 32 * op["n"] * machine.macros
        case Opcode.STORE:
            yield from _store_events(op, machine)
        case Opcode.DMAIN:
            port = inputs[op["port"]]
            yield "sensor", Counter.PIXELS, port.channels * port.bits
            yield "compare", Counter.PIXELS, 2 * port.channels * op["levels"]
            yield "dma", Counter.TRITS, PLANES
            yield from _written(machine)
        case Opcode.DMAOUT:
            yield from _read(machine)
            yield "wire", Counter.TRITS, PLANES * SET_BITS * half_way(machine)
            yield "dma", Counter.TRITS, PLANES
            values = 1 if op["format"] else op["n"]
            yield "sensor", Counter.PIXELS, values * outputs[op["port"]].bits
        case Opcode.DMAW:
            yield "external", Counter.TRITS, PLANES
            yield "dma", Counter.TRITS, PLANES
            yield from _written(machine)
        case Opcode.BUF | Opcode.LEVEL | Opcode.ACTIVE:
            bits = sum(field.bits for field in TABLE[op.opcode].fields)
            yield "latch", Counter.EXECUTED, bits
        case opcode if TABLE[opcode].unit is not Unit.SEQUENCER:
            yield from row_events(op, machine, inputs, outputs)
        case _:
            pass


def _dot_events(op: MicroOp, machine: MachineDescription) -> Iterator[Event]:
    row = op["segments"] * op["lines"] * op["len"]
    active = op["groups"] * op["macros"]
    yield "row_read", Counter.EXECUTED, PLANES * active
    yield "latch", Counter.EXECUTED, PLANES * active * row
    yield from _read(machine)
    reach = machine.macros // op["groups"] * machine.macro_pitch.typical + half_way(machine)
    yield "wire", Counter.ONES, reach
    yield "latch", Counter.TRITS, PLANES * op["macros"]
    lanes = op["macros"] * op["lines"] * op["len"]
    yield "logic", Counter.PIXELS, lanes
    yield "tree", Counter.PIXELS, lanes
    yield "accumulate", Counter.PIXELS, op["macros"]


def _store_events(op: MicroOp, machine: MachineDescription) -> Iterator[Event]:
    compares = {
        StoreMode.TERN: 2,
        StoreMode.COUNT: op["levels"],
        StoreMode.SPACED: 2,
        StoreMode.RAW: 0,
    }
    yield "compare", Counter.PIXELS, compares[StoreMode(op["mode"])] * op["macros"]
    if op["combine"] or op["pool"] > 1:
        yield from _read(machine)
    yield from _written(machine)


def _read(machine: MachineDescription, operands: int = 1) -> Iterator[Event]:
    yield "row_read", Counter.TRITS, operands * PLANES / machine.columns


def _written(machine: MachineDescription) -> Iterator[Event]:
    yield "wire", Counter.TRITS, PLANES * SET_BITS * half_way(machine)
    yield "write", Counter.TRITS, PLANES
