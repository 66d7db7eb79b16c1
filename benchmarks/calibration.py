"""`python -m benchmarks.calibration`: the tables of docs/calibration.md, computed anew.

Prints them; with `--update` writes them into the document, between its markers.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.calibration_tables import tables
from benchmarks.one_frame import measure

DOCUMENT = Path(__file__).parents[1] / "docs" / "calibration.md"
MACHINES = ("cutie-lanes", "nearmem-16mb", "csram-128")

_MARKED = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.S)


def filled(document: str, named: Mapping[str, str]) -> str:
    """The document with every marked table replaced; ValueError unless each stands there once."""
    marked = [match["name"] for match in _MARKED.finditer(document)]
    if sorted(marked) != sorted(named):
        raise ValueError(f"the document marks {marked}, the tables are {list(named)}")
    return _MARKED.sub(lambda match: match[1] + named[match["name"]] + match[3], document)


def main(
    update: Annotated[bool, typer.Option("--update", help="Write them into the document.")] = False,
) -> None:
    """Print the tables of docs/calibration.md, or write them into it."""
    named = tables(measure(MACHINES))
    if update:
        text = filled(DOCUMENT.read_text("utf-8"), named)
        DOCUMENT.write_text(text, encoding="utf-8", newline="\n")
        return
    for name, table in named.items():
        print(f"{name}\n\n{table}")


if __name__ == "__main__":
    typer.run(main)
