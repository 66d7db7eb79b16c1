"""Text -> syntax tree: what is built, and what is left of a file with mistakes."""

from pathlib import Path

import pytest

from tdsl.frontend import syntax
from tdsl.frontend.parser import parse
from tdsl.source import Span
from tests.frontend.expectations import EXAMPLES, places

HEADER = "tnn 1\nnetwork n(a: trit[8, 3, 3]) -> trit[8, 3, 3] {\n"


def _module(text: str) -> syntax.Module:
    module, diagnostics = parse(text, "f.tnn")
    assert diagnostics == ()
    return module


def _value(text: str) -> syntax.Expression:
    (constant,) = _module(f"tnn 1\nconst A = {text}\n").declarations
    assert isinstance(constant, syntax.Const)
    return constant.value


def _body(text: str) -> tuple[syntax.Statement, ...]:
    (network,) = _module(HEADER + text + "\n}\n").declarations
    assert isinstance(network, syntax.Network)
    return network.body


def _shape(node: object) -> object:
    """A nested tuple of an expression's operators and leaves."""
    match node:
        case syntax.Binary(operator=operator, left=left, right=right):
            return (operator.value, _shape(left), _shape(right))
        case syntax.Unary(operator=operator, operand=operand):
            return (operator.value, _shape(operand))
        case syntax.IntLiteral(value=value):
            return value
        case syntax.Name(text=text):
            return text
        case _:
            return node


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_have_no_mistakes(path: Path) -> None:
    assert len(EXAMPLES) == 6
    _module(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("1 + 2 * 3 - 4", ("-", ("+", 1, ("*", 2, 3)), 4)),
        ("-x // 2 % 3", ("%", ("//", ("-", "x"), 2), 3)),
        ("a | b ^ c & d << 1 >> 2", ("|", "a", ("^", "b", ("&", "c", (">>", ("<<", "d", 1), 2))))),
        ("not a == b or c and d", ("or", ("not", ("==", "a", "b")), ("and", "c", "d"))),
        ("(1 + 2) * ~x", ("*", ("+", 1, 2), ("~", "x"))),
        ("0x5EED + 0b1_1 + 1_000 + 007", ("+", ("+", ("+", 0x5EED, 3), 1000), 7)),
    ],
)
def test_operators_bind_as_in_the_grammar(text: str, shape: object) -> None:
    assert _shape(_value(text)) == shape


def test_literals_and_subscripts() -> None:
    assert isinstance(_value('P["a\\"b"][0..3, *].c'), syntax.Attribute)
    literal = _value('"a\\"\\\\\\n\\t"')
    assert isinstance(literal, syntax.StringLiteral)
    assert literal.value == 'a"\\\n\t'
    assert _value("i11") == syntax.ElementLiteral(span=_span(0, 0, 0), name="i11")
    dims = _value("3x5")
    assert isinstance(dims, syntax.DimsLiteral)
    assert (dims.height, dims.width) == (3, 5)
    assert _value("[]") == syntax.ListLiteral(span=_span(0, 0, 0), items=())


def _span(line: int, column: int, end: int) -> Span:
    return Span(file="f.tnn", line=line, column=column, end_line=line, end_column=end)


def test_a_pipe_with_everything() -> None:
    (statement,) = _body("    r = a -> s: lib.mux(1, k = 2,) times 3 if x > 1 -> flatten")
    assert isinstance(statement, syntax.Assign)
    pipe = statement.value
    assert isinstance(pipe, syntax.Pipe)
    step, last = pipe.steps
    assert step.label is not None
    assert step.label.text == "s"
    assert [part.text for part in step.path] == ["lib", "mux"]
    assert [argument.name and argument.name.text for argument in step.arguments] == [None, "k"]
    assert _shape(step.times) == 3
    assert _shape(step.condition) == (">", "x", 1)
    assert step.span == _span(3, 14, 52)
    assert (last.path[0].text, last.arguments, last.label) == ("flatten", (), None)


