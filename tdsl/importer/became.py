"""Converted nodes -> in words, what each became in the graph."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tdsl.importer.conversion import Conversion
from tdsl.importer.model import OnnxNode
from tdsl.importer.value import Coded, Const, Item, Outside, Unknown, Value


@dataclass(frozen=True, slots=True)
class Became:
    """What a node of the file became."""

    place: str
    text: str


def became(
    state: Conversion, nodes: Iterable[OnnxNode], names: Mapping[int, str]
) -> Iterator[Became]:
    """A line for each of `nodes`; `names` are those of the graph's nodes that are kept."""
    for node in nodes:
        items = [state.items[name] for name in node.outputs if name]
        known = [item for item in items if not isinstance(item, Unknown)]
        yield Became(node.place, _told(state, known[0], names) if known else "used by nothing")


def _told(state: Conversion, item: Item, names: Mapping[int, str]) -> str:
    match item:
        case Outside():
            return "left to the host, before the input"
        case Coded():
            return "levels, made where they are read"
        case Const() | Unknown():
            return "a constant"
        case Value():
            places = [names[i] for i in state.e.places(item.source) if i in names]
            source = ", ".join(f"`{name}`" for name in places) or "used by nothing"
            if not item.steps:
                return source
            kinds = ", ".join(type(step).__name__.lower() for step in item.steps)
            return f"{source}, then folded into what follows: {kinds}"
