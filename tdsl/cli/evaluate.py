"""`tdsl eval`: a network over a labelled data set, on all cores."""

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tdsl.cli.options import File, Json, Machine, NetworkName, Optimize
from tdsl.cli.terminal import print_json, print_tables, print_text, progress

if TYPE_CHECKING:
    from tdsl.api import Network
    from tdsl.evaluation import Dataset
    from tdsl.execution import Result, Runner

BATCH = 64


def evaluate(
    file: File,
    dataset: Annotated[
        Path,
        typer.Argument(metavar="DATASET", help="A .npz with `image` and `label` or `target`."),
    ],
    network: NetworkName = None,
    machine: Machine = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Only the first N images.")
    ] = None,
    reference: Annotated[
        bool,
        typer.Option("--reference", help="Compute the graph in NumPy too, and compare (slow)."),
    ] = False,
    optimize: Optimize = "cycles",
    json: Json = False,
) -> None:
    """Simulate a labelled data set: accuracy where it has labels, PSNR where it has targets."""
    from tdsl.api import load
    from tdsl.cli.frames import note_compilation
    from tdsl.evaluation import read_dataset

    net = load(file, network, optimize=optimize)
    data = read_dataset(dataset, net.inputs, limit)
    name = net.inputs[0].name
    sizes = net.sizes_of({name: data.images[0]})
    runner = net.runner(net.machine(machine), sizes, note_compilation)
    start = perf_counter()
    results = _simulate(runner, data, name)
    seconds = perf_counter() - start
    figures: dict[str, Any] = {
        "network": net.name,
        "machine": runner.program.machine.name,
        "input": str(dataset),
        "images": len(data),
        **_quality(data, results, runner),
        "cycles": results[0].cost.cycles,
        "energy_pj": sum(r.cost.energy_pj.typical for r in results) / len(results),
        "simulation_seconds": seconds,
    }
    if reference:
        figures |= _compare(net, sizes, data, results)
    if json:
        print_json(figures)
    else:
        _print(figures)


def _simulate(runner: "Runner", data: "Dataset", name: str) -> "list[Result]":
    from tdsl.evaluation import batches

    results: list[Result] = []
    with progress("simulating", len(data)) as step:
        for part in batches(len(data), BATCH):
            frames = [{name: image} for image in data.images[part]]
            results += runner.run_many(frames)
            step(len(frames))
    return results


def _quality(data: "Dataset", results: "list[Result]", runner: "Runner") -> dict[str, Any]:
    from tdsl.evaluation import check_judged, decision, likeness, picture_output

    check_judged(data, results[0].outputs)
    if data.labels is not None:
        right = sum(
            decision(result.outputs) == int(label)
            for result, label in zip(results, data.labels, strict=True)
        )
        return {"right": right, "accuracy": right / len(data)}
    name = picture_output(results[0].outputs, data.targets[0])
    port = next(port for port in runner.outputs if port.name == name)
    peak = port.high - port.low
    pairs = zip(results, data.images, data.targets, strict=True)
    found = [
        (likeness(result[port.name], target, peak), likeness(image, target, peak))
        for result, image, target in pairs
    ]
    after, before = (sum(column) / len(data) for column in zip(*found, strict=True))
    return {"psnr": after, "psnr_input": before}


def _compare(
    net: "Network", sizes: dict[str, int], data: "Dataset", results: "list[Result]"
) -> dict[str, Any]:
    """Compare each result with the meaning of the graph."""
    from tdsl.evaluation import decision
    from tdsl.ir.interpreter import run

    graph = net.graph_at(sizes)
    name = net.inputs[0].name
    equal = same = 0
    with progress("reference", len(data)) as step:
        for image, result in zip(data.images, results, strict=True):
            expected = run(graph, net.checked.arrays, {name: image})
            equal += all((expected[n] == result[n]).all() for n in expected)
            same += decision(expected) == decision(result.outputs)
            step(1)
    return {"reference": {"equal_outputs": equal, "equal_decisions": same}}


def _print(figures: dict[str, Any]) -> None:
    from rich.table import Table

    from tdsl.cli.units import energy, seconds

    images = figures["images"]
    print_text(f"{figures['network']} on {figures['machine']}: {figures['input']}\n")
    table = Table(box=None, pad_edge=False, show_header=False)
    if "accuracy" in figures:
        accuracy = f"{100 * figures['accuracy']:.2f} %"
        table.add_row("accuracy", f"{accuracy}: {figures['right']:,} of {images:,} images")
    else:
        table.add_row("PSNR", f"{figures['psnr']:.2f} dB (input {figures['psnr_input']:.2f} dB)")
    table.add_row("an image", f"{figures['cycles']:,} cycles, {energy(figures['energy_pj'])}")
    rate = images / figures["simulation_seconds"]
    spent = seconds(figures["simulation_seconds"])
    table.add_row("simulated", f"in {spent}: {rate:,.0f} images a second")
    if "reference" in figures:
        found = figures["reference"]
        table.add_row(
            "reference",
            f"{found['equal_decisions']:,} of {images:,} decisions and "
            f"{found['equal_outputs']:,} of {images:,} outputs are equal",
        )
    print_tables(table)
