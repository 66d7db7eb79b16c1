"""Sources with mistakes of names, types, sizes and weights: `«` stands before the primary mark."""

from functools import partial

LIBRARY = """tnn 1
const CH = 4
const BAD = 1 // 0
block twice[C, H, W](x: trit[C, H, W]) -> trit[C, H, W] {
    return x -> a: conv(C, 3x3) -> ternarize -> b: conv(C, 3x3) -> ternarize
}
"""

BLOCKS = """
block part[C, H, W](x: trit[C, H, W], n: int, on: bool = true) -> trit[n, H, W]
    where n >= 2
{
    assert C % 2 == 0, "part: {C} channels are odd"
    return x -> conv(n, 3x3) -> ternarize if on
}
block halves[C, H, W](x: trit[C, H, W]) -> trit[C, H, W], trit[C, H, W] {
    return x, ~x
}
block even[C, H, W](x: trit[C, H, W]) -> trit[C, H, W] where H % 2 == 0 {
    return x
}
"""


def net(
    body: str,
    result: str = "trit[4, 8, 8]",
    x: str = "trit[4, 8, 8]",
    top: str = "",
    symbols: str = "",
    where: str = "",
    store: str = " from P",
    file: str = "none.npz",
) -> str:
    """A file with one network of the given statements, one a line."""
    lines = "\n".join(f"    {line.strip()}" for line in body.strip().splitlines())
    header = f"network n{symbols}(x: {x}) -> {result}{store}{where}"
    return f'tnn 1\nweights P = "{file}"\n{top}\n{header} {{\n{lines}\n}}\n'


held = partial(net, file="good.npz")
ANY = {"symbols": "[H, W]", "x": "trit[4, H, W]", "result": "trit[4, H, W]"}

