"""The network of compress.tnn as a Python function: the same steps, names and arrays."""

from tdsl import i6, network, sizes, u8, weights

P = weights("compress.safetensors")
H, W = sizes("H W")


@network(
    P,
    outputs={"code": i6[40, H // 8, W // 8]},
    where=[H % 8 == 0, W % 8 == 0],
    target="nearmem-1mb",
)
def compress(img: u8[1, H, W]):
    """8x8 pixels become 40 small numbers, most of them 0."""
    code = img.conv(40, 8, stride=8, pad="valid").quantize(i6)
    return code
