"""The network of detect.tnn as a Python function: the same steps, names and arrays."""

from tdsl import concat, i16, network, sizes, u8, weights

P = weights("detect.safetensors")
H, W = sizes("H W")


@network(
    P,
    outputs={
        "heat": i16[1, H // 4, W // 4],
        "box": i16[4, H // 4, W // 4],
        "kind": i16[10, H // 4, W // 4],
    },
    where=[H % 4 == 0, W % 4 == 0],
    target="nearmem-16mb",
)
def detect(img: u8[1, H, W]):
    """A map of places, boxes and kinds, one cell for 4x4 pixels."""
    x = img.thermometer(16)
    c1 = x.conv(32, 3, stride=2).ternarize()
    c2 = c1.conv(48, 3).maxpool(2).ternarize()
    c3 = c2.conv(64, 3).ternarize()
    c4 = c3.conv(64, 3, dilation=2).ternarize()  # dilations widen the view
    c5 = c4.conv(64, 3, dilation=3).ternarize()
    c6 = c5.conv(64, 3, dilation=2).ternarize()
    c7 = c6.conv(64, 3).ternarize()
    out = concat(c2, c3, c4, c5, c6, c7).conv(15, 3)
    return out[0], out[1:5], out[5:15]
