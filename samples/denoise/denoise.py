"""The network of denoise.tnn as a Python function: the same steps, names and arrays."""

from tdsl import clip, concat, i8, network, sizes, u8, weights

P = weights("denoise.safetensors")
H, W = sizes("H W")


@network(P, outputs={"clean": u8[1, H, W]}, target="nearmem-16mb")
def denoise(img: u8[1, H, W]):
    """Estimate the noise of a grey picture of any size, and subtract it."""
    x = img.thermometer(16)  # 16 ternary planes, 33 grey levels
    e1 = x.conv(48, 3).ternarize()
    e2 = e1.conv(48, 3).ternarize()
    e3 = e2.conv(48, 3, dilation=2).ternarize()  # dilations widen the view: 23 x 23 pixels
    e4 = e3.conv(48, 3, dilation=3).ternarize()
    e5 = e4.conv(48, 3, dilation=2).ternarize()
    e6 = e5.conv(48, 3).ternarize()
    noise = concat(x, e1, e2, e3, e4, e5, e6).conv(1, 3).quantize(i8)
    return clip(img - noise, u8)
