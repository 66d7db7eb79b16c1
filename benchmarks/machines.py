"""A name, or a network -> the simulated machine it is timed on."""

from dataclasses import replace

from benchmarks.networks import Network
from tdsl_runtime.description import MachineDescription, load_machine

WIDE_LANES = "wide-lanes"


def machine_for(name: str | None, network: Network) -> MachineDescription:
    """The machine of a name or path; without one, `cutie-lanes` if its 96 macros do, else wider.

    `wide-lanes` is `cutie-lanes` with 128 macros of 1,152 lanes, so that 128 channels are one pass
    and one row, and with accumulators for two lots of 160 pixels. It is meant for speed: no area
    or energy is given for it.
    """
    if name is None:
        name = "cutie-lanes" if network.classifier is not None else WIDE_LANES
    if name != WIDE_LANES:
        return load_machine(name)
    return replace(
        load_machine("cutie-lanes"),
        name=WIDE_LANES,
        macro_columns=16,
        columns=1152,
        lanes=1152,
        channel_trits=384,
        gather_trits=128,
        accumulators=320,
    )
