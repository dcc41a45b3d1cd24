"""Families about control flow: switches, labels, do-while, machines of states."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import args, choice, grids, ints, longs, texts, wide_ints
from rftgym_transpile.corpus.family import Family, over

FAMILIES: Final = (
    Family(
        "days-in-month",
        "test",
        "control flow",
        0.3,
        "$name",
        """
        public static int $name(int year, int month) {
            boolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            return switch (month) {
                case 4, 6, 9, 11 -> $short;
                case 2 -> leap ? $leap : $plain;
                case 1, 3, 5, 7, 8, 10, 12 -> $long;
                default -> $other;
            };
        }
        """,
        """
        def $name(year, month):
            leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
            if month in (4, 6, 9, 11):
                return $short
            if month == 2:
                return $leap if leap else $plain
            if 1 <= month <= 12:
                return $long
            return $other
        """,
        args(
            choice(2024, 2023, 1900, 2000, -4, 2100),
            ints(-1, 14),
            shown=[(1900, 2), (2000, 2), (2024, 2), (2023, 2), (2023, 13), (2023, 11), (2023, 12)],
        ),
        [
            (" and (year % 100 != 0 or year % 400 == 0)", ""),
            ("(4, 6, 9, 11)", "(4, 6, 9)"),
            ("return $other", "return $long"),
        ],
        over(
            name=("daysInMonth", "monthLength", "seasonCode"),
            short=(30, "month * 10", "month * 2"),
            leap=(29, 366, -29),
            plain=(28, 365, -28),
            long=(31, "month * 10 + 1", "month"),
            other=(0, -1, "year"),
        ),
    ),
    Family(
        "switch-falls",
        "train",
        "control flow",
        0.35,
        "$name",
        """
        static int $name(int code, int start) {
            int total = start;
            switch (code % 5) {
                case 0:
                    total += $a;
                case 1:
                    total *= $b;
                    break;
                case 2:
                case 3:
                    total -= $c;
                default:
                    total++;
            }
            return total;
        }
        """,
        """
        def $name(code, start):
            total = start
            rest = abs(code) % 5 * (1 if code >= 0 else -1)
            if rest in (0, 1):
                if rest == 0:
                    total += $a
                total *= $b
            else:
                if rest in (2, 3):
                    total -= $c
                total += 1
            return total
        """,
        args(ints(-12, 12, -1, -4, 5, 2), ints(-50, 50)),
        [
            ("abs(code) % 5 * (1 if code >= 0 else -1)", "code % 5"),
            ("if rest == 0:", "if rest == 1:"),
            ("rest in (2, 3)", "rest == 3"),
        ],
        over(name=("switchTotal", "fallThrough", "scoreCode"), a=(10, 3, 7), b=(2, 3, 5), c=(4, 9, 1)),
    ),
    Family(
        "labelled-search",
        "train",
        "control flow",
        0.3,
        "$name",
        """
        static String $name(int[][] grid, int target) {
            int steps = 0;
            outer:
            for (int r = 0; r < grid.length; r++) {
                for (int c = 0; c < grid[r].length; c++) {
                    steps++;
                    if (grid[r][c] < 0) {
                        continue outer;
                    }
                    if (grid[r][c] $cmp target) {
                        steps += $bonus;
                        break outer;
                    }
                }
                steps += 10;
            }
            return "steps=" + steps;
        }
        """,
        """
        def $name(grid, target):
            steps = 0
            for row in grid:
                skipped = False
                for value in row:
                    steps += 1
                    if value < 0:
                        skipped = True
                        break
                    if value $cmp target:
                        return "steps=" + str(steps + $bonus)
                if not skipped:
                    steps += 10
            return "steps=" + str(steps)
        """,
        args(
            grids(ints(-2, 9), (0, 4), (1, 4), [], [[]]),
            ints(0, 9),
            shown=[([[1, 2], [3, 4]], 4), ([[1, -1, 4], [5]], 9)],
        ),
        [
            ("if not skipped:\n            steps += 10", "steps += 10"),
            ("skipped = True\n                break", "skipped = True\n                continue"),
            ("steps + $bonus", "steps"),
        ],
        over(name=("searchGrid", "labelledWalk", "probe"), cmp=("==", ">", ">="), bonus=(100, 7, 1000)),
    ),
    Family(
        "do-while-digits",
        "validation",
        "control flow",
        0.3,
        "$name",
        """
        static int $name(long n) {
            int count = 0;
            do {
                count$work;
                n /= $base;
            } while (n != 0);
            return count;
        }
        """,
        """
        def $name(n):
            count = 0
            while True:
                count $python
                n = abs(n) // $base * (1 if n >= 0 else -1)
                if n == 0:
                    return count
        """,
        args(longs(), shown=[(0,), (-1,), (9,), (10,), (-10,)]),
        [
            ("abs(n) // $base * (1 if n >= 0 else -1)", "abs(n) // $base // $base * (1 if n >= 0 else -1)"),
            ("count $python", "count += 3"),
        ],
        over(
            name=("digitCount", "lengthInBase", "signedDigits"),
            work=("++", "++", " += (int) (n % 2)"),
            base=(10, 2, 10),
            python=("+= 1", "+= 1", "+= abs(n) % 2 * (1 if n >= 0 else -1)"),
        ),
    ),
    Family(
        "parse-signed",
        "test",
        "control flow",
        0.45,
        "$name",
        """
        public static int $name(String text) {
            int i = 0, sign = 1;
            long value = 0;
            while (i < text.length() && text.charAt(i) == ' ') {
                i++;
            }
            if (i < text.length() && (text.charAt(i) == '-' || text.charAt(i) == '+')) {
                sign = text.charAt(i) == '-' ? -1 : 1;
                i++;
            }
            for (; i < text.length() && Character.isDigit(text.charAt(i)); i++) {
                value = value * $base + (text.charAt(i) - '0');
                if (value > Integer.MAX_VALUE) {
                    return $over;
                }
            }
            return (int) (sign * value);
        }
        """,
        """
        def $name(text):
            i = 0
            sign = 1
            value = 0
            while i < len(text) and text[i] == " ":
                i += 1
            if i < len(text) and text[i] in "+-":
                sign = -1 if text[i] == "-" else 1
                i += 1
            while i < len(text) and text[i].isdigit():
                value = value * $base + int(text[i])
                if value > 2147483647:
                    return $python
                i += 1
            return sign * value
        """,
        args(
            texts("0123456789-+ a", 0, 7),
            shown=[
                ("  -42abc",),
                ("+7",),
                ("2147483648",),
                ("-2147483648",),
                ("2147483647",),
                ("-",),
                ("99999999999999999999",),
                (" +-3",),
                ("-91283472332",),
            ],
        ),
        [
            ("if value > 2147483647:\n            return $python\n        ", ""),
            ('while i < len(text) and text[i] == " "', 'if i < len(text) and text[i] == " "'),
            ('in "+-"', '== "-"'),
        ],
        over(
            name=("parseSigned", "readNumber"),
            base=(10, 10),
            over=("sign == 1 ? Integer.MAX_VALUE : Integer.MIN_VALUE", "sign"),
            python=("2147483647 if sign == 1 else -2147483648", "sign"),
        ),
    ),
    Family(
        "traffic-machine",
        "train",
        "control flow",
        0.35,
        "$name",
        """
        enum Light { RED, GREEN, YELLOW }

        static String $name(String events) {
            Light light = Light.$start;
            int changes = 0;
            for (char e : events.toCharArray()) {
                Light next = light;
                switch (light) {
                    case RED -> { if (e == '$go') next = Light.GREEN; }
                    case GREEN -> { if (e == 's' || e == 'w') next = Light.YELLOW; }
                    case YELLOW -> next = e == '$go' ? Light.GREEN : Light.RED;
                }
                if (next != light) {
                    changes++;
                }
                light = next;
            }
            return light + ":" + changes + ":" + light.ordinal();
        }
        """,
        """
        def $name(events):
            lights = ["RED", "GREEN", "YELLOW"]
            light = "$start"
            changes = 0
            for e in events:
                following = light
                if light == "RED":
                    if e == "$go":
                        following = "GREEN"
                elif light == "GREEN":
                    if e in "sw":
                        following = "YELLOW"
                else:
                    following = "GREEN" if e == "$go" else "RED"
                if following != light:
                    changes += 1
                light = following
            return f"{light}:{changes}:{lights.index(light)}"
        """,
        args(texts("gswx", 0, 9), shown=[("gsgs",), ("swg",), ("gsxg",)]),
        [
            ('if e in "sw"', 'if e == "s"'),
            ("if following != light:\n            changes", "if True:\n            changes"),
            ('"GREEN" if e == "$go" else "RED"', '"RED"'),
        ],
        over(name=("lightAfter", "runLights"), start=("RED", "YELLOW"), go=("g", "x")),
    ),
    Family(
        "collatz-long",
        "train",
        "control flow",
        0.3,
        "$name",
        """
        static long $name(int start, int cap) {
            long n = start, peak = start;
            int steps = 0;
            do {
                n = (n & 1) == 0 ? n / 2 : $odd;
                peak = Math.max(peak, n);
            } while (n != 1 && n != 0 && ++steps < cap);
            return peak * $times + steps;
        }
        """,
        """
        def $name(start, cap):
            n = peak = start
            steps = 0
            while True:
                if n & 1 == 0:
                    n = abs(n) // 2 * (1 if n >= 0 else -1)
                else:
                    n = $odd
                peak = max(peak, n)
                if n == 1 or n == 0:
                    break
                steps += 1
                if steps >= cap:
                    break
            return peak * $times + steps
        """,
        args(ints(-30, 120, 27), ints(0, 40)),
        [
            ("steps >= cap", "steps > cap"),
            ("n == 1 or n == 0", "n == 1"),
            ("peak * $times + steps", "peak * $times + steps + 1"),
        ],
        over(name=("collatzPeak", "climbAndFall"), odd=("3 * n + 1", "5 * n - 1"), times=(1000, 7)),
    ),
    Family(
        "ternary-chain",
        "train",
        "control flow",
        0.25,
        "$name",
        """
        static String $name(int a, int b) {
            String sign = a > b ? "$more" : a < b ? "$less" : "=";
            int gap = a > b ? a - b : b - a;
            return gap > $limit ? sign + sign : gap == 0 ? "" + sign + gap : sign + gap / 2;
        }
        """,
        """
        def $name(a, b):
            gap = abs(a - b)
            sign = "$more" if a > b else "$less" if a < b else "="
            gap = (gap + 2**31) % 2**32 - 2**31
            if gap > $limit:
                return sign + sign
            if gap == 0:
                return sign + "0"
            return sign + str(int(gap / 2))
        """,
        args(
            wide_ints(),
            wide_ints(),
            shown=[(2147483647, -1), (-2147483648, 1), (5, 5), (9, 2), (2, 9), (-2147483648, 2147483647)],
        ),
        [
            ("gap = (gap + 2**31) % 2**32 - 2**31", "pass"),
            ("int(gap / 2)", "gap // 2"),
            ('"$less" if a < b else "="', '"$less"'),
        ],
        over(name=("compareText", "gapLabel"), more=(">", "up"), less=("<", "down"), limit=(100, 7)),
    ),
)