CASES: dict[str, list[str]] = {
    "E0201": [
        net("return x -> conv(4, 3x3) -> «ternarise"),
        net("return x -> «relu"),
        net("return x -> «Batch_Norm"),
        net("return x -> «lib.twise", top='use "library.tnn" as lib'),
        net("return x -> «twice", top='use "library.tnn" as lib'),
        net("return x -> «part.twice", top=BLOCKS),
        net("return x -> «wheels.twice"),
        net("return x -> «m", top="network m(y: trit[1]) -> trit[1] {\n return y\n}"),
    ],
    "E0202": [
        net("return «y"),
        net("return xx -> conv(4, 3x3)".replace("xx", "«xx")),
        net("return x", symbols="[H, W]", x="trit[4, H, «Ww]"),
        net("return x -> b", top="block b[C](y: trit[C, 8, «D]) -> trit[C] {\n return y\n}"),
        net("return x | «part", top=BLOCKS),
        net("return x | «m", top="network m(y: trit[1]) -> trit[1] {\n return y\n}"),
        net("return x -> conv(lib.«CHS, 3x3)", top='use "library.tnn" as lib'),
        net("return x -> part(4, «offf)", top=BLOCKS),
        net("return x", store=" from «Q"),
        net("return x") + "check «m(P.a) == P.b\n",
        net(
            "return x -> even",
            top="block even[C, H, W](y: trit[C, H, W]) -> trit[C, H, W] {\n"
            'assert C == 5, «"{D} channels"\n return y\n}',
        ),
    ],
    "E0203": [
        net("c = x -> conv(4, 3x3) -> ternarize -> «conv(4, 3x3) -> ternarize\nreturn c"),
        net("c = (x -> conv(4, 3x3)) + (x -> «conv(4, 3x3))\nreturn c"),
        net("return x -> p: conv(4, 3x3) -> ternarize -> p: «conv(4, 3x3)"),
    ],
    "E0204": [
        net("c = x -> maxpool(1)\n«c = x\nreturn c"),
        net("«x = x\nreturn x"),
        net("«P = x\nreturn x"),
        net("return x", top='weights «P = "good.npz"'),
        net("return x", top="const «conv = 3"),
        net("return x", top="const «same = 3"),
        net("return x", top="block b[C](y: trit[C], «C: int) -> trit[C] {\n return y\n}").replace(
            "return x\n}", "v = x -> flatten -> b(3)\n    return x\n}"
        ),
        net("return x", symbols="[«P, W]", x="trit[4, P, W]"),
        net("return x, x", result="a: trit[4, 8, 8], «a: trit[4, 8, 8]"),
    ],
    "E0205": [
        net(
            "return x -> b",
            top="block b[C, H, W](y: trit[C, H, W]) -> trit[C, H, W] {\n return y -> «b\n}",
        ),
        net("return x", top='use «"case.tnn" as me'),
    ],
    "E0206": [
        net("return x", top='use «"nowhere.tnn" as lib'),
        net("return x", top='use «"good.npz" as lib'),
        net("return x", top='use «"2-blocks.tnn"'),
    ],
    "E0207": [
        net("«a, b = x -> maxpool(1)\nreturn a"),
        net("«a = x -> halves\nreturn a", top=BLOCKS),
        net("return «x, x"),
        net("return «x -> halves", top=BLOCKS),
    ],
    "E0208": [
        net("y = x").replace("n(", "«n("),
        net("return x\n«y = x"),
        net("return x", symbols="[«K]"),
        net("return x -> b", top="block b[«D](y: trit[4, 8, 8]) -> trit[4, 8, 8] {\n return y\n}"),
    ],
    "E0209": [net("return x", top='target a = "one.toml"\ntarget «b = "two.toml"')],
    "E0301": [
        net(
            "f = x -> conv(8, 3x3) -> ternarize\nreturn «mux(f != 0, f, x)", result="trit[8, 8, 8]"
        ),
        net("f = x -> maxpool(2)\nreturn «x | f"),
        net("return «concat(x, x -> flatten)"),
        net("s = x -> conv(3, 1x1) -> global_max -> step(t = 1)\nreturn «mux(s, x, x)"),
        net(
            "return «x -> b",
            top="block b[C, H](y: trit[C, H, H]) -> trit[C, H, H] {\n return y\n}",
            x="trit[4, 8, 9]",
            result="trit[4, 8, 9]",
        ),
    ],
    "E0302": [
        net("d = x -> maxpool(2) -> upsample(2)\nreturn «d | x", **ANY),
        net("d = x -> maxpool(2) -> upsample(2)\nreturn «d | x", **ANY, where=" where H % 2 == 0"),
        net("return «x -> maxpool(2) -> upsample(2)", **ANY),
        net("return «x | y", **ANY).replace(") ->", ", y: trit[4, W, H]) ->"),
    ],
    "E0303": [
        net("b = x -> binarize(t = 0)\nreturn b -> «conv(4, 3x3) -> ternarize"),
        net("b = x -> binarize(t = 0)\nreturn b -> «conv(4, 3x3, pad = 3) -> ternarize"),
        net("return x -> conv(4, 3x3, «pad_value = 1) -> ternarize"),
    ],
    "E0304": [
        net("return x -> conv(4, 3x3, «acc = i4) -> ternarize"),
        net("return x -> flatten -> linear(10, «acc = i8)", result="i16[10]"),
        net("return «x << 31", x="u8[4, 8, 8]"),
    ],
    "E0305": [
        net("return «x | x", x="i3[4, 8, 8]"),
        net("return «x & (x -> binarize(t = 0))"),
        net("return «~x", x="u8[4, 8, 8]"),
        net("return «mux(x, x, x)"),
        net("return x -> «thermometer(3)"),
        net("return x -> thermometer(3, «planes = i3)", x="u8[4, 8, 8]"),
        net("return x -> quantize(«trit)"),
        net("return x -> quantize(«i9)"),
        net("return x -> clip(«bin)"),
        net("return x -> clip(«i1)"),
        net("return x", x="«f32[4, 8, 8]"),
        net("return «x -> part(4)", top=BLOCKS, x="bin[4, 8, 8]"),
        net(
            "return «x -> b",
            x="i3[4, 8, 8]",
            top="block b[C](y: i8[C, 8, 8]) -> i8[C, 8, 8] {\n return y\n}",
        ),
    ],
    "E0306": [
        net("return x -> «linear(10)"),
        net("return x -> «conv(4, 3x3)", x="trit[4]"),
        net("return x -> «maxpool(2)", x="trit[4]"),
        net("return x", x="«trit[4, 8]"),
        net("return x -> «argmax"),
    ],
    "E0307": [
        net("return x -> «conv(4)"),
        net("return x -> maxpool(2, 2, «2)"),
        net("return x -> conv(4, 3x3, «strid = 2)"),
        net("return x -> conv(4, 3x3, «n = 2)"),
        net("return «concat(x)"),
        net("return concat(x, «y = x)"),
        net("return x -> «part", top=BLOCKS),
        net("return x -> part(4, true, «1)", top=BLOCKS),
        net("return x -> conv(4, 3x3, w = «ca(rule = 30))"),
        net("return x").replace("(x: trit[4, 8, 8])", "()").replace("n()", "«n()"),
        net("return x") + "check «n() == P.scores\n",
        net("return x") + "check n(P.image, «P.image) == P.scores\n",
    ],
    "E0308": [
        net("return x -> conv(«0, 3x3)"),
        net("return x -> conv(4, «x)"),
        net("return x -> conv(4, 3x3, «pad = [1, 2])"),
        net("return x -> conv(4, 3x3, «w = 3)"),
        net("return x -> ternarize(«lo = 0.5, hi = 1)"),
        net("return x -> ternarize(«lo = -1099511627776, hi = 1)"),
        net("return x -> ternarize(«lo = [0, 0, 0, 9999999999], hi = 1)"),
        net("return x -> conv(4, 3x3, «stride = 0)"),
        net("return x -> conv(4, 3x3, «pad = -1)"),
        net("return x -> part(«3x3)", top=BLOCKS),
        net(
            "return 4 -> b".replace("4", "«4"),
            top="block b[C](y: trit[C]) -> trit[C] {\n return y\n}",
        ),
        net(
            "return x -> b(«3)",
            top="block b(y: trit[4, 8, 8], k: dims) -> trit[4, 8, 8] {\n return y\n}",
        ),
        net(
            "return x -> b(3)",
            top="block b(y: trit[4, 8, 8], k: «float) -> trit[4, 8, 8] {\n return y\n}",
        ),
        net("return x -> maxpool(1) times «0"),
        net("return x -> conv(4, 3x3, w = ca(«rule = 256, seed = 1))"),
        net("return «4"),
        net("return x[«3x3]"),
        net("return x", x="trit[4, «true, 8]"),
        net("return x", x="trit[4, «0, 8]"),
        net("return x").replace("(x: ", "(«k: int, x: "),
        net("return «x >> 32", x="i8[4, 8, 8]"),
        net(
            "return x -> g -> g",
            top="block f[C, H, W](y: trit[C, H, W]) -> trit[C, H, W] {\n"
            " «return y -> maxpool(1) times 4096\n}\n"
            "block g[C, H, W](y: trit[C, H, W]) -> trit[C, H, W] {\n return y -> f times 4096\n}",
        ),
    ],
    "E0309": [
        net("return x -> «conv(4, 9x9, pad = valid)"),
        net("return x -> «maxpool(3x9)"),
    ],
    "E0310": [
        net("return x -> conv(4, 3x3, «groups = 3)"),
        net("return x -> conv(6, 3x3, «groups = 4)"),
        net("return x -> shuffle(«3)"),
        net("return x -> «pixel_shuffle(3)"),
        net("return «x[2..5]"),
        net("return «x[4]"),
    ],
    "E0311": [
        net("return x -> «flatten", **ANY),
        net("return x -> «global_sum", **ANY),
        net("return x -> «sum", **ANY),
        net("return x", symbols="[H, W]", x="trit[4, H, W]", result="trit[4, «H * W, 1]"),
    ],
    "E0312": [
        net("return x -> «part(1)", top=BLOCKS),
        net("return x -> «even", **ANY, top=BLOCKS),
        net("return x -> «even", top=BLOCKS, x="trit[4, 9, 8]", result="trit[4, 9, 8]"),
        net("return x", **ANY, where=" where «3 < 2"),
        net("return x", **ANY, where=" where H > 4, «H < 3"),
    ],
    "E0313": [
        net("return «x -> conv(4, 3x3)"),
        net("return «x -> maxpool(2)"),
        net("return «x -> flatten"),
        net("return x -> b", top="block b(y: trit[4, 8, 8]) -> bin[4, 8, 8] {\n return «y\n}"),
    ],
    "E0314": [
        net("return x -> «conv(4, 3x3)", symbols="[C]", x="trit[C, 8, 8]"),
        net("return x -> «ternarize", symbols="[C]", x="trit[C, 8, 8]"),
        net("return «x[0..1]", symbols="[C]", x="trit[C, 8, 8]"),
    ],
    "E0315": [
        net("return x -> maxpool(2) if «H > 8", **ANY),
        net("return x -> maxpool(2) if «3"),
        net("return x -> maxpool(8 // «0)"),
        net("return «x + 1"),
        net("return «x * x"),
        net("return «-x"),
        net("return x -> maxpool(«1 << 70)"),
        net("return x", top="const A = «4294967296 * 4294967296"),
        net("return «x[0..1, 2]"),
        net("return «x[*]"),
        net("return «3[0]"),
        net("return x.«w"),
        net("return «3(x)"),
        net("return x", **ANY, where=" where «H"),
        net("return x", **ANY, where=" where «H > 3 and W > 3"),
        net(
            "return x -> b",
            top="block b(y: trit[4, 8, 8]) -> trit[4, 8, 8] where «3 {\n return y\n}",
        ),
    ],
    "E0316": [
        net("return x -> «part(4)", top=BLOCKS, x="trit[3, 8, 8]"),
        net("assert «1 == 2\nreturn x"),
    ],
    "E0317": [
        net("return x") + "check «n(P.image)\n",
        net("return x") + "check n(P.image) == «[P.a, P.b]\n",
        net("return x") + "check n(«3) == P.scores\n",
    ],
    "E0401": [
        held("return x -> conv(4, 3x3, «w = P.weight) -> ternarize(lo = 0, hi = 0)"),
        held("g = x -> «conv(9, 5x5)\nreturn x"),
        held("c = x -> conv(4, 3x3) -> binarize(«t = P.tee)\nreturn c"),
        held("return x") + "check n(«P.imag) == P.scores\n",
    ],
    "E0402": [
        held("c = x -> «conv(4, 5x5) -> ternarize(lo = 0, hi = 0)\nreturn c"),
        held("c = x -> «conv(8, 3x3)\nreturn x"),
        held("c = x -> conv(2, 3x3, «w = P.c.w)\nreturn x"),
        held("c = x -> conv(3, 1x1, w = P.e.w) -> «ternarize\nreturn x"),
        held("return x -> quantize(u2, «th = [1, 2])"),
        held("return x -> ternarize(«lo = [1, 2], hi = 3)"),
        held("return x") + "check n(«P.scores) == P.scores\n",
    ],
    "E0403": [
        held("return x -> «ternarize(lo = 5, hi = 3)"),
        held("d = x -> «ternarize\nreturn d"),
        held("return x -> «ternarize(lo = P.c.lo, hi = -9)"),
    ],
    "E0404": [
        held("return x -> conv(4, 3x3, «w = P.floats) -> ternarize(lo = 0, hi = 0)"),
        held("return x -> conv(4, 3x3, «w = P.wide) -> ternarize(lo = 0, hi = 0)"),
        held("return x -> binarize(«t = P.nan)"),
        held("return x -> binarize(«t = P.huge)"),
        held("return x -> binarize(«t = P.text)"),
    ],
    "E0405": [
        held("return x", top='weights Q = «"nowhere.npz"'),
        held("return x", top='weights Q = «"cut.npz"'),
        held("return x", top='weights Q = «"cut.safetensors"'),
        held("return x", top='weights Q = «"pickled.npz"'),
        held("return x", top='weights Q = «"library.tnn"'),
        held("return x", top='weights Q = «"folder.npz"'),
        held(
            "return x -> conv(4, 3x3, «w = Q.c.w) -> ternarize(lo = 0, hi = 0)",
            top='weights Q = "short.safetensors"',
        ),
    ],
    "E0406": [
        held("return x", top=f'weights Q = "good.npz" sha256 «"{"0" * 64}"'),
        held("return x", top='weights Q = "good.npz" sha256 «"abc"'),
    ],
    "E0407": [
        held("return x -> quantize(u2, «th = [1, 3, 2])"),
        held("return x -> quantize(u2, «th = P.unsorted) -> ternarize(lo = 0, hi = 0)"),
    ],
    "E0408": [held("c = x -> «conv(4, 3x3)\nreturn c", store="")],
}
