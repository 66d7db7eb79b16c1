"""A DotStep -> the same layer as a row program: weights become additions, zero weights nothing.

Columns are pixels of the source's plane. Output channels are made some at a time; their sums are
collected from chunks of source channels, so that few partial sums stand in rows at a time, and
within a chunk they share what they add alike.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np

from tdsl.lowering.rates import pool_step
from tdsl.lowering.row_thresholds import thresholded_rows
from tdsl.lowering.shared_sums import Sums, shared_sums
from tdsl.lowering.steps import Array, DotStep, Pooling, Tensor
from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import Arithmetic, Range, RowInput, RowOutput, RowProgram, Sole
from tdsl.source import NOWHERE

CHUNK = 24
"""Taps of a chunk: with more, trees grow deeper and share less; with fewer, sums are collected
more often. Between 16 and 36 the additions of random ternary layers differ by less than 10 %."""

Share = Callable[[Array], Sums]


@dataclass(frozen=True, slots=True)
class Column:
    """One addend of the sums: a tap of a channel of a source, `2^shift` times."""

    input: int
    channel: int
    dy: int
    dx: int
    shift: int


def has_row_form(step: DotStep) -> bool:
    """Whether every result of a step stands at a pixel of one plane that all its terms read."""
    planes = {(t.source.height, t.source.width, t.stride) for t in step.terms}
    if len(planes) != 1 or step.whole or step.rise > 1:
        return False
    source, stride = step.terms[0].source, row_stride(step)
    last = (step.out.height - 1) * stride[0], (step.out.width - 1) * stride[1]
    return last[0] < source.height and last[1] < source.width


def row_stride(step: DotStep) -> tuple[int, int]:
    """Source pixels from result to result."""
    stride, pool = step.terms[0].stride, pool_step(step)
    return stride[0] * pool[0], stride[1] * pool[1]


def row_sources(step: DotStep) -> tuple[tuple[Tensor, int], ...]:
    """What the programs of a step read: tensors, each with its pad, in the order of the inputs."""
    return tuple(dict.fromkeys((term.source, term.pad) for term in step.terms))


def row_form(step: DotStep, together: int, share: Share = shared_sums) -> RowProgram:
    """The program of a step that has a row form: `together` output channels share their sums."""
    builder = RowBuilder(span=step.span or NOWHERE)
    builder.inputs += [
        RowInput(source.name, Range(source.low, source.high), source.channels, pad=pad)
        for source, pad in row_sources(step)
    ]
    values: list[int] = []
    for first in range(0, step.out.channels, together):
        builder.forget()
        outputs = range(first, min(first + together, step.out.channels))
        sums = _sums(builder, step, slice(first, outputs.stop), share)
        values += [_result(builder, step, c, s) for c, s in zip(outputs, sums, strict=True)]
    out = RowOutput(step.out.name, tuple(values), Range(step.out.low, step.out.high))
    return RowProgram(
        step.name,
        tuple(builder.inputs),
        tuple(builder.values),
        (out,),
        stride=row_stride(step),
    )


def additions(step: DotStep, share: Share = shared_sums) -> int:
    """Additions and subtractions of all sums of a layer, thresholds not counted."""
    total = -step.out.channels
    for _, matrix in _chunks(step, slice(0, step.out.channels)):
        total += share(matrix).additions + int(np.count_nonzero(matrix.any(axis=1)))
    return max(0, total)


def _sums(builder: RowBuilder, step: DotStep, outputs: slice, share: Share) -> list[int]:
    """The sum of every output channel at every position of the plane."""
    count = len(range(*outputs.indices(step.out.channels)))
    collected: list[int | None] = [None] * count
    for columns, matrix in _chunks(step, outputs):
        partial = _chunk_sums(builder, [_column(builder, c) for c in columns], share(matrix))
        collected = [_plus(builder, a, b) for a, b in zip(collected, partial, strict=True)]
    return [builder.constant(0) if value is None else value for value in collected]


def _plus(builder: RowBuilder, a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    return builder.binary(Arithmetic.ADD, a, b)


def _column(builder: RowBuilder, column: Column) -> int:
    pixel = builder.read(column.input, column.channel)
    return builder.scale(builder.shift(pixel, column.dy, column.dx), column.shift)


def _chunks(step: DotStep, outputs: slice) -> Iterator[tuple[list[Column], Array]]:
    """The addends of a step, some channels at a time, with their weights `[outputs, columns]`."""
    columns: list[Column] = []
    weights: list[Array] = []
    for column, weight in _taps(step, outputs):
        columns.append(column)
        weights.append(weight)
        if len(columns) >= CHUNK and _ends_channel(step, columns):
            yield columns, np.stack(weights, axis=1)
            columns, weights = [], []
    if columns:
        yield columns, np.stack(weights, axis=1)


def _ends_channel(step: DotStep, columns: list[Column]) -> bool:
    """Chunks of small windows end with a channel, so that a channel is read in one of them."""
    taps = max(int(np.prod(term.weights.shape[2:])) for term in step.terms)
    return taps > CHUNK or len(columns) % taps == 0


def _taps(step: DotStep, outputs: slice) -> Iterator[tuple[Column, Array]]:
    """Every addend that some output needs, channel by channel."""
    sources = row_sources(step)
    for term in step.terms:
        number = sources.index((term.source, term.pad))
        weights = term.weights[outputs]
        _, channels, height, width = weights.shape
        for channel, y, x in np.ndindex(channels, height, width):
            dy = term.offset[0] + y * term.dilation[0]
            dx = term.offset[1] + x * term.dilation[1]
            weight = weights[:, channel, y, x]
            if weight.any():
                yield Column(number, channel, dy, dx, term.shift), weight


def _chunk_sums(builder: RowBuilder, columns: list[int], sums: Sums) -> list[int | None]:
    """The values of the rows; None for a row without addends."""
    values = list(columns)
    for pair in sums.pairs:
        op = Arithmetic.ADD if pair.sign > 0 else Arithmetic.SUB
        values.append(builder.binary(op, values[pair.a], values[pair.b]))
    return [_tree(builder, [(values[c], sign) for c, sign in row]) for row in sums.rows]


def _tree(builder: RowBuilder, addends: list[tuple[int, int]]) -> int | None:
    """A signed sum by pairs, the narrowest first, so that carries stay short.

    Two minuses make a minus, which the first plus takes in; a sum of minuses alone is negated.
    """
    if not addends:
        return None
    flipped = all(sign < 0 for _, sign in addends)
    heap = [
        (builder.range(value).bits, order, value, -sign if flipped else sign)
        for order, (value, sign) in enumerate(addends)
    ]
    heapify(heap)
    order = len(heap)
    while len(heap) > 1:
        _, _, a, first = heappop(heap)
        _, _, b, second = heappop(heap)
        value, sign = _joined(builder, (a, first), (b, second))
        heappush(heap, (builder.range(value).bits, order, value, sign))
        order += 1
    value = heap[0][2]
    return builder.unary(Sole.NEG, value) if flipped else value


def _joined(builder: RowBuilder, a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """The sum of two signed addends, as a value and a sign."""
    match a[1], b[1]:
        case 1, 1:
            return builder.binary(Arithmetic.ADD, a[0], b[0]), 1
        case -1, -1:
            return builder.binary(Arithmetic.ADD, a[0], b[0]), -1
        case 1, -1:
            return builder.binary(Arithmetic.SUB, a[0], b[0]), 1
        case _:
            return builder.binary(Arithmetic.SUB, b[0], a[0]), 1


def _result(builder: RowBuilder, step: DotStep, channel: int, total: int) -> int:
    """Pooling, clamps and thresholds; all are monotone, so the narrowest is pooled."""
    result = thresholded_rows(builder, step, channel, total)
    if builder.range(result).bits > builder.range(total).bits:
        return thresholded_rows(builder, step, channel, _pooled(builder, step, total))
    return _pooled(builder, step, result)


def _pooled(builder: RowBuilder, step: DotStep, value: int) -> int:
    """The maximum over the pooling window, along lines, then across them."""
    if step.pooling is Pooling.NONE:
        return value
    stride = step.terms[0].stride
    for axis, move in ((1, (0, stride[1])), (0, (stride[0], 0))):
        first = value
        for k in range(1, step.pool[axis]):
            other = builder.shift(first, k * move[0], k * move[1])
            value = builder.binary(Arithmetic.MAX, value, other)
    return value
