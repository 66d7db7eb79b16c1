"""Names in backquotes: any characters, wherever a name may stand."""

import pytest

from tdsl.frontend.formatter import format_source
from tdsl.frontend.names import written_key, written_name
from tdsl.frontend.parser import parse
from tdsl.ir.ops import Conv, Stored
from tests.frontend.expectations import Place, places
from tests.tracing.sources import written

TEXT = """tnn 1
weights `my weights` = "w.npz"

network n(`in put`: trit[4, 8, 8]) -> `a.b`: trit[4, 8, 8], u8[1] from `my weights` {
    `m[0].f` = `in put` -> `1st`: conv(4, 3x3) -> ternarize -> `return`: conv(4, 3x3)
    `u8`     = `m[0].f`[0..2] | `m[0].f`[2..4]
    return `m[0].f` -> ternarize(lo = 0, hi = 0), `u8` -> flatten -> argmax
}
"""


def test_steps_inputs_outputs_files_and_labels_have_them() -> None:
    graph = written(
        TEXT.replace("`u8`     = `m[0].f`[0..2] | `m[0].f`[2..4]", "`u8` = `m[0].f`[2]")
    ).graph
    assert [node.name for node in graph.nodes][:6] == [
        "in put",
        "m[0].f.1st.conv",
        "m[0].f.1st",
        "m[0].f",
        "u8",
        "ternarize",
    ]
    assert graph.outputs[0].name == "a.b"
    conv = graph.nodes[3].op
    assert isinstance(conv, Conv)
    assert conv.weight == Stored("m[0].f.return.w", (4, 4, 3, 3), "my weights")


def test_the_layout_keeps_the_quotes() -> None:
    formatted = format_source(TEXT.replace("=", " = ").replace("  =  ", " = "))
    assert "    `m[0].f` = `in put` -> `1st`: conv(4, 3x3) -> ternarize -> `return`: " in formatted
    assert format_source(formatted) == formatted


@pytest.mark.parametrize("name", ["c1", "_", "conv", "e4x"])
def test_plain_names_are_written_without_quotes(name: str) -> None:
    assert written_name(name) == name


@pytest.mark.parametrize("name", ["return", "u8", "trit", "f32", "m[0]", "a.b", "1st", "é"])
def test_other_names_are_written_in_quotes(name: str) -> None:
    assert written_name(name) == f"`{name}`"


def test_keys_are_written_as_attributes_where_they_can_be() -> None:
    assert written_key("P", "c1.w") == "P.c1.w"
    assert written_key("P", "m[0].w") == 'P["m[0].w"]'
    assert written_key("lib.P", 'say "w"') == '`lib.P`["say \\"w\\""]'


def test_a_quote_without_an_end_is_a_mistake() -> None:
    text = "tnn 1\nnetwork n(x: u8[1, 4, 4]) -> u8[1, 4, 4] {\n    `y = x\n    return x\n}\n"
    _, mistakes = parse(text, "case.tnn")
    assert places(mistakes) == [Place(3, 5, "E0108")]
    assert mistakes[0].message == "a single backquote means nothing here"
