"""A user's kernel in a network -> the row step of its pixels, and the sum over them for a total."""

from dataclasses import replace

import numpy as np

from tdsl.ir import ops
from tdsl.ir.graph import Node
from tdsl.lowering.pixels.regions import regions
from tdsl.lowering.row_plan import row_step
from tdsl.lowering.steps import Count, DotStep, Raw, Tensor
from tdsl.lowering.terms import Window, identity, terms_over
from tdsl.lowering.unsupported import kernel_beside_layers
from tdsl.lowering.walk import Walk, shape
from tdsl.rows.ir import (
    Border,
    Compare,
    Constant,
    Range,
    Reduction,
    Relation,
    RowInput,
    RowOutput,
    RowProgram,
    RowTotal,
    RowValue,
)
from tdsl.rows.rewrite import for_channels


def kernel(walk: Walk, position: int, op: ops.Kernel) -> Tensor:
    """The tensor of a kernel's result."""
    node = walk.node(position)
    sources = tuple(walk.tensor(source) for source in node.inputs)
    program = for_channels(op.program, sources[0].channels) if op.channelwise else op.program
    program = replace(program, inputs=_borders(node, program, sources))
    result = program.results[0]
    if isinstance(result, RowOutput):
        out = walk.new(position)
        return walk.add(row_step(node.name, out, sources, program, node.span))
    return _total(walk, position, program, result, sources)


def _total(
    walk: Walk,
    position: int,
    program: RowProgram,
    total: RowTotal,
    sources: tuple[Tensor, ...],
) -> Tensor:
    """A total: the values pixel by pixel in a tensor of their own, then one sum over it.

    Any pixel is not 0 where the sum of those that are not is above 0.
    """
    node = walk.node(position)
    if total.reduction is Reduction.ANY:
        program, total = _as_bits(program, total)
    ranges = [program.values[value].range for value in total.values]
    given = Range(min(r.low for r in ranges), max(r.high for r in ranges))
    pixels = Tensor(
        next(walk.numbers),
        f"{node.name}.pixels",
        len(total.values),
        *shape(walk.source(node))[1:],
        given.low,
        given.high,
    )
    output = RowOutput(total.name, total.values, given)
    program = replace(program, outputs=(output,), totals=())
    walk.add(row_step(node.name, pixels, sources, program, node.span))
    channels = tuple((pixels, c) for c in range(pixels.channels))
    anything = Count(np.zeros((pixels.channels, 1), np.int64), 0)
    return walk.add(
        DotStep(
            name=node.name,
            out=walk.new(position),
            terms=terms_over(channels, identity(pixels.channels), Window()),
            threshold=anything if total.reduction is Reduction.ANY else Raw(),
            whole=True,
            span=node.span,
        )
    )


def _as_bits(program: RowProgram, total: RowTotal) -> tuple[RowProgram, RowTotal]:
    """The values of a total as 1 where they are not 0."""
    values = [*program.values, RowValue(Constant(0), Range(0, 0))]
    zero = len(values) - 1
    tests = [Compare(Relation.EQUAL, value, zero, inverted=True) for value in total.values]
    values += [RowValue(test, Range(0, 1)) for test in tests]
    bits = tuple(range(zero + 1, len(values)))
    return replace(program, values=tuple(values)), replace(total, values=bits)


def _borders(node: Node, program: RowProgram, sources: tuple[Tensor, ...]) -> tuple[RowInput, ...]:
    """The inputs with borders that line buffers have: one trit in every plane."""
    beyond = {
        read.input
        for read, region in regions(program).items()
        if min(region.top, region.left) < 0 or max(region.bottom, region.right) > 0
    }
    return tuple(
        _border(node, one, source)
        if number in beyond
        else replace(one, border=Border.CONSTANT, pad=0)
        for number, (one, source) in enumerate(zip(program.inputs, sources, strict=True))
    )


def _border(node: Node, one: RowInput, source: Tensor) -> RowInput:
    most = (1 << source.planes) - 1
    if one.border is Border.EDGE:
        raise kernel_beside_layers(node, one.name, "repeats the pixels at its edge")
    if abs(one.pad) not in (0, most):
        raise kernel_beside_layers(node, one.name, f"reads {one.pad} outside the image")
    return replace(one, pad=(one.pad > 0) - (one.pad < 0))
