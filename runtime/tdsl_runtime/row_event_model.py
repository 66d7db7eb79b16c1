"""How long row micro-ops take, for the event model: a second opinion that shares no code with
`timing.py`.

Micro-op, machine, ports, loop counters and buffers in; cycles busy and latency out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tdsl_runtime.description import MachineDescription
from tdsl_runtime.isa import MicroOp, Opcode, Unit
from tdsl_runtime.program import Port

ROW_UNITS: dict[Opcode, Unit] = {
    **{opcode: Unit.ARRAY for opcode in Opcode if Opcode.LOGIC <= opcode <= Opcode.UOP},
    Opcode.BANDIN: Unit.DMA,
    Opcode.BANDOUT: Unit.DMA,
    Opcode.REGOUT: Unit.DMA,
}


@dataclass(frozen=True, slots=True)
class RowSize:
    """What the size of a row micro-op depends on: `active` macros, and what the program set."""

    machine: MachineDescription
    inputs: Sequence[Port]
    outputs: Sequence[Port]
    counters: Sequence[int]
    buffers: Mapping[int, MicroOp]
    active: int

    def of(self, op: MicroOp) -> tuple[int, int]:
        """Cycles busy, and the latency behind them."""
        machine, latch = self.machine, self.machine.latch_cycles
        match op.opcode:
            case Opcode.LOGIC | Opcode.SUM | Opcode.SUMI:
                return latch + op["n"], 1
            case Opcode.SELECT:
                return latch + op["n"] + 1, 1
            case Opcode.CMP:
                return latch + 1 + (op["an"] if op["an"] > op["bn"] else op["bn"]), 1
            case Opcode.CMPI:
                return latch + 1 + max(op["an"], _length(op["imm"])), 1
            case Opcode.MOVE:
                distance = op["by"] if op["by"] > 0 else -op["by"]
                hops = distance // machine.columns + f"{distance % machine.columns:b}".count("1")
                return latch + op["n"] * (1 + hops), 1
            case Opcode.COUNT:
                gathered = 8 * self.active / machine.gather_trits
                latency = machine.tree_cycles + machine.gather_cycles
                return latch + _up(gathered) + op["an"], latency
            case Opcode.UOP:
                return op["cycles"], 0
            case Opcode.SPREAD | Opcode.PACK:
                width = min(machine.channel_trits, machine.gather_trits)
                return _up(self._turned(op) * op["n"] / width), machine.gather_cycles
            case _:
                return 1 + self._transfer(op), machine.dma_cycles

    def _transfer(self, op: MicroOp) -> int:
        if op.opcode is Opcode.REGOUT:
            bits = op["n"] * _port_bits(self.outputs[op["port"]])
            return _up(bits / self.machine.dma_bits)
        reads = op.opcode is Opcode.BANDIN
        port = (self.inputs if reads else self.outputs)[op["port"]]
        pixels = self._inside(op, 0, port.width, port.height)
        rows = op["n"] if reads else op["an"]
        sent = _up(pixels * _port_bits(port) / self.machine.dma_bits)
        return max(sent, _up(pixels * rows / 2 / self.machine.gather_trits))

    def _turned(self, op: MicroOp) -> int:
        """Pixels that a SPREAD or PACK moves."""
        buffer = self.buffers[op["buffer"]]
        low, high = 0, buffer["image_width"]
        if op.opcode is Opcode.PACK:
            first = self.counters[buffer["strip"]] * buffer["step"] - buffer["halo"]
            low, high = max(low, first), min(high, first + buffer["width"])
        return self._inside(op, low, high, buffer["image_height"])

    def _inside(self, op: MicroOp, low: int, high: int, height: int) -> int:
        """Pixels of a tile in columns low..high-1 of the lines of an image."""
        x = self.counters[op["xcounter"]] * op["xmul"] + op["xoff"]
        y = self.counters[op["counter"]] // op["div"] * op["mul"] + op["off"]
        pixels = sum(low <= x + i < high for i in range(op["width"]))
        return pixels * sum(0 <= y + k < height for k in range(op["lines"]))


def _up(quotient: float) -> int:
    whole = int(quotient)
    return whole + (whole < quotient)


def _length(number: int) -> int:
    """Bits of a number: unsigned, or two's complement if it is negative."""
    bits = 1
    while not (number < 1 << bits if number >= 0 else number >= -(1 << bits - 1)):
        bits += 1
    return bits


def _port_bits(port: Port) -> int:
    high = _length(port.high) if port.high > 0 else 1
    return high if port.low >= 0 else max(high + 1 if port.high > 0 else 1, _length(port.low))
