"""The Python face: `load` a file, call the network on images, or compile it to a program."""

import difflib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from tdsl.compiler import Compiled, compile_graph
from tdsl.cost.macs import graph_macs
from tdsl.cost.summary import Cost
from tdsl.diagnostics import CompileError, Diagnostic, Sources
from tdsl.execution import Result, Runner
from tdsl.free_sizes import input_ports, output_ports, sizes_from_shapes, sizes_from_size
from tdsl.frontend.checked import CheckedNetwork
from tdsl.frontend.checker import load as load_module
from tdsl.images.fitting import fit_array, fit_picture
from tdsl.images.port import Array, Port
from tdsl.ir.graph import Graph
from tdsl.ir.specialize import specialize
from tdsl.lowering.choose import Wishes
from tdsl.lowering.organisation import Goal, Organisation
from tdsl.program_cache import cached_program
from tdsl.random_values import random_weights
from tdsl.refusal import machine_refusals, refusal
from tdsl.tracing.files import run_python_file
from tdsl_runtime.description import MachineDescription, load_machine, machines
from tdsl_runtime.program import Program

__all__ = ["Cost", "Network", "Program", "Result", "load"]

DEFAULT_MACHINE = "nearmem-1mb"
"""Where neither the file nor the caller names one."""


def load(
    path: str | PathLike[str],
    network: str | None = None,
    *,
    weights: bool = True,
    optimize: str = Goal.CYCLES,
) -> "Network":
    """Read and check a `.tnn` file; `network` chooses one where it holds several.

    A `.py` file is executed: its networks are its functions with `@network`. Without `weights` the
    files that hold them are not needed, and random ones take their place. `optimize` is what the
    organisation of layers is chosen for: cycles, energy, or edp (their product). Raises
    CompileError with every mistake of the file.
    """
    networks = {net.name: net for net in _networks(Path(path), weights=weights)}
    chosen = networks[_chosen(str(path), list(networks), network)]
    found = chosen.checked_again(weights=weights)
    found.goal = _goal(optimize)
    return found


def load_all(path: str | PathLike[str]) -> "list[Network]":
    """Read and check a `.tnn` or `.py` file: all its networks. Raises CompileError."""
    found = _networks(Path(path))
    mistakes: list[Diagnostic] = []
    sources: dict[str, str] = {}
    for net in found:
        try:
            net.checked_again()
        except CompileError as error:
            mistakes += error.diagnostics
            sources |= error.sources
    if mistakes:
        raise CompileError(mistakes, sources)
    return found


def _networks(path: Path, *, weights: bool = True) -> "list[Network]":
    if path.suffix == ".py":
        found = run_python_file(path).values()
        return list(dict.fromkeys(one for one in found if isinstance(one, Network)))
    module = load_module(path, require_weights=weights)
    return [Network(one, path.parent, module.sources) for one in module.networks.values()]


_Compiled = tuple[MachineDescription, tuple[tuple[str, int], ...], Goal]
"""What a network is compiled for."""


