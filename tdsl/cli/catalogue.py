"""`tdsl samples` and `tdsl machines`: what comes with the package."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from tdsl.cli.options import Json
from tdsl.cli.terminal import print_json, print_tables, print_text
from tdsl.refusal import refusal
from tdsl.resources import samples_folder


def samples(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Copy the samples into this folder.")
    ] = None,
) -> None:
    """List the samples, or copy them out."""
    if folder is None:
        _list_samples()
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise refusal(
            "E0712",
            f"`{folder}` exists and is not an empty folder",
            remedy="name a new folder: nothing is overwritten",
        )
    try:
        shutil.copytree(
            samples_folder(),
            folder,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    except OSError as error:
        raise refusal(
            "E0712",
            f"the samples cannot be copied to `{folder}`: {error.strerror or error}",
            remedy="name a folder that you may write to",
        ) from error
    print_text(f"copied the samples to {folder}")


def _list_samples() -> None:
    from rich.table import Table

    table = Table("sample", "what it is", box=None, pad_edge=False)
    for file in sorted(samples_folder().glob("*/*.tnn")):
        table.add_row(f"{file.parent.name}/{file.name}", _summary(file))
    print_tables(table, "", "tdsl samples DIR copies them into a folder of your own.")


def _summary(file: Path) -> str:
    """The first documentation line (`##`) of a file."""
    lines = file.read_text("utf-8").splitlines()
    return next((line.removeprefix("##").strip() for line in lines if line.startswith("##")), "")


def machines(json: Json = False) -> None:
    """List the machine presets with their main figures."""
    from rich.table import Table

    from tdsl_runtime.description import load_machine, machine_data
    from tdsl_runtime.description import machines as presets

    described = [load_machine(name) for name in presets()]
    if json:
        print_json({"machines": [machine_data(machine) for machine in described]})
        return

    table = Table(box=None, pad_edge=False)
    table.add_column("machine", no_wrap=True)
    for title in ("macros", "rows", "memory", "MACs/cycle", "channels", "clock", "area"):
        table.add_column(title, justify="right", no_wrap=True)
    for machine in described:
        table.add_row(
            machine.name,
            f"{machine.macro_rows}x{machine.macro_columns}",
            f"{machine.rows}x{machine.columns}",
            f"{machine.cells / 2**20:.3g} Mb",
            f"{machine.peak_macs:,}",
            f"{machine.channels}x{machine.channel_trits}",
            f"{machine.hertz / 1e6:g} MHz",
            f"{machine.area.typical:g} mm2",
        )
    print_tables(table)
