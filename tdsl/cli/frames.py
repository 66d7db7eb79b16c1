"""Frames -> results, several at a time on all cores, written out as they come."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tdsl.cli.terminal import print_note
from tdsl.execution import Result, Runner
from tdsl.images.port import Array, Frame, Port
from tdsl.images.writing import Destination

BATCH = 32
"""Frames simulated together, and between two steps of a progress bar."""
LARGEST_PRINTED = 4096
"""Values of an output that `--json` lists; larger ones are described."""

RunnerOf = Callable[[Mapping[str, Array]], Runner]


@dataclass(frozen=True, slots=True)
class Done:
    """One frame, what came out, and the files that it was written to by output name."""

    frame: Frame
    ports: tuple[Port, ...]
    result: Result
    files: Mapping[str, Path]

    def to_json(self, network: str) -> dict[str, Any]:
        """The object that `--json` prints for one frame."""
        return {
            "network": network,
            "machine": self.result.cost.machine,
            "input": self.frame.label,
            "outputs": {port.name: self._output(port) for port in self.ports},
            **self.result.cost.to_json(),
        }

    def _output(self, port: Port) -> Any:
        array = self.result[port.name]
        file = self.files.get(port.name)
        if file is None and array.size <= LARGEST_PRINTED:
            return array.tolist()
        return {"shape": list(array.shape), "file": None if file is None else str(file)}


def run_frames(
    frames: Iterator[Frame], runner_of: RunnerOf, destination: Destination | None
) -> Iterator[Done]:
    """Run all frames in their order and write their outputs to `destination`, if there is one."""
    while batch := list(islice(frames, BATCH)):
        for same in _by_size(batch):
            runner = runner_of(same[0].arrays)
            results = runner.run_many([frame.arrays for frame in same])
            for frame, result in zip(same, results, strict=True):
                files = destination.write(frame.label, result.outputs) if destination else {}
                yield Done(frame, runner.outputs, result, files)


def note_compilation() -> None:
    """Say why the first run of an installation takes long."""
    print_note("compiling the simulator for this processor: once after an installation, seconds")


def _by_size(frames: list[Frame]) -> Iterator[list[Frame]]:
    """Neighbours whose inputs have the same shapes."""
    run: list[Frame] = []
    for frame in frames:
        if run and _shapes(run[0]) != _shapes(frame):
            yield run
            run = []
        run.append(frame)
    yield run


def _shapes(frame: Frame) -> list[tuple[int, ...]]:
    return [array.shape for array in frame.arrays.values()]
