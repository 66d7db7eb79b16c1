"""Programs <-> text: one micro-op a line, annotated with the layer and source line it comes from.

The text holds everything but the memory image and the machine's figures: network, machine name,
ports, origins and micro-ops. A micro-op's fields that hold their smallest legal value (0 if that
is below) are left out; LOOP bodies are indented.

    network edges
    machine nearmem-1mb
    input img 1x8x8 0..255
    output map 4x8x8 -1..1
    origin conv1 3 conv 3x3
    LOOP level=1 count=8           ; conv1, line 3
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, micro_op
from tdsl_runtime.program import Origin, Port, Program

NOTE_COLUMN = 40
"""Where the annotations start, if the micro-op leaves room."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A program without its memory image: what its text says."""

    network: str
    machine: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    origins: tuple[Origin, ...]
    ops: tuple[MicroOp, ...]


def listing(program: Program) -> Listing:
    """The listing of a program. Raises MachineError if its code cannot be decoded."""
    return Listing(
        program.network,
        program.machine.name,
        program.inputs,
        program.outputs,
        program.origins,
        program.ops,
    )


def disassemble(program: Program | Listing) -> str:
    """The text of a program. Raises MachineError if its code cannot be decoded."""
    whole = listing(program) if isinstance(program, Program) else program
    lines = [f"network {shlex.quote(whole.network)}", f"machine {shlex.quote(whole.machine)}"]
    for kind, ports in (("input", whole.inputs), ("output", whole.outputs)):
        lines += [f"{kind} {_port_text(port)}" for port in ports]
    for origin in whole.origins:
        words = (origin.layer, str(origin.line), origin.text)
        lines.append("origin " + " ".join(_quoted(word) for word in words))
    depth = 0
    for op in whole.ops:
        depth -= op.opcode is Opcode.END
        text = "  " * depth + op_text(op)
        lines.append(f"{text:{NOTE_COLUMN}} ; {_note(op, whole.origins)}")
        depth += op.opcode is Opcode.LOOP
    return "\n".join(lines) + "\n"


def op_text(op: MicroOp) -> str:
    """One micro-op as text, without its origin."""
    fields = zip(TABLE[op.opcode].fields, op.values, strict=True)
    shown = [f"{field.name}={value}" for field, value in fields if value != max(0, field.low)]
    return " ".join([op.opcode.name, *shown])


def assemble(text: str) -> Listing:
    """Read the text of a program, as `disassemble` writes it. Raises MachineError with the line."""
    heads: dict[str, list[list[str]]] = {
        head: [] for head in ("network", "machine", "input", "output", "origin")
    }
    ops: list[MicroOp] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            words = _words(line)
            if words and words[0] in heads:
                heads[words[0]].append(words[1:])
            elif words:
                ops.append(_parse_op(words, line))
        except ValueError as error:
            raise MachineError(
                f"line {number} of the assembly: {error}", remedy="correct this line"
            ) from error
    return _listing(heads, tuple(ops))


def _listing(heads: dict[str, list[list[str]]], ops: tuple[MicroOp, ...]) -> Listing:
    try:
        ((network,),) = heads["network"]
        ((machine,),) = heads["machine"]
        inputs, outputs = (
            tuple(_parse_port(words) for words in heads[kind]) for kind in ("input", "output")
        )
        origins = tuple(Origin(layer, int(line), text) for layer, line, text in heads["origin"])
    except ValueError as error:
        raise MachineError(
            f"the head of the assembly is incomplete: {error}",
            remedy="give one `network`, one `machine`, and every `input`, `output` and `origin`",
        ) from error
    return Listing(network, machine, inputs, outputs, origins, ops)


def _quoted(text: str) -> str:
    """A word that `shlex.split` gives back; line ends cannot be told apart within a line."""
    return shlex.quote(" ".join(text.split("\n")))


def _port_text(port: Port) -> str:
    shape = "x".join(str(extent) for extent in port.shape)
    return f"{shlex.quote(port.name)} {shape} {port.low}..{port.high}"


def _parse_port(words: Sequence[str]) -> Port:
    name, shape, values = words
    channels, height, width = (int(extent) for extent in shape.split("x"))
    low, high = (int(value) for value in values.split(".."))
    return Port(name, channels, height, width, low, high)


def _note(op: MicroOp, origins: Sequence[Origin]) -> str:
    if op.origin >= len(origins):
        return f"@{op.origin}"
    origin = origins[op.origin]
    place = f", line {origin.line}" if origin.line else ""
    return " ".join(f"@{op.origin} {origin.layer}{place}".split())


def _words(line: str) -> list[str]:
    """The words of a line without its annotation: a `;` inside quotes does not start one."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ";"
    return list(lexer)


def _parse_op(words: Sequence[str], line: str) -> MicroOp:
    name, *fields = words
    if name not in Opcode.__members__:
        raise ValueError(f"unknown micro-op `{name}`")
    values: dict[str, int] = {}
    for word in fields:
        field, sign, value = word.partition("=")
        if not sign or field in values or not re.fullmatch(r"-?\d+", value):
            raise ValueError(f"`{word}` is not a field and its number, given once")
        values[field] = int(value)
    origin = re.search(r";\s*@(\d+)", line)
    return micro_op(Opcode[name], int(origin.group(1)) if origin else 0, **values)
