"""A checked network -> its trainable twin, a PyTorch module -> its integer arrays, exactly."""

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tdsl.api import load
from tdsl.diagnostics import CompileError
from tdsl.frontend.weights import save_packed
from tdsl.ir.graph import Graph
from tdsl.ir.ops import Parameter, Stored
from tdsl.ir.parameters import resolve
from tdsl.train.evaluation import exact_dtype, run
from tdsl.train.exact_fold import Range
from tdsl.train.fixed_thresholds import FixedThreshold, exact_levels, parameters_by_role
from tdsl.train.parts import Trained, module_name, trained_parts, untrainable
from tdsl.train.straight_through import Activation, ternary_weight
from tdsl.train.thresholds import MOMENTUM, Threshold

Arrays = dict[Stored, NDArray[Any]]


def twin(path: str | PathLike[str], network: str | None = None, *, weights: bool = False) -> "Twin":
    """Read a `.tnn` file, of which `network` chooses one network; its weights files are not needed.

    With `weights` training starts from them: see `Twin.take`. Raises CompileError for every
    mistake of the file, and E0720 where it cannot be trained.
    """
    net = load(path, network, weights=weights)
    try:
        made = Twin(net.checked.graph)
        if weights:
            made.take(net.checked.arrays)
    except CompileError as error:
        raise CompileError(error.diagnostics, net.sources) from error
    return made


class Twin(nn.Module):
    """The network of a graph for batches: images [N, C, H, W] and vectors [N, C] of integers.

    In training mode weights are latent floats, ternarised in every pass, and stored thresholds are
    batch norm and levels. In evaluation mode everything is the integers of `arrays()`, computed
    exactly on the CPU.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.parts = trained_parts(graph)
        self.latents = nn.ParameterDict(
            {
                module_name(stored): nn.Parameter(torch.empty(stored.shape).uniform_(-0.5, 0.5))
                for stored in self.parts.weights
            }
        )
        self.thresholds = nn.ModuleDict(
            {
                one.name: Threshold(
                    one.name, one.op, one.channels, one.weight is not None, one.range
                )
                for one in self._activations()
            }
        )
        self.fixed = nn.ModuleDict(
            {
                str(position): _fixed(graph, position, node.op)
                for position, node in enumerate(graph.nodes)
                if isinstance(node.op, Activation) and position not in self.parts.activations
            }
        )

    def forward(self, *images: Tensor) -> dict[str, Tensor]:
        """The outputs by name, for the network's inputs in order."""
        device = images[0].device.type
        if self.training:
            casts = torch.is_autocast_enabled(device)
            planes = torch.get_autocast_dtype(device) if casts else torch.float32
            given = [image.to(torch.float32) for image in images]
            return run(self.graph, given, self._latent_weight, self._activate, planes)
        with torch.no_grad(), torch.autocast(device, enabled=False):
            return self._run_exactly(images)

    def arrays(self) -> Arrays:
        """The integers of the network: ternary weights int8, thresholds int32.

        A channel with a negative scale has its weights negated. Raises CompileError
        (E0721) where training has diverged.
        """
        found: Arrays = {
            stored: self._latent_weight(stored).detach().cpu().numpy().astype(np.int8)
            for stored in self.parts.weights
        }
        for one in self._activations():
            folded = self.threshold(one.name).fold()
            found |= {stored: folded.arrays[role].astype(np.int32) for role, stored in one.roles}
            if one.weight is not None:
                weight = found[one.weight]
                found[one.weight] = weight * folded.signs.reshape(-1, *(1,) * (weight.ndim - 1))
        return found

    def export(
        self, path: str | PathLike[str], also: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        """Write the arrays to a packed `.safetensors` file, and those of `also` beside them.

        Raises CompileError (E0721) where training has diverged.
        """
        named = {stored.key: values for stored, values in self.arrays().items()}
        save_packed(Path(path), {**named, **(also or {})})

    def take(self, arrays: Mapping[Stored, NDArray[np.int64]]) -> None:
        """Become the network with these arrays, weights -1, 0, +1 and integer thresholds.

        Batch norm is left out from then on: training goes on with a scale and a shift. Raises
        CompileError (E0720) for thresholds that no scale and shift give.
        """
        with torch.no_grad():
            for stored in self.parts.weights:
                self.latents[module_name(stored)].copy_(torch.tensor(arrays[stored]))
        for position, one in self.parts.activations.items():
            wanted = {role: arrays[stored] for role, stored in one.roles}
            try:
                self.threshold(one.name).unfold(wanted)
            except ValueError as error:
                raise untrainable(self.graph.nodes[position], str(error)) from error

    def threshold(self, name: str) -> Threshold:
        """The thresholds whose arrays are `name.lo` and so on, a dot in `name` written as `/`."""
        layer = self.thresholds[name]
        assert isinstance(layer, Threshold)
        return layer

    def clip_latents(self) -> None:
        """Keep latent weights in -1..1, so that none drifts too far to change its mind."""
        with torch.no_grad():
            for latent in self.latents.values():
                latent.clamp_(-1, 1)

    def average_statistics(self, batches: Iterable[Tensor | tuple[Tensor, ...]]) -> None:
        """Replace the running statistics of batch norm by the plain mean over these batches.

        Without it the last steps of training, and their reduced precision, weigh most.
        """
        before = self.training
        layers = [self.threshold(name) for name in self.thresholds]
        self.train()
        with torch.no_grad():
            for count, batch in enumerate(batches, start=1):
                for layer in layers:
                    layer.momentum = 1 / count
                self(*(batch if isinstance(batch, tuple) else (batch,)))
        for layer in layers:
            layer.momentum = MOMENTUM
        self.train(before)

    def _activations(self) -> Iterable[Trained]:
        return dict.fromkeys(self.parts.activations.values())

    def _latent_weight(self, parameter: Parameter) -> Tensor:
        if not isinstance(parameter, Stored):
            return torch.tensor(resolve(parameter, {}))
        return ternary_weight(self.latents[module_name(parameter)])

    def _activate(self, position: int, op: Activation, x: Tensor) -> Tensor:
        trained = self.parts.activations.get(position)
        layer = self.fixed[str(position)] if trained is None else self.thresholds[trained.name]
        result: Tensor = layer(x)
        return result

    def _run_exactly(self, images: Iterable[Tensor]) -> dict[str, Tensor]:
        arrays = {stored: values.astype(np.int64) for stored, values in self.arrays().items()}
        dtype = exact_dtype(self.graph)

        def weight(parameter: Parameter) -> Tensor:
            return torch.tensor(resolve(parameter, arrays))

        def activate(_: int, op: Activation, x: Tensor) -> Tensor:
            by_role = {r: resolve(p, arrays) for r, p in parameters_by_role(op).items()}
            return exact_levels(op, x, by_role)

        given = [image.to(dtype) for image in images]
        return run(self.graph, given, weight, activate, dtype)


def _fixed(graph: Graph, position: int, op: Activation) -> FixedThreshold:
    element = graph.nodes[graph.nodes[position].inputs[0]].type.element
    arrays = {role: resolve(p, {}) for role, p in parameters_by_role(op).items()}
    return FixedThreshold(op, arrays, Range(element.low, element.high))
