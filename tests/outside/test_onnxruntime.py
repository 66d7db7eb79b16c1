"""Another executor agrees: onnxruntime computes the same integers, node by node."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from tdsl.ir.interpreter import interpret  # noqa: E402
from tests.networks import Case, named_network, named_networks, random_networks  # noqa: E402
from tests.outside.onnx_model import OUT, onnx_model  # noqa: E402


def outside(case: Case, *, eight_bits: bool) -> dict[str, NDArray[np.float32]]:
    """The value of every node by name, as onnxruntime computes it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = onnx_model(case.graph, case.arrays, eight_bits=eight_bits).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    inputs = {name: image[np.newaxis].astype(np.float32) for name, image in case.inputs.items()}
    names = [node.name for node in case.graph.nodes]
    values = session.run([name + OUT for name in names], inputs)
    return {name: value[0] for name, value in zip(names, values, strict=True)}


def agree(case: Case, theirs: dict[str, NDArray[np.float32]]) -> None:
    """Fail at the first node on which the interpreter differs from `theirs`."""
    ours = interpret(case.graph, case.arrays, case.inputs)
    for position, node in enumerate(case.graph.nodes):
        np.testing.assert_array_equal(ours[position], theirs[node.name], f"{node}")


@pytest.mark.parametrize("eight_bits", [False, True], ids=["float32", "int8"])
@pytest.mark.parametrize("case", named_networks(), ids=str)
def test_named_networks(case: Case, eight_bits: bool) -> None:
    agree(case, outside(case, eight_bits=eight_bits))


@settings(max_examples=60, deadline=None)
@given(random_networks())
def test_random_networks(case: Case) -> None:
    agree(case, outside(case, eight_bits=True))


@pytest.mark.parametrize("role", ["n1.w", "n2.lo", "n2.hi"])
def test_a_changed_parameter_is_noticed(role: str) -> None:
    case = named_network("conv_3x3")
    theirs = outside(case, eight_bits=True)
    changed = dict(case.arrays)
    for stored in changed:
        if stored.key == role:
            changed[stored] = np.clip(changed[stored] - 1, -1, 1)
    with pytest.raises(AssertionError):
        agree(replace(case, arrays=changed), theirs)
