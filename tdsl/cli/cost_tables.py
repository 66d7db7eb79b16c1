"""The report of `tdsl cost` -> tables of at most 80 columns."""

from collections.abc import Sequence

from rich.table import Table

from tdsl.cli.results import cost_table
from tdsl.cli.terminal import print_tables, print_text
from tdsl.cli.units import bits, count, energy, percent
from tdsl.cost.memory_map import Region, memory_map, strip_overhead
from tdsl.cost.report import LOSSES, LayerCost, Report
from tdsl.cost.summary import Cost
from tdsl.images.port import Frame, size_text
from tdsl.lowering.plan import Plan
from tdsl_runtime.description import MachineDescription


def print_report(frame: Frame, cost: Cost, plan: Plan, report: Report) -> None:
    """Print everything: the summary, then by layer, loss, unit, micro-op, event, line, memory."""
    shape = size_text(next(iter(frame.arrays.values())).shape)
    network, machine = plan.selection.network, plan.machine
    print_text(f"{network} on {machine.name}, executed once on {frame.label}, {shape}\n")
    print_tables(cost_table(cost), f"mapping    {_mapping(plan)}", "")
    print_tables(
        "By layer: cycles of the array; bound: of its MACs on all lanes; feed: of its",
        "trits on all channels; tail: after its last work; static: clock, leakage",
    )
    print_tables(_layers(report, cost), "")
    print_tables("Why not faster: cycles of the array that are no multiply-accumulates")
    print_tables(_losses(report), "")
    print_tables(*(f"  {name:9}{meaning}" for name, meaning in LOSSES.items()), "")
    print_tables("By unit", _units(report, cost), "")
    print_tables("By micro-op", _micro_ops(report, cost), "")
    print_tables("By event", _events(report, cost), "")
    print_tables("By source line (0: control)", _lines(report), "")
    print_tables(f"Memory ({bits(machine.cells)} in the array)", _memory(memory_map(plan), machine))


def _mapping(plan: Plan) -> str:
    """The strategy, and what column strips cost."""
    if plan.strips == 1:
        return plan.strategy
    again = percent(strip_overhead(plan))
    return f"{plan.strategy}, {plan.strips} column strips: up to {again} of the MACs done twice"


def _layers(report: Report, cost: Cost) -> Table:
    table = _table(
        "layer", "line", "cycles", "MACs", "bound", "feed", "used", "held by", "energy", "moved"
    )
    for layer in report.layers:
        used = percent(layer.utilisation) if layer.macs else ""
        table.add_row(
            layer.name,
            str(layer.line or ""),
            f"{layer.cycles:,}",
            count(layer.macs) if layer.macs else "",
            f"{layer.bound:,.0f}" if layer.macs else "",
            f"{layer.feed:,.0f}" if layer.macs else "",
            used,
            layer.binding,
            energy(layer.energy.typical),
            bits(layer.bits) if layer.bits else "",
        )
    table.add_row("(tail)", "", f"{report.tail:,}")
    static = energy(report.static_energy.typical)
    table.add_row("(static)", *[""] * 7, static)
    table.add_row("in all", "", f"{cost.cycles:,}", *[""] * 5, energy(cost.energy_pj.typical))
    return table


def _losses(report: Report) -> Table:
    table = _table("layer", "useful", *LOSSES)
    for layer in report.layers:
        table.add_row(layer.name, f"{layer.bound:,.0f}", *_lost(layer))
    return table


def _lost(layer: LayerCost) -> list[str]:
    return [f"{layer.lost[name]:,.0f}" if layer.lost[name] >= 0.5 else "" for name in LOSSES]


def _units(report: Report, cost: Cost) -> Table:
    table = _table("unit", "busy", "of all cycles", "last work done at")
    for unit in report.units:
        table.add_row(
            unit.name, f"{unit.busy:,}", percent(unit.busy / cost.cycles), f"{unit.done:,}"
        )
    return table


def _micro_ops(report: Report, cost: Cost) -> Table:
    table = _table("micro-op", "unit", "executed", "busy", "energy", "of all")
    for one in report.micro_ops:
        part = one.energy.typical / cost.energy_pj.typical
        table.add_row(
            one.name,
            one.unit,
            f"{one.executed:,}",
            f"{one.busy:,}",
            energy(one.energy.typical),
            percent(part),
        )
    return table


def _events(report: Report, cost: Cost) -> Table:
    table = _table("event", "energy", "of all", "what")
    for one in report.events:
        part = one.energy.typical / cost.energy_pj.typical
        table.add_row(one.name, energy(one.energy.typical), percent(part), one.meaning)
    return table


def _lines(report: Report) -> Table:
    table = _table("line", "cycles", "energy")
    for one in report.lines:
        table.add_row(str(one.line), f"{one.cycles:,}", energy(one.energy.typical))
    return table


def _memory(regions: Sequence[Region], machine: MachineDescription) -> Table:
    table = _table("what", "of", "where", "size", "of all")
    for region in regions:
        table.add_row(
            region.kind,
            region.name,
            region.place,
            bits(region.bits),
            percent(region.bits / machine.cells),
        )
    return table


def _table(first: str, *others: str) -> Table:
    """A table whose numbers stand right."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for title in others:
        words = title in ("held by", "unit", "of", "where", "what")
        table.add_column(title, justify="left" if words else "right")
    return table