def test_a_header_with_everything() -> None:
    (network,) = _module(
        "tnn 1\nnetwork n[H, W](x: u8[1, H, W], k: int = 3,) -> y: i4[2], u1[H] from P\n"
        "    where H > 3, W % 2 == 0\n{\n}\n"
    ).declarations
    assert isinstance(network, syntax.Network)
    assert [symbol.text for symbol in network.symbols] == ["H", "W"]
    assert [type(p.type).__name__ for p in network.parameters] == ["TensorType", "ScalarType"]
    assert [output.name and output.name.text for output in network.outputs] == ["y", None]
    assert network.weights is not None
    assert len(network.where) == 2
    assert network.body == ()


def test_words_of_the_language_are_names_where_nothing_else_fits() -> None:
    text = "    target, network = a -> block: use.weights(from = const)\n    where = a"
    assert len(_body(text)) == 2


def test_newlines_end_statements_only_where_they_can() -> None:
    joined = "    b = f(a,\n\n 3\n) # comment\n        -> g\n    c = a +\n        b\n    return c"
    assert len(_body(joined)) == 3


def test_a_broken_statement_costs_itself_alone() -> None:
    module, diagnostics = parse(HEADER + "    b = f(a 3)\n    c, d = = 3\n    return a\n}\n", "f")
    assert len(diagnostics) == 2
    (network,) = module.declarations
    assert isinstance(network, syntax.Network)
    assert [type(one).__name__ for one in network.body] == ["Broken", "Broken", "Return"]
    assert module.poisoned == {"b", "c", "d"}


def test_a_broken_header_costs_its_declaration_and_poisons_its_name() -> None:
    text = "tnn 1\nblock b(x trit[8]) -> trit[8] {\n    y = f(x 3)\n}\nuse lib as l\nconst A = 3\n"
    module, diagnostics = parse(text, "f")
    assert [one.span.line for one in diagnostics] == [2, 3, 5]
    assert module.poisoned == {"b", "l"}
    assert isinstance(module.declarations[-1], syntax.Const)


def test_declarations_of_later_versions_are_skipped_whole() -> None:
    system = "system s on a {\n  stage watch { keep small }\n}\n"
    text = f"tnn 1\n{system}const A = 3\nsystem f, g on a\n"
    module, diagnostics = parse(text, "f")
    assert [(one.code, one.span.line) for one in diagnostics] == [("E0111", 2), ("E0111", 6)]
    assert module.poisoned == {"s", "f", "g"}


@pytest.mark.parametrize(
    "text",
    [
        "const A = " + "(" * 5000 + "1" + ")" * 5000,
        "const A = " + "(" * 5000,
        "const A = " + "[" * 5000,
        "const A = 1" + " + 1" * 5000,
        "const A = " + "-" * 5000 + "1",
        "const A = " + "not " * 5000 + "true",
        "const A = x" + ".y" * 5000,
        "const A = x" + "()" * 5000,
        "check " + "f(" * 5000 + ")" * 5000,
        HEADER.removeprefix("tnn 1\n") + "    b = " + "f(a -> g(" * 2500 + "))" * 2500 + "\n}",
        "{" * 5000,
        "}" * 5000,
    ],
)
def test_deep_nesting_is_a_mistake_and_no_crash(text: str) -> None:
    _, diagnostics = parse(f"tnn 1\n{text}\n", "f")
    assert {one.code for one in diagnostics} <= {"E0112", "E0113"}
    assert diagnostics


def test_a_stray_brace_is_not_followed_by_a_message_for_every_line() -> None:
    body = "    b = a\n    }\n    c = b\n    d = c\n    return d\n}\n"
    _, diagnostics = parse(HEADER + body, "f")
    assert [(one.code, one.span.line) for one in diagnostics] == [("E0102", 5), ("E0112", 8)]


def test_a_long_pipe_is_not_deep() -> None:
    assert len(_body("    b = a" + " -> f" * 2000)) == 1


def test_files_full_of_mistakes_end() -> None:
    _, diagnostics = parse("tnn 1\n" + "const A = = 3\n" * 5000, "f")
    assert 5 <= len(diagnostics) <= 20


def test_all_mistakes_of_different_kinds_come_sorted() -> None:
    text = "tnn 1\nconst A = f(\nconst B = “x”\nconst C 3\n"
    _, diagnostics = parse(text, "f")
    assert [place.line for place in places(diagnostics)] == [one.span.line for one in diagnostics]
