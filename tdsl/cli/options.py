"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")
]
File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A .tnn file, or a .py file, which is executed.")
]
Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="The .tnn or .py files.")]
Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Pictures, .npy or .npz files, or folders of them; NAME=FILE where there are several "
        "inputs.",
    ),
]
NetworkName = Annotated[
    str | None,
    typer.Option("--network", metavar="NAME", help="Which network, where the file holds several."),
]
Size = Annotated[
    str | None, typer.Option("--size", metavar="WxH", help="Width and height of the input image.")
]
Machine = Annotated[
    str | None,
    typer.Option(
        "--machine", metavar="PRESET|FILE", help="The machine; it wins over the file's `target`."
    ),
]
Optimize = Annotated[
    str,
    typer.Option(
        "--optimize",
        metavar="GOAL",
        help="What the organisation of layers is chosen for: cycles, energy or edp.",
    ),
]
Grey = Annotated[
    bool,
    typer.Option("--grey", help="Convert colour pictures for a network with one input channel."),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="OUT", help="Where to write: a .png, .npy or .npz, or a folder."
    ),
]
