"""`tdsl cost`: does it fit, what does it take, where does it go, and why is it not faster."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tdsl.cli.options import File, Grey, Json, Machine, NetworkName, Optimize, Size
from tdsl.cli.terminal import print_json, waiting

if TYPE_CHECKING:
    from tdsl.api import Network
    from tdsl.images.port import Frame


def cost(
    file: File,
    network: NetworkName = None,
    size: Size = None,
    machine: Machine = None,
    image: Annotated[
        str | None,
        typer.Option("--input", metavar="INPUT", help="Count on this image, not on a random one."),
    ] = None,
    grey: Grey = False,
    no_weights: Annotated[
        bool,
        typer.Option("--no-weights", help="The weights are not trained yet: take random ones."),
    ] = False,
    optimize: Optimize = "cycles",
    json: Json = False,
) -> None:
    """Compile, execute once and count: cycles, energy, traffic and memory, by layer and line."""
    from tdsl.api import load
    from tdsl.cli.cost_tables import print_report
    from tdsl.cli.frames import note_compilation
    from tdsl.cost.macs import graph_macs
    from tdsl.cost.memory_map import memory_map
    from tdsl.cost.report import make_report
    from tdsl.execution import Runner
    from tdsl.free_sizes import output_ports
    from tdsl.images.port import Frame
    from tdsl.random_values import random_inputs
    from tdsl_runtime.energy import energy

    net = load(file, network, weights=not no_weights, optimize=optimize)
    read, sizes = _given(net, size, image, grey)
    with waiting("compiling"):
        compiled = net.compiled(net.machine(machine), sizes)
    frame = read or Frame("random values", random_inputs(net.graph_at(sizes)))
    ports = output_ports(net.checked.graph, net.checked.declared, sizes)
    runner = Runner(compiled.program, ports, graph_macs(compiled.graph), note_compilation)
    with waiting("executing once, to count"):
        result = runner.run(frame.arrays)
    report = make_report(compiled, result.counters, energy(compiled.program, result.counters))
    if json:
        print_json(
            {
                "network": net.name,
                "machine": result.cost.machine,
                "input": frame.label,
                **result.cost.to_json(),
                **asdict(report),
                "strips": compiled.plan.strips,
                "memory": [asdict(region) for region in memory_map(compiled.plan)],
            }
        )
    else:
        print_report(frame, result.cost, compiled.plan, report)


def _given(
    net: "Network", size: str | None, image: str | None, grey: bool
) -> "tuple[Frame | None, dict[str, int]]":
    """The image to count on, where one is given, and the sizes of the network."""
    from tdsl.free_sizes import parse_size, sizes_from_size
    from tdsl.images.reading import read_frames

    graph = net.checked.graph
    if image is None:
        return None, sizes_from_size(graph, parse_size(size) if size else None)
    fixed = sizes_from_size(graph, parse_size(size)) if size else None
    frame = next(read_frames([image], net.inputs_at(fixed), grey))
    return frame, net.sizes_of(frame.arrays)
