"""Damaged models: a report or the right network, never a traceback or another network."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from tdsl.diagnostics import CompileError
from tdsl.importer.conversion import Port
from tdsl.importer.executor import Executor
from tdsl.importer.formulas import Integers
from tdsl.importer.imported import Imported, import_model
from tdsl.importer.reading import parse_model
from tdsl.importer.verification import integers_of, numbers
from tdsl.ir.interpreter import run
from tdsl.ir.tensor_type import BIN
from tests.importer.mutations import mutant

MODELS = sorted((Path(__file__).parent / "models").glob("*.onnx"))
EACH = 12
REPORTS = {"E0902", "E0903"}
FINE = {*REPORTS, "equal", "not executed", "depends on the order of additions", "lost in float32"}
_FINEST = Fraction(1, 1 << 20)
"""Smaller scales beside their offsets leave no integers in the executor's floats."""


def outcome(data: bytes, seed: int) -> str:
    """A code, or what became of the comparison with the executor."""
    try:
        model = parse_model(data, "m.onnx")
        imported = import_model(model, "m")
    except CompileError as error:
        (code,) = {one.code if one.helps else "no help" for one in error.diagnostics}
        return code
    return compared(imported, seed)


def compared(imported: Imported, seed: int) -> str:
    """Run both on one random input; a model that onnxruntime refuses has nothing to say."""
    random = np.random.default_rng(seed)
    given = {port.name: values(imported, port, random) for port in imported.inputs}
    feeds = {name: np.zeros(shape, np.float32) for name, shape in imported.shapes.items()}
    feeds |= {port.tensor: numbers(port, given[port.name]) for port in imported.inputs}
    ours = run(imported.graph, imported.arrays, given)
    try:
        theirs = Executor(imported.model).run(feeds, [port.tensor for port in imported.outputs])
    except CompileError:
        return "not executed"
    if any(fold.proof.fragile for fold in imported.folds):
        return "depends on the order of additions"
    for port in imported.outputs:
        if any(s < abs(o) * _FINEST for s, o in zip(port.scale, port.offset, strict=True)):
            return "lost in float32"
        expected = integers_of(port, theirs[port.tensor])
        if not np.array_equal(expected, ours[port.name].reshape(expected.shape)):
            return "another network"
    return "equal"


def values(imported: Imported, port: Port, random: np.random.Generator) -> Integers:
    """Random integers that an input takes."""
    type_ = imported.graph.nodes[port.node].type
    shape = [int(str(size)) for size in type_.shape]
    made = random.integers(port.low, port.high, shape, endpoint=True)
    return np.where(made == 0, 1, made) if type_.element == BIN else made


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_damaged_model_is_reported_or_imported_exactly(path: Path) -> None:
    data = path.read_bytes()
    start = 1000 * MODELS.index(path)
    found = [outcome(mutant(data, seed), seed) for seed in range(start, start + EACH)]
    assert set(found) <= FINE
    assert REPORTS & set(found)


@pytest.mark.slow
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_many_damaged_models(path: Path) -> None:
    data = path.read_bytes()
    found = [outcome(mutant(data, 10**6 + seed), seed) for seed in range(250)]
    assert set(found) <= FINE
    assert {"E0902", "E0903", "equal"} <= set(found)
