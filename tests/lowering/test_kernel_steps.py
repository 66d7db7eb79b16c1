"""Kernels between layers: the same integers in every engine as the graph means."""

from pathlib import Path

import numpy as np
import pytest

from tdsl.compiler import compile_graph
from tdsl.diagnostics import CompileError
from tdsl.frontend.checker import load
from tdsl.ir.interpreter import run
from tdsl.random_values import random_inputs, random_weights
from tdsl_runtime.interpreter import Interpreter
from tdsl_runtime.simulator import Simulator
from tests.lowering.test_row_layers import ROOMY, SMALL

KERNELS = '''from tdsl import *

@kernel
def absdiff(a: U8[L], b: U8[L]) -> U8[L]:
    """|a - b|"""
    return max(a, b) - min(a, b)

@kernel
def edges(img: U8[L], thr: Const[int] = 20) -> Trits[L]:
    """+1 and -1 where lines get brighter and darker to the right"""
    d = img[0, 1] - img[0, -1] + 2 * (img[1, 1] - img[1, -1])
    return widen(d > thr, i8) - widen(d < -thr, i8)

@kernel
def repeated(img: U8[L, "edge"]) -> U8[L]:
    """The pixel above"""
    return img[-1, 0]

@kernel
def active(t: Trits[L]) -> int:
    """How many are not 0"""
    return sum(t != 0)

@kernel
def moved(t: Trits[L]) -> int:
    """Whether any is not 0"""
    return any(t)
'''

NETWORK = """tnn 1
weights P = "none.npz"
kernel absdiff from "kernels.py"
kernel edges from "kernels.py"
kernel repeated from "kernels.py"
kernel active from "kernels.py"
kernel moved from "kernels.py"

network net(now: u8[1, 19, 23], before: u8[1, 19, 23]) -> {result} from P {{
    {body}
}}
"""

BODIES = {
    "y: u8[1, 19, 23]": "return absdiff(now, before)",
    "y: trit[4, 19, 23]": "d = absdiff(now, before)\n    return d -> c: conv(4, 3x3) -> ternarize",
    "y: trit[1, 19, 23]": "return now -> edges(thr = 33)",
    "y: trit[4, 9, 11]": """t = now -> ternarize(lo = 90, hi = 160)
    e = t -> conv(4, 3x3) -> maxpool(2) -> ternarize
    return e -> f: conv(4, 3x3) -> ternarize""",
}


def compiled(folder: Path, result: str, body: str) -> None:
    """Check a network with kernels, and run it on both engines and two machines."""
    (folder / "kernels.py").write_text(KERNELS)
    path = folder / "net.tnn"
    path.write_text(NETWORK.format(result=result, body=body))
    (net,) = load(path, require_weights=False).networks.values()
    arrays = random_weights(net.graph)
    inputs = random_inputs(net.graph)
    wanted = run(net.graph, arrays, inputs)
    for machine in (SMALL, ROOMY):
        program = compile_graph(net.graph, arrays, machine).program
        for engine in (Simulator(program), Interpreter(program)):
            found = engine.run(inputs).outputs
            for name, value in wanted.items():
                assert np.array_equal(found[name].reshape(value.shape), value)


@pytest.mark.parametrize("result", BODIES)
def test_a_kernel_is_a_step_of_a_network(tmp_path: Path, result: str) -> None:
    compiled(tmp_path, result, BODIES[result])


@pytest.mark.parametrize(("kernel", "element"), [("active", "i16"), ("moved", "u1")])
def test_a_total_is_a_sum_over_pixels(tmp_path: Path, kernel: str, element: str) -> None:
    body = f"t = now -> ternarize(lo = 90, hi = 160)\n    return t -> {kernel}"
    compiled(tmp_path, f"y: {element}[1]", body)


def test_an_argument_that_repeats_its_edge_needs_the_port(tmp_path: Path) -> None:
    with pytest.raises(CompileError) as caught:
        compiled(tmp_path, "y: u8[1, 19, 23]", "d = now -> repeated\n    return d")
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("E0803", 10)
