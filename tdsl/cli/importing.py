"""`tdsl import`: an ONNX model -> a `.tnn` file, its weights and a report; or why there is none."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tdsl.cli.options import Json, Size
from tdsl.cli.terminal import print_json, print_text, waiting

if TYPE_CHECKING:
    from tdsl.importer.verification import Verified


def import_model(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="A QONNX or QCDQ model.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The folder to write to.")
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="[NAME=]TYPE[/DIVISOR|*SCALE]",
            help="What an unquantised input holds: `u8/255` is pixels taken as 0 to 1.",
        ),
    ] = None,
    size: Size = None,
    verify: Annotated[
        list[str] | None,
        typer.Option(
            "--verify",
            metavar="INPUT",
            help="Compare with onnxruntime (and qonnx) on these integers or pictures.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Import a quantised ONNX network exactly, or report all that stands against it."""
    from tdsl.free_sizes import parse_size
    from tdsl.importer.declared import parse_declaration
    from tdsl.importer.imported import import_model, network_name
    from tdsl.importer.opening import open_model
    from tdsl.importer.report import report_data, report_text
    from tdsl.importer.saving import save

    declared = dict(parse_declaration(text) for text in inputs or ())
    chosen = parse_size(size) if size else None
    checked: list[Verified] = []

    def compare(written: Path) -> None:
        if verify:
            from tdsl.importer.verification import verify_import

            checked.append(verify_import(imported, written, verify))

    with waiting("importing"):
        imported = import_model(open_model(model), network_name(model), declared, chosen)
        written = save(imported, output, compare)
    if json:
        files = {"files": [str(path) for path in written]}
        proven = {"verified": checked[0].data()} if checked else {}
        print_json(report_data(imported) | files | proven)
        return
    print_text(report_text(imported))
    print_text("\n".join(["written:", *(f"  {path}" for path in written)]))
    for one in checked:
        print_text(one.text())
