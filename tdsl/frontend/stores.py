"""The weights files of a program: opened once, each array checked against what needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl.frontend.names import written_key
from tdsl.frontend.weights import WeightsError, WeightsFile
from tdsl.ir import ops
from tdsl.ir.op_error import OpError
from tdsl.ir.ops import Stored
from tdsl.ir.parameters import Integers, resolve


@dataclass(slots=True)
class Stores:
    """Weights files by the name of their declaration; None where one could not be opened."""

    files: Mapping[str, WeightsFile | None]
    arrays: dict[Stored, Integers] = field(default_factory=dict[Stored, Integers])
    """What operations use so far, validated."""

    def bind(self, op: ops.Op) -> None:
        """Read and check every stored parameter of `op`. Raises OpError."""
        for role, parameter in _parameters(op).items():
            if isinstance(parameter, Stored):
                self._load(role, parameter, ternary=isinstance(op, ops.Conv | ops.Linear))
        if isinstance(op, ops.Ternarize):
            self._check_order(op)
        elif isinstance(op, ops.Quantize):
            self._check_levels(op)

    def _load(self, role: str, stored: Stored, *, ternary: bool) -> None:
        file = self.files.get(stored.store)
        if file is None or stored in self.arrays:
            return
        if stored.key not in file.shapes:
            raise _no_array(role, stored, file)
        shape = file.shapes[stored.key]
        if not _fits(shape, stored.shape, ternary=ternary):
            raise _wrong_shape(role, stored, file, shape)
        values = read_integers(file, stored.key, role, ternary=ternary)
        self.arrays[stored] = np.ascontiguousarray(np.broadcast_to(values, stored.shape))

    def _check_order(self, op: ops.Ternarize) -> None:
        if not self._known(op.lo) or not self._known(op.hi):
            return
        lo, hi = np.broadcast_arrays(resolve(op.lo, self.arrays), resolve(op.hi, self.arrays))
        crossed = np.flatnonzero(hi < lo - 1)
        if not crossed.size:
            return
        first = int(crossed[0])
        raise OpError(
            code="E0403",
            message="the lower threshold is above the upper one",
            label=f"channel {first}: lo = {lo.flat[first]}, hi = {hi.flat[first]}",
            notes=(
                f"{crossed.size} of {lo.size} channels are affected, "
                f"read from {self._origin(op.lo, op.hi)}",
                "`ternarize` gives +1 above hi, -1 below lo, 0 from lo to hi",
            ),
            helps=(
                "a negative batch-norm scale swaps the two: "
                "on export negate that channel's weights, lo and hi",
            ),
        )

    def _check_levels(self, op: ops.Quantize) -> None:
        if not isinstance(op.th, Stored) or not self._known(op.th):
            return
        values = self.arrays[op.th]
        falling = np.argwhere(np.diff(values, axis=-1) < 0)
        if not falling.size:
            return
        channel, level = (int(i) for i in falling[0])
        before, after = values[channel, level], values[channel, level + 1]
        raise OpError(
            code="E0407",
            message="the thresholds of `quantize` are not in rising order",
            label=f"channel {channel}: threshold {level} is {before}, {level + 1} is {after}",
            argument="th",
            notes=(f"they are read from {self._origin(op.th)}",),
            helps=("sort them along the last axis when exporting",),
        )

    def _known(self, parameter: ops.Parameter) -> bool:
        return not isinstance(parameter, Stored) or parameter in self.arrays

    def _origin(self, *parameters: ops.Parameter) -> str:
        """The arrays behind the parameters, by file: "`c.lo` and `c.hi` in `net.npz`"."""
        keys: dict[str, list[str]] = {}
        for parameter in parameters:
            if isinstance(parameter, Stored):
                file = self.files[parameter.store]
                name = file.name if file is not None else parameter.store
                keys.setdefault(name, []).append(f"`{parameter.key}`")
        return ", ".join(f"{' and '.join(found)} in `{name}`" for name, found in keys.items())


def read_integers(file: WeightsFile, key: str, role: str, *, ternary: bool) -> Integers:
    """The array `key` as int64. Raises OpError unless every value is an integer (or a trit)."""
    try:
        raw = file.array(key)
    except WeightsError as error:
        raise OpError(
            code="E0405",
            message=error.message,
            argument=role,
            notes=(error.note,),
            helps=(error.help,),
        ) from error
    if raw.dtype.kind not in "biuf":
        raise _bad_values(file, key, role, f"it holds {raw.dtype}, not integers")
    at = _first_wrong(raw, ternary=ternary)
    if at is not None:
        index = f" at {list(at)}" if at else ""
        needed = "-1, 0 or +1" if ternary else "an integer of 32 bits"
        raise _bad_values(file, key, role, f"{raw[at]}{index} is not {needed}")
    return raw.astype(np.int64)


def _parameters(op: ops.Op) -> dict[str, ops.Parameter]:
    match op:
        case ops.Conv(weight=weight) | ops.Linear(weight=weight):
            return {"w": weight}
        case ops.Ternarize(lo=lo, hi=hi):
            return {"lo": lo, "hi": hi}
        case ops.Binarize(t=t) | ops.Step(t=t):
            return {"t": t}
        case ops.Quantize(th=th):
            return {"th": th}
        case _:
            return {}


def _fits(shape: tuple[int, ...], needed: tuple[int, ...], *, ternary: bool) -> bool:
    """Thresholds may be fewer: () for (C,), (levels - 1,) for (C, levels - 1)."""
    return shape == needed or (not ternary and shape == needed[1:])


def _first_wrong(raw: NDArray[Any], *, ternary: bool) -> tuple[int, ...] | None:
    high = 1 if ternary else (1 << 32) - 1
    low = -1 if ternary else -(1 << 31)
    wrong = ~((raw >= low) & (raw <= high))
    if raw.dtype.kind == "f":
        whole = np.where(wrong, 0, raw)
        wrong |= whole != np.floor(whole)
    if not wrong.any():
        return None
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))


def _bad_values(file: WeightsFile, key: str, role: str, reason: str) -> OpError:
    return OpError(
        code="E0404",
        message=f"array `{key}` of `{file.name}` cannot be used here",
        label=reason,
        argument=role,
        helps=("round and check the values when exporting; `save_packed` writes such files",),
    )


def _no_array(role: str, stored: Stored, file: WeightsFile) -> OpError:
    shape = "x".join(map(str, stored.shape)) or "one-element"
    count = f"{len(file.shapes)} array{'s' * (len(file.shapes) != 1)}"
    note, helps = f"the file holds {count}", tuple[str, ...]()
    nearest = _nearest(role, stored, file)
    if nearest is not None:
        note += f"; the closest is `{nearest}` {file.shapes[nearest]}"
        helps = (f"write `{role} = {written_key(stored.store, nearest)}`",)
    article = "an" if shape[0] in "8o" or shape.split("x")[0] in ("11", "18") else "a"
    return OpError(
        code="E0401",
        message=f"`{file.name}` has no array `{stored.key}`",
        label=f"{article} {shape} array is needed here",
        argument=role,
        notes=(note,),
        helps=helps,
    )


def _nearest(role: str, stored: Stored, file: WeightsFile) -> str | None:
    """Of the arrays that fit, the one whose name is most alike; never one of another role."""
    others = {"w", "lo", "hi", "t", "th"} - {role}
    ternary = role == "w"
    fitting = [
        k
        for k, s in file.shapes.items()
        if _fits(s, stored.shape, ternary=ternary) and k.rpartition(".")[2] not in others
    ]
    alike = sorted(
        fitting,
        key=lambda key: (
            key.rpartition(".")[2] == role,
            SequenceMatcher(None, key, stored.key).ratio(),
        ),
    )
    return alike[-1] if alike else None


def _wrong_shape(role: str, stored: Stored, file: WeightsFile, shape: tuple[int, ...]) -> OpError:
    notes = [f"`{file.name}` holds `{stored.key}` with shape {shape}"]
    if role == "w" and len(shape) == len(stored.shape):
        apart = [
            i for i, sizes in enumerate(zip(shape, stored.shape, strict=True)) if len({*sizes}) > 1
        ]
        what = (
            {0: "output channels", 1: "input channels"}
            if len(shape) > 2
            else {0: "outputs", 1: "inputs"}
        )
        if len(apart) == 1 and apart[0] in what:
            verb = "receives" if apart[0] == 1 else "gives"
            notes.append(
                f"the array expects {shape[apart[0]]} {what[apart[0]]}, "
                f"this layer {verb} {stored.shape[apart[0]]}"
            )
    return OpError(
        code="E0402",
        message=f"array `{stored.key}` does not fit this operation",
        label=f"needs shape {stored.shape}",
        argument=role,
        notes=tuple(notes),
    )
