"""Tokens suffice: whatever runs ahead or falls behind, the images are the same and nothing races.

Units are replayed apart: each keeps its own order, and only tokens hold it back. A race detector
looks at every replay for accesses that no chain of tokens orders.
"""

from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tdsl.lowering.printer import print_mapping
from tdsl_runtime.encoding import encode
from tdsl_runtime.isa import MicroOp, Opcode, Unit
from tests.chain.engines import Chain, chain, named_chain
from tests.chain.machines import machine_named, small_machines
from tests.chain.tight import machines_that_force, tight_machines
from tests.lowering.races import Detector
from tests.lowering.replay import (
    ADVERSARIES,
    Choose,
    Deadlock,
    Trace,
    at_random,
    record,
    replay,
    same_outputs,
)
from tests.networks import Budget, named_networks, random_networks

NAMES = [case.name for case in named_networks()]
BASES = [machine.name for machine in small_machines() if machine.channels > 1]
PAIRS = [(name, base) for name in NAMES for base in BASES]
COVER = [pair for i, pair in enumerate(PAIRS) if i % len(BASES) == i // len(BASES) % len(BASES)]
CHOICES: dict[str, Choose] = {**ADVERSARIES, **{f"random {i}": at_random(i) for i in range(2)}}
SMALL = Budget(macs=40_000, elements=2_000)
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Shrinking a network takes minutes."""


def tight_chains(name: str, base: str) -> list[Chain]:
    """A network in every way it can be mapped on hardly enough rows."""
    found = [named_chain(name, machine) for machine in tight_machines(name, machine_named(base))]
    return [one for one in found if one is not None]


def trace_of(found: Chain) -> Trace:
    return record(found.compiled.program, found.images, found.expected)


def hazards(trace: Trace, choose: Choose) -> list[str]:
    """What races when units are chosen so. Raises Deadlock."""
    detector = Detector(trace.program)
    replay(trace, choose, detector.watch, compute=False)
    return detector.hazards


def computes(trace: Trace, choose: Choose) -> bool:
    """Whether the images come out right, and nothing races, when units are chosen so."""
    detector = Detector(trace.program)
    return same_outputs(trace, replay(trace, choose, detector.watch)) and not detector.hazards


@pytest.mark.parametrize(("name", "base"), COVER)
def test_nothing_races(name: str, base: str) -> None:
    for number, found in enumerate(tight_chains(name, base)):
        trace = trace_of(found)
        first = number + NAMES.index(name)
        for k in (0, 3, 5):
            who = list(CHOICES)[(first + k) % len(CHOICES)]
            assert hazards(trace, CHOICES[who]) == [], (found.compiled.program.machine.name, who)


@pytest.mark.slow
@pytest.mark.parametrize("who", CHOICES)
@pytest.mark.parametrize(("name", "base"), PAIRS)
def test_nothing_races_anywhere(name: str, base: str, who: str) -> None:
    for found in tight_chains(name, base):
        assert hazards(trace_of(found), CHOICES[who]) == []


@pytest.mark.parametrize("who", CHOICES)
@pytest.mark.parametrize("name", ["pixel_shuffle", "several_outputs", "mux_channels"])
def test_images_do_not_depend_on_who_runs_ahead(name: str, who: str) -> None:
    for found in tight_chains(name, "few-rows"):
        assert computes(trace_of(found), CHOICES[who])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_image_depends_on_who_runs_ahead(name: str) -> None:
    for number, found in enumerate(tight_chains(name, "few-rows")):
        who = list(CHOICES)[(number + NAMES.index(name)) % len(CHOICES)]
        assert computes(trace_of(found), CHOICES[who])


@given(st.data(), st.integers(0, 1 << 20))
@settings(max_examples=15, deadline=None, phases=UNSHRUNK)
def test_random_networks_in_random_order(data: st.DataObject, seed: int) -> None:
    case = data.draw(random_networks(budget=SMALL))
    base = machine_named(data.draw(st.sampled_from(BASES)))
    for machine in machines_that_force(case, base):
        found = chain(case, machine)
        if found is not None:
            assert hazards(trace_of(found), at_random(seed)) == [], print_mapping(
                found.compiled.plan
            )


# -- the checks themselves -----------------------------------------------------------------------


def without(trace: Trace, token: int) -> Trace:
    """The trace with a token that holds nobody back: neither posted nor waited for."""

    def free(op: MicroOp) -> bool:
        return op.opcode in (Opcode.WAIT, Opcode.SIGNAL) and op["token"] == token

    queues = {u: [e for e in q if not free(e.op)] for u, q in trace.queues.items()}
    return replace(trace, queues=queues)


TOKENS = {"FREE_0": 0, "FULL_0": 2, "LINES": 4, "LOADED": 5, "CREDIT": 6, "RESULTS": 16}


@pytest.mark.parametrize("token", TOKENS)
def test_every_token_is_needed(token: str) -> None:
    """Somewhere; in many programs other tokens order the same work."""
    names = ("several_outputs", "global_sum_pool", "max_pool_on_trits")
    traces = (
        without(trace_of(found), TOKENS[token])
        for name in names
        for found in tight_chains(name, "few-rows")
        if found.compiled.plan.strategy == "stream" and not found.compiled.plan.paged
    )
    assert any(hazards(trace, choose) for trace in traces for choose in ADVERSARIES.values())


def test_a_missing_token_spoils_an_image() -> None:
    (found, *_) = tight_chains("max_pool_on_trits", "few-rows")
    trace = without(trace_of(found), TOKENS["FULL_0"])
    assert not all(computes(trace, choose) for choose in ADVERSARIES.values())


def test_a_wait_too_many_is_a_deadlock() -> None:
    (found, *_) = tight_chains("conv_1x1", "few-rows")
    trace = trace_of(found)
    waits = [e for e in trace.queues[Unit.POST] if e.op.opcode is Opcode.WAIT]
    queues = {**trace.queues, Unit.POST: [*trace.queues[Unit.POST], waits[0]]}
    with pytest.raises(Deadlock):
        hazards(replace(trace, queues=queues), at_random(0))


def test_the_trace_is_what_the_interpreter_executes() -> None:
    for found in tight_chains("denoiser", "few-rows"):
        program = found.compiled.program
        assert len(encode(program.ops)) == len(program.code)
        entries = sum(len(queue) for queue in trace_of(found).queues.values())
        table = found.fused.counters.table
        working = [k for k, op in enumerate(program.ops) if op.opcode >= Opcode.DMAIN]
        synchronising = [
            k for k, op in enumerate(program.ops) if op.opcode in (Opcode.WAIT, Opcode.SIGNAL)
        ]
        assert entries == table[working + synchronising, 0].sum()
