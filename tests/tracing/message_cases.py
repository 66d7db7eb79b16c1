"""Python networks with mistakes: `«` stands before the primary mark."""

from tests.tracing.sources import case

PART = """
@block
def part(x, n):
    return x.conv(n, 3).ternarize()
"""
KERNEL = """
@kernel
def alike(a: U8[L], b: U8[L]) -> Bits[L]:
    return a == b

other = alike
"""
ANY = {"x": "trit[4, H, W]"}

CASES: dict[str, list[str]] = {
    "N0101": [
        case("s = x.global_sum()\nif «s > 0:\n    return x\nreturn s"),
        case("while «x:\n    pass\nreturn x"),
        case("return x if «x == 3 else ~x"),
        case("return «x and x"),
        case("return «0 < x < 3"),
        case("assert «x.sum()\nreturn x"),
        case("return «(x | x) in [~x]"),
    ],
    "N0102": [
        case("for c in «x:\n    pass\nreturn x"),
        case("return x.conv(«len(x), 3)"),
        case("return x.conv(«int(x), 3)"),
        case("return «float(x)"),
        case("import numpy\nreturn «numpy.asarray(x)"),
    ],
    "N0103": [
        case("x.maxpool(2)").replace("def n", "def «n"),
        case("return x, 3").replace("def n", "def «n"),
        case("return []").replace("def n", "def «n"),
    ],
    "N0104": [
        case("return x").replace("(x: trit[4, 8, 8])", "(«x)"),
        case("return x", x="«int"),
        case("return x").replace("(x: trit[4, 8, 8])", "(«x: trit[4, 8, 8] = 3)"),
        case("return x").replace("(x: trit[4, 8, 8])", "(x: trit[4, 8, 8], *«y)"),
        case("return x").replace("])", "]) -> «trit[4, 8, 8]"),
        case("return x", x="'nonsense[4]'").replace("def n", "def «n"),
        case("return x", decorator="«@network(P, outputs={'out': 8})").replace("«@", "@«"),
        case("return x", top="«n = network(P)(lambda x: x)").partition("@network")[0],
    ],
    "N0106": [
        case("return x.conv(4, «None)"),
        case("return x.conv(4, 3, «w={})"),
        case("return «x + 'text'.encode()"),
        case("return x.ternarize(lo=[1, None, 3, 4], hi=5)").replace("lo=[", "«lo=["),
    ],
    "N0107": [
        case("global kept\nkept = x\nreturn x") + "\n\n@network\ndef m(y: trit[1]):\n"
        "    return «kept | y\n",
        case("global kept\nkept = x\nreturn x") + "\nn.graph_at({})\nkept.«maxpool(2)\n",
    ],
    "N0108": [
        case("return x", top=PART + "\n«part(3, 4)"),
        case("return x", top="«concat(1, 2)"),
    ],
    "N0109": [
        case("return x", decorator='@«network("good.npz")'),
        case("return x", decorator="@«network(P, outputs=trit[4, 8, 8])"),
        case("return x", decorator="@«network(P, where=H % 2 == 0)"),
        case("return x", decorator="@«network(P, target=3)"),
        case("return x", decorator="@«network(P, layouts=['x'])"),
        case("return x", top="@«block\ndef part(x, label):\n    return x\n"),
        case("return x", decorator="@network(P)\n@«network(P)")
        .replace("@network(P)\n", "@«network(P)\n", 1)
        .replace("\n@«network(P)\ndef", "\n@network(P)\ndef"),
    ],
    "N0110": [
        case("return x", top="«1 / 0"),
        case("return x", top="def f(:\n    pass").replace("(:", "(«:"),
        case("return x", top="import «nothing_called_so").replace("import «", "«import "),
        case("return x", top="«exit(3)"),
        case("return x", top="«raise ValueError"),
    ],
    "N0112": [
        case("return «y"),
        case("return «mux(x)"),
        case("return «x.conv(4, 3, **{1: 2})"),
        case("return «[x][3]"),
    ],
    "E0201": [
        case("return x.«ternarise()"),
        case("return x.«relu()"),
        case("y = (\n    x.maxpool(2)\n    .«Batch_Norm()\n)\nreturn y"),
        case("return «m(x)", top="@network\ndef m(x: trit[1]):\n    return x\n"),
    ],
    "E0203": [
        case("c = x.conv(4, 3).ternarize().«conv(4, 3)\nreturn c"),
        case("for i in range(2):\n    c = x.«conv(4, 3)\nreturn c"),
        case("return part(part(x, 4), 4)", top=PART, file="none.npz").replace(
            "return x.conv", "return x.«conv", 1
        ),
    ],
    "E0204": [
        case("P = x.«maxpool(2)\nreturn P"),
        case("H = «x | x\nreturn H | x", **ANY),
        case("return x").replace("def n", "def «conv"),
        case("alike = «other(x, x)\nreturn alike", x="u8[1, 8, 8]", top=KERNEL),
        case("return other(x, x)", x="u8[1, 8, 8]", top=KERNEL).replace("def n", "def «alike"),
    ],
    "E0205": [
        case("return b(x)", top="@block\ndef b(x):\n    return b(x)\n").replace(
            "return b(x)\n", "return «b(x)\n", 1
        ),
    ],
    "E0207": [
        case("return «x.maxpool(2), x", decorator="@network(outputs={'a': trit[4, 4, 4]})"),
    ],
    "E0208": [
        case("return x", decorator="@network(where=[H % 2 == 0])").replace("def n", "def «n"),
        case("return x", x="trit[4, H // 2, 8]").replace("def n", "def «n"),
        case("return x", top='A = «sizes("")'),
    ],
    "E0301": [
        case("f = x.conv(8, 3).ternarize()\nreturn «mux(f != 0, f, x)", file="none.npz"),
        case("y = x.maxpool(2)\nreturn «x | y"),
        case("return «concat(x, x.flatten())"),
    ],
    "E0302": [
        case("d = x.maxpool(2).upsample(2)\nreturn «d | x", **ANY),
        case(
            "d = x.maxpool(2).upsample(2)\nreturn «d | x",
            decorator="@network(where=[H % 2 == 0])",
            **ANY,
        ),
    ],
    "E0303": [case("b = x.binarize(t=0)\nreturn b.«conv(4, 3)")],
    "E0304": [
        case("return x.conv(4, 3, «acc=i4).ternarize()"),
        case("return x.flatten().linear(10, «acc=i8)"),
        case("return «x << 31", x="u8[4, 8, 8]"),
    ],
    "E0305": [
        case("return «x | x", x="i3[4, 8, 8]"),
        case("return «~x", x="u8[4, 8, 8]"),
        case("return «mux(x, x, x)"),
        case("return x.quantize(«trit)"),
        case("return x.clip(«bin)"),
    ],
    "E0306": [
        case("return x.«linear(10)"),
        case("return x", x="«trit[4, 8]"),
    ],
    "E0307": [
        case("return x.«conv(4)"),
        case("return «part(x)", top=PART),
        case("return «part(x, 4, m=2)", top=PART),
        case("return x.maxpool(2, 2, «2)"),
        case("return x.conv(4, 3, «strid=2)"),
        case("return «concat(x)"),
        case("return x").replace("n(x: trit[4, 8, 8])", "«n()"),
    ],
    "E0308": [
        case("return x.conv(«0, 3)"),
        case("return x.conv(4, «'wide')"),
        case("return x.conv(4, 3, «pad=[1, 2])"),
        case("return x.conv(4, 3, «w=3)"),
        case("return x.ternarize(«lo=0.5, hi=1)"),
        case("return x.conv(4, 3, «w=P)"),
        case("return x.conv(4, 3, «label=3)"),
        case("return x.conv(4, 3, w=«ca(rule=300, seed=1))"),
        case("return «x['a']"),
        case("return «x[::2]"),
        case("return «x[:H]", **ANY),
        case("return x", x="«trit[0, 8, 8]"),
        case("return x", x="«trit['4', 8, 8]"),
        case("return x", x="«trit[4, 8, 2.5]"),
    ],
    "E0311": [
        case("return x", top="A = «H * W"),
        case("return x.conv(«H // W, 3)", **ANY),
        case("return x.«flatten()", **ANY),
    ],
    "E0312": [
        case("return x", decorator="@«network(where=[H % 2 == 0, H % 2 == 1])", **ANY),
        case("return x", decorator="@«network(where=[H - H == 1])", **ANY),
    ],
    "E0313": [
        case(
            "return «x.conv(4, 3)",
            decorator="@network(P, outputs={'a': trit[4, 8, 8]})",
            file="none.npz",
        ),
    ],
    "E0314": [case("return x.«conv(4, 3)", x="trit[H, 8, 8]")],
    "E0315": [
        case("return «x + 3"),
        case("return «x * 3"),
        case("return «3 - x"),
        case("return «-x"),
        case("return «abs(x)"),
        case("return «x / 2"),
        case("return «x @ x"),
        case("return «x ** 2"),
        case("if «H % 2 == 0:\n    return x\nreturn ~x", **ANY),
        case("return x", decorator="@«network(where=['H > 2'])"),
        case("return x", top="A = «H + 2.5"),
        case("return x", top="A = «H % 0"),
    ],
    "E0401": [
        case("x = x.«conv(4, 3).ternarize(lo=1, hi=2)\nreturn x"),
        case("return x.conv(4, 3, «w=P.conv.weight)"),
    ],
    "E0402": [case("c = x.«conv(8, 3)\nreturn c")],
    "E0403": [case("d = x.«ternarize()\nreturn d")],
    "E0404": [case("return x.conv(4, 3, «w=P.wide)")],
    "E0405": [
        case("return x.conv(4, 3, w=P.c.w)", file="cut.npz").replace("weights(", "«weights("),
        case("c = x.conv(4, 3)\nreturn c", file="nowhere.npz").replace("weights(", "«weights("),
        case("c = x.conv(4, 3)\nreturn c", file="good.txt").replace("weights(", "«weights("),
    ],
    "E0406": [
        case("return x.conv(4, 3, w=P.c.w)").replace(
            'weights("good.npz")', '«weights("good.npz", "12")'
        ),
    ],
    "E0501": [
        case("y = x.maxpool(2)\nreturn y", decorator="@«network(layouts={'z': 'pixels'})"),
    ],
    "E0502": [
        case("y = x.maxpool(2)\nreturn y", decorator="@«network(layouts={'y': 'rows'})"),
    ],
    "E0408": [case("c = x.«conv(4, 3)\nreturn c", decorator="@network")],
}
