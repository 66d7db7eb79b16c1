"""A picture or an array of a file -> the arrays that an input takes, one a frame.

Nothing is resized, rescaled or rounded: what does not fit is refused. The two conversions that lose
nothing happen unasked: a colour picture whose channels are equal is a grey one, and the other way.
"""

from itertools import product

import numpy as np
from PIL import Image, ImageOps

from tdsl.diagnostics import CompileError
from tdsl.images.port import Array, Port, size_text
from tdsl.refusal import refusal

GREY_WEIGHTS = "0.299 R + 0.587 G + 0.114 B"


def fit_picture(picture: Image.Image, port: Port, label: str, grey: bool) -> Array:
    """The picture as an array `[C, H, W]` for `port`; `grey` allows colour to become grey."""
    if not port.is_image:
        raise refusal(
            "E0703",
            f"`{label}` is a picture, but input `{port.name}` takes {port}",
            remedy=f"give a .npy file of shape {port}",
        )
    ImageOps.exif_transpose(picture, in_place=True)
    array = _channels_first(_plain(picture, label, port), port, label, grey)
    _check_size(array, port, label)
    check_values(array, port, label)
    return array


def fit_array(array: Array, port: Port, label: str) -> list[Array]:
    """The frames in an array: one, or many along a leading axis; channels first or last."""
    if not (np.issubdtype(array.dtype, np.integer) or array.dtype == np.bool_):
        raise refusal(
            "E0706",
            f"`{label}` holds {array.dtype} values; input `{port.name}` takes integers",
            note=f"its values are {port.low} to {port.high}",
            remedy="convert it yourself, so that the rounding is yours: array.astype(numpy.uint8)",
        )
    if array.size == 0:
        raise _empty(label, size_text(array.shape))
    frames = _frames(array, port)
    if frames is None:
        raise _misfit(array, port, label)
    check_values(frames, port, label)
    return list(frames)


def check_values(array: Array, port: Port, label: str) -> None:
    """Refuse values that the input's element type does not hold."""
    low, high = int(array.min()), int(array.max())
    if not port.has_zero and (array == 0).any():
        raise refusal(
            "E0706",
            f"`{label}` has the value 0, which input `{port.name}` does not take",
            note=f"the input takes {port.low} and {port.high}",
            remedy="give values of these two only",
        )
    if port.low <= low and high <= port.high:
        return
    raise refusal(
        "E0706",
        f"`{label}` has values {low} to {high}, outside those of input `{port.name}`",
        note=f"the input takes {port.low} to {port.high}",
        remedy="scale the values yourself, or declare the input with a wider element type",
    )


def _plain(picture: Image.Image, label: str, port: Port) -> Array:
    """The picture without palette or alpha: `[H, W]` or `[H, W, 3]`."""
    if min(picture.size) == 0:
        raise _empty(label, f"{picture.width}x{picture.height}")
    if picture.mode in ("P", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode in ("RGBA", "LA"):
        picture = _opaque(picture, label)
    if picture.mode == "1":
        return np.array(picture, dtype=np.uint8) * (1 if port.high == 1 else 255)
    if picture.mode.startswith("I;16"):
        return np.array(picture, dtype=np.uint16)
    if picture.mode in ("L", "RGB", "I"):
        return np.array(picture)
    raise refusal(
        "E0702",
        f"`{label}` has pixels of mode {picture.mode}, which are no exact grey or RGB integers",
        remedy="save it as an RGB or grey PNG",
    )


def _opaque(picture: Image.Image, label: str) -> Image.Image:
    alpha = picture.getchannel("A").getextrema()
    if alpha != (255, 255):
        raise refusal(
            "E0702",
            f"`{label}` is partly transparent: what would stand behind it is not known",
            remedy="flatten it on a background of your choice and save it without alpha",
        )
    return picture.convert("L" if picture.mode == "LA" else "RGB")


def _channels_first(array: Array, port: Port, label: str, grey: bool) -> Array:
    colour = array.ndim == 3
    if port.channels in (None, 3 if colour else 1):
        return np.moveaxis(array, -1, 0) if colour else array[None]
    if port.channels == 3:
        return np.repeat(array[None], 3, axis=0)
    if port.channels == 1 and (grey or (array == array[..., :1]).all()):
        return np.array(Image.fromarray(array, "RGB").convert("L"))[None]
    found = "3 channels (RGB)" if colour else "1 channel (grey)"
    raise refusal(
        "E0703",
        f"`{label}` has {found}, but input `{port.name}` takes {port.channels}",
        note=f"the input is {port}: channels, height, width",
        remedy=f"add --grey to convert colour to grey by {GREY_WEIGHTS}"
        if port.channels == 1
        else f"give a .npy file of shape {port}",
    )


def _check_size(array: Array, port: Port, label: str) -> None:
    if all(want in (None, have) for want, have in zip(port.shape, array.shape, strict=True)):
        return
    wanted = size_text(port.shape)
    raise refusal(
        "E0704",
        f"`{label}` is {size_text(array.shape)}, but input `{port.name}` takes {wanted}",
        note="sizes are width x height; nothing is resized unasked",
        remedy=f"resize or crop the picture to {wanted}",
    )


def _frames(array: Array, port: Port) -> Array | None:
    """The array as `[frames, *port.shape]`, by the first reading that fits; None if none does.

    The readings in order: one frame before many; channels first, then last, then left out if one.
    """
    axes = tuple(range(len(port.shape)))
    readings = [axes]
    if port.is_image:
        readings.append((1, 2, 0))
        if port.channels in (None, 1):
            readings.append((1, 2))
    for many, order in product((False, True), readings):
        stacked = array if many else array[None]
        if stacked.ndim != len(order) + 1:
            continue
        if len(order) < len(axes):
            candidate = stacked[:, None]
        else:
            source = [1 + order.index(axis) for axis in axes]
            candidate = np.transpose(stacked, [0, *source])
        if all(w in (None, h) for w, h in zip(port.shape, candidate.shape[1:], strict=True)):
            return candidate
    return None


def _misfit(array: Array, port: Port, label: str) -> CompileError:
    return refusal(
        "E0704",
        f"`{label}` has shape {list(array.shape)}, but input `{port.name}` takes {port}",
        note="channels may come first or last; one more axis in front counts frames",
        remedy=f"reshape or crop the array to {port}",
    )


def _empty(label: str, size: str) -> CompileError:
    return refusal(
        "E0705",
        f"`{label}` is empty: its size is {size}",
        remedy="give an input with at least one pixel",
    )
