"""Arguments of a kernel's call -> constants and arrays `[C, H, W]`; its results -> arrays again.

Images are arrays `[H, W]` or `[C, H, W]` of integers, or Pillow images. A kernel whose arguments
have no channels works on those of an image one after the other.
"""

import inspect
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tdsl.images.port import Array
from tdsl.ir.tensor_type import Element
from tdsl.ir.values import first_outside
from tdsl.kernels.definition import Definition, Parameter
from tdsl.kernels.row_types import ConstType, ResultType, RowType
from tdsl.kernels.specialize import signature_text
from tdsl.refusal import refusal

_PICTURES = {"1": np.uint8, "L": np.uint8, "RGB": np.uint8, "I;16": np.uint16}
"""The modes of Pillow images whose pixels are whole numbers as they stand."""

Found = NDArray[Any] | int


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of one call: constants by name, images by name, all of one size."""

    constants: tuple[tuple[str, int], ...]
    arrays: Mapping[str, Array]
    size: tuple[int, int]
    channels: int | None
    """Channels that a kernel for one works through; None for images without that axis."""


def given_arguments(
    definition: Definition, arguments: tuple[object, ...], named: Mapping[str, object]
) -> Given:
    """The arguments of a call, checked. Raises CompileError (K0201 to K0206)."""
    values = bound(definition, arguments, named)
    constants = constant_values(definition, {p.name: values[p.name] for p in definition.constants})
    images = {p.name: _image(p, values[p.name]) for p in definition.rows}
    _check_shapes(definition, images)
    alone = all(isinstance(p.type, RowType) and p.type.channels is None for p in definition.rows)
    first = next(iter(images.values()))
    channels = first.shape[0] if alone and first.ndim == 3 else None
    arrays = {name: one if one.ndim == 3 else one[None] for name, one in images.items()}
    height, width = first.shape[-2:]
    return Given(constants, arrays, (height, width), channels)


def bound(
    definition: Definition, arguments: tuple[object, ...], named: Mapping[str, object]
) -> dict[str, object]:
    """The arguments by name, with defaults. Raises CompileError (K0201)."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature(
        [
            inspect.Parameter(
                p.name, kind, default=inspect.Parameter.empty if p.default is None else p.default
            )
            for p in sorted(definition.parameters, key=lambda p: p.default is not None)
        ]
    )
    try:
        found = signature.bind(*arguments, **named)
    except TypeError as error:
        raise refusal(
            "K0201",
            f"the arguments do not fit {definition.kind} `{definition.name}`: {error}",
            note=f"it is `{signature_text(definition)}`",
            remedy="give every image and constant, in order or by name",
        ) from error
    found.apply_defaults()
    return dict(found.arguments)


def constant_values(
    definition: Definition, given: Mapping[str, object]
) -> tuple[tuple[str, int], ...]:
    """The constants of a call as numbers. Raises CompileError (K0201, K0202)."""
    values: list[tuple[str, int]] = []
    unknown = sorted(set(given) - {p.name for p in definition.constants})
    missing = [p.name for p in definition.constants if p.name not in given and p.default is None]
    if unknown or missing:
        reason = f"there is no `{unknown[0]}`" if unknown else f"`{missing[0]}` is missing"
        raise refusal(
            "K0201",
            f"the constants do not fit {definition.kind} `{definition.name}`: {reason}",
            note=f"it is `{signature_text(definition)}`",
            remedy="give every constant by its name",
        )
    for parameter in definition.constants:
        value = given.get(parameter.name, parameter.default)
        values.append((parameter.name, _constant(parameter, value)))
    return tuple(values)


def shaped(stated: ResultType, found: NDArray[np.int64], channels: int | None) -> Found:
    """A result `[n, H, W]` in the shape and the smallest type that its declared type has."""
    match stated:
        case RowType(element=element, channels=own):
            image = found if channels is not None or own is not None else found[0]
            if channels is not None and own is not None:
                image = found.reshape(channels, own, *found.shape[1:])
            return image.astype(_dtype(element))
        case _:
            numbers = found.reshape(-1) if channels is None else found.reshape(channels, -1)
            if stated.many:
                return numbers
            return int(numbers[0]) if channels is None else numbers[:, 0]


def _constant(parameter: Parameter, value: object) -> int:
    assert isinstance(parameter.type, ConstType)
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError as error:
        raise refusal(
            "K0202",
            f"`{parameter.name}` is `{parameter.type}`, got {_told(value)}",
            note="constants are whole numbers: they become part of the instructions",
            remedy=f"call it with `{parameter.name}={parameter.default or 12}`",
        ) from error
    if parameter.type.truth and number not in (0, 1):
        raise refusal(
            "K0202",
            f"`{parameter.name}` is `{parameter.type}`, got {number}",
            remedy="give True or False",
        )
    return number


