"""Networks of one layer: what a single step of either organisation computes."""

from hypothesis import strategies as st

from tdsl.ir.interpreter import run
from tdsl.lowering.steps import Array
from tests.builder import Builder, Case


@st.composite
def layers(draw: st.DrawFn) -> Case:
    """One layer on trits or pixels: a convolution, maybe pooling, thresholds or none."""
    b = Builder("layer", draw(st.integers(0, 1000)))
    elements = draw(st.sampled_from(["trit", "u8", "i4", "bin"]))
    groups = draw(st.sampled_from([1, 1, 2]))
    channels = groups * draw(st.integers(1, 4))
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 4)))
    dilation = draw(st.sampled_from([1, 1, 2]))
    reach = tuple((k - 1) * dilation + 1 for k in kernel)
    padding = tuple(draw(st.integers(0, 2)) for _ in range(4))
    shape = (reach[0] + draw(st.integers(0, 6)), reach[1] + draw(st.integers(0, 6)))
    x = b.input("img", elements, (channels, *shape))
    pad = draw(st.sampled_from([1, -1])) if elements == "bin" else 0
    stride = (draw(st.integers(1, 2)), draw(st.integers(1, 3)))
    y = b.conv(
        x,
        groups * draw(st.integers(1, 4)),
        kernel,
        stride=stride,
        padding=(padding[0], padding[1], padding[2], padding[3]),
        dilation=dilation,
        groups=groups,
        pad_value=pad,
    )
    if draw(st.booleans()) and min(b.shape(y)[1:]) >= 2:
        y = b.pool(
            y, draw(st.sampled_from(["max", "sum", "avg"])), 2, draw(st.sampled_from([1, 2]))
        )
    match draw(st.sampled_from(["ternarize", "binarize", "step", "quantize", "sums"])):
        case "ternarize":
            y = b.ternarize(y, draw(st.sampled_from(["plain", "tight", "extreme"])))
        case "binarize":
            y = b.binarize(y)
        case "step":
            y = b.step(y)
        case "quantize":
            y = b.quantize(y, "i3")
        case _:
            pass
    return b.case(y)


def case_value(case: Case) -> Array:
    """The network's one output, by the graph's own meaning."""
    (value,) = run(case.graph, case.arrays, case.inputs).values()
    return value
