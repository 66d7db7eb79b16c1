"""What is told: refusals with every node and a rewrite, damaged files, the report, the files."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx
from onnx import TensorProto, helper, numpy_helper

from tdsl.diagnostics import CompileError
from tdsl.importer.imported import import_model
from tdsl.importer.reading import parse_model, read_model
from tdsl.importer.saving import save
from tdsl.importer.verification import Verified, verify_import
from tests.cli.command import environment, tdsl_command
from tests.importer.images import images
from tests.importer.twins import Twins

MODELS = Path(__file__).parent / "models"
MODEL = MODELS / "ternary_stats_script.onnx"
CUSTOM = {"domain": "qonnx.custom_op.general"}


def codes(error: CompileError) -> list[tuple[str, int, int]]:
    """Code, line and column of each diagnostic: models have no lines."""
    return [(d.code, d.span.line, d.span.column) for d in error.diagnostics]


def refusal(model: bytes, **options: Any) -> CompileError:
    """The error with which a model is refused."""
    with pytest.raises(CompileError) as caught:
        import_model(parse_model(model, "m.onnx"), "m", **options)
    return caught.value


def floating() -> Twins:
    """Two convolutions of floats, a sigmoid, a softmax, a product of two tensors."""
    random = np.random.default_rng(1)
    net = Twins((1, 2, 6, 6))
    y = net.add("Conv", "x", net.constant(random.normal(size=(3, 2, 3, 3))))
    y = net.add("Conv", net.add("Relu", y), net.constant(random.normal(size=(3, 3, 3, 3))))
    y = net.add("Mul", y, net.add("Sigmoid", y))
    net.add("Softmax", y)
    return net


def test_one_report_names_every_node_with_reason_and_rewrite() -> None:
    error = refusal(floating().model())
    assert codes(error) == [("E0903", 0, 0)] * 5
    said = [d.message for d in error.diagnostics]
    assert "node `Conv_0` (Conv): the input `x` is not quantised" in said[0]
    assert "node `Conv_0` (Conv): its weights are not quantised" in said[1]
    assert "node `Conv_2` (Conv): its weights are not quantised" in said[2]
    assert "node `Sigmoid_3` (Sigmoid)" in said[3]
    assert "node `Softmax_5` (Softmax)" in said[4]
    assert all(len(d.helps) == 1 for d in error.diagnostics)
    assert "5 of 6 nodes" in error.diagnostics[-1].notes[0]


def test_nothing_is_written_for_a_refused_model(tmp_path: Path) -> None:
    model = tmp_path / "float.onnx"
    model.write_bytes(floating().model())
    done = tdsl_command("import", model, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.count("error[E0903]") == 5
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


DAMAGE: dict[str, tuple[Callable[[Any], None], str]] = {
    "cycle": (lambda m: m.graph.node[0].input.__setitem__(0, "v1_0"), "form a cycle"),
    "twice": (lambda m: m.graph.node.append(m.graph.node[0]), "made twice"),
    "nothing": (lambda m: m.graph.node[0].input.__setitem__(0, "no"), "which nothing makes"),
    "output": (lambda m: setattr(m.graph.output[0], "name", "no"), "no node makes its output"),
    "empty": (lambda m: m.graph.ClearField("node"), "it holds no network"),
    "claim": (lambda m: m.graph.initializer[0].dims.append(1 << 40), "elements"),
    "short": (lambda m: m.graph.initializer[0].dims.append(2), "not have the size it states"),
    "negative": (lambda m: m.graph.initializer[0].dims.append(-1), "negative size"),
    "outside": (lambda m: setattr(m.graph.initializer[0], "data_location", 1), "another file"),
    "type": (lambda m: setattr(m.graph.initializer[0], "data_type", 8), "element type"),
    "names": (lambda m: m.graph.initializer.append(m.graph.initializer[0]), "two arrays"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_files_say_what_is_wrong(name: str) -> None:
    damage, reason = DAMAGE[name]
    net = Twins((1, 4))
    net.add("Relu", net.add("Add", "x", net.constant([1.0, 2.0, 3.0, 4.0])))
    model = onnx.ModelProto.FromString(net.model())
    damage(model)
    with pytest.raises(CompileError, match=reason) as caught:
        parse_model(model.SerializeToString(), "m.onnx")
    assert codes(caught.value) == [("E0902", 0, 0)]


@pytest.mark.parametrize("length", [0, 1, 100, 5000, 13000])
def test_truncated_files(length: int) -> None:
    with pytest.raises(CompileError) as caught:
        parse_model(MODEL.read_bytes()[:length], "m.onnx")
    assert codes(caught.value) == [("E0902", 0, 0)]


def test_files_that_are_not_there(tmp_path: Path) -> None:
    done = tdsl_command("import", tmp_path / "none.onnx", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "error[E0902]: `none.onnx` cannot be read" in done.stderr
    assert "there is no such file" in done.stderr


def dynamic() -> bytes:
    """An image of free size, not quantised."""
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["x", "s"], ["y"]),
            helper.make_node("Quant", ["y", "s", "z", "b"], ["q"], **CUSTOM, signed=1, narrow=1),
            helper.make_node("MaxPool", ["q"], ["p"], kernel_shape=[2, 2]),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, "h", "w"])],
        [onnx.ValueInfoProto(name="p")],
        [
            numpy_helper.from_array(np.array(value, np.float32), name)
            for name, value in (("s", 0.5), ("z", 0.0), ("b", 4.0))
        ],
    )
    return bytes(helper.make_model(graph, ir_version=9).SerializeToString())


def test_sizes_left_open_are_given_on_the_command_line() -> None:
    error = refusal(dynamic())
    assert "its size is left open" in error.diagnostics[0].message
    assert error.diagnostics[0].helps == ("give it: `--size WIDTHxHEIGHT`",)
    imported = import_model(parse_model(dynamic(), "m.onnx"), "m", None, (7, 5))
    assert [str(node.type) for node in imported.graph.nodes] == ["i4[2, 5, 7]", "i4[2, 4, 6]"]
    assert imported.inputs[0].host == (
        "node `Mul_0` (Mul)",
        "node `Quant_1` (qonnx.custom_op.general.Quant)",
    )


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("byte", "does not say what an input holds"),
        ("u8/0", "no number above 0"),
        ("u8*-1", "no number above 0"),
        ("y=u8", "has no input `y`"),
    ],
)
def test_declarations_that_say_nothing(option: str, reason: str, tmp_path: Path) -> None:
    done = tdsl_command("import", MODEL, "-o", tmp_path / "out", "--input", option)
    assert done.returncode == 1
    assert "error[E0904]" in done.stderr
    assert reason in done.stderr


def pixels(path: Path, count: int) -> Path:
    """Images as the network takes them."""
    scaled = np.round(images(3)[:count] * 255)
    np.save(path, scaled.astype(np.uint8))
    return path


def test_the_command_writes_three_files_and_verifies(tmp_path: Path) -> None:
    out = tmp_path / "out"
    frames = pixels(tmp_path / "im.npy", 5)
    done = tdsl_command("import", MODEL, "-o", out, "--verify", frames, "--json")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["verified"]["frames"] == 5
    assert data["verified"]["integers"] == 50
    assert data["verified"]["simulated"]
    assert [fold["exhaustive"] for fold in data["folds"]] == [True, True]
    assert len(data["outputs"][0]["scale"]) == 10
    names = {path.name for path in out.iterdir()}
    stem = MODEL.stem
    assert names == {f"{stem}.tnn", f"{stem}.safetensors", f"{stem}.import.md"}
    ran = tdsl_command("run", out / f"{stem}.tnn", frames, "--json")
    assert ran.returncode == 0, ran.stderr


def test_a_difference_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    imported = import_model(read_model(MODEL), "net")
    turned = {
        parameter: -values if parameter.key == "conv2.w" else values
        for parameter, values in imported.arrays.items()
    }
    wrong = replace(imported, arrays=turned)
    frames = pixels(tmp_path / "im.npy", 2)

    def compare(path: Path) -> None:
        verify_import(wrong, path, [str(frames)])

    with pytest.raises(CompileError, match="is not the same") as caught:
        save(wrong, tmp_path / "out", compare)
    assert codes(caught.value) == [("E0905", 0, 0)]
    assert "`/7/act_quant/export_handler/Quant_output_0`" in caught.value.diagnostics[0].message
    assert "im.npy" in caught.value.diagnostics[0].message
    assert list((tmp_path / "out").iterdir()) == []


def test_the_order_of_additions_explains_a_neighbouring_level(tmp_path: Path) -> None:
    net = Twins((1, 64, 8, 8))
    tenth = net.quant(net.constant(np.ones((8, 64, 1, 1))), 0.1, 2, narrow=True)
    y = net.add("Conv", net.quant("x", 1.0, 2, narrow=True), tenth)
    net.quant(y, 0.2, 6)  # every odd sum is a tie, up to what float32 adds
    imported = import_model(parse_model(net.model(), "net.onnx"), "net")
    assert imported.folds[-1].proof.fragile > 0
    frames = np.random.default_rng(0).integers(-1, 2, (4, 64, 8, 8))
    np.save(tmp_path / "x.npy", frames)
    found: list[Verified] = []

    def compare(path: Path) -> None:
        found.append(verify_import(imported, path, [str(tmp_path / "x.npy")]))

    save(imported, tmp_path / "out", compare)
    assert found[0].frames == 4
    assert found[0].explained
    assert "its order of additions decides" in found[0].text()
    assert found[0].integers == (4 - len(found[0].explained)) * 8 * 64


def test_a_model_that_cannot_be_run_is_told_so(tmp_path: Path) -> None:
    model = onnx.ModelProto.FromString(MODEL.read_bytes())
    model.opset_import[0].version = 99
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    frames = pixels(tmp_path / "im.npy", 1)
    done = tdsl_command("import", path, "-o", tmp_path / "out", "--verify", frames)
    assert done.returncode == 1
    assert "error[E0906]" in done.stderr


def test_without_the_extra_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "onnx.py").write_text("raise ModuleNotFoundError(name='onnx')\n")
    path = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    done = tdsl_command("import", MODEL, "-o", tmp_path / "out", PYTHONPATH=path)
    assert done.returncode == 1
    assert "error[E0901]" in done.stderr
    assert "pip install 'tdsl[onnx]'" in done.stderr


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = tdsl_command("import", MODEL, "-o", tmp_path / "file")
    assert done.returncode == 1
    assert "error[E0712]" in done.stderr
