"""Python text -> its networks, as `tdsl check FILE.py` finds them; `.tnn` text -> its network."""

from pathlib import Path

from tdsl.api import load, load_all
from tdsl.frontend.checked import CheckedNetwork
from tdsl.frontend.checker import check_module
from tdsl.frontend.parser import parse

HEAD = """from tdsl import *
from tdsl import bin

P = weights("{file}")
H, W = sizes("H W")

"""


def case(
    body: str,
    x: str = "trit[4, 8, 8]",
    decorator: str = "@network(P)",
    top: str = "",
    file: str = "good.npz",
) -> str:
    """A file with one network `n` of the given lines."""
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return f"{HEAD.format(file=file)}{top}\n{decorator}\ndef n(x: {x}):\n{lines}"


def traced(source: str, folder: Path) -> dict[str, CheckedNetwork]:
    """The networks of a Python file. Raises CompileError."""
    file = folder / "case.py"
    file.write_text(source, "utf-8")
    return {net.name: net.checked for net in load_all(file)}


def written(text: str) -> CheckedNetwork:
    """The one network of a text whose weights need not be there."""
    module, mistakes = parse(text, "case.tnn")
    assert not mistakes, mistakes
    (network,) = check_module(module, Path(), require_weights=False).networks.values()
    return network


def untrained(source: str, folder: Path) -> CheckedNetwork:
    """The one network of a Python file whose weights need not be there."""
    file = folder / "case.py"
    file.write_text(source, "utf-8")
    return load(file, weights=False).checked
