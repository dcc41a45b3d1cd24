"""Simple families with loops over numbers."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import args, ints
from rftgym_transpile.corpus.family import Family, over

FAMILIES: Final = (
    Family(
        "sum-of-multiples",
        "train",
        "control flow",
        0.05,
        "$name",
        """
        static int $name(int n) {
            int total = 0;
            for (int i = 1; i <= n; i++) {
                if (i % $a == 0 $op i % $b == 0) {
                    total += i;
                }
            }
            return total;
        }
        """,
        """
        def $name(n):
            total = 0
            for i in range(1, n + 1):
                if i % $a == 0 $word i % $b == 0:
                    total += i
            return total
        """,
        args(ints(-3, 120, 3, 5, 6, 15, 8, 12)),
        [("range(1, n + 1)", "range(1, n)"), ("i % $b == 0", "i % $b == 1"), ("total += i", "total += 1")],
        over(
            name=("sumMultiples", "addSteps", "countMatches"),
            a=(3, 2, 4),
            b=(5, 7, 6),
            op=("||", "&&", "||"),
            word=("or", "and", "or"),
        ),
        simple=True,
    ),
    Family(
        "count-divisors",
        "test",
        "control flow",
        0.05,
        "$name",
        """
        static int $name(int n) {
            int count = $start;
            for (int i = $from; i <= n; i++) {
                if (n % i == 0 && i % $k != 0) {
                    count$step;
                }
            }
            return count;
        }
        """,
        """
        def $name(n):
            count = $start
            for i in range($from, n + 1):
                if n % i == 0 and i % $k != 0:
                    count $python
            return count
        """,
        args(ints(-2, 96, 1, 2, 6, 12, 36, 60, 7)),
        [("range($from, n + 1)", "range($from, n)"), (" and i % $k != 0", ""), ("n % i", "i % n")],
        over(
            name=("countDivisors", "rateFactor", "tally"),
            start=(0, 10, 1),
            **{"from": (1, 1, 2)},
            k=(5, 4, 3),
            step=("++", "--", " += i"),
            python=("+= 1", "-= 1", "+= i"),
        ),
        simple=True,
    ),
    Family(
        "alternating-sum",
        "train",
        "control flow",
        0.05,
        "$name",
        """
        static int $name(int n) {
            int sum = $start;
            for (int i = $first; i $cmp n; i++) {
                if (i % 2 == 0) {
                    sum -= i;
                } else {
                    sum += i$square;
                }
            }
            return sum;
        }
        """,
        """
        def $name(n):
            sum = $start
            for i in range($range):
                if i % 2 == 0:
                    sum -= i
                else:
                    sum += i$square
            return sum
        """,
        args(ints(-2, 60)),
        [("range($range)", "range(1, n + 2)"), ("i % 2 == 0", "i % 2 == 1"), ("sum -= i", "sum += i")],
        over(
            name=("alternatingSum", "walkSteps", "mixSeries"),
            start=(0, 5, 100),
            first=(1, 0, 3),
            cmp=("<=", "<", "<="),
            range=("1, n + 1", "n", "3, n + 1"),
            square=("", " * 2", " * i"),
        ),
        simple=True,
    ),
    Family(
        "halving-steps",
        "test",
        "control flow",
        0.1,
        "$name",
        """
        static int $name(int n) {
            int steps = 0;
            while (n > $stop && steps < $cap) {
                if (n % 2 == 0) {
                    n /= 2;
                } else {
                    n = n $op $add;
                }
                steps++;
            }
            return steps$result;
        }
        """,
        """
        def $name(n):
            steps = 0
            while n > $stop and steps < $cap:
                if n % 2 == 0:
                    n //= 2
                else:
                    n = n $op $add
                steps += 1
            return steps$result
        """,
        args(ints(-3, 200, 1, 2, 3, 7), shown=[(27,), (97,), (171,), (31,)]),
        [
            ("steps < $cap", "steps < $cap - 1"),
            ("n //= 2", "n /= 3"),
            ("n = n $op $add", "n = n $op $add * 2"),
        ],
        over(
            name=("halvingSteps", "countRuns", "measurePath"),
            stop=(1, 2, 1),
            cap=(20, 12, 30),
            op=("* 3 +", "* 3 +", "* 5 +"),
            add=(1, 3, 1),
            result=("", " + n", " * 2"),
        ),
        simple=True,
    ),
    Family(
        "digit-sum",
        "train",
        "arithmetic",
        0.05,
        "$name",
        """
        static int $name(int n) {
            int total = 0;
            while (n > 0) {
                int digit = n % $base;
                total += digit$change;
                n /= $base;
            }
            return total;
        }
        """,
        """
        def $name(n):
            total = 0
            while n > 0:
                digit = n % $base
                total += digit$change
                n //= $base
            return total
        """,
        args(ints(-20, 99999, 9, 10, 100, 909, 8, 255)),
        [("n //= $base", "n = n // $base - 1"), ("total += digit", "total = digit"), ("n > 0", "n > $base")],
        over(name=("sumDigits", "digitCount", "weighDigits"), base=(10, 2, 10), change=("", "", " * digit")),
        simple=True,
    ),
    Family(
        "largest-digit",
        "test",
        "arithmetic",
        0.05,
        "$name",
        """
        static int $name(int n) {
            int best = $start;
            n = Math.abs(n);
            while (n > 0) {
                int d = n % $base;
                if (d $cmp best) {
                    best = d;
                }
                n /= $base;
            }
            return best;
        }
        """,
        """
        def $name(n):
            best = $start
            n = abs(n)
            while n > 0:
                d = n % $base
                if d $cmp best:
                    best = d
                n //= $base
            return best
        """,
        args(ints(-9999, 99999, 9, 10, 907, -38, 77, 1234)),
        [
            ("n = abs(n)\n", "n = n + 0\n"),
            ("d $cmp best", "best $cmp d"),
            ("n //= $base", "n //= $base * $base"),
        ],
        over(
            name=("largestDigit", "lowestDigit", "topDigit"),
            start=(0, 9, -1),
            base=(10, 10, 8),
            cmp=(">", "<", ">"),
        ),
        simple=True,
    ),
    Family(
        "power-loop",
        "train",
        "arithmetic",
        0.15,
        "$name",
        """
        static $type $name(int base, int exponent) {
            $type result = 1;
            for (int i = 0; i < exponent; i++) {
                result *= base;
            }
            return result;
        }
        """,
        """
        def $name(base, exponent):
            result = 1
            for i in range(exponent):
                result = (result * base + 2**$half) % 2**$bits - 2**$half
            return result
        """,
        args(
            ints(-9, 9, 2, 3),
            ints(0, 10, 1),
            shown=[(10, 10), (2, 31), (-2, 31), (3, 21), (2, 63), (7, 40), (0, 0)],
        ),
        [
            ("result = (result * base + 2**$half) % 2**$bits - 2**$half", "result *= base"),
            ("range(exponent)", "range(exponent + 1)"),
        ],
        over(name=("power", "growBase"), type=("int", "long"), half=(31, 63), bits=(32, 64)),
        simple=True,
    ),
    Family(
        "savings-years",
        "test",
        "control flow",
        0.1,
        "$name",
        """
        static int $name(int balance, int target) {
            int years = 0;
            while (balance < target && years < $cap) {
                balance += balance / $part + $extra;
                years++;
            }
            return $result;
        }
        """,
        """
        def $name(balance, target):
            years = 0
            while balance < target and years < $cap:
                balance += int(balance / $part) + $extra
                years += 1
            return $result
        """,
        args(ints(-50, 100), ints(50, 500), shown=[(-15, 30), (-99, 10), (100, 100)]),
        [
            ("int(balance / $part)", "balance / $part"),
            ("balance < target", "balance <= target"),
            ("int(balance / $part)", "balance // $part"),
        ],
        over(
            name=("savingsYears", "growBalance", "stepsToTarget"),
            cap=(50, 20, 30),
            part=(10, 4, 3),
            extra=(1, 5, 2),
            result=("balance + years", "balance", "balance - years"),
        ),
        simple=True,
    ),
    Family(
        "perfect-number",
        "validation",
        "control flow",
        0.05,
        "$name",
        """
        static boolean $name(int n) {
            int sum = 0;
            for (int i = 1; i < n; i++) {
                if (n % i == 0) {
                    sum += i;
                }
            }
            return sum $cmp n && n > $low;
        }
        """,
        """
        def $name(n):
            sum = 0
            for i in range(1, n):
                if n % i == 0:
                    sum += i
            return sum $cmp n and n > $low
        """,
        args(ints(-5, 60, 18, 7), shown=[(0,), (1,), (2,), (6,), (12,), (28,), (24,), (496,)]),
        [("range(1, n)", "range(1, n + 1)"), (" and n > $low", ""), ("sum += i", "sum += 1")],
        over(name=("isPerfect", "isAbundant", "checkSum"), cmp=("==", ">", "<"), low=(1, 12, 3)),
        simple=True,
    ),
    Family(
        "gcd",
        "train",
        "arithmetic",
        0.1,
        "$name",
        """
        static int $name(int a, int b) {
            while (b != 0) {
                int t = a % b;
                a = b;
                b = t;
            }
            return $result;
        }
        """,
        """
        def $name(a, b):
            while b != 0:
                t = a - int(a / b) * b
                a = b
                b = t
            return $python
        """,
        args(ints(-90, 90), ints(-90, 90), shown=[(48, 36), (-48, 36), (17, 5), (0, 0), (10, -4)]),
        [("a - int(a / b) * b", "a % b"), ("return $python", "return b")],
        over(name=("gcd", "findUnit"), result=("a", "a * 2"), python=("a", "a * 2")),
        simple=True,
    ),
    Family(
        "subtracting-gcd",
        "test",
        "arithmetic",
        0.1,
        "$name",
        """
        static int $name(int a, int b) {
            int turns = 0;
            while (a != b && a > 0 && b > 0) {
                if (a > b) {
                    a -= b;
                } else {
                    b -= a;
                }
                turns++;
            }
            return $result;
        }
        """,
        """
        def $name(a, b):
            turns = 0
            while a != b and a > 0 and b > 0:
                if a > b:
                    a -= b
                else:
                    b -= a
                turns += 1
            return $result
        """,
        args(ints(-3, 60), ints(-3, 60), shown=[(48, 36), (17, 5), (7, 7), (0, 4), (5, 0)]),
        [("a > b:", "b > a:"), ("turns += 1", "turns += 2"), ("b -= a", "b -= 1")],
        over(name=("drain", "reduceParts", "balance"), result=("a + turns", "turns", "a * 100 + turns - b")),
        simple=True,
    ),
    Family(
        "nested-count",
        "train",
        "control flow",
        0.1,
        "$name",
        """
        static int $name(int n) {
            int count = 0;
            for (int i = $a; i <= n; i++) {
                for (int j = $b; j < n; j++) {
                    if ($test) {
                        count++;
                    }
                }
            }
            return count;
        }
        """,
        """
        def $name(n):
            count = 0
            for i in range($a, n + 1):
                for j in range($b, n):
                    if $test:
                        count += 1
            return count
        """,
        args(ints(-1, 16)),
        [("range($a, n + 1)", "range($a, n)"), ("range($b, n)", "range($b, n + 1)")],
        over(
            name=("countPairs", "tallyCells", "scanGrid"),
            a=(1, 1, 2),
            b=(0, 1, "i - 1"),
            test=("(i + j) % 3 == 0", "i * j % 3 == 1", "(i + j) % 3 == 0"),
        ),
        simple=True,
    ),
    Family(
        "product-pairs",
        "test",
        "control flow",
        0.1,
        "$name",
        """
        static int $name(int n, int k) {
            int total = $start;
            for (int i = 1; i < n; i++) {
                for (int j = 0; j <= i; j++) {
                    if ($test) {
                        total += $add;
                    }
                }
            }
            return total;
        }
        """,
        """
        def $name(n, k):
            total = $start
            for i in range(1, n):
                for j in range(i + 1):
                    if $test:
                        total += $add
            return total
        """,
        args(ints(0, 14), ints(0, 20)),
        [("range(i + 1)", "range(i)"), ("range(1, n)", "range(1, n + 1)"), ("total += $add", "total = $add")],
        over(
            name=("productPairs", "gridScore", "countCells"),
            start=(0, 7, -1),
            test=("i * j > k", "i + j == k", "i - j < k"),
            add=("1", "i", "j + 1"),
        ),
        simple=True,
    ),
    Family(
        "is-prime",
        "train",
        "control flow",
        0.05,
        "$name",
        """
        static boolean $name(int n) {
            if (n < $low) {
                return false;
            }
            for (int i = 2; i * i <= n; i++) {
                if (n % i == 0) {
                    return false;
                }
            }
            return true;
        }
        """,
        """
        def $name(n):
            if n < $low:
                return False
            i = 2
            while i * i <= n:
                if n % i == 0:
                    return False
                i += 1
            return True
        """,
        args(
            ints(-5, 130, 2, 3, 4, 9, 25, 49, 97, 121),
            shown=[(7,), (2,), (3,), (4,), (9,), (49,), (97,), (121,), (10,), (13,)],
        ),
        [("i * i <= n", "i * i < n"), ("n < $low", "n < 0"), ("n < $low", "n <= $low")],
        over(name=("isPrime", "testPrime"), low=(2, 7)),
        simple=True,
    ),
    Family(
        "skip-and-stop",
        "test",
        "control flow",
        0.1,
        "$name",
        """
        static int $name(int n, int limit) {
            int total = 0;
            for (int i = $from; i < n; i++) {
                if (i % $skip == 0) {
                    continue;
                }
                if (total > limit) {
                    break;
                }
                total += $add;
            }
            return total;
        }
        """,
        """
        def $name(n, limit):
            total = 0
            for i in range($range):
                if i % $skip == 0:
                    continue
                if total > limit:
                    break
                total += $add
            return total
        """,
        args(ints(0, 40), ints(-5, 150)),
        [("total > limit", "total >= limit + 9"), ("continue", "break"), ("break", "pass")],
        over(
            name=("skipAndStop", "collectPoints", "runTotal"),
            **{"from": (0, 1, 2)},
            range=("n", "1, n", "2, n"),
            skip=(3, 4, 5),
            add=("i", "i * 2", "i * i"),
        ),
        simple=True,
    ),
    Family(
        "countdown",
        "validation",
        "strings",
        0.1,
        "$name",
        """
        static String $name(int n) {
            StringBuilder sb = new StringBuilder();
            for (int i = n; i $cmp $low; i -= $step) {
                sb.append(i);
                sb.append('$mark');
            }
            return sb.toString();
        }
        """,
        """
        def $name(n):
            sb = ""
            for i in range(n, $end, -$step):
                sb += str(i)
                sb += "$mark"
            return sb
        """,
        args(ints(-3, 25)),
        [
            ("range(n, $end, -$step)", "range(n - 1, $end, -$step)"),
            ("range(n, $end, -$step)", "range(n, $end + 1, -$step)"),
            ('sb += "$mark"', 'sb = "$mark" + sb'),
        ],
        over(
            name=("countdown", "listSteps", "showSeries"),
            cmp=(">=", ">", ">="),
            low=(1, 0, 0),
            end=(0, 0, -1),
            step=(1, 2, 3),
            mark=(",", ";", "-"),
        ),
        simple=True,
    ),
)
