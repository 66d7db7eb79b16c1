"""The CUTIE-like network and machines -> the cycles and the energy of one frame on each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tdsl
from benchmarks.networks import cifar10, random_input
from benchmarks.tnn import write_tnn
from tdsl.cost.report import LayerCost, Report, make_report
from tdsl_runtime.description import MachineDescription, load_machine
from tdsl_runtime.energy import energy
from tdsl_runtime.simulator import Simulator

MICRO = 1e6
OPS_A_MAC = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """One frame on one machine; energies in uJ, low, typical and high."""

    machine: MachineDescription
    cycles: int
    report: Report
    energy: tuple[float, float, float]

    @property
    def ops(self) -> int:
        """Operations of the network, two a multiply-accumulate."""
        return OPS_A_MAC * sum(layer.macs for layer in self.report.layers)

    @property
    def bound(self) -> float:
        """MACs / lanes: the cycles with every lane at work."""
        return sum(layer.bound for layer in self.report.layers)

    def scaled(self, volt: float) -> float:
        """The typical energy in uJ, scaled with V^2 to `volt`, but for external memory."""
        scale = (volt / self.machine.volt) ** 2
        return sum(
            event.energy.typical * (1 if event.name == "external" else scale) / MICRO
            for event in self.report.events
        )

    def layer_energy(self, layer: LayerCost) -> float:
        """The typical energy of a layer in uJ with its part, by cycles, of clock and leakage."""
        static = self.report.static_energy.typical * layer.cycles / self.cycles
        return (layer.energy.typical + static) / MICRO


def measure(names: Sequence[str]) -> tuple[Measured, ...]:
    """Compile the network for each machine and execute one frame of random pixels."""
    network = cifar10()
    with TemporaryDirectory() as folder:
        loaded = tdsl.load(write_tnn(network, Path(folder)))
    frame = random_input(network)
    measured: list[Measured] = []
    for machine in map(load_machine, names):
        compiled = loaded.compiled(machine, {})
        counters = Simulator(compiled.program).run({"img": frame}).counters
        spent = energy(compiled.program, counters)
        low, typical, high = (value / MICRO for value in spent.total)
        report = make_report(compiled, counters, spent)
        measured.append(Measured(machine, counters.cycles, report, (low, typical, high)))
    return tuple(measured)
