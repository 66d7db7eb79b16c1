"""Programs replayed with the units running apart: only each unit's order and the tokens hold.

A trace holds what the sequencer issued to each unit, with the loop counters of that moment. A
replay takes the entries of the units in any order that tokens allow.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from tdsl.ir.parameters import Integers
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, Unit
from tdsl_runtime.micro_ops import MEANINGS
from tdsl_runtime.program import Program
from tdsl_runtime.row_micro_ops import ROW_MEANINGS
from tdsl_runtime.state import Buffer, State
from tdsl_runtime.validation import loop_ends

UNITS = (Unit.DMA, Unit.ARRAY, Unit.POST)


@dataclass(frozen=True, slots=True)
class Entry:
    """What entered a unit's queue: the micro-op and the loop counters when it was issued."""

    at: int
    op: MicroOp
    counters: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One run of a program: the queue of every unit, and the images that go in and come out."""

    program: Program
    inputs: Mapping[str, Integers]
    queues: Mapping[Unit, Sequence[Entry]]
    outputs: Mapping[str, Integers]


class Deadlock(AssertionError):
    """No unit can go on, and not all have ended."""


Choose = Callable[[Sequence[Unit]], Unit]
"""Picks one of the units that can go on."""

Watch = Callable[[Unit, Entry, State], None]
"""Sees every entry before it takes effect."""


def record(
    program: Program, inputs: Mapping[str, Integers], outputs: Mapping[str, Integers]
) -> Trace:
    """What the sequencer issues to the units when it runs a program."""
    queues: dict[Unit, list[Entry]] = {unit: [] for unit in UNITS}
    for entry in issued(program):
        unit = _unit(entry.op)
        if unit is not Unit.SEQUENCER:
            queues[unit].append(entry)
    return Trace(program, inputs, queues, outputs)


def issued(program: Program) -> Iterator[Entry]:
    """Every micro-op in the order of issue; what GUARD skips is left out."""
    ops, ends, counters = program.ops, loop_ends(program.ops), [0] * 8
    starts = {end: start for start, end in ends.items()}
    at = 0
    while ops[at].opcode is not Opcode.HALT:
        op = ops[at]
        yield Entry(at, op, tuple(counters))
        at += 1
        if op.opcode is Opcode.LOOP and not op["count"]:
            at = ends[at - 1] + 1
        elif op.opcode is Opcode.GUARD:
            value = counters[op["counter"]]
            passes = op["lo"] <= value < op["hi"] and value % op["mod"] == op["rem"]
            at += 0 if passes else op["skip"]
        elif op.opcode is Opcode.END:
            start, level = starts[at - 1], op["level"]
            again = counters[level] + 1 < ops[start]["count"]
            counters[level] = counters[level] + 1 if again else 0
            at = start + 1 if again else at


def replay(trace: Trace, choose: Choose, watch: Watch, *, compute: bool = True) -> State:
    """Replay a trace; the state it ends in. Raises Deadlock.

    Without `compute` nothing is computed: `watch` alone sees what happens.
    """
    state = configured(trace)
    ahead = {unit: deque(entries) for unit, entries in trace.queues.items()}
    posts: dict[int, int] = {}
    while any(ahead.values()):
        ready = [u for u in UNITS if ahead[u] and _can_start(ahead[u][0].op, posts)]
        if not ready:
            raise Deadlock({unit.name: queue[0] for unit, queue in ahead.items() if queue})
        unit = choose(ready)
        entry = ahead[unit].popleft()
        watch(unit, entry, state)
        _perform(entry, state, posts, compute)
    return state


def configured(trace: Trace) -> State:
    """The state after the configuration of a program."""
    state = State(trace.program, {n: np.asarray(a) for n, a in trace.inputs.items()})
    for op in trace.program.ops:
        if op.opcode is Opcode.BUF:
            state.buffers[op["buffer"]] = Buffer.described(op)
        elif op.opcode is Opcode.ACTIVE:
            state.active = op["macros"]
        elif op.opcode is Opcode.LEVEL:
            state.levels[op["index"]] = op["lo"], op["hi"]
    return state


def same_outputs(trace: Trace, state: State) -> bool:
    """Whether a replay gave the images of the trace."""
    return all(
        np.array_equal(image.ravel(), trace.outputs[port.name].ravel())
        for port, image in state.outputs
    )


def eager(first: Unit, last: Unit) -> Choose:
    """`first` runs as far ahead as it can, `last` only when no other can go on."""
    rank = {unit: 1 for unit in UNITS} | {last: 2} | {first: 0}
    return lambda ready: min(ready, key=lambda unit: rank[unit])


ADVERSARIES: dict[str, Choose] = {
    f"{a.name.lower()} ahead, {b.name.lower()} behind": eager(a, b)
    for a in UNITS
    for b in UNITS
    if a is not b
}
"""One unit as far ahead as it can, another as far behind."""


def at_random(seed: int) -> Choose:
    """Stretches of random length."""
    random = Random(seed)
    current: list[Unit] = []

    def choose(ready: Sequence[Unit]) -> Unit:
        if not current or current[0] not in ready or random.random() < 0.2:
            current[:] = [random.choice(ready)]
        return current[0]

    return choose


def _unit(op: MicroOp) -> Unit:
    if op.opcode in (Opcode.WAIT, Opcode.SIGNAL):
        return Unit(op["unit"])
    return TABLE[op.opcode].unit


def _can_start(op: MicroOp, posts: Mapping[int, int]) -> bool:
    return op.opcode is not Opcode.WAIT or posts.get(op["token"], 0) > 0


def _perform(entry: Entry, state: State, posts: dict[int, int], compute: bool) -> None:
    op = entry.op
    if op.opcode is Opcode.SIGNAL:
        posts[op["token"]] = posts.get(op["token"], 0) + 1
    elif op.opcode is Opcode.WAIT:
        posts[op["token"]] -= 1
    elif compute:
        state.counters[:] = entry.counters
        (MEANINGS | ROW_MEANINGS)[op.opcode](state, op)
