"""Passes run in order, each result verified and shown."""

from dataclasses import replace

import pytest

from tdsl.ir.verifier import VerificationError
from tdsl.passes.eliminate_dead_nodes import eliminate_dead_nodes
from tdsl.passes.fold_pools import fold_pools
from tdsl.passes.pipeline import Model, Pass, run_passes
from tests.networks import named_network

CASE = named_network("avg_pool")
MODEL = Model(CASE.graph, CASE.arrays)


def test_each_pass_sees_the_result_of_the_one_before() -> None:
    seen: list[tuple[Pass, Model]] = []

    def rename(model: Model) -> Model:
        return replace(model, graph=replace(model.graph, name=model.graph.name + "'"))

    result = run_passes(MODEL, (rename, rename), lambda p, m: seen.append((p, m)))
    assert [model.graph.name for _, model in seen] == ["avg_pool'", "avg_pool''"]
    assert [apply for apply, _ in seen] == [rename, rename]
    assert result is seen[-1][1]


def test_no_passes_no_change() -> None:
    assert run_passes(MODEL, ()) is MODEL


def test_a_pass_that_breaks_the_graph_is_noticed() -> None:
    def forget(model: Model) -> Model:
        return replace(model, graph=replace(model.graph, outputs=()))

    def lose(model: Model) -> Model:
        return replace(model, arrays={})

    for broken in (forget, lose):
        with pytest.raises(VerificationError):
            run_passes(MODEL, (eliminate_dead_nodes, broken, fold_pools))
