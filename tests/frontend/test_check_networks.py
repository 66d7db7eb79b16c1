"""Sound files: the graph, the names of its parameters, their arrays, and the checks kept."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tdsl.diagnostics import CompileError
from tdsl.frontend.checked import CheckedModule
from tdsl.frontend.checker import check_module, load
from tdsl.frontend.parser import parse
from tdsl.ir import ops
from tdsl.ir.graph import Graph
from tdsl.ir.interpreter import run
from tdsl.ir.ops import Stored
from tdsl.ir.printer import print_graph
from tdsl.ir.specialize import specialize
from tdsl.ir.verifier import verify
from tests.conftest import Golden
from tests.frontend.check_cases import BLOCKS, net
from tests.frontend.check_files import write_files
from tests.frontend.expectations import EXAMPLES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    write_files(folder)
    return folder


def checked(text: str, folder: Path = Path(), *, require_weights: bool = False) -> CheckedModule:
    module, mistakes = parse(text, "case.tnn")
    assert not mistakes, mistakes
    return check_module(module, folder, require_weights=require_weights)


def graph(text: str, folder: Path = Path()) -> Graph:
    (network,) = checked(text, folder).networks.values()
    verify(network.graph)
    return network.graph


def keys(of: Graph) -> list[str]:
    """The stored parameters in the order of the nodes."""
    found = [p for node in of.nodes for p in parameters(node.op)]
    return [p.key for p in found if isinstance(p, Stored)]


def parameters(op: ops.Op) -> list[ops.Parameter]:
    names = ("weight", "lo", "hi", "t", "th")
    return [getattr(op, name) for name in names if hasattr(op, name)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_become_sound_graphs(path: Path, golden: Golden) -> None:
    for name, network in load(path, require_weights=False).networks.items():
        verify(network.graph)
        golden("graph", name, print_graph(network.graph))
        if network.graph.symbols:
            verify(specialize(network.graph, {"H": 64, "W": 48}))


def test_labels_and_instances_name_parameters() -> None:
    body = """
    a = x -> p: conv(4, 3x3) -> ternarize -> q: conv(4, 3x3) -> ternarize
    b = a -> part(4)
    m = b -> part(4) times 2
    return m -> last: part(4)
    """
    names = ["a.p", "a.q", "b", "m[0]", "m[1]", "last"]
    expected = [f"{name}.{role}" for name in names for role in ("w", "lo", "hi")]
    assert keys(graph(net(body, top=BLOCKS))) == expected


def test_nodes_bear_the_names_of_their_steps() -> None:
    body = "a = x -> p: conv(4, 3x3) -> ternarize -> q: maxpool(2)\nreturn a -> upsample(2)"
    names = [node.name for node in graph(net(body)).nodes]
    assert names == ["x", "a.p.conv", "a.p", "a", "upsample"]


def test_steps_that_change_nothing_leave_no_node() -> None:
    steps = "maxpool(1) -> sumpool(1) -> upsample(1) -> clip(trit) -> pixel_shuffle(1)"
    assert [node.name for node in graph(net(f"return x -> {steps}")).nodes] == ["x"]


def test_if_drops_a_step_and_times_counts_with_index() -> None:
    body = """
    a = x -> conv(4, 3x3) if 1 > 2
    b = a -> c: conv(4, 1x1, w = ca(rule = 30, seed = 5 + index)) times 2
    return b -> ternarize(lo = 0, hi = 0)
    """
    seeds = [n.op.weight for n in graph(net(body)).nodes if isinstance(n.op, ops.Conv)]
    assert seeds == [ops.Automaton(30, 5, (4, 4, 1, 1)), ops.Automaton(30, 6, (4, 4, 1, 1))]


def test_elements_and_other_arguments_of_blocks() -> None:
    top = """
    block pick[T, C, H, W](x: T[C, H, W], k: dims, deep: bool, w: weights) -> i16[C, H, W] {
        return x -> conv(C, k, w = w) -> conv(C, k, w = w) if deep
    }
    """
    made = graph(net("return x -> pick(3x1, false, P.shared)", "i16[4, 8, 8]", "i3[4, 8, 8]", top))
    (conv,) = [n for n in made.nodes if isinstance(n.op, ops.Conv)]
    assert conv.op == ops.Conv(Stored("shared", (4, 4, 3, 1)), 4, (3, 1), padding=(1, 0, 1, 0))


def test_blocks_with_several_results() -> None:
    made = graph(net("p, q = x -> halves\nreturn p & q", top=BLOCKS))
    assert [node.name for node in made.nodes] == ["x", "q", "and"]


@pytest.mark.parametrize(
    ("expression", "op"),
    [
        ("x[1..3]", ops.Slice(1, 3)),
        ("x[2]", ops.Slice(2, 3)),
        ("3 < x", ops.Compare(ops.CompareKind.GT, 3)),
        ("x <= -1", ops.Compare(ops.CompareKind.LE, -1)),
        ("x >> 1", ops.Shift(-1)),
        ("x << 1", ops.Shift(1)),
        ("x ^ x", ops.Gate(ops.GateKind.XOR)),
        ("~x", ops.Not()),
        ("shuffle(x, 2)", ops.ChannelShuffle(2)),
        ("x -> sumpool(2, stride = 1)", ops.Pool(ops.PoolKind.SUM, (2, 2), (1, 1))),
        ("x -> avgpool(2x4)", ops.Pool(ops.PoolKind.AVG, (2, 4), (2, 4))),
        ("x -> global_avg", ops.GlobalPool(ops.PoolKind.AVG)),
        ("x -> quantize(u1, th = 3)", None),
        ("x -> ternarize(lo = [1, 2, 3, 4], hi = 5)", None),
        ("x -> conv(4, 2, pad = [0, 1, 2, 3])", None),
    ],
)
def test_operators(expression: str, op: ops.Op | None) -> None:
    text = net(f"y = {expression}\nreturn x")
    made = graph(text).nodes[1].op
    expected = {
        "quantize": ops.Quantize,
        "ternarize": ops.Ternarize,
        "conv(4, 2": ops.Conv,
    }
    if op is None:
        kind = next(kind for name, kind in expected.items() if name in expression)
        assert isinstance(made, kind)
    else:
        assert made == op


def test_arrays_are_read_and_run(folder: Path) -> None:
    for file in ("good.npz", "good.safetensors"):
        text = net("c = x -> conv(4, 3x3) -> ternarize\nreturn c", file=file)
        network = checked(text, folder, require_weights=True).networks["n"]
        image = np.random.default_rng(0).integers(-1, 2, (4, 8, 8))
        (out,) = run(network.graph, network.arrays, {"x": image}).values()
        assert out.shape == (4, 8, 8)
        weight = next(values for stored, values in network.arrays.items() if stored.key == "c.w")
        assert weight.dtype == np.int64
        assert set(np.unique(weight)) == {-1, 0, 1}


def test_one_threshold_in_a_file_serves_all_channels(folder: Path) -> None:
    np.savez(folder / "single.npz", t=np.int32(3), th=np.array([1, 2, 3]))
    text = net(
        "y = x -> quantize(u2, th = P.th)\nreturn x -> step(t = P.t)",
        "u1[4, 8, 8]",
        file="single.npz",
    )
    arrays = checked(text, folder, require_weights=True).networks["n"].arrays
    assert arrays[Stored("t", (4,))].tolist() == [3] * 4
    assert arrays[Stored("th", (4, 3))].tolist() == [[1, 2, 3]] * 4


def test_a_pinned_file_is_accepted(folder: Path) -> None:
    pin = hashlib.sha256((folder / "good.npz").read_bytes()).hexdigest()
    text = net("return x", top=f'weights Q = "good.npz" sha256 "{pin}"', file="good.npz")
    assert checked(text, folder, require_weights=True).networks


def test_missing_weights_are_no_mistake_when_sizing(tmp_path: Path) -> None:
    text = net("c = x -> conv(4, 3x3) -> ternarize\nreturn c")
    assert checked(text, tmp_path).networks["n"].arrays == {}
    with pytest.raises(CompileError, match="there is no weights file"):
        checked(text, tmp_path, require_weights=True)


def test_checks_are_kept_with_their_network(folder: Path) -> None:
    text = net("s = x -> global_sum\nreturn s", "i16[4]", file="good.npz")
    text += "check n(P.image) == P.c.lo\ncheck n(x = P.image) == P.c.hi\n"
    first, second = checked(text, folder, require_weights=True).networks["n"].checks
    assert [(a.name, a.key) for a in first.inputs + first.expected] == [
        ("x", "image"),
        ("out", "c.lo"),
    ]
    assert second.expected[0].key == "c.hi"


def test_libraries_give_blocks_constants_and_weights(folder: Path) -> None:
    text = net(
        "y = x -> lib.twice\nreturn y -> conv(lib.CH, 1x1) -> ternarize",
        top='use "library.tnn" as lib',
    )
    assert keys(graph(text, folder))[:3] == ["y.a.w", "y.a.lo", "y.a.hi"]


def test_the_target_and_declared_types_are_kept() -> None:
    text = net("return x -> conv(4, 3x3)", "y: i16[4, 8, 8]", top='target t = "nearmem-1mb"')
    network = checked(text).networks["n"]
    assert network.target == "nearmem-1mb"
    assert [str(declared) for declared in network.declared] == ["i16[4, 8, 8]"]
    assert [output.name for output in network.graph.outputs] == ["y"]


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"H": 8}, "needs a value for `W`"),
        ({"H": 8, "W": 0}, "`W = 0` is not a size"),
        ({"H": 7, "W": 8}, "`H % 2 == 0` is needed"),
        ({"H": 2, "W": 8}, "larger than the image"),
    ],
)
def test_sizes_that_do_not_fit_are_diagnostics(sizes: dict[str, int], reason: str) -> None:
    made = graph(
        net(
            "return x -> maxpool(3x1, stride = 1)",
            "trit[4, H - 2, W]",
            "trit[4, H, W]",
            symbols="[H, W]",
            where=" where H % 2 == 0",
        )
    )
    assert specialize(made, {"H": 8, "W": 5}).nodes[-1].type.shape == (4, 6, 5)
    with pytest.raises(CompileError, match=reason):
        specialize(made, sizes)


def test_checking_never_imports_numba() -> None:
    code = "import sys, tdsl.frontend.checker; print('numba' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "False"


def test_a_mistake_in_a_library_is_shown_with_its_call(tmp_path: Path) -> None:
    library = "tnn 1\nconst A = 1 // 0\nblock b[C](x: bin[C]) -> bin[C] {\n    return x + 1\n}\n"
    (tmp_path / "lib.tnn").write_text(library)
    (tmp_path / "net.tnn").write_text(
        'tnn 1\nuse "lib.tnn"\nnetwork n(x: bin[4]) -> bin[4] {\n    y = x[0..lib.A]\n'
        "    return x -> lib.b\n}\n"
    )
    with pytest.raises(CompileError) as caught:
        load(tmp_path / "net.tnn")
    text = str(caught.value).replace(f"{tmp_path}/", "")
    assert [d.code for d in caught.value.diagnostics] == ["E0315", "E0315"]
    assert " --> lib.tnn:4:12\n" in text
    assert "::: net.tnn:5:17\n" in text
    assert "in this call of `lib.b`" in text


def test_a_file_full_of_mistakes_is_given_up_soon() -> None:
    body = "\n".join(f"a{i} = b{i}" for i in range(5000))
    with pytest.raises(CompileError) as caught:
        checked(net(f"{body}\nreturn x"))
    assert len(caught.value.diagnostics) == 100
