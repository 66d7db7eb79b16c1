"""Column strips: how wide each tensor's strip is, and how far it starts early to hold its halo."""

from dataclasses import dataclass
from math import lcm

from tdsl.lowering.plan import Stage
from tdsl.lowering.rates import held, pool_step, rates
from tdsl.lowering.steps import (
    DotStep,
    InputStep,
    LogicStep,
    Pooling,
    RowStep,
    Selection,
    Step,
    Tensor,
    Term,
)


@dataclass(frozen=True, slots=True)
class Extent:
    """Columns of a tensor in a strip: `step` of its own, `left` and `right` of its neighbours."""

    step: int
    left: int
    right: int

    @property
    def width(self) -> int:
        """Pixels held."""
        return self.step + self.left + self.right


def whole_width(tensor: Tensor) -> Extent:
    """The extent of a tensor that is not cut."""
    return Extent(tensor.width, 0, 0)


def strip_extents(selection: Selection, stage: Stage, strips: int) -> dict[int, Extent] | None:
    """The extents of a stage's tensors cut into `strips`; None where they cannot be cut."""
    steps = tuple(selection.steps[turn.step] for turn in stage.turns)
    pixels = rates(steps, axis=1)
    if any(_spans_width(step) for step in steps):
        return None
    if any(
        isinstance(step, DotStep) and step.whole and step.pooling is Pooling.SUM_MAX
        for step in steps
    ):
        return None  # columns past the image's edge read as zeros, which a maximum would see
    widest = max((s.out.width * pixels[s.out.index] for s in steps if s.out.width > 1), default=1)
    unit = lcm(*pixels.values())
    finest = -(-widest // (strips * unit)) * unit
    extents = {index: Extent(finest // rate, 0, 0) for index, rate in pixels.items()}
    rises = {step.out.index: step.rise for step in steps if isinstance(step, DotStep)}
    for _ in range(2 * len(steps) + 2):
        changed = False
        for step in reversed(steps):
            for source, wanted in _needs(step, extents):
                held_now = extents[source.index]
                rise = rises.get(source.index, 1)
                left = -(-max(held_now.left, wanted.left) // rise) * rise
                right = -(-max(held_now.right, wanted.right) // rise) * rise
                merged = Extent(held_now.step, left, right)
                changed |= merged != held_now
                extents[source.index] = merged
        if not changed:
            return extents
    return None  # logic of a tensor with its own neighbourhood: their strips cannot start together


def _spans_width(step: Step) -> bool:
    """A step whose one column needs the whole width of an image cannot be cut.

    Row programs need not be: their tiles are narrower than a line as it is.
    """
    return isinstance(step, RowStep) or (
        isinstance(step, DotStep)
        and not step.whole
        and step.out.width == 1 < step.terms[0].source.width
    )


def _needs(step: Step, extents: dict[int, Extent]) -> list[tuple[Tensor, Extent]]:
    match step:
        case InputStep() | RowStep():
            return []
        case LogicStep(out=out, a=a, b=b):
            # Both operands and the result share one pixel index, so their strips start together.
            together = [t for t in (a, b) if not held(t, out)]
            left = max(extents[t.index].left for t in (out, *together))
            right = max(extents[t.index].right for t in (out, *together))
            return [(t, Extent(extents[t.index].step, left, right)) for t in (out, *together)]
        case DotStep():
            return [(term.source, _halo(step, term, extents)) for term in step.terms]


def _halo(step: DotStep, term: Term, extents: dict[int, Extent]) -> Extent:
    own = extents[term.source.index]
    first = term.offset[1]
    last = (
        first + (step.pool[1] - 1) * term.stride[1] + (term.weights.shape[3] - 1) * term.dilation[1]
    )
    if step.whole:
        return Extent(own.step, max(0, -first), max(0, last))
    ahead = term.stride[1] * pool_step(step)[1]
    out = extents[step.out.index]
    before = -(-out.left // step.rise)
    after = -(-out.right // step.rise)
    return Extent(own.step, max(0, before * ahead - first), max(0, (after - 1) * ahead + last + 1))
