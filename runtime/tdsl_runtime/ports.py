"""Input images checked against the ports of a program, the same for every engine."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.errors import MachineError
from tdsl_runtime.packed import PackedTrits, words_of_line
from tdsl_runtime.program import Port

Images = dict[str, NDArray[Any]]
"""Images by port name, [C, H, W], of an integer type that holds their values."""


def check_inputs(
    ports: tuple[Port, ...], inputs: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Return the images [C, H, W] of the ports, in the types given (int64 at the widest).

    Raises MachineError for an image that is missing, that no port takes, or that does not fit.
    """
    for name in inputs.keys() - {port.name for port in ports}:
        raise _unwanted(name, ports)
    return {port.name: _check_image(port, inputs) for port in ports}


def _unwanted(name: str, ports: tuple[Port, ...]) -> MachineError:
    return MachineError(
        f"the program has no input `{name}`",
        f"its inputs are {', '.join(port.name for port in ports) or 'none'}",
        "give the images by the names of the inputs",
    )


def _check_image(port: Port, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    if port.name not in inputs:
        raise MachineError(f"input `{port.name}` is missing", remedy=f"give {_wanted(port)}")
    image = np.asarray(inputs[port.name])
    if image.shape != port.shape or image.dtype.kind not in "iub":
        found = f"an array {list(image.shape)} of {image.dtype}"
        raise MachineError(f"input `{port.name}` is {found}", remedy=f"give {_wanted(port)}")
    if image.min() < port.low or image.max() > port.high:
        raise MachineError(
            f"input `{port.name}` has values from {image.min()} to {image.max()}",
            remedy=f"give {_wanted(port)}",
        )
    if image.dtype.kind == "b":
        return image.astype(np.uint8)
    wide = image.dtype.itemsize == 8
    return image.astype(np.int64 if wide else image.dtype.newbyteorder("="), copy=False)


def _wanted(port: Port) -> str:
    return f"whole numbers from {port.low} to {port.high} in the shape {list(port.shape)}"


def require_trits(name: str, low: int, high: int) -> None:
    """Raise MachineError if the values low to high of a port are not those of trits."""
    if (low, high) != (-1, 1):
        found = f"`{name}` has values from {low} to {high}, not trits"
        raise MachineError(found, remedy="give and take images as arrays")


def check_packed(ports: tuple[Port, ...], inputs: Mapping[str, PackedTrits]) -> None:
    """Check packed trits against the ports of a program, as `check_inputs` does arrays."""
    for name in inputs.keys() - {port.name for port in ports}:
        raise _unwanted(name, ports)
    for port in ports:
        require_trits(port.name, port.low, port.high)
        if port.name not in inputs:
            raise MachineError(f"input `{port.name}` is missing", remedy=f"give {_wanted(port)}")
        packed = inputs[port.name]
        height = packed.words.shape[1] if packed.words.ndim == 3 else 0
        words = words_of_line(packed.channels, packed.width)
        shape = (packed.channels, height, packed.width)
        if shape != port.shape or packed.words.shape != (2, height, words):
            found = f"packed trits {list(shape)} in words {list(packed.words.shape)}"
            raise MachineError(f"input `{port.name}` is {found}", remedy=f"give {_wanted(port)}")
        if packed.words.dtype != np.uint64:
            found = f"packed trits in {packed.words.dtype}"
            raise MachineError(f"input `{port.name}` is {found}", remedy="give uint64 words")
