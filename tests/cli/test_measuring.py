"""`tdsl cost`, `eval` and `test`: figures that agree with each other and with the graph."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tdsl.api import load
from tdsl.cost.report import LOSSES
from tdsl.ir.interpreter import run as reference
from tdsl.ir.specialize import specialize
from tdsl.resources import samples_folder
from tests.cli.conftest import Command

FIRST = samples_folder() / "first" / "first.tnn"
CLASSIFIER = """tnn 1
weights P = "w.npz"

network tiny(img: u8[1, 6, 6]) -> scores: i16[4] from P {
    x = img -> ternarize(lo = 90, hi = 160)
    c = x -> conv(8, 3x3) -> maxpool(2) -> ternarize(lo = 0, hi = 0)
    s = c -> flatten -> linear(4)
    return s
}

check tiny(P.test) == P.expected
"""
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (20, 1, 6, 6), dtype=np.uint8)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A classifier with random weights whose check holds."""
    path = tmp_path / "tiny.tnn"
    path.write_text(CLASSIFIER)
    weights: dict[str, Any] = {
        "c.w": RANDOM.integers(-1, 2, (8, 1, 3, 3)),
        "s.w": RANDOM.integers(-1, 2, (4, 72)),
        "test": IMAGES,
        "expected": np.zeros((20, 4), np.int64),
    }
    np.savez(tmp_path / "w.npz", **weights)
    weights["expected"] = scores(path)
    np.savez(tmp_path / "w.npz", **weights)
    return path


def scores(path: Path) -> np.ndarray[Any, Any]:
    checked = load(path).checked
    return np.stack(
        [reference(checked.graph, checked.arrays, {"img": image})["scores"] for image in IMAGES]
    )


def test_checks_hold_or_say_where_they_do_not(command: Command, tiny: Path) -> None:
    assert command("test", tiny).out == "1 check passed\n"
    with np.load(tiny.parent / "w.npz") as file:
        arrays = dict(file)
    arrays["expected"][3, 2] += 1
    np.savez(tiny.parent / "w.npz", **arrays)
    done = command("test", tiny)
    assert done.status == 1
    assert "error[E0714]" in done.err
    assert f"{tiny}:11:1" in done.err
    assert "[3, 2]" in done.err
    assert json.loads(command("test", tiny, "--json").out)["ok"] is False


def test_files_without_checks_say_so(command: Command) -> None:
    done = command("test", FIRST)
    assert done.status == 0
    assert done.out.startswith("no checks in these files")


def test_accuracy_is_counted(command: Command, tmp_path: Path, tiny: Path) -> None:
    labels = scores(tiny).argmax(1)
    labels[:5] = (labels[:5] + 1) % 4
    np.savez(tmp_path / "data.npz", image=IMAGES, label=labels)
    done = command("eval", tiny, tmp_path / "data.npz", "--reference", "--json")
    data = json.loads(done.out)
    assert (data["right"], data["images"], data["accuracy"]) == (15, 20, 0.75)
    assert data["reference"] == {"equal_outputs": 20, "equal_decisions": 20}
    limited = json.loads(command("eval", tiny, tmp_path / "data.npz", "--limit", 6, "--json").out)
    assert (limited["right"], limited["images"]) == (1, 6)
    assert "75.00 %" in command("eval", tiny, tmp_path / "data.npz").out


def test_likeness_is_measured_in_decibels(command: Command, tmp_path: Path) -> None:
    clean = RANDOM.integers(0, 256, (3, 1, 8, 8), dtype=np.uint8)
    path = tmp_path / "echo.tnn"
    path.write_text(
        "tnn 1\n\nnetwork echo[H, W](img: u8[1, H, W]) -> y: u8[1, H, W] {\n"
        "    return clip(img - 3, u8)\n}\n".replace("img - 3", "(img << 1) - img")
    )
    noisy = clean.copy()
    noisy[:, :, 0, 0] ^= 16
    np.savez(tmp_path / "data.npz", image=noisy, target=clean)
    data = json.loads(command("eval", path, tmp_path / "data.npz", "--json").out)
    expected = 10 * math.log10(255**2 / (16**2 / 64))
    assert data["psnr"] == pytest.approx(expected)
    assert data["psnr_input"] == pytest.approx(expected)


