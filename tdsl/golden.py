"""A `check` of a file, run on the simulator -> the diagnostic of what differs, if anything does."""

from collections.abc import Callable, Sequence

import numpy as np

from tdsl.api import Network
from tdsl.diagnostics import Diagnostic, Label
from tdsl.frontend.checked import GoldenArray, GoldenCheck
from tdsl.frontend.weights import WeightsError
from tdsl.images.fitting import fit_array
from tdsl.images.port import Array, Port
from tdsl.refusal import refusal
from tdsl_runtime.description import MachineDescription


def failure(
    net: Network,
    check: GoldenCheck,
    machine: MachineDescription,
    on_compile: Callable[[], None] | None = None,
) -> Diagnostic | None:
    """Run every case of `check`; None where all outputs are exactly those expected.

    Raises CompileError for arrays that cannot be read or do not fit the network.
    """
    inputs = {
        port.name: fit_array(_read(given), port, given.key)
        for port, given in zip(net.inputs, check.inputs, strict=True)
    }
    cases = [
        dict(zip(inputs, arrays, strict=True)) for arrays in zip(*inputs.values(), strict=True)
    ]
    runner = net.runner(machine, net.sizes_of(cases[0]), on_compile)
    results = runner.run_many(cases)
    for port, expected in zip(runner.outputs, check.expected, strict=True):
        computed = np.stack([result[port.name] for result in results])
        wanted = _expected(expected, port, len(cases))
        if not np.array_equal(computed, wanted):
            return _difference(net.name, port.name, computed, wanted, check)
    return None


def _read(array: GoldenArray) -> Array:
    if array.file is None:
        raise refusal(
            "E0714", f"the weights file of `{array.key}` is not there", remedy="put it in place"
        )
    try:
        return array.file.array(array.key)
    except WeightsError as error:
        raise refusal("E0714", error.message, note=error.note, remedy=error.help) from error


def _expected(array: GoldenArray, port: Port, cases: int) -> Array:
    frames: Sequence[Array] = fit_array(
        _read(array), Port(port.name, port.shape, -(1 << 31), (1 << 32) - 1), array.key
    )
    if len(frames) != cases:
        raise refusal(
            "E0714",
            f"`{array.key}` holds {len(frames)} cases, the inputs hold {cases}",
            remedy="store one expected output for each input",
        )
    return np.stack(frames)


def _difference(
    network: str, output: str, computed: Array, wanted: Array, check: GoldenCheck
) -> Diagnostic:
    differing = computed != wanted
    first = tuple(int(i) for i in np.argwhere(differing)[0])
    one_case = len(computed) == 1
    place = list(first[1:] if one_case else first)
    return Diagnostic(
        code="E0714",
        message=f"check of `{network}` failed: `{output}` differs in {int(differing.sum())} of "
        f"{differing.size} values",
        primary=Label(check.span, "this does not hold"),
        notes=(f"first at {place}: {computed[first]} computed, {wanted[first]} stored",),
        helps=("if the network was changed on purpose, store the new values in the weights file",),
    )
