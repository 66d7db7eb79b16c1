"""What one run cost, in all."""

from dataclasses import dataclass
from typing import Any

from tdsl.cost.memory import MemoryBits


@dataclass(frozen=True, slots=True)
class Range:
    """A figure that is known between two bounds."""

    low: float
    typical: float
    high: float


@dataclass(frozen=True, slots=True)
class Declared:
    """What user-defined micro-ops took: the word of their authors, not a figure of the machine."""

    cycles: int
    energy_pj: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Cycles, time, energy and memory of one run on the machine, and the speed of its simulation.

    `macs` is None for a program without its source: only the network knows them.
    """

    machine: str
    cycles: int
    seconds_at_clock: float
    energy_pj: Range
    macs: int | None
    peak_macs: int
    """Multiply-accumulates a cycle with every lane at work."""
    memory_bits: MemoryBits
    simulation_seconds: float
    declared: Declared | None = None
    """The part of cycles and energy that is declared; None where no micro-op is the user's."""

    @property
    def utilisation(self) -> float | None:
        """The part of all lanes and cycles that did a multiply-accumulate of the network."""
        return None if self.macs is None else self.macs / (self.peak_macs * self.cycles)

    @property
    def gmac_per_second(self) -> float | None:
        """Speed of the simulation."""
        return None if self.macs is None else self.macs / self.simulation_seconds / 1e9

    def to_json(self) -> dict[str, Any]:
        """The figures as plain JSON data, under the names that `--json` prints."""
        return {
            "cycles": self.cycles,
            "seconds_at_clock": self.seconds_at_clock,
            "energy_pj": _plain(self.energy_pj, "low", "typical", "high"),
            "macs": self.macs,
            "utilisation": self.utilisation,
            "memory_bits": _plain(self.memory_bits, "weights", "features", "program", "external"),
            "simulation_seconds": self.simulation_seconds,
            "gmac_per_second": self.gmac_per_second,
            "declared": None
            if self.declared is None
            else _plain(self.declared, "cycles", "energy_pj"),
        }


def _plain(value: object, *names: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}
