"""Model -> model: passes applied in order, each result verified."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tdsl.ir.graph import Graph
from tdsl.ir.parameters import Arrays
from tdsl.ir.verifier import verify, verify_arrays


@dataclass(frozen=True, slots=True)
class Model:
    """A graph and the values of its stored parameters."""

    graph: Graph
    arrays: Arrays


Pass = Callable[[Model], Model]
"""Takes a valid model; returns a valid one with the same inputs and the same outputs, or the very
same object when there is nothing to change."""


def run_passes(
    model: Model,
    passes: Sequence[Pass],
    after_each: Callable[[Pass, Model], None] = lambda _pass, _model: None,
) -> Model:
    """Apply `passes` to `model` in order; `after_each` sees every result, for printing."""
    for apply in passes:
        model = apply(model)
        verify(model.graph)
        verify_arrays(model.graph, model.arrays)
        after_each(apply, model)
    return model
