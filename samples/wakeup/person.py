"""The network of person.tnn as a Python function: the same steps, names and arrays."""

from tdsl import i16, network, sizes, u8, weights

P = weights("person.safetensors")
H, W = sizes("H W")


@network(
    P,
    outputs={"heat": i16[1, H // 8, W // 8]},
    where=[H % 8 == 0, W % 8 == 0],
    target="nearmem-1mb",
)
def person(img: u8[1, H, W]):
    """A map with one cell for 8x8 pixels, high on walking people."""
    x = img.thermometer(16)
    c1 = x.conv(32, 3, stride=2).ternarize()
    c2 = c1.conv(48, 3).maxpool(2).ternarize()
    c3 = c2.conv(64, 3).ternarize()
    c4 = c3.conv(64, 3).maxpool(2).ternarize()
    c5 = c4.conv(64, 3).ternarize()
    c6 = c5.conv(64, 3, dilation=2).ternarize()
    return c6.conv(1, 3, label="heat")
