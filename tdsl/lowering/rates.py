"""Steps -> how often each tensor's lines and pixels come, relative to the finest of them."""

from fractions import Fraction
from math import lcm

from tdsl.lowering.steps import (
    DotStep,
    InputStep,
    LogicStep,
    Pooling,
    RowStep,
    Step,
    Tensor,
    Term,
)

Rates = dict[int, int]
"""Tensor index -> iterations (or finest pixels) between two of its lines (pixels)."""


def rates(steps: tuple[Step, ...], axis: int) -> Rates:
    """Whole-number rates along an axis (0: lines, 1: pixels) of all tensors that the steps link."""
    links = list(_links(steps, axis))
    known: dict[int, Fraction] = {}
    for step in steps:
        for tensor in (step.out, *step.sources):
            if tensor.index not in known:
                known[tensor.index] = Fraction(1)
                _spread(tensor.index, links, known)
    scale = lcm(*(rate.denominator for rate in known.values()), 1)
    return {index: int(rate * scale) for index, rate in known.items()}


def _spread(start: int, links: list[tuple[int, int, Fraction]], known: dict[int, Fraction]) -> None:
    pending = [start]
    while pending:
        at = pending.pop()
        for source, out, factor in links:
            if source == at and out not in known:
                known[out] = known[at] * factor
                pending.append(out)
            elif out == at and source not in known:
                known[source] = known[at] / factor
                pending.append(source)


def _links(steps: tuple[Step, ...], axis: int) -> list[tuple[int, int, Fraction]]:
    """(source, out, source lines an out line) for all pairs that move together."""
    found: list[tuple[int, int, Fraction]] = []
    for step in steps:
        match step:
            case InputStep():
                pass
            case LogicStep(out=out):
                found += [
                    (t.index, out.index, Fraction(1)) for t in step.sources if not held(t, out)
                ]
            case RowStep(out=out, program=program):
                ahead = Fraction(program.stride[axis])
                found += [(t.index, out.index, ahead) for t in step.sources]
            case DotStep(out=out, whole=whole):
                if not whole and extent(out, axis) > 1:
                    found += [
                        (t.source.index, out.index, Fraction(*advance(step, t, axis)))
                        for t in step.terms
                    ]
    return found


def advance(step: DotStep, term: Term, axis: int) -> tuple[int, int]:
    """Source lines for one turn of a step, and result lines of it."""
    return term.stride[axis] * pool_step(step)[axis], step.rise


def pool_step(step: DotStep) -> tuple[int, int]:
    """Sums between two results in each direction."""
    return step.pool if step.pooling is Pooling.STORE_MAX else step.pool_stride


def extent(tensor: Tensor, axis: int) -> int:
    """Lines or pixels of a tensor."""
    return tensor.height if axis == 0 else tensor.width


def held(operand: Tensor, out: Tensor) -> bool:
    """True for a vector against an image: it stands still."""
    return (operand.height, operand.width) == (1, 1) != (out.height, out.width)
