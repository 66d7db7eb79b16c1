"""Nine-entry tables of functions of two trits, for the machine's two-row logic."""

from collections.abc import Callable

from tdsl.ir.ops import Gate, GateKind, Not

Table = tuple[int, ...]
"""Results for (-1,-1), (-1,0), (-1,1), (0,-1) ... (1,1)."""


def _table(function: Callable[[int, int], int]) -> Table:
    return tuple(function(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1))


WHERE = _table(lambda s, a: a if s == 1 else 0)
UNLESS = _table(lambda s, b: 0 if s == 1 else b)
JOIN = _table(lambda a, b: max(-1, min(1, a + b)))
IS_ZERO = _table(lambda a, _: int(a == 0))
NOT_ZERO = _table(lambda a, _: abs(a))

_GATES: dict[tuple[GateKind, bool], Table] = {
    (GateKind.AND, False): _table(min),
    (GateKind.OR, False): _table(max),
    (GateKind.XOR, False): _table(lambda a, b: -a * b),
    (GateKind.AND, True): _table(min),
    (GateKind.OR, True): _table(max),
    (GateKind.XOR, True): _table(lambda a, b: int(a != b)),
}


def gate_table(op: Gate | Not | object, boolean: bool) -> Table:
    """The table of a gate on trits (`boolean` false) or on {0, 1}."""
    match op:
        case Gate(kind=kind):
            return _GATES[kind, boolean]
        case Not():
            return _table(lambda a, _: 1 - a if boolean and a >= 0 else -a)
        case _:
            raise AssertionError(f"{op} is no gate")
