"""The values of tensors: what a type may hold, and the arrays given to a network checked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl.ir.graph import Graph
from tdsl.ir.ops import Input
from tdsl.ir.parameters import Integers
from tdsl.ir.tensor_type import Element, Kind, TensorType


class InputError(ValueError):
    """The arrays given to a network do not fit its inputs: the caller's mistake."""


def values_described(element: Element) -> str:
    """The values of an element type in words: `-1 and 1`, `0 to 255`."""
    joint = "and" if element.kind is Kind.BIN else "to"
    return f"{element.low} {joint} {element.high}"


def first_outside(values: NDArray[Any], element: Element) -> tuple[int, ...] | None:
    """The index of the first value that `element` cannot hold; None if it holds them all."""
    outside = (values < element.low) | (values > element.high)
    if element.kind is Kind.BIN:
        outside |= values == 0
    if not outside.any():
        return None
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(outside)), outside.shape))


def check_inputs(graph: Graph, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Integers]:
    """Return the inputs of `graph` as int64, or raise InputError with a sentence that says why."""
    wanted = {node.name: node.type for node in graph.nodes if isinstance(node.op, Input)}
    for name in inputs:
        if name not in wanted:
            raise InputError(
                f"network `{graph.name}` has no input `{name}`; its inputs are {_listed(wanted)}"
            )
    for name, type_ in wanted.items():
        if name not in inputs:
            raise InputError(f"network `{graph.name}` needs an array for input `{name}`: {type_}")
    return {name: _check_input(name, wanted[name], array) for name, array in inputs.items()}


def _check_input(name: str, wanted: TensorType, array: NDArray[Any]) -> Integers:
    if not (np.issubdtype(array.dtype, np.integer) or array.dtype == np.bool_):
        raise InputError(f"input `{name}` needs integers ({wanted}), got an array of {array.dtype}")
    if array.shape != wanted.shape:
        raise InputError(f"input `{name}` needs shape {wanted.shape}, got {array.shape}")
    at = first_outside(array, wanted.element)
    if at is not None:
        raise InputError(
            f"input `{name}` is {wanted}: values are {values_described(wanted.element)}, "
            f"got {array[at]} at {list(at)}"
        )
    return array.astype(np.int64)


def _listed(names: Mapping[str, TensorType]) -> str:
    return ", ".join(f"`{name}`" for name in names)