class Network:
    """A checked network: call it on images, or compile it for a machine and a size."""

    def __init__(self, checked: CheckedNetwork, folder: Path, sources: Sources) -> None:
        """Take a checked network; its target is looked for in `folder`, its spans in `sources`."""
        self._checked = checked
        self._sources = sources
        self.folder = folder
        self.goal = Goal.CYCLES
        self._runners: dict[_Compiled, Runner] = {}

    @property
    def checked(self) -> CheckedNetwork:
        """The graph, its arrays, its target and its tests."""
        return self._checked

    @property
    def sources(self) -> Sources:
        """The texts that its spans point into."""
        return self._sources

    @property
    def name(self) -> str:
        """The network's name."""
        return self.checked.graph.name

    @property
    def inputs(self) -> list[Port]:
        """Its inputs: name, shape (None where any size goes), range of values."""
        return input_ports(self.checked.graph)

    def checked_again(self, *, weights: bool = True) -> "Network":
        """The network with its mistakes found; without `weights`, with random ones."""
        if weights:
            return self
        checked = replace(self.checked, arrays=random_weights(self.checked.graph))
        return Network(checked, self.folder, self.sources)

    def inputs_at(self, sizes: Mapping[str, int] | None) -> list[Port]:
        """Its inputs for these free sizes; for None any size goes."""
        if sizes is None:
            return self.inputs
        return input_ports(self.graph_at(sizes))

    def graph_at(self, sizes: Mapping[str, int]) -> Graph:
        """Its graph for these free sizes. Raises CompileError where they do not fit."""
        with self._quoted():
            return specialize(self.checked.graph, sizes)

    def __call__(
        self, *images: ArrayLike | Image.Image, machine: str | None = None, **named: ArrayLike
    ) -> Result:
        """Run on images: arrays `[C, H, W]` or `[H, W]`, or Pillow images; in order, or by name.

        Compiles for their size and for `machine` (a preset or a file; by default the target of the
        network), simulates, and returns outputs and cost. Raises CompileError for what misfits.
        """
        given = {port.name: image for port, image in zip(self.inputs, images, strict=False)}
        arrays = _fitted(self.inputs, {**given, **named}, len(images) + len(named))
        return self.runner(self.machine(machine), self.sizes_of(arrays)).run(arrays)

    def compile(self, machine: str | None = None, size: tuple[int, int] | None = None) -> Program:
        """The program for `machine` and an input of `size` (width, height); `save` writes it.

        Raises CompileError where a size is missing or the network does not fit the machine.
        """
        return self.compiled(
            self.machine(machine), sizes_from_size(self.checked.graph, size)
        ).program

    def machine(self, asked: str | None = None) -> MachineDescription:
        """The machine asked for, else the network's target, else `DEFAULT_MACHINE`."""
        target = self.checked.target
        if target is not None and target not in machines():
            target = str(self.folder / target)
        with machine_refusals("E0710"):
            return load_machine(asked if asked is not None else target or DEFAULT_MACHINE)

    def sizes_of(self, arrays: Mapping[str, Array]) -> dict[str, int]:
        """The free sizes of the network for these inputs."""
        return sizes_from_shapes(self.checked.graph, {n: a.shape for n, a in arrays.items()})

    def compiled(self, machine: MachineDescription, sizes: Mapping[str, int]) -> Compiled:
        """Compile anew: graph, plan and program. Raises CompileError where it does not fit."""
        with self._quoted():
            return compile_graph(
                self.checked.graph, self.checked.arrays, machine, sizes, self.wishes
            )

    @property
    def wishes(self) -> Wishes:
        """What the organisation of layers is chosen for, and what the source gives."""
        pinned = {name: Organisation(word) for name, word in self.checked.layouts.items()}
        return Wishes(self.goal, pinned)

    def runner(
        self,
        machine: MachineDescription,
        sizes: Mapping[str, int],
        on_compile: Callable[[], None] | None = None,
    ) -> Runner:
        """The network compiled (or taken from the user's cache) and ready to run."""
        key = machine, tuple(sorted(sizes.items())), self.goal
        with self._quoted():
            if key not in self._runners:
                self._runners[key] = self._make_runner(machine, sizes, on_compile)
        return self._runners[key]

    def _make_runner(
        self,
        machine: MachineDescription,
        sizes: Mapping[str, int],
        on_compile: Callable[[], None] | None,
    ) -> Runner:
        graph = self.checked.graph
        return Runner(
            cached_program(graph, self.checked.arrays, machine, sizes, self.wishes),
            output_ports(graph, self.checked.declared, sizes),
            graph_macs(self.graph_at(sizes)),
            on_compile,
        )

    @contextmanager
    def _quoted(self) -> Generator[None]:
        """Give diagnostics of the block the texts that they point into."""
        try:
            yield
        except CompileError as error:
            raise CompileError(error.diagnostics, {**self.sources, **error.sources}) from error


def _goal(asked: str) -> Goal:
    try:
        return Goal(asked)
    except ValueError:
        raise refusal(
            "E0713",
            f"`{asked}` is nothing to optimize for",
            remedy=f"choose one of {', '.join(Goal)}",
        ) from None


def _fitted(
    ports: Sequence[Port], given: Mapping[str, ArrayLike | Image.Image], count: int
) -> dict[str, Array]:
    names = [port.name for port in ports]
    if count != len(ports) or set(given) != set(names):
        raise refusal(
            "E0707",
            f"the network takes {len(ports)} inputs ({', '.join(names)}), {count} were given",
            remedy=f"call it as net({', '.join(f'{name}=...' for name in names)})",
        )
    return {port.name: _fit(given[port.name], port) for port in ports}


def _fit(image: ArrayLike | Image.Image, port: Port) -> Array:
    if isinstance(image, Image.Image):
        return fit_picture(image.copy(), port, "the picture", grey=False)
    frames = fit_array(np.asarray(image), port, "the array")
    if len(frames) != 1:
        raise refusal(
            "E0704",
            f"the array holds {len(frames)} frames",
            remedy="call the network on one frame after the other",
        )
    return frames[0]


def _chosen(file: str, networks: list[str], asked: str | None) -> str:
    """The one network of a file, or the one asked for. Raises CompileError (E0708)."""
    if asked is None and len(networks) == 1:
        return networks[0]
    if asked in networks:
        return asked
    raise _unclear_network(file, networks, asked)


def _unclear_network(file: str, networks: list[str], asked: str | None) -> CompileError:
    listed = ", ".join(f"`{name}`" for name in networks)
    if not networks:
        return refusal("E0708", f"`{file}` holds no network", remedy="give a file with a network")
    if asked is None:
        return refusal(
            "E0708",
            f"`{file}` holds several networks: {listed}",
            remedy="choose one with --network NAME",
        )
    near = difflib.get_close_matches(asked, networks, n=1)
    return refusal(
        "E0708",
        f"`{file}` holds no network `{asked}`",
        note=f"its networks are {listed}",
        remedy=f"did you mean `{near[0]}`?" if near else "choose one of these",
    )
