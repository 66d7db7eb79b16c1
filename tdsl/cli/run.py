"""`tdsl run` and `tdsl exec`: frames through a network or a program; results, then their cost."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tdsl.cli.options import File, Grey, Inputs, Json, Machine, NetworkName, Optimize, Output, Size
from tdsl.cli.terminal import print_json, waiting

if TYPE_CHECKING:
    from tdsl.cli.frames import RunnerOf
    from tdsl.images.port import Frame


def run(
    file: File,
    inputs: Inputs,
    output: Output = None,
    network: NetworkName = None,
    size: Size = None,
    machine: Machine = None,
    grey: Grey = False,
    optimize: Optimize = "cycles",
    json: Json = False,
) -> None:
    """Compile a network, simulate it on images, and show the results and what they cost."""
    from tdsl.api import load
    from tdsl.cli.frames import note_compilation
    from tdsl.free_sizes import parse_size, sizes_from_size
    from tdsl.images.reading import read_frames

    net = load(file, network, optimize=optimize)
    chosen = net.machine(machine)
    fixed = sizes_from_size(net.checked.graph, parse_size(size)) if size else None
    frames = read_frames(inputs, net.inputs_at(fixed), grey)
    _run(
        net.name,
        lambda arrays: net.runner(chosen, net.sizes_of(arrays), note_compilation),
        frames,
        output,
        json,
    )


def exec_program(
    program: Annotated[Path, typer.Argument(metavar="PROGRAM", help="Made by `tdsl compile`.")],
    inputs: Inputs,
    output: Output = None,
    grey: Grey = False,
    json: Json = False,
) -> None:
    """Run a compiled program on images, without its source."""
    from tdsl.cli.frames import note_compilation
    from tdsl.execution import Runner, program_ports
    from tdsl.images.reading import read_frames
    from tdsl.refusal import machine_refusals
    from tdsl_runtime.program import Program

    with machine_refusals("E0711"):
        loaded = Program.load(program)
        runner = Runner(loaded, program_ports(loaded.outputs), None, note_compilation)
        frames = read_frames(inputs, program_ports(loaded.inputs), grey)
        _run(loaded.network, lambda arrays: runner, frames, output, json)


def _run(
    network: str,
    runner_of: "RunnerOf",
    frames: "Iterator[Frame]",
    output: str | None,
    json: bool,
) -> None:
    from tdsl.cli.frames import run_frames
    from tdsl.cli.results import print_frames, print_single
    from tdsl.images.writing import open_destination

    with waiting("reading and compiling"):
        head = list(islice(frames, 2))
        ports = runner_of(head[0].arrays).outputs
    destination = open_destination(output, ports, len(head) > 1) if output else None
    done = run_frames(chain(head, frames), runner_of, destination)
    if json:
        for one in done:
            print_json(one.to_json(network))
    elif len(head) > 1:
        print_frames(network, done)
    else:
        print_single(network, next(done))
