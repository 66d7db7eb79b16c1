"""`python -m benchmarks.organisations`: the tables of docs/organisations.md, computed anew.

Prints them; with `--update` writes them into the document, between its markers. Takes a minute or
two: every layer is compiled for both organisations and executed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

import tdsl
from benchmarks.calibration import filled
from benchmarks.closed_forms import pixels_form, serial
from benchmarks.contest import LAYERS, Layer, Row, rows, step_of
from tdsl.compiler import DEFAULT_PASSES
from tdsl.ir.specialize import specialize
from tdsl.lowering.organisation import Organisation
from tdsl.lowering.row_form import additions, row_form
from tdsl.lowering.select import select
from tdsl.lowering.shared_sums import plain_sums, shared_sums
from tdsl.lowering.steps import DotStep
from tdsl.passes.pipeline import Model, run_passes
from tdsl_runtime.description import load_machine

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "organisations.md"
MACHINES = ("nearmem-16mb", "csram-128")
SAMPLES = ("fashion/fashion", "denoise/denoise", "wakeup/person", "detect/detect")
SQUARE = LAYERS[2]


def tables() -> dict[str, str]:
    """Every table of the document, by the name of its marker."""
    found = list(rows(tuple(map(load_machine, MACHINES))))
    return {
        **{f"contest-{name}": contests(r for r in found if r.machine == name) for name in MACHINES},
        "additions": markdown(
            ("sample", "layer", "weights", "not zero", "each by itself", "shared", "left"),
            [row for sample in SAMPLES for row in trained(sample)],
        ),
        "square": markdown(
            ("`64 to 64, 3x3`", "additions", "cycles of a tile", *MACHINES), list(square())
        ),
    }


def contests(found: Iterator[Row]) -> str:
    """Two lines a layer: the one taken first."""
    header = ("layer", "", "cycles", "closed form", "ratio", "array predicted", "array", "uJ")
    return markdown(header, [cells for row in found for cells in lines(row)])


def lines(row: Row) -> Iterator[tuple[str, ...]]:
    """The organisation that is taken, then the other one."""
    for organisation in sorted(Organisation, key=lambda o: o is not row.chosen):
        side, ratio = row.sides[organisation], row.ratio(organisation)
        taken = organisation is row.chosen
        name = (row.layer.name, f"**{organisation}**") if taken else ("", f"{organisation}")
        bound = f"{row.bounds[organisation]:,}"
        if isinstance(side, str) or ratio is None:
            yield (*name, "none", bound, "", str(side), "", "")
            continue
        figures = f"{side.predicted:,}", f"{side.busy:,}", f"{side.microjoule:.2f}"
        yield (*name, f"{side.cycles:,}", bound, f"{ratio:.2f}", *figures)


def trained(sample: str) -> Iterator[tuple[str, ...]]:
    """The layers of a sample: additions before and after sharing."""
    network = tdsl.load(ROOT / "samples" / f"{sample}.tnn")
    sizes = {name: 64 for name in network.checked.graph.symbols}
    fixed = specialize(network.checked.graph, sizes)
    model = run_passes(Model(fixed, network.checked.arrays), DEFAULT_PASSES)
    for step in select(model.graph, model.arrays).steps:
        if isinstance(step, DotStep):
            weights = [term.weights for term in step.terms]
            size = sum(w.size for w in weights)
            used = sum(int((w != 0).sum()) for w in weights)
            plain, shared = additions(step, plain_sums), additions(step, shared_sums)
            if plain:
                part = f"{shared / plain:.0%}"
                counts = f"{size:,}", f"{used / size:.0%}", f"{plain:,}", f"{shared:,}", part
                yield (sample.split("/")[-1], f"`{step.name}`", *counts)


def square(layer: Layer = SQUARE) -> Iterator[tuple[str, ...]]:
    """The closed form of a layer, were there micro-ops enough, without and with sharing."""
    step, machines = step_of(layer), [load_machine(name) for name in MACHINES]
    for name, share in (("each by itself", plain_sums), ("shared", shared_sums)):
        program = row_form(step, step.out.channels, share)
        cycles = (f"{pixels_form(step, program, machine):,}" for machine in machines)
        yield name, f"{additions(step, share):,}", f"{serial(program, machines[0]):,}", *cycles


def markdown(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    every = [header, ["---", *["---:"] * (len(header) - 1)], *body]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in every)


def main(
    update: Annotated[bool, typer.Option("--update", help="Write them into the document.")] = False,
) -> None:
    """Print the tables of docs/organisations.md, or write them into it."""
    named = tables()
    if update:
        text = filled(DOCUMENT.read_text("utf-8"), named)
        DOCUMENT.write_text(text, encoding="utf-8", newline="\n")
        return
    for name, table in named.items():
        print(f"{name}\n\n{table}")


if __name__ == "__main__":
    typer.run(main)
