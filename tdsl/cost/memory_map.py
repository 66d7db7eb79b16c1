"""A plan -> what lies where in the array: weights, thresholds, a line buffer for each tensor."""

from dataclasses import dataclass

from tdsl.lowering.plan import Plan
from tdsl.lowering.steps import DotStep
from tdsl_runtime.description import PLANES, WORD


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the array: what it holds, where, and how many bits it takes of all macros."""

    kind: str
    name: str
    place: str
    bits: int


def memory_map(plan: Plan) -> list[Region]:
    """The regions in use, weights first."""
    machine = plan.machine
    row_bits = machine.macros * machine.columns * PLANES
    regions: list[Region] = []
    for number, dot in plan.dots.items():
        step = plan.selection.steps[number]
        assert isinstance(step, DotStep)
        rows = f"rows {dot.row}..{dot.row + dot.rows - 1}"
        if dot.page is not None:
            rows += f" from external {dot.page}..{dot.page + dot.rows - 1}"
        kind = "weights" if dot.page is None else "paged"
        regions.append(Region(kind, step.name, rows, dot.rows * row_bits))
    if plan.threshold_rows:
        last = plan.weight_rows + plan.threshold_rows - 1
        rows = f"rows {plan.weight_rows}..{last}"
        regions.append(Region("thresholds", "all", rows, plan.threshold_rows * row_bits))
    if plan.rows:
        bits = max(made.rows for made in plan.rows.values())
        rows = f"bit rows {plan.first_bit_row}..{plan.first_bit_row + bits - 1}"
        name = "all" if len(plan.rows) > 1 else plan.selection.steps[next(iter(plan.rows))].name
        regions.append(Region("values", name, rows, bits * row_bits // PLANES))
    for step in plan.selection.steps:
        tensor = step.out
        place = plan.places.get(tensor.index)
        if place is None:
            continue
        line = -(-place.width * tensor.channels // WORD) * WORD
        trits = tensor.planes * place.depth * line
        lines = f"{place.depth} line{'s' if place.depth > 1 else ''} at trit {place.base}"
        regions.append(Region("features", tensor.name, lines, trits * PLANES))
    return regions


def strip_overhead(plan: Plan) -> float:
    """The part of the multiply-accumulates that column strips do more than once, at most."""
    once = again = 0.0
    for step in plan.selection.steps:
        if isinstance(step, DotStep) and step.out.index in plan.places:
            once += step.macs
            columns = plan.strips * plan.places[step.out.index].width
            again += step.macs * max(0.0, columns / step.out.width - 1)
    return again / once if once else 0.0
