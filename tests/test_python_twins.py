"""Every network that a sample has as text it has as a Python function, and they are one graph."""

from pathlib import Path

import pytest

from tdsl.api import Network, load
from tdsl.frontend.checked import CheckedNetwork
from tdsl.frontend.checker import check_module
from tdsl.frontend.emitter import emit_tnn
from tdsl.frontend.parser import parse
from tdsl.ir.printer import print_graph
from tdsl.resources import samples_folder

TEXTS = sorted(samples_folder().glob("*/*.tnn"))


def networks(path: Path) -> dict[str, Network]:
    """The networks of a sample by name; its weights may still be in training."""
    module_names = load_names(path)
    return {name: load(path, name, weights=False) for name in module_names}


def load_names(path: Path) -> list[str]:
    module, _ = parse(path.with_suffix(".tnn").read_text("utf-8"), path.name)
    return list(check_module(module, path.parent, require_weights=False).networks)


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_a_sample_has_a_twin_in_python(text: Path) -> None:
    twin = text.with_suffix(".py")
    if not twin.exists():
        (name, *_) = load_names(text)
        net = load(text, name, weights=False).checked
        plain = emit_tnn(net.graph, net.declared, _files(net), net.target)
        pytest.fail(
            f"{text.name} needs {twin.name} beside it: the same network with @network, as "
            f"docs/python.md shows. Without its blocks it is\n\n{plain}"
        )
    written, traced = networks(text), networks(twin)
    assert list(traced) == list(written)
    for name in written:
        ours, theirs = traced[name].checked, written[name].checked
        assert print_graph(ours.graph) == print_graph(theirs.graph)
        assert (ours.declared, ours.target) == (theirs.declared, theirs.target)
        assert ours.layouts == theirs.layouts
        assert _files(ours) == _files(theirs)


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_the_text_of_a_twin_is_the_network_again(text: Path) -> None:
    for net in networks(text.with_suffix(".py")).values():
        ours = net.checked
        emitted = emit_tnn(ours.graph, ours.declared, _files(ours), ours.target)
        module, mistakes = parse(emitted, "emitted.tnn")
        assert not mistakes
        again = check_module(module, text.parent, require_weights=False).networks[net.name]
        assert print_graph(again.graph) == print_graph(ours.graph)


def _files(net: CheckedNetwork) -> dict[str, str]:
    return {store: path.name for store, path in net.stores.items()}
