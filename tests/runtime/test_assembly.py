"""Assembly text: round trips, the annotated golden form, and errors with their line."""

import pytest
from hypothesis import given, settings

from tdsl_runtime.assembly import assemble, disassemble, listing
from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import Opcode, micro_op
from tdsl_runtime.program import Origin, Port, Program
from tests.programs import programs

HEAD = "network n\nmachine m\n"


@settings(max_examples=60, deadline=None)
@given(programs())
def test_assembling_gives_back_what_was_disassembled(program: Program) -> None:
    assert assemble(disassemble(program)) == listing(program)


def test_the_text_of_a_loop() -> None:
    text = (
        "network edges\nmachine m\ninput 'the img' 1x8x9 0..255\noutput map 4x8x8 -1..1\n"
        "origin conv1 3 'conv 3x3'\n"
        "LOOP level=1 count=8                     ; @0 conv1, line 3\n"
        "  ACC dstep=1 imm=-5                     ; @0 conv1, line 3\n"
        "END                                      ; @0 conv1, line 3\n"
    )
    whole = assemble(text)
    assert whole.ops[1] == micro_op(Opcode.ACC, dstep=1, imm=-5)
    assert whole.inputs == (Port("the img", 1, 8, 9, 0, 255),)
    assert whole.origins == (Origin("conv1", 3, "conv 3x3"),)
    assert disassemble(whole) == text.replace("level=1 count=8 ", "count=8 " + " " * 8)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("FROB a=1", "unknown micro-op `FROB`"),
        ("LOOP level", "`level` is not a field and its number"),
        ("LOOP level=x", "`level=x` is not a field and its number"),
        ("LOOP level=1 level=2", "given once"),
        ("LOOP depth=1", "LOOP has no field depth"),
        ("LOOP level=8", "LOOP.level = 8 is outside 0..7"),
        ("LOOP 'level=1", "No closing quotation"),
    ],
)
def test_an_error_names_its_line(line: str, words: str) -> None:
    with pytest.raises(MachineError) as caught:
        assemble(HEAD + line + "\n")
    assert caught.value.message.startswith("line 3 of the assembly: ")
    assert words in caught.value.message


@pytest.mark.parametrize("head", ["machine m\n", HEAD + "network n\n", HEAD + "input a 1x2 0..1\n"])
def test_an_incomplete_head_is_refused(head: str) -> None:
    with pytest.raises(MachineError, match="the head of the assembly is incomplete"):
        assemble(head)
