"""`kernel NAME from "file.py"`: what it takes, and every mistake with its place."""

from pathlib import Path

import numpy as np
import pytest

from tdsl.diagnostics import CompileError
from tdsl.frontend.checker import check_module, load
from tdsl.frontend.formatter import format_source
from tdsl.frontend.parser import parse
from tdsl.ir.interpreter import run
from tdsl.ir.ops import Kernel
from tdsl.ir.tensor_type import U1
from tests.frontend.expectations import Place, places

KERNELS = """raise RuntimeError("this file is never run")
THR = 3
NAMES = ["a"]
@kernel
def absdiff(a: U8[L], b: U8[L]) -> U8[L]:
    return abs(a - b)
@tdsl.kernel(machine="nearmem-1mb")
def changed(a: U8[L], b: U8[L], thr: Const[int] = 12) -> Bits[L]:
    return absdiff(a, b) > thr + static(THR) - 3
@uop(opcode=0x2A, cycles=1, energy=0.5)
def added(a: U8[L], b: U8[L]) -> U16[L]:
    return a + b
@uop(opcode=CODE, cycles=1)
def unclear(a: U8[L]) -> U8[L]:
    return a
@kernel
def two(a: U8[L]) -> tuple[U8[L], U8[L]]:
    return a, a
@kernel
def grey(a: U8[3, L]) -> U8[L]:
    return (a[0] + 2 * a[1] + a[2]) >> 2
@kernel
def light(a: U8[L]) -> int:
    return sum(a)
@kernel
def bad(a: U8[L]) -> U8[L]:
    return a + THR
@kernel
def fit(a: U8[L], n: Const[int]) -> U8[L]:
    return a >> n if n > 0 else a + 1
def plain(a):
    return a
"""
SIZES = "now: u8[2, H, W], ref: u8[2, H, W]"


def net(body: str, result: str, *kernels: str, inputs: str = SIZES) -> str:
    """A file with one network that uses some kernels; `«` may stand before the mark."""
    declared = "".join(f'kernel {one} from "kernels.py"\n' for one in kernels)
    return f"tnn 1\n{declared}network n[H, W]({inputs}) -> {result} {{\n    return {body}\n}}\n"


def folder(tmp_path: Path) -> Path:
    """A folder with the file of kernels."""
    (tmp_path / "kernels.py").write_text(KERNELS, "utf-8")
    return tmp_path


def test_kernels_are_operations(tmp_path: Path) -> None:
    text = (
        'tnn 1\nkernel changed from "kernels.py" as moved\nkernel added from "kernels.py"\n'
        f"network n({SIZES.replace('H, W', '4, 5')}) -> m: u1[2, 4, 5], s: u16[2, 4, 5] {{\n"
        "    m = now -> moved(ref, thr = 20)\n    s = added(b = ref, a = now)\n    return m, s\n}\n"
    )
    file = folder(tmp_path) / "net.tnn"
    file.write_text(text, "utf-8")
    graph = load(file).networks["n"].graph
    (moved, added) = [node for node in graph.nodes if isinstance(node.op, Kernel)]
    assert isinstance(moved.op, Kernel)
    assert (moved.name, moved.type.element, moved.op.constants) == ("m", U1, (("thr", 20),))
    assert added.inputs == (0, 1)
    now, ref = np.random.default_rng(0).integers(0, 256, (2, 2, 4, 5))
    found = run(graph, {}, {"now": now, "ref": ref})
    assert np.array_equal(found["m"], np.abs(now - ref) > 20)
    assert np.array_equal(found["s"], now + ref)


def test_declarations_keep_their_layout() -> None:
    text = 'tnn 1\nkernel  absdiff from   "kernels.py" as  d\n'
    assert format_source(text, "f") == 'tnn 1\nkernel absdiff from "kernels.py" as d\n'


ONE = "d: u8[2, H, W]"
COLOUR = "now: u8[3, H, W]"
MISTAKES = [
    ("E0201", net("now", ONE, "«absdif")),
    ("E0201", net("now", ONE, "«plain")),
    ("E0201", net("now -> «absdif(ref)", ONE, "absdiff")),
    ("E0202", net("«absdiff", ONE, "absdiff")),
    ("E0204", net("now", ONE, "absdiff", "«absdiff")),
    ("E0206", 'tnn 1\nkernel a from «"nowhere.py"\n'),
    ("E0206", 'tnn 1\nkernel a from «"net.tnn"\n'),
    ("E0305", net("«absdiff(now, ref)", ONE, "absdiff", inputs=SIZES.replace("u8", "u9", 1))),
    ("E0301", net("«absdiff(now, ref)", ONE, "absdiff", inputs=SIZES.replace("[2", "[3", 1))),
    ("E0301", net("«grey(now)", "d: u8[1, H, W]", "grey")),
    ("E0307", net("now -> «absdiff", ONE, "absdiff")),
    ("E0307", net("now -> changed(ref, «trh = 3)", "d: u1[2, H, W]", "changed")),
    ("E0308", net("now -> changed(ref, «ref)", "d: u1[2, H, W]", "changed")),
    ("E0311", net("«light(now)", "d: u32[2]", "light")),
    ("K0106", net("«fit(now, 0)", ONE, "fit")),
    ("K0207", net("now -> «two", ONE, "two")),
]


@pytest.mark.parametrize(("code", "marked"), MISTAKES)
def test_a_mistake_is_found_where_it_stands(code: str, marked: str, tmp_path: Path) -> None:
    text = marked.replace("«", "")
    (folder(tmp_path) / "net.tnn").write_text("network {", "utf-8")
    module, mistakes = parse(text, "case.tnn")
    assert not mistakes
    with pytest.raises(CompileError) as caught:
        check_module(module, tmp_path)
    at = marked.index("«")
    place = Place(marked[:at].count("\n") + 1, at - marked.rfind("\n", 0, at), code)
    assert places(caught.value.diagnostics) == [place]


@pytest.mark.parametrize(("name", "place"), [("bad", (27, 16)), ("unclear", (13, 2))])
def test_mistakes_of_the_kernel_stand_in_its_own_file(
    name: str, place: tuple[int, int], tmp_path: Path
) -> None:
    module, _ = parse(net("now", ONE, name), "case.tnn")
    with pytest.raises(CompileError) as caught:
        check_module(module, folder(tmp_path))
    (found,) = caught.value.diagnostics
    assert (found.span.line, found.span.column) == place
    assert found.span.file.endswith("kernels.py")
    assert KERNELS.splitlines()[place[0] - 1] in str(caught.value)


def test_channels_and_totals(tmp_path: Path) -> None:
    text = net("grey(now)", "u8[1, H, W]", "grey", inputs=COLOUR)
    module, _ = parse(text, "case.tnn")
    graph = check_module(module, folder(tmp_path)).networks["n"].graph
    assert str(graph.nodes[1].type) == "u8[1, H, W]"
    fixed = net("light(now)", "u16[2]", "light").replace("[H, W](", "(").replace("H, W", "4, 5")
    module, _ = parse(fixed, "case.tnn")
    graph = check_module(module, tmp_path).networks["n"].graph
    now, ref = np.random.default_rng(0).integers(0, 256, (2, 2, 4, 5))
    (found,) = run(graph, {}, {"now": now, "ref": ref}).values()
    assert found.tolist() == now.sum((1, 2)).tolist()
