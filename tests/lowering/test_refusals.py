"""What the array lacks and what does not fit: one diagnostic with code, place and figures."""

from dataclasses import replace
from pathlib import Path

import pytest

from tdsl.compiler import compile_graph
from tdsl.diagnostics import CompileError, Diagnostic
from tdsl.frontend.checker import check_module
from tdsl.frontend.parser import parse
from tdsl.ir.ops import Argmax, GlobalPool, PoolKind, Shift
from tdsl.random_values import random_weights
from tdsl_runtime.description import MachineDescription, load_machine
from tests.builder import Builder, Case
from tests.chain.machines import machine_named
from tests.frontend.expectations import PAGES, page_with_snippets, places
from tests.networks import named_network

ROOMY = load_machine("nearmem-16mb")

SOURCE = """tnn 1
weights P = "none.npz"

network big(img: u8[1, 64, 64]) -> y: {result} from P {{
    a = img -> thermometer(16) -> conv(16, 3x3) -> ternarize
    return {last}
}}
"""


def refused(case: Case, machine: MachineDescription) -> Diagnostic:
    """The one diagnostic of a network that cannot be compiled."""
    with pytest.raises(CompileError) as caught:
        compile_graph(case.graph, case.arrays, machine)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def refused_source(result: str, last: str, machine: MachineDescription) -> tuple[str, Diagnostic]:
    """A source that checks but cannot be compiled, and its one diagnostic."""
    text = SOURCE.format(result=result, last=last)
    with pytest.raises(CompileError) as caught:
        compile_source(text, machine)
    (diagnostic,) = caught.value.diagnostics
    return text, diagnostic


def compile_source(text: str, machine: MachineDescription) -> None:
    """Compile the network of a source with random weights."""
    module, mistakes = parse(text, "net.tnn")
    assert not mistakes
    checked = check_module(module, Path(), require_weights=False)
    (net,) = checked.networks.values()
    compile_graph(net.graph, random_weights(net.graph), machine)


def marked(text: str, diagnostic: Diagnostic) -> str:
    """What the primary label stands on."""
    span = diagnostic.span
    assert span.line == span.end_line
    return text.split("\n")[span.line - 1][span.column - 1 : span.end_column - 1]


def test_a_division_in_the_middle_of_a_sum() -> None:
    last = "a -> avgpool(3x3) -> clip(u1)"
    text, diagnostic = refused_source("u1[16, 21, 21]", last, ROOMY)
    assert diagnostic.code == "E0801"
    assert "a division by 9" in diagnostic.message
    assert (diagnostic.span.line, marked(text, diagnostic)) == (6, "avgpool(3x3)")
    assert len(diagnostic.helps) == 2


def test_an_index_that_is_used() -> None:
    b = Builder("index")
    case = b.case(b.add(Shift(1), b.add(Argmax(), b.input("x", "i4", (9,)))))
    diagnostic = refused(case, ROOMY)
    assert diagnostic.code == "E0801"
    assert "can only be a network output" in diagnostic.message


def test_features_that_do_not_fit_are_counted() -> None:
    tiny = replace(machine_named("two-by-two"), name="tiny", rows=4)
    text, diagnostic = refused_source("trit[16, 64, 64]", "a", tiny)
    assert diagnostic.code == "E0802"
    assert diagnostic.message == "`big` does not fit `tiny`"
    assert (diagnostic.span.line, marked(text, diagnostic)) == (4, "img")
    assert "`tiny` has 4 macros of 4 rows x 128 trits = 2,048 trits" in diagnostic.notes
    assert "needed" in diagnostic.primary.text
    assert "there" in diagnostic.primary.text


def test_weights_that_do_not_fit_are_counted() -> None:
    machine = machine_named("few-rows")
    diagnostic = refused(named_network("conv_127_channels"), machine)
    assert diagnostic.code == "E0802"
    assert "weight rows beside the features" in diagnostic.primary.text
    needed, there = figures(diagnostic)
    assert needed > there
    assert compiles("conv_127_channels", replace(machine, rows=needed + 40))


def test_one_row_fewer_is_refused_and_one_more_is_not() -> None:
    base = machine_named("few-rows")
    fits = [rows for rows in range(1, 40) if compiles("several_outputs", replace(base, rows=rows))]
    assert fits == list(range(fits[0], 40))
    diagnostic = refused(named_network("several_outputs"), replace(base, rows=fits[0] - 1))
    assert diagnostic.code == "E0802"
    needed, there = figures(diagnostic)
    assert needed > there


def test_thresholds_beyond_the_registers_are_counted() -> None:
    b = Builder("levels")
    case = b.case(b.quantize(b.input("img", "i9", (3, 9, 9)), "i8"))
    diagnostic = refused(case, replace(ROOMY, thresholds=64))
    assert diagnostic.code == "E0802"
    assert "T registers for `n1`: 255 thresholds needed, 64 there" in diagnostic.primary.text


def test_reductions_beyond_the_accumulators_are_counted() -> None:
    b = Builder("wide")
    sums = b.conv(b.input("img", "trit", (3, 4, 4)), 129)
    case = b.case(b.pool(sums, "max"), b.add(GlobalPool(PoolKind.MAX), sums))
    diagnostic = refused(case, machine_named("two-by-two"))
    assert diagnostic.code == "E0802"
    assert "accumulators" in diagnostic.primary.text


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("program_words", 20, "program memory"),
        ("buffers", 1, "line buffers"),
        ("tokens", 4, "synchronisation"),
    ],
)
def test_a_sequencer_that_is_too_small(field: str, value: int, what: str) -> None:
    machine = _with(field, value)
    diagnostic = refused(named_network("conv_3x3"), machine)
    assert diagnostic.code == "E0802"
    assert diagnostic.primary.text.startswith(what)
    needed, there = figures(diagnostic)
    assert (there, needed > there) == (value, True)
    assert compiles("conv_3x3", _with(field, needed))
    assert not compiles("conv_3x3", _with(field, needed - 1))


@pytest.mark.parametrize("code", ["E0801", "E0802"])
def test_the_snippets_of_a_page_fail_and_pass(code: str) -> None:
    page = page_with_snippets(PAGES / f"{code}.md")
    assert page is not None
    with pytest.raises(CompileError) as caught:
        compile_source(page.fails, load_machine("nearmem-1mb"))
    assert places(caught.value.diagnostics) == [page.place]
    compile_source(page.passes, load_machine("nearmem-1mb"))


def compiles(name: str, machine: MachineDescription) -> bool:
    """Whether a network of the table fits; other refusals are errors."""
    case = named_network(name)
    try:
        compile_graph(case.graph, case.arrays, machine)
    except CompileError as error:
        if [d.code for d in error.diagnostics] != ["E0802"]:
            raise
        return False
    return True


def figures(diagnostic: Diagnostic) -> tuple[int, int]:
    """Needed, there."""
    numbers = [w.replace(",", "") for w in diagnostic.primary.text.rpartition(":")[2].split()]
    needed, there = (int(word) for word in numbers if word.isdecimal())
    return needed, there


def _with(field: str, value: int) -> MachineDescription:
    match field:
        case "program_words":
            return replace(ROOMY, program_words=value)
        case "buffers":
            return replace(ROOMY, buffers=value)
        case _:
            return replace(ROOMY, tokens=value)
