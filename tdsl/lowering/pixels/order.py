"""The order in which values are made: each just before it is needed, what needs most rows first.

Depth first from the results, as Sethi and Ullman order expressions for few registers.
"""

from collections.abc import Callable, Iterator, Sequence

from tdsl.rows.ir import RowOp, RowOutput, RowProgram, RowTotal, UserOp, operands


def as_written(program: RowProgram) -> tuple[int, ...]:
    """The values that results need, in the order of the program."""
    return tuple(sorted(_depth_first(program, lambda found: found)))


def deepest_first(program: RowProgram) -> tuple[int, ...]:
    """Depth first, the operand first whose making needs most bit rows."""
    need = _needs(program)
    return _depth_first(program, lambda found: sorted(found, key=lambda v: -need[v]))


def results(program: RowProgram) -> Iterator[RowOutput | RowTotal]:
    """What a program gives: totals first, since they take no rows."""
    yield from program.totals
    yield from program.outputs


def outer_operands(op: RowOp, program: RowProgram) -> tuple[int, ...]:
    """The values that must be there before an operation; those inside a user's micro-op are not."""
    if not isinstance(op, UserOp):
        return operands(op)
    inside = set(op.inside)
    read = [v for one in op.inside for v in operands(program.values[one].op)]
    return tuple(dict.fromkeys(v for v in (*read, op.body) if v not in inside))


def _depth_first(
    program: RowProgram, sort: Callable[[Sequence[int]], Sequence[int]]
) -> tuple[int, ...]:
    made: dict[int, None] = {}
    wanted = [v for result in results(program) for v in result.values]
    for result in wanted:
        stack = [(result, False)]
        while stack:
            value, ready = stack.pop()
            if value in made:
                continue
            if ready:
                made[value] = None
                continue
            stack.append((value, True))
            operands = outer_operands(program.values[value].op, program)
            stack += [(operand, False) for operand in reversed(sort(operands))]
    return tuple(made)


def _needs(program: RowProgram) -> list[int]:
    """Bit rows that stand at once while a value is made, were every value used once."""
    need: list[int] = []
    for value in program.values:
        before = list(dict.fromkeys(outer_operands(value.op, program)))
        before.sort(key=lambda v: -need[v])
        most = held = 0
        for operand in before:
            most = max(most, held + need[operand])
            held += program.values[operand].range.bits
        need.append(max(most, value.range.bits))
    return need
