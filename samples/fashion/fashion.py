"""The network of fashion.tnn as a Python function: the same steps, names and arrays."""

from tdsl import i16, network, u8, weights

P = weights("fashion.safetensors")


@network(P, outputs={"scores": i16[10], "class": u8[1]})
def fashion(img: u8[1, 28, 28]):
    """Ten kinds of clothing in 28x28 grey pixels."""
    x = img.thermometer(16)  # 16 ternary planes, 33 grey levels
    c1 = x.conv(32, 3).maxpool(2).ternarize()  # 14 x 14
    c2 = c1.conv(64, 3).ternarize()
    c3 = c2.conv(64, 3).maxpool(2).ternarize()  # 7 x 7
    c4 = c3.conv(64, 3).ternarize()
    c5 = c4.conv(128, 3).maxpool(2).ternarize()  # 3 x 3
    fc = c5.flatten().linear(10)
    return fc, fc.argmax()
