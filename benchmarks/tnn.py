"""A network -> its `.tnn` file and the weights beside it."""

from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.networks import Layer, Network


def statement(number: int, layer: Layer) -> str:
    """One layer; parameters bind as `l<number>.w`, `.lo`, `.hi`."""
    kind = "avgpool" if layer.average else "maxpool"
    pool = f" -> {kind}({layer.pool})" if layer.pool > 1 else ""
    return f"l{number} = l{number - 1} -> conv({layer.weight.shape[0]}, 3x3){pool} -> ternarize"


def text(network: Network) -> str:
    """The source: input `img`, output `scores` or `out`."""
    height, width = network.height, network.width
    element = "trit" if network.levels is None else "u8"
    levels = network.levels
    first = "l0 = img" if levels is None else f"l0 = img -> thermometer({levels})"
    lines = [first, *(statement(n, layer) for n, layer in enumerate(network.layers, 1))]
    last = f"l{len(network.layers)}"
    if network.classifier is None:
        result = f"out: trit[{network.layers[-1].weight.shape[0]}, {height}, {width}]"
        lines.append(f"return {last}")
    else:
        result = f"scores: i16[{network.classifier.shape[0]}]"
        lines.append(f"fc = {last} -> flatten -> linear({network.classifier.shape[0]})")
        lines.append("return fc")
    body = "\n".join(f"    {line}" for line in lines)
    image = f"img: {element}[{network.channels}, {height}, {width}]"
    return (
        f'tnn 1\n\nweights P = "{network.name}.npz"\n\n'
        f"network {network.name}({image}) -> {result} from P {{\n{body}\n}}\n"
    )


def parameters(network: Network) -> dict[str, NDArray[np.integer]]:
    """The arrays of the weights file by key."""
    arrays: dict[str, NDArray[np.integer]] = {}
    for number, layer in enumerate(network.layers, 1):
        arrays[f"l{number}.w"] = layer.weight
        arrays[f"l{number}.lo"] = layer.centre - layer.half
        arrays[f"l{number}.hi"] = layer.centre + layer.half
    if network.classifier is not None:
        arrays["fc.w"] = network.classifier
    return arrays


def write_tnn(network: Network, folder: Path) -> Path:
    """Write `<name>.tnn` and `<name>.npz` into a folder; the source's path."""
    with (folder / f"{network.name}.npz").open("wb") as weights:
        np.savez(weights, **cast("dict[str, Any]", parameters(network)))
    path = folder / f"{network.name}.tnn"
    path.write_text(text(network), encoding="utf-8")
    return path