@pytest.mark.parametrize(
    "arrays",
    [
        {"image": IMAGES},
        {"label": IMAGES[:, 0, 0, 0]},
        {"image": IMAGES, "label": IMAGES[:5, 0, 0, 0]},
        {"image": IMAGES, "label": IMAGES},
        {"image": IMAGES, "target": IMAGES},
    ],
)
def test_what_is_no_data_set_is_refused(
    command: Command, tmp_path: Path, tiny: Path, arrays: dict[str, Any]
) -> None:
    np.savez(tmp_path / "data.npz", **arrays)
    done = command("eval", tiny, tmp_path / "data.npz")
    assert done.status == 1
    assert "error[E0713]" in done.err


def test_the_parts_of_the_cost_sum_up(command: Command, tiny: Path) -> None:
    data = json.loads(command("cost", tiny, "--json").out)
    layers = data["layers"]
    assert sum(layer["cycles"] for layer in layers) + data["tail"] == data["cycles"]
    assert sum(line["cycles"] for line in data["lines"]) + data["tail"] == data["cycles"]
    assert sum(layer["macs"] for layer in layers) == data["macs"] == 8 * 9 * 36 + 4 * 72
    for layer in layers:
        assert layer["lost"].keys() == LOSSES.keys()
        assert layer["bound"] + sum(layer["lost"].values()) == pytest.approx(layer["cycles"])
    for kind in ("low", "typical", "high"):
        for parts in ("layers", "micro_ops", "lines"):
            total = sum(part["energy"][kind] for part in data[parts])
            assert total + data["static_energy"][kind] == pytest.approx(data["energy_pj"][kind])
        events = sum(event["energy"][kind] for event in data["events"])
        assert events == pytest.approx(data["energy_pj"][kind])
    sizes = {kind: 0 for kind in ("weights", "thresholds", "features")}
    for region in data["memory"]:
        sizes[region["kind"]] += region["bits"]
    assert sizes["weights"] + sizes["thresholds"] == data["memory_bits"]["weights"]
    assert sizes["features"] >= data["memory_bits"]["features"]


def test_the_cost_is_known_without_weights(command: Command, tiny: Path) -> None:
    trained = json.loads(command("cost", tiny, "--json").out)
    (tiny.parent / "w.npz").unlink()
    assert command("cost", tiny).status == 1
    untrained = json.loads(command("cost", tiny, "--no-weights", "--json").out)
    assert untrained["macs"] == trained["macs"]
    assert untrained["memory_bits"]["features"] == trained["memory_bits"]["features"]


def test_the_report_is_at_most_80_columns_wide(command: Command) -> None:
    done = command("cost", FIRST, "--size", "160x120")
    assert done.status == 0
    assert max(map(len, done.out.splitlines())) <= 80
    for title in ("By layer", "Why not faster", "By unit", "By micro-op", "By source line"):
        assert title in done.out


def test_a_run_costs_what_cost_says(command: Command, tmp_path: Path) -> None:
    checked = load(FIRST).checked
    image = RANDOM.integers(0, 256, (12, 17), dtype=np.uint8)
    np.save(tmp_path / "a.npy", image)
    graph = specialize(checked.graph, {"H": 12, "W": 17})
    assert graph.symbols == ()
    ran = json.loads(command("run", FIRST, tmp_path / "a.npy", "--json").out)
    said = json.loads(command("cost", FIRST, "--input", tmp_path / "a.npy", "--json").out)
    for key in ("cycles", "energy_pj", "macs", "memory_bits", "utilisation"):
        assert ran[key] == said[key]
