"""Families about Java's numbers: overflow, shifts, casts, rounding."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import (
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    LONG_MIN,
    args,
    doubles,
    ints,
    longs,
    texts,
    wide_ints,
)
from rftgym_transpile.corpus.family import Family, over

WRAP: Final = "(n + 2**31) % 2**32 - 2**31"

FAMILIES: Final = (
    Family(
        "congruential",
        "test",
        "arithmetic",
        0.4,
        "$name",
        """
        static int $name(int seed, int rounds) {
            int state = seed;
            for (int i = 0; i < rounds; i++) {
                state = state * $a + $c;
            }
            return state $last;
        }
        """,
        """
        def $name(seed, rounds):
            state = seed
            for _ in range(rounds):
                state = (state * $a + $c + 2**31) % 2**32 - 2**31
            return $python
        """,
        args(wide_ints(), ints(0, 12)),
        [
            ("(state * $a + $c + 2**31) % 2**32 - 2**31", "(state * $a + $c) % 2**32"),
            ("(state * $a + $c + 2**31) % 2**32 - 2**31", "state * $a + $c"),
            ("return $python", "return state % 97"),
        ],
        over(
            name=("nextRandom", "lcg", "scramble"),
            a=(1103515245, 1664525, 69069),
            c=(12345, 1013904223, 1),
            last=(">> 16", "% 1000", "/ 7"),
            python=("state >> 16", "abs(state) % 1000 * (1 if state >= 0 else -1)", "int(state / 7)"),
        ),
    ),
    Family(
        "shift-mix",
        "train",
        "arithmetic",
        0.45,
        "$name",
        """
        static int $name(int h) {
            h ^= h >>> $a;
            h *= $m;
            h ^= h $shift $b;
            return h;
        }
        """,
        """
        def $name(h):
            h ^= (h % 2**32) >> $a
            h = (h * $m + 2**31) % 2**32 - 2**31
            h ^= $python >> $b
            return h
        """,
        args(wide_ints()),
        [
            ("(h % 2**32) >> $a", "h >> $a"),
            ("(h * $m + 2**31) % 2**32 - 2**31", "h * $m % 2**32"),
            ("h = (h * $m + 2**31) % 2**32 - 2**31", "h = h * $m"),
        ],
        over(
            name=("mixHash", "spreadBits", "avalanche"),
            a=(16, 20, 13),
            m=("0x45d9f3b", "31", "0x85ebca6b"),
            shift=(">>>", ">>", ">>>"),
            b=(15, 7, 16),
            python=("(h % 2**32)", "h", "(h % 2**32)"),
        ),
    ),
    Family(
        "midpoint",
        "train",
        "arithmetic",
        0.35,
        "$name",
        """
        static int $name(int low, int high) {
            return $formula;
        }
        """,
        """
        def $name(low, high):
            total = (low $op high + 2**31) % 2**32 - 2**31
            return $python
        """,
        args(
            wide_ints(),
            wide_ints(),
            shown=[(INT_MAX, INT_MAX), (INT_MIN, -1), (-7, 2), (-3, 0), (INT_MAX, -5)],
        ),
        [
            ("(low $op high + 2**31) % 2**32 - 2**31", "low $op high"),
            ("return $python", "return int(total / 4)"),
        ],
        over(
            name=("midpoint", "halfGap"),
            formula=("(low + high) / 2", "(low - high) / 2 + 1"),
            op=("+", "-"),
            python=("int(total / 2)", "int(total / 2) + 1"),
        ),
    ),
    Family(
        "floor-and-truncate",
        "test",
        "arithmetic",
        0.3,
        "$name",
        """
        static int[] $name(int a, int b) {
            return new int[]{a / b, a % b, Math.floorDiv(a, b), $last};
        }
        """,
        """
        def $name(a, b):
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            quotient = (quotient + 2**31) % 2**32 - 2**31
            rest = abs(a) % abs(b) * (1 if a >= 0 else -1)
            floor = (a // b + 2**31) % 2**32 - 2**31
            return [quotient, rest, floor, $python]
        """,
        args(
            wide_ints(),
            wide_ints(),
            shown=[(7, -2), (-7, 2), (-7, -2), (INT_MIN, -1), (5, 0), (-8, 4), (0, -3)],
        ),
        [
            ("abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)", "a // b"),
            ("abs(a) % abs(b) * (1 if a >= 0 else -1)", "a % b"),
            ("quotient = (quotient + 2**31) % 2**32 - 2**31\n", "quotient = quotient + 0\n"),
        ],
        over(
            name=("divideAll", "quotients", "fourWays"),
            last=("Math.floorMod(a, b)", "Math.abs(a % b)", "(a - a % b) / b"),
            python=("a % b", "abs(rest)", "quotient"),
        ),
    ),
    Family(
        "narrow-casts",
        "train",
        "arithmetic",
        0.4,
        "$name",
        """
        static int $name(int value) {
            $type small = ($type) value;
            $type more = ($type) (small $op $k);
            return small * $times + more;
        }
        """,
        """
        def narrow(n):
            return (n + 2**$half) % 2**$bits - 2**$half


        def $name(value):
            small = narrow(value)
            more = narrow(small $op $k)
            return small * $times + more
        """,
        args(wide_ints(), shown=[(127,), (128,), (255,), (-129,), (32767,), (32768,), (65535,), (-32769,)]),
        [
            ("(n + 2**$half) % 2**$bits - 2**$half", "n % 2**$bits"),
            ("narrow(small $op $k)", "small $op $k"),
            ("small = narrow(value)", "small = value"),
        ],
        over(
            name=("castByte", "castShort", "truncate"),
            type=("byte", "short", "byte"),
            op=("+", "*", "<<"),
            k=(100, 300, 2),
            times=(1000, 10, 3),
            half=(7, 15, 7),
            bits=(8, 16, 8),
        ),
    ),
    Family(
        "round-half-up",
        "validation",
        "arithmetic",
        0.4,
        "$name",
        """
        static long $name(double price, int count) {
            double total = price * count;
            return Math.round(total * $scale)$more;
        }
        """,
        """
        import math


        def $name(price, count):
            total = price * count
            return math.floor(total * $scale + 0.5)$more
        """,
        args(
            doubles(-20, 20, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, digits=1),
            ints(-3, 9),
            shown=[(0.5, 1), (2.5, 1), (-2.5, 1), (-0.5, 3), (1.25, 2), (0.25, 1), (0.125, 1)],
        ),
        [
            ("math.floor(total * $scale + 0.5)", "round(total * $scale)"),
            ("math.floor(total * $scale + 0.5)", "int(total * $scale + 0.5)"),
            ("price * count", "price * abs(count)"),
        ],
        over(name=("roundPrice", "toCents"), scale=(1, 2), more=("", " * 10")),
    ),
    Family(
        "cast-to-int",
        "test",
        "arithmetic",
        0.4,
        "$name",
        """
        static $type $name(double x) {
            double scaled = x * $by;
            $type whole = ($type) scaled;
            return whole $op 1;
        }
        """,
        """
        import math


        def $name(x):
            low, high = -(2**$half), 2**$half - 1
            scaled = x * $by
            whole = 0 if math.isnan(scaled) else int(max(low, min(high, scaled)))
            return (whole $op 1 + 2**$half) % 2**$bits - 2**$half
        """,
        args(
            doubles(-1000, 1000, 2.9, -2.9, 0.99),
            shown=[
                (3.7,),
                (-3.75,),
                (1e10,),
                (-1e10,),
                ({"$float": "nan"},),
                (1e300,),
                ({"$float": "-inf"},),
                (0.0,),
                (-0.0,),
                (2147483647.5,),
            ],
        ),
        [
            (
                "0 if math.isnan(scaled) else int(max(low, min(high, scaled)))",
                "0 if math.isnan(scaled) or math.isinf(scaled) else int(scaled)",
            ),
            ("int(max(low, min(high, scaled)))", "math.floor(max(low, min(high, scaled)))"),
            ("(whole $op 1 + 2**$half) % 2**$bits - 2**$half", "whole $op 1"),
        ],
        over(
            name=("castUp", "truncatePlus"),
            type=("int", "int"),
            by=("10.0", "0.5"),
            op=("+", "-"),
            half=(31, 31),
            bits=(32, 32),
        ),
    ),
    Family(
        "rotate-bits",
        "train",
        "arithmetic",
        0.4,
        "$name",
        """
        static int $name(int x, int n) {
            int turned = (x << n) | (x >>> -n);
            return $result;
        }
        """,
        """
        def $name(x, n):
            bits = x % 2**32
            n %= 32
            turned = (bits << n | bits >> (32 - n) % 32) % 2**32
            turned -= 2**32 if turned >= 2**31 else 0
            return $python
        """,
        args(wide_ints(), ints(-3, 40, 31, 32, 33)),
        [
            ("n %= 32", "n = abs(n)"),
            ("turned -= 2**32 if turned >= 2**31 else 0", "pass"),
            ("return $python", "return -turned"),
        ],
        over(
            name=("rotateLeft", "rotateMix"),
            result=("turned", "turned ^ x"),
            python=("turned", "turned ^ x"),
        ),
    ),
    Family(
        "bit-facts",
        "train",
        "arithmetic",
        0.35,
        "$name",
        """
        static int $name(int x) {
            int low = x & -x;
            int ones = Integer.bitCount(x);
            int zeros = Integer.$zeros(x);
            return ones * 100 + zeros$more;
        }
        """,
        """
        def $name(x):
            bits = x % 2**32
            low = x & -x
            ones = bin(bits).count("1")
            zeros = $python
            return ones * 100 + zeros$more
        """,
        args(wide_ints(), shown=[(0,), (INT_MIN,), (-1,), (12,), (1 << 20,)]),
        [
            ("bits = x % 2**32", "bits = abs(x)"),
            ("zeros = $python", "zeros = 31"),
            ('.count("1")', '.count("0")'),
        ],
        over(
            name=("bitFacts", "leadingFacts"),
            zeros=("numberOfTrailingZeros", "numberOfLeadingZeros"),
            more=(" + low % 2", " - low % 2"),
            python=("(bits & -bits).bit_length() - 1 if bits else 32", "32 - bits.bit_length()"),
        ),
    ),
    Family(
        "long-overflow",
        "train",
        "arithmetic",
        0.4,
        "$name",
        """
        static long $name(long a, int b) {
            long product = a * $k;
            int part = b * $k;
            return product $op part;
        }
        """,
        """
        def wrap(n, bits):
            return (n + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


        def $name(a, b):
            product = wrap(a * $k, 64)
            part = wrap(b * $k, 32)
            return wrap(product $op part, 64)
        """,
        args(longs(), wide_ints(), shown=[(LONG_MAX, INT_MAX), (LONG_MIN, INT_MIN), (3, 5), (LONG_MIN, 1)]),
        [
            ("wrap(b * $k, 32)", "wrap(b * $k, 64)"),
            ("wrap(a * $k, 64)", "wrap(a * $k, 32)"),
            ("return wrap(product $op part, 64)", "return product $op part"),
        ],
        over(name=("widen", "longMix", "bigGap"), k=(1000003, 65537, 77777), op=("+", "-", "*")),
    ),
    Family(
        "char-arithmetic",
        "test",
        "arithmetic",
        0.35,
        "$name",
        """
        static char $name(char c, int by) {
            if (c >= '$low' && c <= '$high') {
                return (char) ('$low' + (c - '$low' + by) % ('$high' - '$low' + 1));
            }
            c += by;
            return c;
        }
        """,
        """
        def $name(c, by):
            code = ord(c)
            low, high = ord("$low"), ord("$high")
            if low <= code <= high:
                span = high - low + 1
                moved = code - low + by
                rest = abs(moved) % span * (1 if moved >= 0 else -1)
                return chr(low + rest)
            return chr((code + by) % 65536)
        """,
        args(
            texts("azAZmM059!~", 1, 1),
            ints(-40, 60),
            shown=[
                ("a", -1),
                ("z", 1),
                ("A", 27),
                ("0", 12),
                ("!", 3),
                ("~", -5),
                ("Z", -60),
                ("9", 1),
                ("5", -30),
            ],
        ),
        [
            ("abs(moved) % span * (1 if moved >= 0 else -1)", "moved % span"),
            ("span = high - low + 1", "span = high - low"),
            ("(code + by) % 65536", "(code - by) % 65536"),
        ],
        over(name=("shiftChar", "turnLetter", "spinDigit"), low="aA0", high="zZ9"),
    ),
    Family(
        "compound-assign",
        "validation",
        "arithmetic",
        0.4,
        "$name",
        """
        static int $name(int n) {
            int x = n;
            x $op $factor;
            x += n++ + ++n;
            return x - n--;
        }
        """,
        """
        def wrap(n):
            return (n + 2**31) % 2**32 - 2**31


        def $name(n):
            x = $python
            x = max(-(2**31), min(2**31 - 1, x))
            x = wrap(x + n + wrap(n + 2))
            return wrap(x - wrap(n + 2))
        """,
        args(wide_ints(-(2**31), 2**31 - 1), shown=[(10,), (3,), (-5,), (INT_MAX,), (7,)]),
        [
            ("wrap(x + n + wrap(n + 2))", "wrap(x + n + n + 1)"),
            ("max(-(2**31), min(2**31 - 1, x))", "x + 1"),
            ("return wrap(x - wrap(n + 2))", "return wrap(x - n)"),
        ],
        over(
            name=("compound", "stepMix"),
            op=("*=", "/="),
            factor=("1.5", "0.3"),
            python=("int(n * 1.5)", "int(n / 0.3)"),
        ),
    ),
)
