"""The two ways to lay out and compute a layer, what they cost, and which one was taken."""

from dataclasses import dataclass
from enum import StrEnum


class Organisation(StrEnum):
    """How data lies in the array."""

    CHANNELS = "channels"
    """A row holds the channels of a pixel."""
    PIXELS = "pixels"
    """A row holds one bit of many pixels."""


@dataclass(frozen=True, slots=True)
class StepCost:
    """A layer of one frame: cycles that array and post unit work, energy in pJ (typical)."""

    array: int
    post: int
    picojoules: float

    @property
    def cycles(self) -> int:
        """Cycles of the busier unit: the other works meanwhile."""
        return max(self.array, self.post)

    @property
    def product(self) -> float:
        """Energy times delay."""
        return self.cycles * self.picojoules


class Goal(StrEnum):
    """What a choice makes as small as it can."""

    CYCLES = "cycles"
    ENERGY = "energy"
    EDP = "edp"

    def of(self, cost: StepCost) -> float:
        """The figure that counts."""
        match self:
            case Goal.CYCLES:
                return cost.cycles
            case Goal.ENERGY:
                return cost.picojoules
            case Goal.EDP:
                return cost.product


@dataclass(frozen=True, slots=True)
class Choice:
    """The organisation of a layer: the one taken with its cost, and why not the other.

    `rejected` is the cost of the other organisation, or None with the reason in `note`.
    """

    layer: str
    taken: Organisation
    cost: StepCost
    rejected: StepCost | None
    note: str = ""
