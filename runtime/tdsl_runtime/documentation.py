"""The tables of the machine -> `docs/isa.md`: every micro-op, field, cost and machine entry.

`python -m tdsl_runtime.documentation FILE` writes the page.
"""

import sys
from pathlib import Path

from tdsl_runtime.counters import Counter
from tdsl_runtime.description import ENERGY, ENTRIES, FIGURES, REALS, load_machine, machines
from tdsl_runtime.encoding import OPCODE_BITS, WORD_BITS, words_of
from tdsl_runtime.isa import (
    INSTRUCTIONS,
    AccOp,
    Border,
    Field,
    Instruction,
    Reduction,
    Relation,
    StoreMode,
)
from tdsl_runtime.timing import RULES

Rows = list[tuple[str, ...]]

_HEAD = f"""# The instruction set

Made from the machine's tables by `python -m tdsl_runtime.documentation docs/isa.md`;
`docs/machine.md` gives the exact rules.

A micro-op is its opcode in the low {OPCODE_BITS} bits, then its fields from low to high bits
in the order below, in as few {WORD_BITS}-bit words as hold them; the bits left over are zero.
A signed field is two's complement.
"""


def isa_page() -> str:
    """The text of `docs/isa.md`."""
    parts = [_HEAD, "## Micro-ops\n", *(_instruction(one) for one in INSTRUCTIONS)]
    parts += [_enumerations(), _costs(), _counters(), _machine_entries(), _presets()]
    return "\n".join(parts)


def main(arguments: list[str]) -> None:
    """Write the page to the file named."""
    (file,) = arguments
    Path(file).write_text(isa_page(), "utf-8")


def _instruction(one: Instruction) -> str:
    words = words_of(one.opcode)
    size = "1 word" if words == 1 else f"{words} words"
    unit = one.unit.name.lower()
    title = f"### {one.opcode.name}\n\nOpcode {one.opcode}, {unit}, {size}: {one.meaning}.\n"
    if not one.fields:
        return title
    rows: Rows = [(f"`{f.name}`", str(f.bits), _range(f), f.meaning) for f in one.fields]
    return title + "\n" + _table(("field", "bits", "values", "meaning"), rows)


def _range(field: Field) -> str:
    low = -(1 << (field.bits - 1)) if field.signed else 0
    high = (1 << (field.bits - field.signed)) - 1
    return f"{field.low or low} to {high}"


def _enumerations() -> str:
    lines = (
        ("op", "ACC", AccOp),
        ("mode", "STORE", StoreMode),
        ("op", "CMP and CMPI", Relation),
        ("op", "COUNT", Reduction),
        ("border", "BANDIN", Border),
    )
    return "\n".join(
        f"`{field}` of {op}: {', '.join(f'{one.value} {one.name.lower()}' for one in numbers)}.\n"
        for field, op, numbers in lines
    )


def _costs() -> str:
    text = (
        "## Cycles\n\nA unit is busy for `startup + first + (items - 1) * each` cycles,"
        "\n`startup` alone if there are no items; its result is there `latency` cycles later.\n\n"
    )
    rows = [(opcode.name, *(_code(term) for term in rule.terms)) for opcode, rule in RULES.items()]
    return text + _table(("micro-op", "startup", "items", "first", "each", "latency"), rows)


def _code(term: str) -> str:
    return f"`{term}`" if "(" in term else term


def _counters() -> str:
    names = ", ".join(counter.name for counter in Counter)
    return f"## Counters\n\nOne row a micro-op, in this order: {names}.\n"


def _machine_entries() -> str:
    rows: Rows = [(f"`{e.table}.{e.key}`", f"{e.low} to {e.high}", e.meaning) for e in ENTRIES]
    rows += [(f"`clock.{key}`", "above 0", meaning) for key, meaning in REALS.items()]
    rows += [(f"`area.{key}`", "a figure", key.replace("_", " ")) for key in FIGURES]
    rows += [
        (f"`energy.{key}`", "a figure", f"{meaning} ({unit})")
        for key, (unit, meaning) in ENERGY.items()
    ]
    text = (
        "## Machine descriptions\n\nA TOML file with `name`, `note` and every entry below; a figure"
        '\nis `{ low = ..., typical = ..., high = ..., source = "..." }`. A missing or unknown'
        "\nentry is an error.\n\n"
    )
    return text + _table(("entry", "values", "meaning"), rows)


def _presets() -> str:
    rows: Rows = []
    for name in machines():
        machine = load_machine(name)
        array = f"{machine.macros} x {machine.rows} x {machine.columns}"
        clock = f"{machine.hertz / 1e6:g} MHz, {machine.volt:g} V"
        rows.append(
            (
                f"`{name}`",
                array,
                f"{machine.cells:,}",
                f"{machine.peak_macs:,}",
                clock,
                machine.note,
            )
        )
    head = ("preset", "macros x trit rows x columns", "cells", "MAC/cycle", "clock", "note")
    return "## Presets\n\n" + _table(head, rows)


def _table(head: tuple[str, ...], rows: Rows) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
