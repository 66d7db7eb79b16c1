"""The network of cifar.tnn as a Python function: the same steps, names and arrays."""

from tdsl import i13, network, u8, weights

P = weights("cifar.safetensors")


@network(P, outputs={"scores": i13[10], "class": u8[1]}, target="nearmem-16mb")
def cifar(img: u8[3, 32, 32]):
    """Ten kinds of things in 32x32 colour pixels."""
    x = img.thermometer(12)  # 12 ternary planes a colour, 25 levels
    c1 = x.conv(48, 3).ternarize()
    c2 = c1.conv(64, 3).maxpool(2).ternarize()  # 16 x 16
    c3 = c2.conv(128, 3).ternarize()
    c4 = c3.conv(128, 3).maxpool(2).ternarize()  # 8 x 8
    c5 = c4.conv(192, 3).ternarize()
    c6 = c5.conv(192, 3).maxpool(2).ternarize()  # 4 x 4
    c7 = c6.conv(192, 3).ternarize()
    fc = c7.flatten().linear(10)
    return fc, fc.argmax()
