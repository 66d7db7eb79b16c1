"""Micro-ops -> what the simulator may do at once, and what it may share."""

from collections.abc import Sequence

from tdsl_runtime.encoding import FIELD
from tdsl_runtime.isa import MicroOp, Opcode

_SHARED = ("xcounter", "span", "limit", "groups", "segments", "macros", "acc", "astep", "shift")
"""What the DOTs of a run have in common, besides the pixels' distance."""


def sums_are_passed_on(ops: Sequence[MicroOp]) -> bool:
    """Whether every STORE takes the sums of the DOTs in front of it, and nothing else does."""
    entered = {at + 1 + op["skip"] for at, op in enumerate(ops) if op.opcode is Opcode.GUARD}
    last: MicroOp | None = None
    for at, op in enumerate(ops):
        if at in entered or op.opcode in (Opcode.LOOP, Opcode.END, Opcode.GUARD):
            last = None
        if op.opcode is Opcode.ACC:
            return False
        if op.opcode in (Opcode.DOT, Opcode.STORE):
            starts = op.opcode is Opcode.DOT and op["clear"]
            if not starts and (last is None or not _same_sums(last, op)):
                return False
            last = op if op.opcode is Opcode.DOT else last
    return True


def _same_sums(before: MicroOp, op: MicroOp) -> bool:
    """Whether a micro-op takes the sums of a DOT, all of its steps."""
    return bool(before["astep"]) and all(
        before[name] == op[name] for name in _SHARED if name not in ("astep", "shift")
    )


def fused(ops: Sequence[MicroOp], *, fuse: bool) -> list[list[int]]:
    """Group DOTs that follow each other and work on the same pixels and accumulators."""
    entered = {at + 1 + op["skip"] for at, op in enumerate(ops) if op.opcode is Opcode.GUARD}
    groups: list[list[int]] = []
    for at, op in enumerate(ops):
        if op.opcode is not Opcode.DOT:
            continue
        last = groups[-1][-1] if groups else -1
        if fuse and last == at - 1 and at not in entered and _joins(ops[last], op):
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups


def _joins(before: MicroOp, op: MicroOp) -> bool:
    if before.opcode is not Opcode.DOT or op["clear"]:
        return False
    return all(before[name] == op[name] for name in (*_SHARED, "dx"))


def weight_use(dots: Sequence[MicroOp]) -> tuple[int, ...]:
    """What the expanded weights of a run depend on: runs that differ in place alone share them."""
    free = ("span", "limit", "xcounter", "acc", "astep", "shift", "clear", "x0")
    first = dots[0]["x0"]
    values = [
        value
        for dot in dots
        for name, value in zip(FIELD[Opcode.DOT], dot.values, strict=True)
        if name not in free
    ]
    return (*values, *(dot["x0"] - first for dot in dots))
