"""An imported network -> a readable `.tnn`, packed weights and a report, in a folder.

The three files are written beside their places and read back first: the text has to be checked to
the very graph that was imported. Only then they take their places; a failure leaves nothing.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

import numpy as np

from tdsl.frontend.checker import load
from tdsl.frontend.emitter import emit_tnn, without_unchanged
from tdsl.frontend.weights import save_packed
from tdsl.importer.emission import STORE
from tdsl.importer.imported import Imported
from tdsl.importer.report import meaning_of, report_text
from tdsl.ir.printer import print_graph
from tdsl.refusal import refusal


def save(
    imported: Imported, folder: Path, check: Callable[[Path], None] = lambda path: None
) -> tuple[Path, ...]:
    """Write `NAME.tnn`, `NAME.safetensors` and `NAME.import.md`; returns their paths.

    `check` is called with the `.tnn` before anything takes its place; what it raises leaves the
    folder as it was. Raises CompileError (E0712) where the folder cannot be written.
    """
    name = imported.graph.name
    names = (f"{name}.tnn", f"{name}.safetensors", f"{name}.import.md")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _beside(folder) as partial:
            _write(imported, partial, names)
            check(partial / names[0])
            for one in names:
                (partial / one).replace(folder / one)
    except OSError as error:
        raise refusal(
            "E0712",
            f"`{folder}` cannot be written: {error.strerror or error}",
            remedy="check that you may write to the folder, and that there is room",
        ) from error
    return tuple(folder / one for one in names)


def _write(imported: Imported, folder: Path, names: tuple[str, str, str]) -> None:
    text, weights, report = names
    declared = [imported.graph.nodes[output.node].type for output in imported.graph.outputs]
    about = f"Imported from {imported.model.file}.\n" + "\n".join(meaning_of(imported))
    stores = {STORE: weights}
    source = emit_tnn(imported.graph, declared, stores, about=about)
    if imported.arrays:
        save_packed(folder / weights, {p.key: a for p, a in imported.arrays.items()})
    (folder / text).write_text(source, "utf-8", newline="\n")
    (folder / report).write_text(report_text(imported), "utf-8", newline="\n")
    _read_back(imported, folder / text)


def _read_back(imported: Imported, path: Path) -> None:
    """The text and the weights have to say what was imported: anything else is our mistake."""
    network = load(path).networks[imported.graph.name]
    assert print_graph(network.graph) == print_graph(without_unchanged(imported.graph))
    for parameter, values in network.arrays.items():
        assert np.array_equal(values, imported.arrays[parameter]), parameter


@contextmanager
def _beside(folder: Path) -> Generator[Path]:
    partial = folder / f".{uuid4().hex[:8]}.partial"
    partial.mkdir()
    try:
        yield partial
    finally:
        rmtree(partial, ignore_errors=True)
