"""The names of steps and arrays in Python: those that the text with the same statements gives."""

from pathlib import Path

import pytest

from tdsl.ir.printer import print_graph
from tests.tracing.sources import case, untrained, written

BLOCKS = """
block part[C, H, W](x: trit[C, H, W], n: int) -> trit[n, H, W] {
    return x -> conv(n, 3x3) -> ternarize
}
block skip[C, H, W](x: trit[C, H, W]) -> trit[C, H, W] {
    f = x -> part(C)
    return f | x
}
block labelled[C, H, W](x: trit[C, H, W]) -> trit[C, H, W] {
    return x -> a: conv(C, 3x3) -> ternarize -> b: conv(C, 3x3) -> ternarize
}
"""
PYTHON_BLOCKS = """
@block
def part(x, n):
    return x.conv(n, 3).ternarize()

@block
def skip(x):
    f = part(x, x.shape[0])
    return f | x

@block
def labelled(x):
    c = x.shape[0]
    return x.conv(c, 3, label="a").ternarize(label="a").conv(c, 3, label="b").ternarize(label="b")

@block
def several(x):
    return x.maxpool(2), ~x

def plain(x, n):
    return x.conv(n, 3).ternarize()

class Parts:
    def layer(self, x):
        return plain(x, 4)
"""

SAME = {
    "a pipeline": (
        "c = x -> conv(4, 3x3) -> ternarize\nreturn c",
        "c = x.conv(4, 3).ternarize()\nreturn c",
    ),
    "a chain over lines": (
        "c = x -> conv(4, 3x3) -> maxpool(2) -> ternarize\nreturn c",
        "c = (\n    x.conv(4, 3)\n    .maxpool(2)\n    .ternarize()\n)\nreturn c",
    ),
    "a result without a name": (
        "return x -> maxpool(2)",
        "return x.maxpool(2)",
    ),
    "arrays of a result": ("return x -> conv(4, 3x3)", "return x.conv(4, 3)"),
    "operators": ("c = (x | ~x) & x\nd = c ^ x\nreturn d", "c = (x | ~x) & x\nd = c ^ x\nreturn d"),
    "an operator that assigns": (
        "y = x -> maxpool(1)\nz = x | y\nreturn z",
        "y = x.maxpool(1)\nz = x\nz |= y\nreturn z",
    ),
    "sums and shifts": (
        "c = (x + x) << 2\nd = c - x >> 1\nreturn d",
        "c = (x + x) << 2\nd = c - x >> 1\nreturn d",
    ),
    "comparisons": (
        "c = x > 0\nd = mux(c, x, ~x)\nreturn d == x",
        "c = 0 < x\nd = mux(c, x, ~x)\nreturn d == x",
    ),
    "nested calls": (
        "c = concat(x -> maxpool(3, 1) -> upsample(2), x -> maxpool(2) -> upsample(3))\nreturn c",
        "c = concat(x.maxpool(3, stride=1).upsample(2), x.maxpool(2).upsample(k=3))\nreturn c",
    ),
    "channels": ("a = x[1..3]\nb = x[2]\nreturn a, b", "a = x[1:3]\nb = x[-2]\nreturn a, b"),
    "all channels": ("return x[0..4] -> maxpool(2)", "return x[:].maxpool(2)"),
    "a label": (
        "c = x -> a: conv(4, 3x3) -> ternarize -> b: conv(4, 3x3) -> ternarize\nreturn c",
        'c = x.conv(4, 3, label="c.a").ternarize(label="c.a")'
        '.conv(4, 3, label="c.b").ternarize(label="c.b")\nreturn c',
    ),
    "a label behind return": ("return x -> h: conv(4, 3x3)", 'return x.conv(4, 3, label="h")'),
    "a block": (
        "c = x -> part(4)\nd = c -> skip\nreturn d",
        "c = part(x, 4)\nd = skip(c)\nreturn d",
    ),
    "a block inside a step": (
        "c = x -> maxpool(3, 1) -> part(5)\nreturn c",
        "c = part(x.maxpool(3, 1), 5)\nreturn c",
    ),
    "labels in a block": ("c = x -> labelled\nreturn c", "c = labelled(x)\nreturn c"),
    "times": (
        "m = x -> skip times 3\nreturn m",
        'm = x\nfor i in range(3):\n    m = skip(m, label=f"m[{i}]")\nreturn m',
    ),
    "a function that is no block": (
        "c = x -> conv(4, 3x3) -> ternarize\nreturn c",
        "c = plain(x, 4)\nreturn c",
    ),
    "a method": ("c = x -> conv(4, 3x3) -> ternarize\nreturn c", "c = Parts().layer(x)\nreturn c"),
    "a lambda": (
        "c = x -> conv(4, 3x3)\nreturn c",
        "f = lambda t: t.conv(4, 3)\nc = f(x)\nreturn c",
    ),
    "either of two": (
        "c = x -> maxpool(2)\nreturn c",
        "c = x.maxpool(2) if x.shape[0] == 4 else x\nreturn c",
    ),
    "a name in an expression": (
        "c = x -> conv(4, 3x3)\nreturn c",
        "print(c := x.conv(4, 3))\nreturn c",
    ),
    "several targets": (
        "a = x -> maxpool(2)\nb = ~x\nreturn a, b",
        "a, b = x.maxpool(2), ~x\nreturn a, b",
    ),
    "several results": (
        "a = x -> maxpool(2)\nb = ~x\nreturn a, b",
        "a, b = several(x)\nreturn a, b",
    ),
    "arrays given": (
        "c = x -> conv(4, 3x3, w = P.c.w) -> ternarize(lo = P.c.lo, hi = P.c.hi)\nreturn c",
        'c = x.conv(4, 3, w=P["c"]["w"]).ternarize(lo=P.c.lo, hi=P["c.hi"])\nreturn c',
    ),
    "numbers given": (
        "c = x -> sumpool(2) -> quantize(i2, th = [0, 1, 2])\n"
        "d = c -> ternarize(-1, [0, 1, 2, 3])\nreturn d",
        "c = x.sumpool((2, 2)).quantize(i2, th=(0, 1, 2))\n"
        "d = c.ternarize(-1, [0, 1, 2, 3])\nreturn d",
    ),
    "generated weights": (
        "c = x -> conv(4, 3x5, w = ca(rule = 30, seed = 7), pad = [1, 0, 1, 0])\nreturn c",
        "c = x.conv(4, (3, 5), w=ca(rule=30, seed=7), pad=[1, 0, 1, 0])\nreturn c",
    ),
}
"""Statements as text, and as Python."""


