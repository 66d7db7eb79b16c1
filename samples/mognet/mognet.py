"""The network of mognet.tnn as a Python function: the same steps, names and arrays."""

from tdsl import block, ca, i3, i17, mux, network, u8, weights

P = weights("mognet.safetensors")


@block
def factored(x, groups, seed):
    """1x1, grouped 3x3, then 1x1 whose weights a cellular automaton generates."""
    c = x.shape[0]
    return (
        x.conv(c, 1, label="p1")
        .quantize(i3, label="p1")
        .conv(c, 3, groups=groups, label="g")
        .quantize(i3, label="g")
        .conv(c, 1, w=ca(rule=30, seed=seed), label="p2")
        .quantize(i3, label="p2")
    )


@block
def mux_res(x, groups, seed):
    """Residual by multiplexer: one bit a channel picks new features or the halved old ones."""
    m = x.global_sum().step()
    f = factored(x, groups, seed)
    return mux(m, f, x >> 1)


@network(P, outputs={"scores": i17[10], "class": u8[1]}, target="nearmem-16mb")
def mognet(img: u8[3, 32, 32]):
    """CIFAR-10 after CEA's MOGNET."""
    s = img.thermometer(8).conv(96, 5, stride=4).quantize(i3)  # 8 x 8
    r1 = s
    for index in range(2):
        r1 = mux_res(r1, 16, 0x5EED + index, label=f"r1[{index}]")
    t = r1.conv(256, 1).maxpool(2).quantize(i3)  # 4 x 4
    r2 = t
    for index in range(3):
        r2 = mux_res(r2, 32, 0xACE1 + index, label=f"r2[{index}]")
    fc = r2.flatten().linear(10)
    return fc, fc.argmax()
