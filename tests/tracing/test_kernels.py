"""Kernels as steps of Python networks: the same graph as `kernel ... from` in a text."""

from pathlib import Path

import numpy as np
import pytest

from tdsl.api import load
from tdsl.diagnostics import CompileError
from tdsl.frontend.checker import load as load_text
from tdsl.frontend.emitter import emit_tnn
from tdsl.ir.printer import print_graph
from tdsl.kernel_calls import Kernel
from tdsl.tracing.files import run_python_file
from tests.frontend.expectations import Place, places

NETS = """from tdsl import *

@kernel
def changed(now: U8[L], before: U8[L], thr: Const[int] = 24) -> Bits[L]:
    return max(now, before) - min(now, before) > thr

@kernel
def extremes(a: U8[L], b: U8[L]) -> tuple[U8[L], U8[L]]:
    return min(a, b), max(a, b)

@network
def motion(now: u8[1, 16, 16], before: u8[1, 16, 16]):
    d = changed(now, before, thr=30)
    e = changed(now.avgpool(2), before.avgpool(2)).sumpool(4)
    return d, e

@network
def wrong(now: u8[1, 16, 16], before: u8[1, 16, 16]):
    return {result}
"""
TEXT = """tnn 1
kernel changed from "nets.py"
network motion(now: u8[1, 16, 16], before: u8[1, 16, 16]) -> u1[1, 16, 16], u5[1, 2, 2] {
    d = changed(now, before, 30)
    e = now -> avgpool(2) -> changed(before -> avgpool(2)) -> sumpool(4)
    return d, e
}
"""


def written(folder: Path, result: str = "now") -> Path:
    file = folder / "nets.py"
    file.write_text(NETS.replace("{result}", result), "utf-8")
    file.with_suffix(".tnn").write_text(TEXT, "utf-8")
    return file


def test_both_give_one_graph(tmp_path: Path) -> None:
    file = written(tmp_path)
    ours = load(file, "motion").checked
    theirs = load_text(file.with_suffix(".tnn")).networks["motion"]
    assert print_graph(ours.graph) == print_graph(theirs.graph)
    again = emit_tnn(ours.graph, ours.declared, {}, kernels={str(file.resolve()): "nets.py"})
    file.with_suffix(".tnn").write_text(again, "utf-8")
    emitted = load_text(file.with_suffix(".tnn")).networks["motion"]
    assert print_graph(emitted.graph) == print_graph(ours.graph)


def test_the_step_does_what_the_kernel_does(tmp_path: Path) -> None:
    file = written(tmp_path)
    kernel = run_python_file(file)["changed"]
    assert isinstance(kernel, Kernel)
    random = np.random.default_rng(3)
    now, before = (random.integers(0, 256, (16, 16), dtype=np.uint8) for _ in range(2))
    result = load(file, "motion")(now, before)
    assert np.array_equal(result.out0[0], kernel(now, before, thr=30))


@pytest.mark.parametrize(
    ("result", "place"),
    [
        ("«extremes(now, before)", "K0207"),
        ("«changed(now)", "E0307"),
        ("changed(now, before, «thr=now)", "E0308"),
        ("changed(now, before, «thrr=3)", "E0307"),
    ],
)
def test_mistakes_stand_where_the_kernel_is_called(result: str, place: str, tmp_path: Path) -> None:
    before, _, after = f"    return {result}".partition("«")
    file = written(tmp_path, before.removeprefix("    return ") + after)
    with pytest.raises(CompileError) as caught:
        load(file, "wrong")
    assert places(caught.value.diagnostics) == [Place(19, len(before) + 1, place)]