@pytest.mark.parametrize("name", SAME)
def test_both_give_one_graph(name: str, tmp_path: Path) -> None:
    text, python = SAME[name]
    header = f'tnn 1\nweights P = "w.npz"\n{BLOCKS}\nnetwork n(x: trit[4, 8, 8]) -> OUT from P {{\n'
    found = untrained(case(python, top=PYTHON_BLOCKS, file="w.npz"), tmp_path)
    outputs = ", ".join(map(str, found.declared))
    expected = written(header.replace("OUT", outputs) + text + "\n}\n")
    assert print_graph(found.graph) == print_graph(expected.graph)


def test_a_block_goes_back_to_no_label_inside_it(tmp_path: Path) -> None:
    source = case("y = labelled(x)\ny = y | x\nreturn y", top=PYTHON_BLOCKS, file="w.npz")
    names = [node.name for node in untrained(source, tmp_path).graph.nodes]
    assert names == ["x", "y.a.conv", "y.a", "y.b.conv", "y", "y_2"]


def test_a_second_file_of_the_same_name_has_another(tmp_path: Path) -> None:
    source = case(
        "c = x.conv(4, 3)\nd = x.conv(4, 3, w=Q.d.w)\nreturn c, d",
        top='def other():\n    P = weights("b.npz")\n    return P\nQ = other()\n',
        file="a.npz",
    )
    printed = print_graph(untrained(source, tmp_path).graph)
    assert "P[c.w]" in printed
    assert "P_2[d.w]" in printed


def test_a_file_that_is_no_variable_is_called_p(tmp_path: Path) -> None:
    source = case("return x.conv(4, 3)", decorator='@network(weights("a.npz"))')
    assert "P[w]" in print_graph(untrained(source, tmp_path).graph)


def test_sizes_are_declared_in_order_of_the_inputs(tmp_path: Path) -> None:
    source = case(
        "return x.maxpool(2).upsample(2) | x",
        x="trit[4, W, H]",
        decorator="@network(where=[H % 2 == 0, W % 2 == 0, (W - 1) // 2 + H >= 8, 4 <= H])",
    )
    graph = untrained(source, tmp_path).graph
    assert graph.symbols == ("W", "H")
    expected = written(
        "tnn 1\nnetwork n[W, H](x: trit[4, W, H]) -> trit[4, W, H]\n"
        "where H % 2 == 0, W % 2 == 0, (W - 1) // 2 + H >= 8, H >= 4 {\n"
        "return (x -> maxpool(2) -> upsample(2)) | x\n}\n"
    )
    assert print_graph(graph) == print_graph(expected.graph)


def test_a_condition_on_sizes_decides_while_tracing(tmp_path: Path) -> None:
    body = "if H % 4 == 0:\n    return x.maxpool(4)\nreturn x"
    where = "@network(where=[H % 8 == 0])"
    graph = untrained(case(body, x="trit[4, H, W]", decorator=where), tmp_path).graph
    assert graph.nodes[-1].name == "maxpool"
