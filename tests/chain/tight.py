"""Machines with hardly enough rows for a network, so that every way of mapping it is taken."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from tdsl.compiler import DEFAULT_PASSES
from tdsl.lowering.allocate import Misfit
from tdsl.lowering.map import map_selection
from tdsl.lowering.select import select
from tdsl.passes.pipeline import Model, run_passes
from tdsl_runtime.description import MachineDescription
from tests.networks import Case, named_network

MOST_ROWS = 400


@cache
def tight_machines(name: str, base: MachineDescription) -> tuple[MachineDescription, ...]:
    """`base` with the fewest rows for each kind of mapping of a network of the table."""
    return tuple(machines_that_force(named_network(name), base))


def machines_that_force(case: Case, base: MachineDescription) -> Iterator[MachineDescription]:
    """`base` with fewer or more rows: whole or streamed, in strips or not, paged or resident."""
    model = run_passes(Model(case.graph, case.arrays), DEFAULT_PASSES)
    selection = select(model.graph, model.arrays)
    seen: set[tuple[str, bool, bool]] = set()
    for rows in _row_counts():
        machine = replace(base, name=f"{base.name}-{rows}", rows=rows)
        plan = map_selection(selection, machine)
        if isinstance(plan, Misfit):
            continue
        kind = plan.strategy, plan.strips > 1, plan.paged
        if kind not in seen:
            seen.add(kind)
            yield machine


def _row_counts() -> Iterator[int]:
    rows = 1
    while rows <= MOST_ROWS:
        yield rows
        rows = max(rows + 1, rows * 6 // 5)
