"""An ONNX model as plain data: nodes in topological order, constants as arrays.

Nothing here knows the file format; `tdsl.importer.reading` makes these values and has checked that
names are unique, that every tensor is made before it is used, and that arrays hold what they claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl.importer.refusal import Refusal

Array = NDArray[Any]
Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | Array

QUANTISER_DOMAINS = frozenset(
    {
        "qonnx.custom_op.general",
        "onnx.brevitas",
        "finn.custom_op.general",
        "finn",
        "qonnx",
        "brevitas",
    }
)
"""The domains under which exporters have put the same quantisers."""
STANDARD_DOMAINS = frozenset({"", "ai.onnx"})


@dataclass(frozen=True, slots=True, eq=False)
class OnnxNode:
    """One node. An empty string among `inputs` is an optional input left out."""

    name: str
    kind: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]

    @property
    def place(self) -> str:
        """How a message names the node."""
        return f"node `{self.name}` ({self.domain + '.' if self.custom else ''}{self.kind})"

    @property
    def custom(self) -> bool:
        """Whether the operation is not one of ONNX itself."""
        return self.domain not in STANDARD_DOMAINS

    def has_input(self, position: int) -> bool:
        """Whether the input at `position` is given."""
        return position < len(self.inputs) and self.inputs[position] != ""

    def integer(self, name: str, default: int) -> int:
        """An integer attribute. Raises Refusal where it has another type."""
        value = self.attributes.get(name, default)
        if isinstance(value, int):
            return value
        raise self._mistyped(name, "an integer")

    def number(self, name: str, default: float) -> float:
        """A number. Raises Refusal where it has another type."""
        value = self.attributes.get(name, default)
        if isinstance(value, int | float):
            return float(value)
        raise self._mistyped(name, "a number")

    def text(self, name: str, default: str) -> str:
        """A text. Raises Refusal where it has another type."""
        value = self.attributes.get(name, default)
        if isinstance(value, str):
            return value
        raise self._mistyped(name, "a text")

    def integers(self, name: str) -> tuple[int, ...] | None:
        """A list of integers; None where the attribute is left out. Raises Refusal."""
        value = self.attributes.get(name)
        if value is None:
            return None
        if isinstance(value, tuple):
            found = [item for item in value if isinstance(item, int)]
            if len(found) == len(value):
                return tuple(found)
        raise self._mistyped(name, "a list of integers")

    def _mistyped(self, name: str, wanted: str) -> Refusal:
        return Refusal(
            f"its attribute `{name}` is not {wanted}", "export the model again; the node is damaged"
        )


@dataclass(frozen=True, slots=True)
class OnnxInput:
    """An input of the model. A dimension is its size, or None where the file leaves it open."""

    name: str
    dims: tuple[int | None, ...]
    annotation: str | None
    """The integer type that the file states for it (`UINT8`), from its quantisation annotation."""


@dataclass(frozen=True, slots=True, eq=False)
class OnnxModel:
    """A whole model."""

    file: str
    nodes: tuple[OnnxNode, ...]
    constants: Mapping[str, Array]
    inputs: tuple[OnnxInput, ...]
    outputs: tuple[str, ...]
    opsets: Mapping[str, int]
    """The version of each domain that the file imports; the empty string is ONNX itself."""

    @property
    def opset(self) -> int:
        """The version of ONNX's own operations."""
        return max((v for d, v in self.opsets.items() if d in STANDARD_DOMAINS), default=1)


def as_float(array: Array) -> NDArray[np.float32]:
    """The array in float32, the precision in which the operations are executed."""
    return np.asarray(array).astype(np.float32)
