"""Kernels with mistakes: `«` stands before the primary mark of the last kernel of each file."""

TOP = "from __future__ import annotations; from tdsl import *\n"


def body(*lines: str, result: str = "U8[L]", arguments: str = "a: U8[L], b: U8[L]") -> str:
    """A file with one kernel of the given statements."""
    text = "".join(f"    {line}\n" for line in lines)
    return f"{TOP}@kernel\ndef f({arguments}) -> {result}:\n{text}"


def header(arguments: str, result: str = " -> U8[L]") -> str:
    """A file with one kernel of the given header."""
    return f"{TOP}@kernel\ndef «f({arguments}){result}:\n    return a\n"


def marked(arguments: str, result: str = " -> U8[L]") -> str:
    """The same, marked inside its header."""
    return header(arguments, result).replace("«f", "f", 1)


CASES: dict[str, list[str]] = {
    "K0101": [
        marked("a: U8[L], «b"),
        marked("a: U8[L], *«rest"),
        marked("a: U8[L], **«rest"),
        marked("a: «int"),
        marked("a: «u8[L]"),
        marked("a: «U40[L]"),
        marked("a: «np.ndarray"),
        marked("a: «U32[L]"),
        marked("a: U8[«3]"),
        marked("a: U8[«0, L]"),
        marked("a: U8[L, «256]"),
        marked("a: U8[L, «-1]"),
        marked('a: U8[«L, "wrap"]'),
        marked("a: U8[L] = «3"),
        marked("a: U8[L], n: Const[int] = «1 + 2"),
        marked("a: U8[L], n: «Const[str] = 1"),
        marked("a: U8[L]", " -> «str"),
        marked("a: U8[L]", " -> tuple[U8[L], «float]"),
        header("a: U8[L]", ""),
        header("a: Const[int]"),
        body("c: «int = a", "return c"),
    ],
    "K0102": [
        body("if «a < b:", "    a = b", "return a"),
        body("if «a:", "    a = b", "return a"),
        body("return a if «a < b else b"),
        body("c = a if «a < 3 and a > 1 else b", "return c"),
        body("return [x for x in [a, b] if «x > 1][0]"),
        body("if «not a < b:", "    a = b", "return a"),
    ],
    "K0103": [
        body("return min(a, «THR)") + "THR = 3\n",
        body("return min(a, «TABLE[0])") + "TABLE = [1, 2]\n",
        body("return min(a, static(«RATE))") + "RATE = 0.5\n",
        body("return min(a, static(«NAME))") + "NAME = 'x'\n",
        body("return min(a, «RATE)") + "RATE = 0.5\n",
    ],
    "K0104": [
        body("«while a > 0:", "    a = a - 1", "return a"),
        body("«try:", "    a = b", "except ValueError:", "    pass", "return a"),
        body("«with a:", "    a = b", "return a"),
        body("«class A:", "    pass", "return a"),
        body("«def g(x):", "    return x", "return a"),
        body("g = «lambda x: x", "return a"),
        body("«import os", "return a"),
        body("«global q", "return a"),
        body("«assert a", "return a"),
        body("«raise ValueError", "return a"),
        body("«del a", "return b"),
        body("«match a:", "    case 1:", "        pass", "return a"),
        body("return a + «0.5"),
        body('print(«"x")', "return a"),
        body('c = «f"{a}"', "return a"),
        body("c = «{1: a}", "return a"),
        body("c = «{a, b}", "return a"),
        body("if («c := 3) > 2:", "    pass", "return a"),
        body("c = «None", "return a"),
        body("c = «...", "return a"),
        body("c = («yield a)", "return a"),
        body("«a[0] = b", "return a"),
        body("«a.x = b", "return a"),
        body("c = «a.T", "return a"),
        body("c = [a]", "«c.sort()", "return a"),
    ],
    "K0105": [
        body("for i in «range(a):", "    b = a", "return b"),
        body("for i in «a:", "    b = a", "return b"),
        body("«c, d = 3", "return b"),
        body("c = [«*a]", "return b"),
        body("for x in «5:", "    b = a", "return b"),
    ],
    "K0106": [
        body("return «a + b"),
        body("return «a - b"),
        body("return «-a"),
        body("c = a * b", "return «c"),
        body("return «a + 1", result="Bits[L]"),
        body("return a, «a + b", result="tuple[U8[L], U8[L]]"),
        body("return «[a, a - b]", result="U8[2, L]"),
        body("return «300"),
        body("return «widen(a, I8)"),
        body("c: U8[L] = «a + b", "return c"),
        body("return «a + b", result="Trits[L]", arguments="a: Trits[L], b: Trits[L]"),
        TOP
        + "@kernel\ndef g(x: Bits[L]) -> Bits[L]:\n    return x\n"
        + "@kernel\ndef f(a: U8[L]) -> Bits[L]:\n    return «g(a)\n",
    ],
    "K0107": [
        body("return a + «c"),
        body("if False:", "    c = a", "return «c"),
        body("return min(a, «maxx)"),
        body("c = [x for x in [a]]", "return «x"),
    ],
    "K0108": [
        body("return «a / b"),
        body("return «a // b"),
        body("return «a // 3"),
        body("return «a // 0"),
        body("return «a % 10"),
        body("return «a ** 2"),
        body("return «a @ b"),
        body("return «a << b"),
        body("return «a >> -1"),
        body("return a + («1 // 0)"),
        body("return a if «n is b else b", arguments="a: U8[L], b: U8[L], n: Const[int] = 3"),
        body("return «a in [b]"),
    ],
    "K0109": [
        body("return «abss(a - b)"),
        body("return «np.abs(a - b)") + "import numpy as np\n",
        body("return «print(a)"),
        body("return «helper(a)") + "def helper(x):\n    return x\n",
        body("return «a(b)"),
        body("return «sorted([a, b])[0]"),
        body("return «nothing(a)"),
    ],
    "K0110": [
        body("return «mux(a < b, a)"),
        body("return «min()"),
        body("return min(a, «key=b)"),
        body("return «clip(a)"),
        body("return «clip(a, 5, 2)"),
        body("return «clip(a, b)"),
        body("return «widen(a, 8)"),
        body("return «wrap(a, Trits)"),
        body("return «histogram(a, 0)", result="list[int]"),
        body("return «histogram(a, b)", result="list[int]"),
        body("return «histogram(a, 257)", result="list[int]"),
        body("return «static(3)"),
        body("return «all(a)", result="int"),
        body("c = []", "«c.append(a, b)", "return a"),
        body("for i in «range(0, 3, 0):", "    pass", "return a"),
        body("«c, d = [a, b, a]", "return c"),
        body("return «min([])"),
        TOP
        + "@kernel\ndef g(x: U8[L], n: Const[int]) -> U8[L]:\n    return x\n"
        + "@kernel\ndef f(a: U8[L]) -> U8[L]:\n    return «g(a)\n",
        TOP
        + "@kernel\ndef g(x: U8[L], n: Const[int]) -> U8[L]:\n    return x\n"
        + "@kernel\ndef f(a: U8[L]) -> U8[L]:\n    return «g(a, a)\n",
        TOP
        + "@kernel\ndef g(x: U8[L]) -> U8[L]:\n    return x\n"
        + "@kernel\ndef f(a: U8[L]) -> U8[L]:\n    return «g(a, y=3)\n",
        TOP
        + "@kernel\ndef g(x: U8[L]) -> U8[L]:\n    return x\n"
        + "@kernel\ndef f(a: U8[L]) -> U8[L]:\n    return «g(a, x=a)\n",
    ],
    "K0111": [
        body("return a > 1 and «b", result="Bits[L]"),
        body("return «not a", result="Bits[L]"),
        body("return «mux(a, a, b)"),
        body("return «[a, b] + a"),
        body("return «[a] - [b]"),
        body("return «sum(a) + 1", result="int"),
        body("return «popcount(a - b)"),
        body("return «len(a)"),
        body("return «a & b", arguments="a: Trits[L], b: U8[L]", result="Trits[L]"),
        body("return «min"),
        body("return «f", result="U8[L]"),
        body("c = 3", "return «c[0]"),
    ],
    "K0113": [
        body("return «f(a, b)"),
        TOP
        + "@kernel\ndef g(x: U8[L]) -> U8[L]:\n    return «f(x)\n"
        + "@kernel\ndef f(a: U8[L]) -> U8[L]:\n    return g(a)\n",
    ],
    "K0114": [
        body("return a[«0]"),
        body("return a[«0, 1, 2]"),
        body("return a[«b, 1]"),
        body("return a[«0, 5000]"),
        body("c = [a, b]", "return c[«2]"),
        body("c = [a, b]", "return c[«-3]"),
        body("c = [a, b]", "c[«2] = a", "return c[0]"),
        body("c = [a, b]", "return c[«a]"),
        body("c = [a, b][:0]", "return c[«0]"),
        body("return a[«3]", arguments="a: U8[3, L]"),
    ],
    "K0115": [
        body("return «sum(a)"),
        body("return «a", result="int"),
        body("return «sum(a)", result="list[int]"),
        body("return «histogram(a, 4)", result="int"),
        body("return «a, b"),
        body("return «a", result="tuple[U8[L], U8[L]]"),
        body("return «[a]", result="U8[2, L]"),
        TOP + "@kernel\ndef «f(a: U8[L]) -> U8[L]:\n    b = a\n",
        TOP + "@kernel\ndef «f(a: U8[L]) -> U8[L]:\n    return\n",
        TOP
        + "@kernel\ndef «g(x: U8[L]) -> U8[L]:\n    pass\n"
        + "@kernel\ndef f(a: U8[L]) -> U8[L]:\n    return g(a)\n",
    ],
    "K0116": [
        body("return «a * a * a", arguments="a: U20[L]"),
        body("return «a << 60"),
        body("for i in «range(1 << 20):", "    pass", "return a"),
        body("return «2 ** 100000"),
        body("for i in «range(1 << 60):", "    pass", "return a"),
        body("c = [x for x in «range(1 << 80)]", "return a"),
        body("c = 3", "for i in range(99):", "    c = «c * c", "return a"),
        body("c = [a]", "for x in c:", "    «c.append(x)", "return a"),
        body("return sum(«a * a)", result="int", arguments="a: U20[L]"),
        body("return «a + (1 << 70)"),
    ],
    "K0117": [
        TOP + "@uop(opcode=256, cycles=1)\ndef «f(a: U8[L]) -> U8[L]:\n    return a\n",
        TOP + "@uop(opcode=1, cycles=0)\ndef «f(a: U8[L]) -> U8[L]:\n    return a\n",
        TOP + "@uop(opcode=1, cycles=1, energy=-1)\ndef «f(a: U8[L]) -> U8[L]:\n    return a\n",
        TOP + "@uop(opcode=1, cycles=1)\ndef «f(a: U8[L], n: Const[int]) -> U8[L]:\n    return a\n",
        TOP + "@uop(opcode=1, cycles=1)\ndef «f(a: U8[L]) -> int:\n    return sum(a)\n",
        TOP + "@uop(opcode=1, cycles=1)\ndef f(a: U8[L]) -> U8[L]:\n    return «a[0, 1]\n",
    ],
}
