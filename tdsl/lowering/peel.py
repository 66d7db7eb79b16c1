"""What stands between sums and thresholds: clamps, shifts, pooling, reductions over the image.

They are peeled off a node outside in, as far as the machine can do them in the same step.
"""

from dataclasses import dataclass

from tdsl.ir import ops
from tdsl.ir.ops import PoolKind
from tdsl.lowering.averages import average_area, division_by_shift, is_power_of_two
from tdsl.lowering.steps import AccumulatorOp, Clamp, Pooling, ShiftRight
from tdsl.lowering.unsupported import unsupported
from tdsl.lowering.walk import Walk

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Peeled:
    """The node at `source` is summed, then pooled, then taken through `ops` in order."""

    source: int
    ops: tuple[AccumulatorOp, ...] = ()
    pooling: Pooling = Pooling.NONE
    pool: Pair = (1, 1)
    pool_stride: Pair = (1, 1)
    whole: bool = False


def peel(walk: Walk, root: int, position: int) -> Peeled:
    """What the step of node `root` does to the value of the node at `position`.

    Raises CompileError for a division that neither a shift nor thresholds can do.
    """
    found, position = _accumulator_ops(walk, root, position)
    pooling, pool, pool_stride, source = _pooling(walk, root, position)
    if not walk.fusible(root, source):
        return Peeled(source, found, pooling, pool, pool_stride)
    found = (*_division(walk, root, source), *found)
    op = walk.node(source).op
    if isinstance(op, ops.GlobalPool) and op.kind is PoolKind.MAX:
        pooling = Pooling.SUM_MAX
    whole = isinstance(op, ops.Sum | ops.GlobalPool)
    return Peeled(source, found, pooling, pool, pool_stride, whole)


def _accumulator_ops(walk: Walk, root: int, position: int) -> tuple[tuple[AccumulatorOp, ...], int]:
    found: list[AccumulatorOp] = []
    while walk.fusible(root, position):
        node = walk.node(position)
        match node.op:
            case ops.Clip(element=element):
                found.insert(0, Clamp(element.low, element.high))
            case ops.Shift(amount=amount) if amount < 0:
                found.insert(0, ShiftRight(-amount))
            case _:
                break
        position = node.inputs[0]
    return tuple(found), position


def _pooling(walk: Walk, root: int, position: int) -> tuple[Pooling, Pair, Pair, int]:
    node = walk.node(position)
    if walk.fusible(root, position):
        match node.op:
            case ops.Pool(kind=PoolKind.MAX, kernel=kernel, stride=stride):
                return Pooling.STORE_MAX, kernel, stride, node.inputs[0]
            case _:
                pass
    return Pooling.NONE, (1, 1), (1, 1), position


def _division(walk: Walk, root: int, position: int) -> tuple[ShiftRight, ...]:
    """The shift that an average ends in; the thresholds of `root` divide by any other area."""
    node = walk.node(position)
    area = average_area(walk, node)
    if is_power_of_two(area):
        return (division_by_shift(area),) if area > 1 else ()
    if position != root:
        raise unsupported(
            node,
            f"a division by {area} in the middle of a sum",
            "end the layer with thresholds, which absorb the division exactly",
            "or use `sumpool`, or a window whose area is a power of two",
        )
    return ()
