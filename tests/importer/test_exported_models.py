"""Networks exported by Brevitas give, on 1,000 images, the integers that qonnx computed once."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")

from tdsl.api import load
from tdsl.importer.formulas import Rounding, quant
from tdsl.importer.imported import import_model
from tdsl.importer.reading import read_model
from tdsl.importer.saving import save
from tdsl.importer.verification import integers_of
from tests.importer.images import FRAMES, images

MODELS = sorted((Path(__file__).parent / "models").glob("*.onnx"))


def test_all_variants_of_both_exporters_are_here() -> None:
    variants = {path.stem.rpartition("_")[0] for path in MODELS}
    assert len(variants) == 9
    assert len(MODELS) == 2 * len(variants)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_the_integers_are_those_of_qonnx(path: Path, tmp_path: Path) -> None:
    imported = import_model(read_model(path), path.stem)
    written = save(imported, tmp_path)
    recorded = np.load(path.with_suffix(".npz"))
    (given,), (scores,) = imported.inputs, imported.outputs
    scale, zero = np.asarray(given.scale[0], np.float32), np.zeros((), np.float32)
    pixels, _ = quant(images(int(recorded["seed"])), scale, zero, 0, 255, Rounding.ROUND)
    network = load(written[0])
    runner = network.runner(network.machine(), {})
    results = runner.run_many([{given.name: frame} for frame in pixels], threads=1)
    assert len(results) == FRAMES
    expected = [integers_of(scores, floats).ravel() for floats in recorded["outputs"]]
    found = [result[scores.name].ravel() for result in results]
    assert np.array_equal(found, expected)
    assert len(np.unique(np.array(expected))) > 8


def test_the_two_exporters_give_one_network() -> None:
    for script in (path for path in MODELS if path.stem.endswith("_script")):
        dynamo = script.with_name(script.name.replace("_script", "_dynamo"))
        one, two = (import_model(read_model(path), "net") for path in (script, dynamo))
        assert [node.op for node in one.graph.nodes] == [node.op for node in two.graph.nodes]
        for parameter, values in one.arrays.items():
            assert np.array_equal(values, two.arrays[parameter])


def test_every_channel_was_looked_at_for_every_integer() -> None:
    for path in MODELS:
        imported = import_model(read_model(path), "net")
        assert imported.folds
        for fold in imported.folds:
            assert fold.proof.exhaustive
            assert fold.proof.integers > fold.channels
        assert sum(fold.turned for fold in imported.folds) > 0
