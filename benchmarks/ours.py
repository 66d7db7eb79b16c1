"""A network and a frame -> this simulator, warm, ready to run that frame on one thread."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

import tdsl
from benchmarks.machines import machine_for
from benchmarks.networks import Network, macs
from benchmarks.peers import Contestant, Frame, Kind
from benchmarks.reference import expected, thermometer
from benchmarks.tnn import write_tnn
from tdsl_runtime.packed import pack_trits
from tdsl_runtime.simulator import Simulator


def ours(network: Network, frame: Frame, machine: str | None) -> Contestant:
    """Compile the network's `.tnn` file for a machine; each run simulates the whole program.

    Networks of trits take and give packed trits, others take pixels.
    """
    with TemporaryDirectory() as folder:
        loaded = tdsl.load(write_tnn(network, Path(folder)))
    described = machine_for(machine, network)
    simulator = Simulator(loaded.compiled(described, {}).program)
    packed = {"img": pack_trits(frame)}

    def run() -> NDArray[np.generic]:
        if network.levels is None:
            (trits,) = simulator.run_packed(packed).outputs.values()
            return trits.words
        (result,) = simulator.run({"img": frame}).outputs.values()
        return result

    return Contestant(f"tdsl on {described.name}", Kind.OURS, run, macs(network, network.layers))


def check_ours(network: Network, frame: Frame, machine: str | None) -> None:
    """Refuse (ValueError) a simulator that does not compute the network's integers."""
    trits = frame if network.levels is None else thermometer(network.levels, frame)
    integers = expected(network, network.layers, trits)
    if network.levels is None:
        integers = pack_trits(integers).words
    if not np.array_equal(ours(network, frame, machine).run().ravel(), integers.ravel()):
        raise ValueError(f"the simulator does not compute {network.name}")
