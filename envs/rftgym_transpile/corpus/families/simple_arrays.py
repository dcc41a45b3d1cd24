"""Simple families about arrays of numbers."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import args, ints, lists
from rftgym_transpile.corpus.family import Family, over

VALUES: Final = lists(ints(-20, 40), 0, 9)

FAMILIES: Final = (
    Family(
        "sum-where",
        "train",
        "arrays",
        0.05,
        "$name",
        """
        static int $name(int[] xs, int limit) {
            int total = 0;
            for (int x : xs) {
                if (x $cmp limit) {
                    total += $add;
                }
            }
            return total;
        }
        """,
        """
        def $name(xs, limit):
            total = 0
            for x in xs:
                if x $cmp limit:
                    total += $add
            return total
        """,
        args(VALUES, ints(-10, 20), shown=[([5, 5, 6, -1], 5), ([0, 3], 0)]),
        [("x $cmp limit", "x == limit"), ("total += $add", "total = $add"), ("total = 0", "total = 1")],
        over(name=("sumWhere", "addOver", "countBelow"), cmp=(">", ">=", "<"), add=("x", "x - limit", "1")),
        simple=True,
    ),
    Family(
        "count-in-range",
        "test",
        "arrays",
        0.05,
        "$name",
        """
        static int $name(int[] values, int low, int high) {
            int count = 0;
            for (int i = $start; i < values.length; i++) {
                if (values[i] $lower low && values[i] $upper high) {
                    count$step;
                }
            }
            return count;
        }
        """,
        """
        def $name(values, low, high):
            count = 0
            for i in range($range):
                if values[i] $lower low and values[i] $upper high:
                    count $python
            return count
        """,
        args(VALUES, ints(-10, 5), ints(5, 30), shown=[([0, 5, 10, 5], 5, 10), ([10, 9, 0, 0], 0, 10)]),
        [(" and values[i] $upper high", ""), ("low and", "low or"), ("values[i] $lower low and ", "")],
        over(
            name=("countInRange", "sumBetween", "tallyBand"),
            start=(0, 1, 0),
            range=("len(values)", "1, len(values)", "len(values)"),
            lower=(">=", ">", ">"),
            upper=("<=", "<", "<="),
            step=("++", " += values[i]", " += i"),
            python=("+= 1", "+= values[i]", "+= i"),
        ),
        simple=True,
    ),
    Family(
        "index-of-best",
        "train",
        "arrays",
        0.1,
        "$name",
        """
        static int $name(int[] nums) {
            int best = 0;
            for (int i = 1; i < nums.length; i++) {
                if (nums[i] $cmp nums[best]) {
                    best = i;
                }
            }
            return best$result;
        }
        """,
        """
        def $name(nums):
            best = 0
            for i in range(1, len(nums)):
                if nums[i] $cmp nums[best]:
                    best = i
            return best$result
        """,
        args(VALUES, shown=[([3, 9, 9, 1],), ([4, 1, 1, 7],), ([2, 2],)]),
        [("best = i", "best = nums[i]"), ("$cmp", "!="), ("best = 0", "best = 1")],
        over(name=("indexOfMax", "findLow", "seekPeak"), cmp=(">", "<", ">="), result=("", " + 1", "")),
        simple=True,
    ),
    Family(
        "longest-run",
        "test",
        "arrays",
        0.1,
        "$name",
        """
        static int $name(int[] data) {
            int best = 0;
            int current = 0;
            for (int i = 0; i < data.length; i++) {
                if (data[i] $test) {
                    current$step;
                } else {
                    current = 0;
                }
                best = Math.max(best, current);
            }
            return best;
        }
        """,
        """
        def $name(data):
            best = 0
            current = 0
            for i in range(len(data)):
                if data[i] $test:
                    current $python
                else:
                    current = 0
                best = max(best, current)
            return best
        """,
        args(
            lists(ints(-3, 6), 0, 12), shown=[([1, 2, 3, -1, 4],), ([2, 2, 2, 1, 2],), ([0, 0, 5, 5, 5, 1],)]
        ),
        [
            ("current = 0\n        best", "best = 0\n        best"),
            ("max(best, current)", "current"),
            ("current = 0\n    for", "current = 1\n    for"),
        ],
        over(
            name=("longestRun", "bestStreak", "peakLoad"),
            test=("> 0", "% 2 == 0", "!= 1"),
            step=("++", "++", " += data[i]"),
            python=("+= 1", "+= 1", "+= data[i]"),
        ),
        simple=True,
    ),
    Family(
        "is-sorted",
        "train",
        "arrays",
        0.05,
        "$name",
        """
        static boolean $name(int[] a) {
            for (int i = 0; i < a.length - 1; i++) {
                if (a[i] $cmp a[i + 1]$more) {
                    return false;
                }
            }
            return true;
        }
        """,
        """
        def $name(a):
            for i in range(len(a) - 1):
                if a[i] $cmp a[i + 1]$more:
                    return False
            return True
        """,
        args(
            lists(ints(-5, 30), 0, 5),
            shown=[
                ([1, 2, 3],),
                ([1, 1, 2],),
                ([3, 2, 1],),
                ([2, 2, 2],),
                ([1, 5, 2],),
                ([4, 2, 8],),
                ([1, 4, 8, 12],),
            ],
        ),
        [
            ("range(len(a) - 1)", "range(len(a) - 2)"),
            ("return True", "return False"),
            ("a[i] $cmp a[i + 1]", "a[i] == a[i + 1]"),
        ],
        over(name=("isSorted", "isFalling", "checkGap"), cmp=(">", "<", ">="), more=("", "", " - 2")),
        simple=True,
    ),
    Family(
        "weighted-sum",
        "test",
        "arrays",
        0.05,
        "$name",
        """
        static int $name(int[] xs, int base) {
            int result = $start;
            for (int i = 0; i < xs.length; i++) {
                result += xs[i] * (i $op $k);
                if (xs[i] $cmp base) {
                    result -= $less;
                }
            }
            return result;
        }
        """,
        """
        def $name(xs, base):
            result = $start
            for i in range(len(xs)):
                result += xs[i] * (i $op $k)
                if xs[i] $cmp base:
                    result -= $less
            return result
        """,
        args(VALUES, ints(-10, 20), shown=[([5, 5, 5], 5), ([1, 9], 3)]),
        [
            ("xs[i] * (i $op $k)", "xs[i] * i $op $k"),
            ("result -= $less", "result += $less"),
            ("if xs[i] $cmp base", "if xs[i] == base - 1"),
        ],
        over(
            name=("weightedSum", "scoreRow", "mixLoad"),
            start=(0, 10, -5),
            op=("+", "-", "+"),
            k=(1, 2, 3),
            cmp=("<", ">", "=="),
            less=("base", "i", "2"),
        ),
        simple=True,
    ),
    Family(
        "total-change",
        "train",
        "arrays",
        0.1,
        "$name",
        """
        static int $name(int[] prices) {
            int total = 0;
            for (int i = 1; i < prices.length; i++) {
                int diff = prices[i] - prices[i - 1];
                $work
            }
            return total;
        }
        """,
        """
        def $name(prices):
            total = 0
            for i in range(1, len(prices)):
                diff = prices[i] - prices[i - 1]
                $python
            return total
        """,
        args(VALUES, shown=[([1, 5, 2, 2, 8],)]),
        [
            ("prices[i] - prices[i - 1]", "prices[i - 1] + prices[i]"),
            ("range(1, len(prices))", "range(1, len(prices) - 1)"),
        ],
        over(
            name=("totalChange", "addGain", "sumSlope"),
            work=("total += Math.abs(diff);", "total += Math.max(diff, 0);", "total += diff * i;"),
            python=("total += abs(diff)", "total += max(diff, 0)", "total += diff * i"),
        ),
        simple=True,
    ),
    Family(
        "prefix-sums",
        "test",
        "arrays",
        0.1,
        "$name",
        """
        static int[] $name(int[] items, int shift) {
            int[] out = new int[items.length];
            int total = $start;
            for (int i = 0; i < items.length; i++) {
                $work
                out[i] = $value;
            }
            return out;
        }
        """,
        """
        def $name(items, shift):
            out = [0] * len(items)
            total = $start
            for i in range(len(items)):
                $python
                out[i] = $value
            return out
        """,
        args(VALUES, ints(-9, 9), shown=[([3, 1, 4, 1, 5], 2)]),
        [
            ("total = $start", "total = $start + 1"),
            ("out[i] = $value", "out[i] = items[i]"),
            ("range(len(items))", "range(1, len(items))"),
        ],
        over(
            name=("prefixSums", "runningBest", "growRow"),
            start=("0", "shift", "1"),
            work=("total += items[i];", "total = Math.max(total, items[i]);", "total -= items[i] - shift;"),
            python=("total += items[i]", "total = max(total, items[i])", "total -= items[i] - shift"),
            value=("total - shift", "total", "total * 2"),
        ),
        simple=True,
    ),
    Family(
        "mirror-array",
        "validation",
        "arrays",
        0.1,
        "$name",
        """
        static int[] $name(int[] arr) {
            int[] out = new int[arr.length];
            for (int i = 0; i < arr.length; i++) {
                out[arr.length - 1 - i] = arr[i]$op;
            }
            return out;
        }
        """,
        """
        def $name(arr):
            out = [0] * len(arr)
            for i in range(len(arr)):
                out[len(arr) - 1 - i] = arr[i]$op
            return out
        """,
        args(VALUES, shown=[([1, 2, 3],)]),
        [("out[len(arr) - 1 - i]", "out[i]"), ("range(len(arr))", "range(len(arr) - 1)")],
        over(name=("mirrorArray", "flipRow", "reverseItems"), op=("", " - i", " * 2")),
        simple=True,
    ),
    Family(
        "above-average",
        "train",
        "arrays",
        0.15,
        "$name",
        """
        static int $name(int[] scores) {
            if (scores.length == 0) {
                return -1;
            }
            int sum = 0;
            for (int s : scores) {
                sum += s;
            }
            int average = sum / scores.length;
            int count = 0;
            for (int s : scores) {
                if (s $cmp average) {
                    count++;
                }
            }
            return count;
        }
        """,
        """
        def $name(scores):
            if len(scores) == 0:
                return -1
            sum = 0
            for s in scores:
                sum += s
            average = int(sum / len(scores))
            count = 0
            for s in scores:
                if s $cmp average:
                    count += 1
            return count
        """,
        args(VALUES, shown=[([-1, -2, -2, -3, 0],), ([-2, -1],), ([3, 3, 3],), ([-3, 0, -1, -1],)]),
        [("int(sum / len(scores))", "sum // len(scores)"), ("return -1", "return 0")],
        over(name=("aboveAverage", "atAverage"), cmp=(">", "==")),
        simple=True,
    ),
    Family(
        "array-remainders",
        "test",
        "arrays",
        0.1,
        "$name",
        """
        static int $name(int[] numbers, int k) {
            int hits = 0;
            for (int number : numbers) {
                int rest = number % $m;
                if (rest $cmp k) {
                    hits += rest;
                } else {
                    hits$step;
                }
            }
            return hits;
        }
        """,
        """
        def $name(numbers, k):
            hits = 0
            for number in numbers:
                rest = number - int(number / $m) * $m
                if rest $cmp k:
                    hits += rest
                else:
                    hits $python
            return hits
        """,
        args(VALUES, ints(-3, 4), shown=[([-7, -1, 5, 9], 0), ([-4, -5, 8], -1)]),
        [
            ("number - int(number / $m) * $m", "number % $m"),
            ("rest $cmp k", "rest == k"),
            ("hits += rest", "hits -= rest"),
        ],
        over(
            name=("restSum", "scoreRemainder", "mixParity"),
            m=(3, 5, 4),
            cmp=("<", ">", ">="),
            step=("++", "--", " -= k"),
            python=("+= 1", "-= 1", "-= k"),
        ),
        simple=True,
    ),
    Family(
        "first-match",
        "train",
        "arrays",
        0.05,
        "$name",
        """
        static int $name(int[] cells, int key) {
            for (int i = 0; i < cells.length; i++) {
                if (cells[i] $cmp key) {
                    return $found;
                }
            }
            return $missing;
        }
        """,
        """
        def $name(cells, key):
            for i in range(len(cells)):
                if cells[i] $cmp key:
                    return $found
            return $missing
        """,
        args(VALUES, ints(-10, 30), shown=[([4, 7, 7], 7), ([1, 2], 2), ([6, 5], 5), ([9], 4)]),
        [
            ("cells[i] $cmp key", "cells[i] < key - 1"),
            ("return $missing", "return 99"),
            ("return $found", "return $found + 1"),
        ],
        over(
            name=("firstMatch", "seekOver", "findEntry"),
            cmp=("==", ">", ">="),
            found=("i", "cells[i]", "i + 1"),
            missing=("-1", "0", "key"),
        ),
        simple=True,
    ),
)