def _image(parameter: Parameter, value: object) -> Array:
    """The pixels of an image: `[H, W]` or `[C, H, W]`."""
    if isinstance(value, Image.Image):
        value = _pixels(parameter, value)
    array = np.asarray(value)
    if not (np.issubdtype(array.dtype, np.integer) or array.dtype == np.bool_):
        raise refusal(
            "K0203",
            f"image `{parameter.name}` is an array of {array.dtype}",
            note=f"it takes whole numbers, `{parameter.type}`; nothing is rounded unasked",
            remedy="convert it: `(img * 255).round().astype(np.uint8)` for values from 0 to 1"
            if np.issubdtype(array.dtype, np.floating)
            else "give an array of integers or a Pillow image",
        )
    assert isinstance(parameter.type, RowType)
    _check_extents(parameter, parameter.type, array)
    _check_values(parameter, parameter.type.element, array)
    return array.astype(np.uint8) if array.dtype == np.bool_ else array


def _pixels(parameter: Parameter, picture: Image.Image) -> NDArray[Any]:
    if picture.mode not in _PICTURES:
        raise refusal(
            "K0203",
            f"image `{parameter.name}` is a picture of mode `{picture.mode}`",
            note=f"pixels are taken as they stand from the modes {', '.join(_PICTURES)}",
            remedy='convert it: `img.convert("L")` for grey, `img.convert("RGB")` for colour',
        )
    array = np.asarray(picture, dtype=_PICTURES[picture.mode])
    return np.moveaxis(array, -1, 0) if array.ndim == 3 else array


def _check_extents(parameter: Parameter, stated: RowType, array: NDArray[Any]) -> None:
    wanted = "[H, W] or [C, H, W]" if stated.channels is None else f"[{stated.channels}, H, W]"
    fits = array.ndim in (2, 3) if stated.channels is None else array.ndim == 3
    if fits and stated.channels is not None:
        fits = array.shape[0] == stated.channels
    last = array.ndim == 3 and array.shape[-1] in (3, 4) and array.shape[0] > 4
    if not fits or (last and stated.channels is None) or 0 in array.shape:
        raise refusal(
            "K0204",
            f"image `{parameter.name}` has shape {list(array.shape)}, it takes {wanted}",
            note="channels come first, and there is at least one pixel",
            remedy="put the channels first: `np.moveaxis(img, -1, 0)`"
            if last
            else "reshape the array, or call the kernel on one image after the other",
        )


def _check_values(parameter: Parameter, element: Element, array: NDArray[Any]) -> None:
    limits = (0, 1) if array.dtype == np.bool_ else _limits(array.dtype)
    if element.low <= limits[0] and limits[1] <= element.high:
        return
    at = first_outside(array, element)
    if at is not None:
        raise refusal(
            "K0206",
            f"image `{parameter.name}` has the value {array[at]} at {list(map(int, at))}",
            note=f"`{parameter.type}` holds {element.low} to {element.high}",
            remedy="clip or scale the array, or give the argument a wider type",
        )


def _check_shapes(definition: Definition, images: Mapping[str, NDArray[Any]]) -> None:
    """All images have one size; if they have no channels of their own, one number of them."""
    names = list(images)
    stated = {p.name: p.type for p in definition.rows}
    alone = all(isinstance(t, RowType) and t.channels is None for t in stated.values())
    first = names[0]
    for name in names[1:]:
        same = images[name].shape[-2:] == images[first].shape[-2:]
        if same and (not alone or images[name].shape == images[first].shape):
            continue
        raise refusal(
            "K0205",
            f"the images `{first}` and `{name}` differ in size:"
            f" {list(images[first].shape)} and {list(images[name].shape)}",
            note="a kernel works on the same pixel of all its images",
            remedy="crop or resize one of them",
        )
    for name, one in images.items():
        if not alone and one.ndim == 3 and _channels(stated[name]) is None:
            raise refusal(
                "K0204",
                f"image `{name}` has shape {list(one.shape)}, it takes [H, W]",
                note="another argument has channels of its own, so this one has none",
                remedy=f"give its type channels: `{name}: U8[{one.shape[0]}, L]`",
            )


def _channels(stated: object) -> int | None:
    return stated.channels if isinstance(stated, RowType) else None


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    found = np.iinfo(dtype)
    return int(found.min), int(found.max)


def _dtype(element: Element) -> np.dtype[Any]:
    """The smallest type that holds an element type."""
    prefix = "uint" if element.low >= 0 else "int"
    bits = next(b for b in (8, 16, 32) if element.bits <= b)
    return np.dtype(f"{prefix}{bits}")


def _told(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
