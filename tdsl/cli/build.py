"""`tdsl compile` and `tdsl show`: a program file, and every stage on the way to it as text."""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tdsl.cli.options import File, Json, Machine, NetworkName, Optimize, Size
from tdsl.cli.terminal import print_json, print_text, waiting

if TYPE_CHECKING:
    from tdsl.api import Network
    from tdsl.compiler import Compiled
    from tdsl.ir.graph import Graph


class Stage(StrEnum):
    """What `tdsl show` prints."""

    TNN = "tnn"
    SYNTAX = "syntax"
    GRAPH = "graph"
    MAPPING = "mapping"
    ASSEMBLY = "assembly"


def _stage(name: str) -> Stage:
    """The stage of a name; Typer's own check answers in the words of another library."""
    names = [stage.value for stage in Stage]
    if name not in names:
        raise typer.BadParameter(f"`{name}` is none of the stages {', '.join(names)}")
    return Stage(name)


def compile_program(
    file: File,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PROGRAM", help="The program file to write.")
    ],
    network: NetworkName = None,
    size: Size = None,
    machine: Machine = None,
    optimize: Optimize = "cycles",
    json: Json = False,
) -> None:
    """Write the program of a network: one file, which `tdsl exec` runs alone."""
    from tdsl.cli.units import bits
    from tdsl.cost.memory import memory_bits
    from tdsl.refusal import machine_refusals

    program = _compiled(file, network, size, machine, optimize).program
    with machine_refusals("E0712"):
        program.save(output)
    memory = memory_bits(program)
    if json:
        print_json(
            {
                "network": program.network,
                "machine": program.machine.name,
                "program": str(output),
                "micro_ops": len(program.ops),
                "memory_bits": {
                    "weights": memory.weights,
                    "features": memory.features,
                    "program": memory.program,
                    "external": memory.external,
                },
            }
        )
        return
    print_text(
        f"{program.network} for {program.machine.name}: written to {output}\n"
        f"{len(program.ops):,} micro-ops ({bits(memory.program)}), "
        f"weights {bits(memory.weights)}, features {bits(memory.features)}"
    )


def show(
    file: File,
    emit: Annotated[
        Stage,
        typer.Option("--emit", parser=_stage, metavar="STAGE", help=", ".join(Stage) + "."),
    ] = Stage.GRAPH,
    network: NetworkName = None,
    size: Size = None,
    machine: Machine = None,
    optimize: Optimize = "cycles",
) -> None:
    """Print a stage of the compilation as text."""
    match emit:
        case Stage.TNN:
            print_text(_tnn(file, network, size))
        case Stage.SYNTAX:
            print_text(_syntax(file))
        case Stage.GRAPH:
            print_text(_graph(file, network, size))
        case Stage.MAPPING:
            from tdsl.lowering.printer import print_mapping

            print_text(print_mapping(_compiled(file, network, size, machine, optimize).plan))
        case Stage.ASSEMBLY:
            from tdsl_runtime.assembly import disassemble

            print_text(disassemble(_compiled(file, network, size, machine, optimize).program))


def _compiled(
    file: Path, network: str | None, size: str | None, machine: str | None, optimize: str
) -> "Compiled":
    from tdsl.api import load
    from tdsl.free_sizes import parse_size, sizes_from_size

    net = load(file, network, optimize=optimize)
    sizes = sizes_from_size(net.checked.graph, parse_size(size) if size else None)
    with waiting("compiling"):
        return net.compiled(net.machine(machine), sizes)


def _syntax(file: Path) -> str:
    from tdsl.cli.source_kind import need_text
    from tdsl.cli.syntax_text import print_syntax
    from tdsl.diagnostics import CompileError
    from tdsl.frontend.parser import parse, read_source

    need_text(file)
    text = read_source(file)
    module, mistakes = parse(text, str(file))
    if mistakes:
        raise CompileError(mistakes, {str(file): text})
    return print_syntax(module)


def _graph(file: Path, network: str | None, size: str | None) -> str:
    """The graph with its free sizes, or with those given."""
    from tdsl.ir.printer import print_graph

    return print_graph(_loaded(file, network, size)[1])


def _tnn(file: Path, network: str | None, size: str | None) -> str:
    """The network as a file of its own, for the folder of `file`."""
    from tdsl.frontend.emitter import emit_tnn, kernels_of
    from tdsl.ir.size import evaluate
    from tdsl.ir.tensor_type import TensorType

    net, graph, sizes = _loaded(file, network, size)
    stores = {name: _beside(file, path) for name, path in net.checked.stores.items()}
    kernels = {op.file: _beside(file, Path(op.file)) for op in kernels_of(graph)}
    declared = [
        TensorType(t.element, tuple(evaluate(s, sizes) for s in t.shape)) if sizes else t
        for t in net.checked.declared
    ]
    checked = net.checked
    return emit_tnn(
        graph, declared, stores, checked.target, kernels=kernels, layouts=checked.layouts
    )


def _beside(file: Path, path: Path) -> str:
    """The way from the folder of `file` to `path`."""
    return Path(os.path.relpath(path.resolve(), file.parent.resolve())).as_posix()


def _loaded(
    file: Path, network: str | None, size: str | None
) -> "tuple[Network, Graph, Mapping[str, int]]":
    """The network, its graph for the sizes given, and these sizes."""
    from tdsl.api import load
    from tdsl.free_sizes import parse_size, sizes_from_size

    net = load(file, network)
    graph = net.checked.graph
    sizes = sizes_from_size(graph, parse_size(size)) if size else {}
    return net, net.graph_at(sizes) if size else graph, sizes
