"""Any one weight, threshold or micro-op field changed: outputs, counters or diagnostics change.

A mutant that survives every image must be one of those explained in `harmless`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from random import Random

import numpy as np
import pytest

from tdsl.ir.ops import Input
from tdsl.ir.parameters import Integers
from tdsl_runtime.counters import Counter
from tdsl_runtime.errors import MachineError
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import TABLE, MicroOp, Opcode
from tdsl_runtime.micro_ops import places
from tdsl_runtime.program import Program
from tdsl_runtime.simulator import Simulator
from tdsl_runtime.state import State
from tests.chain.engines import Chain, named_chain
from tests.chain.machines import machine_named
from tests.chain.mutants import Mutant, field_mutant, threshold_mutant, weight_mutant
from tests.lowering.races import Detector
from tests.lowering.replay import ADVERSARIES, Deadlock, record, replay

FEW = machine_named("few-rows")
SUBJECTS = (
    ("max_pool_on_trits", machine_named("nearmem-1mb")),
    ("max_pool_on_trits", replace(FEW, rows=4)),
    ("several_outputs", replace(FEW, rows=12)),
    ("or_residual", replace(FEW, rows=16)),
)
IMAGES = 10
PER_TEST = 20
LAYOUT = ("base", "pitch", "width", "depth")
"""Where a buffer lies, not what it means."""


@cache
def subject(number: int) -> Chain:
    found = named_chain(*SUBJECTS[number])
    assert found is not None
    return found


@cache
def images(number: int) -> tuple[Mapping[str, Integers], ...]:
    """The image of the table and random ones."""
    found, random = subject(number), np.random.default_rng(number)
    nodes = [node for node in found.case.graph.nodes if isinstance(node.op, Input)]
    others = [
        {
            node.name: random.integers(
                node.type.element.low,
                node.type.element.high,
                found.images[node.name].shape,
                endpoint=True,
            )
            for node in nodes
        }
        for _ in range(IMAGES - 1)
    ]
    return (found.images, *others)


@cache
def results(number: int) -> tuple[Result, ...]:
    simulator = Simulator(subject(number).compiled.program)
    return tuple(simulator.run(image) for image in images(number))


def survives(mutant: Mutant, number: int) -> bool:
    """Whether a mutant gives the same outputs and counters on all images, and no diagnostic."""
    try:
        simulator = Simulator(mutant.program, fuse=False)
        for image, wanted in zip(images(number), results(number), strict=True):
            got = simulator.run(image)
            same = all(np.array_equal(got.outputs[n], wanted.outputs[n]) for n in wanted.outputs)
            if not same or wanted.counters.differences(got.counters):
                return False
    except MachineError:
        return False
    return True


def harmless(mutant: Mutant, number: int) -> str | None:
    """Why a mutant may survive; None if it may not."""
    before, after = subject(number).compiled.program.ops, mutant.program.ops
    pairs = enumerate(zip(before, after, strict=True))
    changed = [(at, old, new) for at, (old, new) in pairs if old != new]
    if not changed:
        return "no result lies in between" if _reaches(mutant, number) else None
    ((at, old, new),) = changed
    runs = results(number)
    rows = [row.tobytes() for row in mutant.program.row_data]
    match old.opcode:
        case Opcode.BUF if any(
            replace(new, values=_with(new, name, old[name])) == old for name in LAYOUT
        ):
            return "another layout, in memory that nothing else uses"
        case Opcode.BUF if new["image_height"] > old["image_height"]:
            return "no line beyond the image is read"
        case Opcode.TLOAD if new["n"] > old["n"]:
            return "one more T register is loaded, and none reads it"
        case Opcode.DOT if all(r.counters.table[at, Counter.ONES] == 0 for r in runs):
            return "it reads a plane that only the lowest value of the type would fill"
        case Opcode.DOT if replace(new, values=_with(new, "astep", 1)) == old:
            single = all(
                r.counters.table[at, Counter.ITEMS] == r.counters.table[at, 0] for r in runs
            )
            return "every execution is a single step" if single else None
        case Opcode.DOT if new["row"] != old["row"] and new["row"] < len(rows):
            return (
                "another row of the same weights" if rows[new["row"]] == rows[old["row"]] else None
            )
        case Opcode.GUARD if _passes(old, before, at) == _passes(new, before, at):
            return "it lets the same turns pass"
        case Opcode.WAIT | Opcode.SIGNAL if _races(mutant, number):
            return "nobody had to wait in this run, but in another one something races"
        case Opcode.WAIT | Opcode.SIGNAL:
            return "other tokens order the same work: nothing races in any order"
        case _:
            return None


def _with(op: MicroOp, name: str, value: int) -> tuple[int, ...]:
    """The values of a micro-op with one field changed."""
    fields = zip(TABLE[op.opcode].fields, op.values, strict=True)
    return tuple(value if field.name == name else other for field, other in fields)


def _passes(guard: MicroOp, ops: Sequence[MicroOp], at: int) -> list[int]:
    """The turns of its loop that a guard lets pass, if it skips as much as before."""
    loop = next(
        op for op in ops[at::-1] if op.opcode is Opcode.LOOP and op["level"] == guard["counter"]
    )
    turns = range(loop["count"])
    passes = [
        t for t in turns if guard["lo"] <= t < guard["hi"] and t % guard["mod"] == guard["rem"]
    ]
    return [guard["skip"], *passes]


def _reaches(mutant: Mutant, number: int) -> bool:
    """Whether a sum or a threshold that is compared differs on some image."""
    program = subject(number).compiled.program
    return any(
        compared(program, image) != compared(mutant.program, image) for image in images(number)
    )


def compared(program: Program, image: Mapping[str, Integers]) -> list[bytes]:
    """The sums and thresholds that every STORE compares."""
    found: list[bytes] = []

    def note(at: int, state: State) -> None:
        op = program.ops[at]
        if op.opcode is Opcode.STORE:
            for place in places(state, op):
                sums = state.accumulators[op["acc"] + place.step, place.segment, place.macros]
                found.append(sums.tobytes() + state.thresholds[:2, place.macros].tobytes())

    Interpreter(program).run(image, note)
    return found


def _races(mutant: Mutant, number: int) -> bool:
    found = subject(number)
    trace = record(mutant.program, found.images, found.expected)
    for choose in ADVERSARIES.values():
        detector = Detector(mutant.program)
        try:
            replay(trace, choose, detector.watch, compute=False)
        except Deadlock:
            return True
        if detector.hazards:
            return True
    return False


def check(mutants: Iterable[Mutant], number: int, most: float) -> None:
    """Every survivor is explained, and at most this share of mutants survives."""
    count = survivors = 0
    for mutant in mutants:
        count += 1
        if survives(mutant, number):
            survivors += 1
            assert harmless(mutant, number) is not None, f"{SUBJECTS[number][0]}: {mutant.what}"
    assert survivors <= most * count


@pytest.mark.parametrize("number", range(len(SUBJECTS)))
def test_weights(number: int) -> None:
    found = subject(number).compiled
    mutants = (weight_mutant(found.program, found.plan, Random(s)) for s in range(PER_TEST))
    check(mutants, number, 0.5)


@pytest.mark.parametrize("number", range(len(SUBJECTS)))
def test_thresholds(number: int) -> None:
    found = subject(number).compiled
    mutants = (threshold_mutant(found.program, found.plan, Random(s)) for s in range(PER_TEST))
    check(mutants, number, 0.5)


@pytest.mark.parametrize("number", range(len(SUBJECTS)))
def test_fields(number: int) -> None:
    program = subject(number).compiled.program
    check((field_mutant(program, Random(s)) for s in range(2 * PER_TEST)), number, 0.15)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(SUBJECTS)))
def test_many_fields(number: int) -> None:
    program = subject(number).compiled.program
    check((field_mutant(program, Random(s)) for s in range(2 * PER_TEST, 300)), number, 0.15)
