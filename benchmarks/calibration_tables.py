"""What one frame cost on several machines -> the Markdown tables of docs/calibration.md."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.networks import cifar10, macs, random_input
from benchmarks.one_frame import MICRO, OPS_A_MAC, Measured
from benchmarks.reference import layer_output, layer_sums, thermometer
from tdsl.cost.report import LOSSES, LayerCost
from tdsl_runtime.description import load_machine, machines

MEGA = 1e6
FEMTO_A_MICRO = 1e9
TRAINED_ZEROS = 0.6
"""The zeros among the weights of a published ternary network (TFC-2W2A: 62 %)."""


@dataclass(frozen=True, slots=True)
class Silicon:
    """Published figures of TCN-CUTIE (arXiv 2212.00688), clock and area as later quoted."""

    microjoule: float = 2.72
    volt: float = 0.5
    peak_femtojoule: float = 0.97
    milliwatt: float = 12.2
    frames: float = 3200
    hertz: float = 54e6
    mm2: float = 2.96


CUTIE = Silicon()
BRAINTTA_FJ = 67.0
"""fJ a ternary operation, peak (arXiv 2211.11331); the voltage is not in the abstract."""
DOTS_FJ, DOTS_VOLT = 21.0, 0.8
"""Two weight rows read, gated and summed for each 256-wide dot product, and nothing else."""


def tables(measured: Sequence[Measured]) -> dict[str, str]:
    """Every table of the document, by the name of its marker."""
    return {
        "cycles": _cycles(measured),
        "energy": _energies(measured),
        "cutie": _against_cutie(measured[0]),
        "events": _events(measured),
        "sparsity": _sparsity(measured),
        **{f"layers-{one.machine.name}": _layers(one) for one in measured},
        "areas": _areas(),
    }


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cycles(measured: Sequence[Measured]) -> str:
    header = ("machine", "lanes", "MACs / lanes", "cycles", "ratio", "lanes used", "us", "frames/s")
    rows = [
        (
            f"`{one.machine.name}`",
            f"{one.machine.peak_macs:,}",
            f"{one.bound:,.0f}",
            f"{one.cycles:,}",
            f"{one.cycles / one.bound:.3f}",
            f"{one.bound / one.cycles:.1%}",
            f"{one.cycles / one.machine.hertz * MICRO:.1f}",
            f"{one.machine.hertz / one.cycles:,.0f}",
        )
        for one in measured
    ]
    return _markdown(header, rows)


def _energies(measured: Sequence[Measured]) -> str:
    ops = measured[0].ops
    header = ("", "V", "uJ low", "typical", "high", "fJ/op", "uJ at 0.5 V", "fJ/op", "x CUTIE")
    rows: list[tuple[str, ...]] = []
    for one in measured:
        low, typical, high = one.energy
        ranged = f"{low:.2f}", f"{typical:.2f}", f"{high:.2f}", _femto(typical, ops)
        scaled = _at_half_volt(one.scaled(CUTIE.volt), ops)
        rows.append((f"`{one.machine.name}`", f"{one.machine.volt:.2f}", *ranged, *scaled))
    for name, volt, femto in (
        ("TCN-CUTIE, silicon", CUTIE.volt, CUTIE.microjoule / ops * FEMTO_A_MICRO),
        ("bare dot products", DOTS_VOLT, DOTS_FJ),
        ("BrainTTA, peak", None, BRAINTTA_FJ),
    ):
        spent = femto * ops / FEMTO_A_MICRO
        ranged = "", f"{spent:.2f}", "", f"{femto:.1f}"
        scaled = ("", "", "")
        if volt is not None:
            scaled = _at_half_volt(spent * (CUTIE.volt / volt) ** 2, ops)
        rows.append((name, "" if volt is None else f"{volt:.2f}", *ranged, *scaled))
    return _markdown(header, rows)


def _at_half_volt(spent: float, ops: int) -> tuple[str, str, str]:
    return f"{spent:.2f}", _femto(spent, ops), f"{spent / CUTIE.microjoule:.2f}"


def _femto(microjoule: float, ops: int) -> str:
    return f"{microjoule / ops * FEMTO_A_MICRO:.1f}"


def _against_cutie(ours: Measured) -> str:
    layers = [layer for layer in ours.report.layers if layer.macs]
    best = min(ours.layer_energy(layer) / (OPS_A_MAC * layer.macs) for layer in layers)
    spent, area = ours.energy[1], ours.machine.area.typical
    femto = FEMTO_A_MICRO / ours.ops
    power = spent * ours.machine.hertz / ours.cycles / 1e3
    pairs = (
        ("uJ an inference", spent, CUTIE.microjoule, 2),
        ("fJ/op, whole network", spent * femto, CUTIE.microjoule * femto, 2),
        ("fJ/op, best layer; peak", best * FEMTO_A_MICRO, CUTIE.peak_femtojoule, 2),
        ("cycles an inference", ours.cycles, CUTIE.hertz / CUTIE.frames, 0),
        ("mW while it computes", power, CUTIE.milliwatt, 1),
        ("area, mm2", area, CUTIE.mm2, 2),
    )
    return _markdown(
        ("", "`cutie-lanes`", "TCN-CUTIE", "ratio"),
        [(t, f"{a:,.{d}f}", f"{b:,.{d}f}", f"{a / b:.2f}") for t, a, b, d in pairs],
    )


def _events(measured: Sequence[Measured]) -> str:
    names = [one.machine.name for one in measured]
    header = ("event", *(cell for name in names for cell in (f"`{name}` uJ", "of all")))
    rows: list[tuple[str, ...]] = []
    for events in zip(*(one.report.events for one in measured), strict=True):
        cells = [
            cell
            for event, one in zip(events, measured, strict=True)
            for cell in _amount(event.energy.typical / MICRO, one.energy[1])
        ]
        rows.append((events[0].name, *cells))
    return _markdown(header, rows)


def _amount(part: float, whole: float) -> tuple[str, str]:
    return f"{part:.3f}", f"{part / whole:.1%}"


def _sparsity(measured: Sequence[Measured]) -> str:
    ours = measured[0]
    lanes = sum(e.energy.typical for e in ours.report.events if e.name in ("logic", "tree")) / MICRO
    weights, products = _nonzero()
    trained = products / weights * (1 - TRAINED_ZEROS)
    cases = (
        ("every lane: as counted", 1.0),
        ("lanes whose weight is not zero", weights),
        ("lanes whose product is not zero", products),
        (f"the same with {TRAINED_ZEROS:.0%} of the weights zero", trained),
    )
    rows: list[tuple[str, ...]] = []
    for name, part in cases:
        spent = ours.energy[1] - lanes * (1 - part)
        rows.append((name, f"{part:.1%}", f"{spent:.2f}", f"{spent / CUTIE.microjoule:.2f}"))
    return _markdown(("who pays for `logic` and `tree`", "lanes", "uJ", "x CUTIE"), rows)


def _nonzero() -> tuple[float, float]:
    """The nonzero part of the weights, and of the products (borders count as zeros)."""
    network = cifar10()
    image = thermometer(network.levels or 0, random_input(network).astype(np.uint8))
    weights = [np.abs(layer.weight) for layer in network.layers]
    nonzero = 0
    for layer, weight in zip(network.layers, weights, strict=True):
        nonzero += int(layer_sums(replace(layer, weight=weight), np.abs(image)).sum())
        image = layer_output(layer, image)
    part = sum(int(w.sum()) for w in weights) / sum(w.size for w in weights)
    return part, nonzero / macs(network, network.layers)


def _layers(one: Measured) -> str:
    layers = [layer for layer in one.report.layers if layer.cycles]
    kinds = [kind for kind in LOSSES if any(layer.lost[kind] >= 1 for layer in layers)]
    header = ("layer", "MMAC", "MACs / lanes", "cycles", "lanes used", *kinds, "uJ", "fJ/op")
    rows = [_layer_row(one, layer, kinds) for layer in layers]
    rows.append(("(tail)", "", "", f"{one.report.tail:,}", *[""] * (len(kinds) + 3)))
    lost = (f"{sum(layer.lost[kind] for layer in layers):,.0f}" for kind in kinds)
    work = f"{one.ops / OPS_A_MAC / MEGA:.1f}", f"{one.bound:,.0f}", f"{one.cycles:,}"
    used, each = f"{one.bound / one.cycles:.1%}", _femto(one.energy[1], one.ops)
    rows.append(("in all", *work, used, *lost, f"{one.energy[1]:.3f}", each))
    return _markdown(header, rows)


def _layer_row(one: Measured, layer: LayerCost, kinds: Sequence[str]) -> tuple[str, ...]:
    spent = one.layer_energy(layer)
    lost = (f"{layer.lost[kind]:,.0f}" if layer.lost[kind] >= 0.5 else "" for kind in kinds)
    work, used, each = ("", ""), "", ""
    if layer.macs:
        work = f"{layer.macs / MEGA:.1f}", f"{layer.bound:,.0f}"
        used, each = f"{layer.utilisation:.1%}", _femto(spent, OPS_A_MAC * layer.macs)
    return layer.name, *work, f"{layer.cycles:,}", used, *lost, f"{spent:.3f}", each


def _areas() -> str:
    header = ("machine", "macros", "Mbit", "mm2 low", "typical", "high", "uW at rest", "area from")
    rows: list[tuple[str, ...]] = []
    for machine in map(load_machine, machines()):
        sizes = f"{machine.macros}", f"{machine.cells / MEGA:.1f}"
        figures = (f"{value:.1f}" for value in machine.area.triple())
        rest = f"{machine.macros * machine.energy.leakage.typical:.0f}"
        rows.append((f"`{machine.name}`", *sizes, *figures, rest, machine.area.source))
    return _markdown(header, rows)
