"""Families about methods that call themselves."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import args, grids, ints, lists, texts
from rftgym_transpile.corpus.family import Family, over

FAMILIES: Final = (
    Family(
        "hanoi",
        "train",
        "recursion",
        0.35,
        "$name",
        """
        static int moves;

        static void move(int n, char from, char to, char via, StringBuilder log) {
            if (n == 0) {
                return;
            }
            move(n - 1, from, via, to, log);
            moves++;
            if (moves <= $shown) {
                log.append(from).append(to).append(' ');
            }
            move(n - 1, via, to, from, log);
        }

        static String $name(int discs) {
            moves = 0;
            StringBuilder log = new StringBuilder();
            move(discs, '$a', '$b', '$c', log);
            return log + "" + moves;
        }
        """,
        """
        def $name(discs):
            log = []

            def move(n, start, end, via):
                if n == 0:
                    return
                move(n - 1, start, via, end)
                log.append(start + end + " ")
                move(n - 1, via, end, start)

            move(discs, "$a", "$b", "$c")
            return "".join(log[:$shown]) + str(len(log))
        """,
        args(ints(0, 8)),
        [
            ("move(n - 1, start, via, end)", "move(n - 1, start, end, via)"),
            ("log[:$shown]", "log"),
            ('"$a", "$b", "$c"', '"$a", "$c", "$b"'),
        ],
        over(name=("hanoi", "solveTower"), shown=(7, 3), a="AL", b="CR", c="BM"),
    ),
    Family(
        "arrangements",
        "test",
        "recursion",
        0.45,
        "$name",
        """
        static void build(String rest, String made, List<String> out) {
            if ($stop) {
                out.add(made);
                return;
            }
            for (int i = 0; i < rest.length(); i++) {
                if (i > 0 && rest.charAt(i) == rest.charAt(i - 1)) {
                    continue;
                }
                build(rest.substring(0, i) + rest.substring(i + 1), made + rest.charAt(i), out);
            }
        }

        static List<String> $name(String letters) {
            List<String> out = new ArrayList<>();
            build(letters, "", out);
            return out;
        }
        """,
        """
        def $name(letters):
            out = []

            def build(rest, made):
                if $python:
                    out.append(made)
                    return
                for i, letter in enumerate(rest):
                    if i > 0 and letter == rest[i - 1]:
                        continue
                    build(rest[:i] + rest[i + 1 :], made + letter)

            build(letters, "")
            return out
        """,
        args(texts("abc", 0, 4, "aab", "abc", "abba", "xy"), count=20),
        [
            ("if i > 0 and letter == rest[i - 1]:\n                continue\n            ", ""),
            ("made + letter", "letter + made"),
            ("rest[i - 1]", "rest[0]"),
        ],
        over(
            name=("arrangements", "pickTwo"),
            stop=("rest.isEmpty()", "rest.isEmpty() || made.length() == 2"),
            python=("not rest", "not rest or len(made) == 2"),
        ),
    ),
    Family(
        "flood-fill",
        "train",
        "recursion",
        0.4,
        "$name",
        """
        static int $name(int[][] grid, int r, int c, int paint) {
            if (r < 0 || c < 0 || r >= grid.length || c >= grid[r].length) {
                return 0;
            }
            return fill(grid, r, c, grid[r][c], paint);
        }

        static int fill(int[][] grid, int r, int c, int old, int paint) {
            if (r < 0 || c < 0 || r >= grid.length || c >= grid[r].length || grid[r][c] != old || old == paint) {
                return 0;
            }
            grid[r][c] = paint;
            int size = 1;
            size += fill(grid, r + 1, c, old, paint) + fill(grid, r - 1, c, old, paint);
            size += fill(grid, r, c + 1, old, paint) + fill(grid, r$back, c - 1, old, paint);
            return size;
        }
        """,
        """
        def $name(grid, r, c, paint):
            def fill(r, c):
                if not (0 <= r < len(grid) and 0 <= c < len(grid[r])) or grid[r][c] != old or old == paint:
                    return 0
                grid[r][c] = paint
                return 1 + fill(r + 1, c) + fill(r - 1, c) + fill(r, c + 1) + fill(r$back, c - 1)

            if not (0 <= r < len(grid) and 0 <= c < len(grid[r])):
                return 0
            old = grid[r][c]
            return fill(r, c)
        """,
        args(
            grids(ints(0, 1), (1, 4), (1, 4), []),
            ints(-1, 3),
            ints(0, 3),
            ints(0, 2),
            shown=[
                ([[1, 1, 0], [0, 1, 0], [1, 0, 1]], 0, 0, 5),
                ([[1, 0], [0, 1]], 1, 1, 2),
                ([[3, 3], [3, 0]], 0, 1, 3),
            ],
        ),
        [
            (" or old == paint", " or r + c > 90"),
            ("+ fill(r, c + 1)", ""),
            ("def fill(r, c):", "grid = [row[:] for row in grid]\n\n    def fill(r, c):"),
        ],
        over(name=("floodFill", "paintDiagonal"), back=("", " - 1")),
    ),
    Family(
        "ackermann",
        "validation",
        "recursion",
        0.3,
        "$name",
        """
        static int $name(int m, int n) {
            if (m $cmp 0) {
                return n + $add;
            }
            if (n <= 0) {
                return $name(m - 1, 1);
            }
            return $name(m - 1, $name(m, n - 1));
        }
        """,
        """
        def $name(m, n):
            if m $cmp 0:
                return n + $add
            if n <= 0:
                return $name(m - 1, 1)
            return $name(m - 1, $name(m, n - 1))
        """,
        args(ints(0, 2), ints(-1, 4)),
        [("n + $add", "n + $add + 1"), ("n <= 0", "n <= 1"), ("$name(m - 1, 1)", "$name(m - 1, 0)")],
        over(name=("ackermann", "growFast"), cmp=("==", "<="), add=(1, 2)),
    ),
    Family(
        "memo-sequence",
        "train",
        "recursion",
        0.45,
        "$name",
        """
        private static final Map<Integer, Long> MEMO = new HashMap<>();

        static long $name(int n) {
            if (n < $order) {
                return $first;
            }
            Long known = MEMO.get(n);
            if (known != null) {
                return known;
            }
            long value = $next;
            MEMO.put(n, value);
            return value;
        }
        """,
        """
        from functools import lru_cache


        @lru_cache(maxsize=None)
        def $name(n):
            if n < $order:
                return $first
            value = $next
            return (value + 2**63) % 2**64 - 2**63
        """,
        args(ints(-3, 120, 92, 93, 90, 2, 3)),
        [
            ("return (value + 2**63) % 2**64 - 2**63", "return value"),
            ("n < $order", "n <= $order"),
            ("return $first", "return $first + 1"),
        ],
        over(
            name=("fibonacci", "tribonacci", "skipping"),
            order=(2, 3, 4),
            first=("n", "1", "n * n"),
            next=(
                "fibonacci(n - 1) + fibonacci(n - 2)",
                "tribonacci(n - 1) + tribonacci(n - 2) + tribonacci(n - 3)",
                "3 * skipping(n - 2) - skipping(n - 4)",
            ),
        ),
    ),
    Family(
        "subset-sums",
        "test",
        "recursion",
        0.35,
        "$name",
        """
        static int $name(int[] xs, int target) {
            return count(xs, 0, target, 0);
        }

        private static int count(int[] xs, int at, int left, int used) {
            if (at == xs.length) {
                return left == 0 && used $cmp $k ? 1 : 0;
            }
            return count(xs, at + 1, left, used) $op count(xs, at + 1, left - xs[at], used + 1);
        }
        """,
        """
        def $name(xs, target):
            def count(at, left, used):
                if at == len(xs):
                    return 1 if left == 0 and used $cmp $k else 0
                return count(at + 1, left, used) $op count(at + 1, left - xs[at], used + 1)

            return count(0, target, 0)
        """,
        args(
            lists(ints(-4, 6), 0, 7),
            ints(-3, 9),
            shown=[([1, 2, 3, 4], 5), ([0, 0, 0], 0), ([], 0), ([5], 5), ([1, 1, 2, 2], 3)],
        ),
        [("used $cmp $k", "used >= 0"), ("left == 0", "left <= 0"), ("used + 1", "used")],
        over(
            name=("subsetSums", "pairSums", "signedSubsets"),
            cmp=(">", "==", "<"),
            k=(0, 2, 4),
            op=("+", "+", "-"),
        ),
    ),
    Family(
        "binary-texts",
        "train",
        "recursion",
        0.35,
        "$name",
        """
        static List<String> $name(int n) {
            if (n <= 0) {
                return new ArrayList<>(List.of(""));
            }
            List<String> out = new ArrayList<>();
            for (String s : $name(n - 1)) {
                if (!s.endsWith("$no")) {
                    out.add(s + "0");
                }
                out.add($more);
            }
            return out;
        }
        """,
        """
        def $name(n):
            if n <= 0:
                return [""]
            out = []
            for s in $name(n - 1):
                if not s.endswith("$no"):
                    out.append(s + "0")
                out.append($more)
            return out
        """,
        args(ints(-1, 6)),
        [
            ('endswith("$no")', 'startswith("$no")'),
            ("out.append($more)", 'out.append(s + "11")'),
            ("n <= 0", "n <= 1"),
        ],
        over(name=("binaryTexts", "growTexts"), no=("0", "10"), more=('s + "1"', '"1" + s')),
    ),
    Family(
        "nested-brackets",
        "train",
        "recursion",
        0.5,
        "$name",
        """
        static int pos;

        static int $name(String s) {
            pos = 0;
            return parse(s);
        }

        static int parse(String s) {
            int total = $start;
            while (pos < s.length()) {
                char c = s.charAt(pos++);
                if (c == '(') {
                    total += $deep * parse(s);
                } else if (c == ')') {
                    return total;
                } else if (c >= '0' && c <= '9') {
                    total += c - '0';
                } else {
                    throw new IllegalArgumentException("at " + pos);
                }
            }
            return total;
        }
        """,
        """
        def $name(s):
            pos = 0

            def parse():
                nonlocal pos
                total = $start
                while pos < len(s):
                    c = s[pos]
                    pos += 1
                    if c == "(":
                        total += $deep * parse()
                    elif c == ")":
                        return total
                    elif "0" <= c <= "9":
                        total += int(c)
                    else:
                        raise ValueError(f"at {pos}")
                return total

            return parse()
        """,
        args(texts("12()3", 0, 9), shown=[("1(2(3))4",), ("12)34",), ("1x",), ("((",), ("(9)(9)",)]),
        [
            ('raise ValueError(f"at {pos}")', "pass"),
            ("$deep * parse()", "parse()"),
            ('elif c == ")":\n                return total', 'elif c == ")":\n                pass'),
        ],
        over(name=("weighNested", "depthScore"), start=(0, 1), deep=(2, 10)),
    ),
)
