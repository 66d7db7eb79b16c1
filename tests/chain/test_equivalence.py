"""Reference, interpreter and simulator agree: every network, every kind of machine and mapping."""

from collections import Counter
from itertools import chain as joined

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tdsl_runtime.description import MachineDescription
from tests.chain.engines import ENGINES, chain, named_chain, plan_kind
from tests.chain.machines import all_machines, machine_named, presets, small_machines
from tests.chain.tight import machines_that_force, tight_machines
from tests.networks import Budget, Case, named_networks, random_networks

NAMES = [case.name for case in named_networks()]
MACHINES = [machine.name for machine in all_machines()]
BASES = [machine.name for machine in small_machines() if machine.channels > 1]
ROOMY = {machine.name for machine in presets()}
PAIRS = [(name, machine) for name in NAMES for machine in MACHINES]
COVER = [
    pair for i, pair in enumerate(PAIRS) if i % len(MACHINES) == i // len(MACHINES) % len(MACHINES)
]
TIGHT = [(name, base) for name in NAMES for base in BASES]
TIGHT_COVER = [
    pair for i, pair in enumerate(TIGHT) if i % len(BASES) == i // len(BASES) % len(BASES)
]
SMALL = Budget(macs=60_000, elements=3_000)
UNHURRIED = (HealthCheck.too_slow, HealthCheck.data_too_large)


def check(name: str, machine: MachineDescription, engine: str) -> None:
    """Every output is the reference's, every counter that of the simulator."""
    found = named_chain(name, machine)
    if found is None:
        assert machine.name not in ROOMY, f"{name} does not fit {machine.name}"
        return
    result = found.check(ENGINES[engine])
    assert found.fused.counters.differences(result.counters) == ()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "machine"), COVER)
def test_every_network_on_a_machine(name: str, machine: str, engine: str) -> None:
    check(name, machine_named(machine), engine)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "machine"), [pair for pair in PAIRS if pair not in COVER])
def test_every_network_on_every_machine(name: str, machine: str, engine: str) -> None:
    check(name, machine_named(machine), engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "base"), TIGHT_COVER)
def test_every_network_in_hardly_enough_rows(name: str, base: str, engine: str) -> None:
    for machine in tight_machines(name, machine_named(base)):
        check(name, machine, engine)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "base"), [pair for pair in TIGHT if pair not in TIGHT_COVER])
def test_every_network_in_hardly_enough_rows_everywhere(name: str, base: str, engine: str) -> None:
    for machine in tight_machines(name, machine_named(base)):
        check(name, machine, engine)


def test_the_covering_subset_meets_every_kind_of_mapping() -> None:
    tight = (m for name, base in TIGHT_COVER for m in _with_name(name, base))
    roomy = ((name, machine_named(machine)) for name, machine in COVER)
    kinds: Counter[str] = Counter()
    for name, machine in joined(roomy, tight):
        found = named_chain(name, machine)
        if found is not None:
            kinds.update(plan_kind(found.compiled))
    wanted = {"whole", "stream", "strips", "paged", "groups", "segments", "passes", "window"}
    assert {kind for kind in wanted if kinds[kind] >= 10} == wanted, kinds


def _with_name(name: str, base: str) -> list[tuple[str, MachineDescription]]:
    return [(name, machine) for machine in tight_machines(name, machine_named(base))]


@given(st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=UNHURRIED)
def test_random_networks(data: st.DataObject) -> None:
    _check_random(data)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=UNHURRIED)
def test_many_random_networks(data: st.DataObject) -> None:
    _check_random(data)


def _check_random(data: st.DataObject) -> None:
    """A random network on a random machine, or on one with hardly enough rows for it."""
    case: Case = data.draw(random_networks(budget=SMALL))
    machine = machine_named(data.draw(st.sampled_from(MACHINES)))
    if machine.name not in ROOMY:
        forced = list(machines_that_force(case, machine))
        machine = data.draw(st.sampled_from(forced or [machine]))
    found = chain(case, machine)
    if found is None:
        event("does not fit")
        return
    event(" ".join(plan_kind(found.compiled)))
    for engine in ENGINES.values():
        result = found.check(engine)
        assert found.fused.counters.differences(result.counters) == ()
