"""Where the inputs of a row program come from, where its outputs go, and where its tiles lie."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PortSource:
    """An input that comes from an input port of the machine, tile by tile, by BANDIN."""

    port: int


@dataclass(frozen=True, slots=True)
class BufferSource:
    """An input that comes from a line buffer by SPREAD.

    Channel `c` of the input is channel `channel + c` of the buffer, a sum of `2^j` times plane `j`.
    What lies outside the image is the buffer's pad: the input's own border does not count.
    """

    buffer: int
    planes: int = 1
    channel: int = 0


@dataclass(frozen=True, slots=True)
class PortSink:
    """An output that goes to an output port of the machine, tile by tile, by BANDOUT."""

    port: int


@dataclass(frozen=True, slots=True)
class BufferSink:
    """An output that goes to a line buffer by PACK, in sign-magnitude over `planes` planes.

    Channel `c` of the output becomes channel `channel + c` of the buffer.
    """

    buffer: int
    planes: int = 1
    channel: int = 0


Source = PortSource | BufferSource
Sink = PortSink | BufferSink


@dataclass(frozen=True, slots=True)
class Walk:
    """Which pixel is the first one of a tile: line `floor(counter[lines] / div) * down + top`,
    pixel `counter[pixels] * right + left` of the plane of the inputs.

    `lines` and `pixels` are loop counters; 0 is no counter.
    """

    lines: int = 0
    div: int = 1
    down: int = 0
    top: int = 0
    pixels: int = 0
    right: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """A tile of `lines x width` pixels in raster order, `pitch` columns from line to line.

    `macros` are those that its columns, with all neighbours needed, lie in.
    """

    lines: int
    width: int
    pitch: int
    macros: int
