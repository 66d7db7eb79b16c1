"""Twins in evaluation are the network of their arrays: for the reference and for the simulator."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tdsl.api import load
from tdsl.diagnostics import CompileError
from tdsl.ir.interpreter import run
from tests.builder import Case
from tests.random_networks import Budget, random_networks

torch: Any = pytest.importorskip("torch")
from tdsl.train import Twin, twin  # noqa: E402

SMALL = Budget(macs=30_000, elements=3_000)

NET = """tnn 1
weights P = "net.safetensors"

network net(img: u8[3, 12, 12]) -> scores: i9[4], class: u8[1] from P {
    x  = img -> thermometer(3)
    c1 = x   -> conv(6, 3x3) -> maxpool(2) -> ternarize
    c2 = c1  -> conv(6, 3x3, groups = 2) -> quantize(i3)
    c3 = c2  -> conv(6, 1x1, w = ca(rule = 30, seed = 5)) -> step
    s  = c1  -> global_sum -> step
    m  = mux(s, c3, c2 >> 1)
    c4 = m   -> conv(8, 3x3, stride = 2, dilation = 2) -> sumpool(3) -> binarize
    fc = c4  -> flatten -> linear(4)
    return fc, fc -> argmax
}
"""


def disturb(made: Twin, seed: int) -> None:
    """Give the batch norms scales of every sign, zeros among them, and statistics full of ties."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name in made.thresholds:
            layer = made.threshold(name)
            shape = layer.scale.shape
            layer.scale.copy_(torch.randint(-4, 5, shape, generator=random) / 2)
            layer.shift.copy_(torch.randint(-6, 7, shape, generator=random) / 4)
            layer.mean.copy_(torch.randint(-8, 9, shape, generator=random) / 2)
            layer.var.copy_(torch.randint(1, 5, shape, generator=random) ** 2)
            layer.eps = 0.0


def images_of(case: Case) -> list[Any]:
    return [torch.from_numpy(image)[None] for image in case.inputs.values()]


@settings(deadline=None, max_examples=40)
@given(case=random_networks(budget=SMALL), seed=st.integers(0, 999))
def test_evaluation_computes_the_network_of_the_arrays(case: Case, seed: int) -> None:
    made = Twin(case.graph).eval()
    disturb(made, seed)
    arrays = {stored: values.astype(np.int64) for stored, values in made.arrays().items()}
    meant = run(case.graph, arrays, case.inputs)
    for name, value in made(*images_of(case)).items():
        np.testing.assert_array_equal(value[0].numpy(), meant[name])


@settings(deadline=None, max_examples=40)
@given(case=random_networks(budget=SMALL), seed=st.integers(0, 999))
def test_training_sees_the_values_that_evaluation_computes(case: Case, seed: int) -> None:
    """Without batch norm both modes are the same function, but for floats at an exact tie."""
    made = Twin(case.graph)
    disturb(made, seed)
    for name in made.thresholds:
        layer = made.threshold(name)
        layer.plain(layer.scale / 4, layer.shift + 1 / 16)
    trained = made.train()(*images_of(case))
    for name, value in made.eval()(*images_of(case)).items():
        torch.testing.assert_close(trained[name].double(), value.double(), rtol=0, atol=0)


@settings(deadline=None, max_examples=30)
@given(case=random_networks(budget=SMALL), seed=st.integers(0, 999))
def test_a_twin_takes_the_arrays_of_another(case: Case, seed: int) -> None:
    first, second = Twin(case.graph).eval(), Twin(case.graph).eval()
    disturb(first, seed)
    arrays = first.arrays()
    second.take({stored: values.astype(np.int64) for stored, values in arrays.items()})
    again = second.arrays()
    assert all(np.array_equal(again[stored], values) for stored, values in arrays.items())


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.tnn"
    path.write_text(NET)
    return path


def pictures(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 3, 12, 12), dtype=np.uint8)


@pytest.mark.parametrize("seed", range(3))
def test_the_simulator_computes_what_was_exported(net: Path, seed: int) -> None:
    made = twin(net).eval()
    disturb(made, seed)
    made.export(net.with_suffix(".safetensors"))
    network, batch = load(net), pictures(3, seed)
    outputs = made(torch.from_numpy(batch))
    for index, picture in enumerate(batch):
        result = network(picture)
        for name, value in outputs.items():
            np.testing.assert_array_equal(result[name], value[index].numpy())


def test_training_lowers_the_loss_and_ends_with_the_same_decisions(net: Path) -> None:
    torch.manual_seed(0)
    made = twin(net)
    images, labels = torch.from_numpy(pictures(64)), torch.arange(64) % 4
    optimiser = torch.optim.Adam(made.parameters(), lr=0.02)
    losses: list[float] = []
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(made(images)["scores"] / 4, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        made.clip_latents()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in made.parameters())
    made.average_statistics([images])
    made.eval()
    made.export(net.with_suffix(".safetensors"), also={"images": images.numpy()})
    network, decided = load(net), made(images)["class"]
    assert all(network(images[i].numpy())["class"] == decided[i].item() for i in range(4))
    again = twin(net, weights=True).eval()
    assert torch.equal(again(images)["class"], decided)


def test_evaluation_is_exact_inside_autocast(net: Path) -> None:
    made, images = twin(net).eval(), torch.from_numpy(pictures(4))
    expected = made(images)["scores"]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(made(images)["scores"], expected)
        planes = made.train()(images)["scores"]
    assert planes.dtype == torch.bfloat16


def refused(tmp_path: Path, body: str) -> tuple[str, int, int]:
    path = tmp_path / "net.tnn"
    path.write_text(f'tnn 1\nweights P = "p.npz"\n{body}\n')
    with pytest.raises(CompileError) as caught:
        twin(path)
    (diagnostic,) = caught.value.diagnostics
    assert str(path) in caught.value.sources
    return diagnostic.code, diagnostic.span.line, diagnostic.span.column


UNTRAINABLE = {
    "half": ("trit", "    c = x -> conv(2, 1x1) -> ternarize(lo = 0)\n    return c", 4, 30),
    "wide": ("u1", "    c = x << 28 -> step\n    return c", 4, 20),
    "shared": ("bin", "    a = x -> step(t = P.q)\n    return x -> binarize(t = P.q)", 5, 17),
}


@pytest.mark.parametrize("name", UNTRAINABLE)
def test_what_cannot_be_trained_is_refused(tmp_path: Path, name: str) -> None:
    element, body, line, column = UNTRAINABLE[name]
    header = f"network n(x: u4[2, 4, 4]) -> {element}[2, 4, 4] from P {{"
    assert refused(tmp_path, f"{header}\n{body}\n}}") == ("E0720", line, column)


def test_uneven_thresholds_cannot_be_taken(tmp_path: Path) -> None:
    path = tmp_path / "net.tnn"
    path.write_text(
        'tnn 1\nweights P = "p.npz"\n'
        "network n(x: u4[1, 4, 4]) -> u2[1, 4, 4] from P {\n    return x -> q: quantize(u2)\n}\n"
    )
    np.savez(tmp_path / "p.npz", allow_pickle=False, **{"q.th": np.array([[1, 2, 9]])})
    with pytest.raises(CompileError, match="E0720"):
        twin(path, weights=True)


def test_diverged_parameters_are_refused(net: Path) -> None:
    made = twin(net)
    with torch.no_grad():
        made.threshold("c1").scale[3] = float("nan")
    with pytest.raises(CompileError, match="channel 3") as caught:
        made.export(net.with_suffix(".safetensors"))
    assert caught.value.diagnostics[0].code == "E0721"
    assert not net.with_suffix(".safetensors").exists()
