"""Machines small enough for borders of words, macros and arrays to lie inside small images."""

from dataclasses import replace

from hypothesis import strategies as st

from tdsl_runtime.description import MachineDescription, load_machine


def machine(
    columns: int = 64,
    macros: int = 3,
    rows: int = 128,
    queue: int = 8,
    dma_bits: int = 64,
    gather_trits: int = 64,
    latch_cycles: int = 1,
) -> MachineDescription:
    """A machine of a few macros."""
    return replace(
        load_machine("nearmem-1mb"),
        name="small",
        macro_rows=1,
        macro_columns=macros,
        rows=rows,
        columns=columns,
        lanes=columns,
        queue=queue,
        dma_bits=dma_bits,
        gather_trits=gather_trits,
        latch_cycles=latch_cycles,
    )


machines: st.SearchStrategy[MachineDescription] = st.builds(
    machine,
    columns=st.sampled_from((64, 128, 192)),
    macros=st.sampled_from((1, 2, 3, 8, 9)),
    rows=st.sampled_from((16, 32, 200)),
    queue=st.sampled_from((1, 2, 8)),
    dma_bits=st.sampled_from((7, 64)),
    gather_trits=st.sampled_from((3, 64)),
    latch_cycles=st.sampled_from((1, 3)),
)
