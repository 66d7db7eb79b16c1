"""What the emission of a frame shares: the plan, the micro-ops so far, and its descriptors."""

from dataclasses import dataclass, field

from tdsl.lowering.plan import Plan
from tdsl.lowering.steps import Step, Tensor
from tdsl.lowering.writer import Writer


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame in the making; `buffers` numbers the descriptors by tensor and pad."""

    plan: Plan
    writer: Writer = field(default_factory=Writer)
    buffers: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])

    def buffer(self, tensor: Tensor, pad: int = 0) -> int:
        """The descriptor of a tensor; a tensor read with two pads has two."""
        return self.buffers.setdefault((tensor.index, pad), len(self.buffers))

    def mark(self, step: Step) -> None:
        """What is written from now on comes from a step."""
        self.writer.origin = 1 + self.plan.selection.steps.index(step)
