"""Families about exceptions: which is thrown, when, and what happens on the way."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import (
    INT_MAX,
    INT_MIN,
    args,
    choice,
    ints,
    lists,
    nullable,
    texts,
    wide_ints,
)
from rftgym_transpile.corpus.family import Family, over

FAMILIES: Final = (
    Family(
        "parse-or-default",
        "train",
        "exceptions",
        0.5,
        "$name",
        """
        static int $name(List<String> texts) {
            int total = 0;
            for (String text : texts) {
                try {
                    total += Integer.parseInt($text);
                } catch (NumberFormatException e) {
                    total $penalty;
                }
            }
            return total;
        }
        """,
        r"""
        import re


        def parse(text):
            if text is None or not re.fullmatch(r"[+-]?\d+", text):
                raise ValueError("not a number")
            value = int(text)
            if not -(2**31) <= value < 2**31:
                raise ValueError("out of range")
            return value


        def $name(texts):
            total = 0
            for text in texts:
                try:
                    total = (total + parse($python) + 2**31) % 2**32 - 2**31
                except ValueError:
                    total $penalty
            return total
        """,
        args(
            lists(choice("5", "-12", "", "x", " 7", "+3", "1_0", "2147483647", "0x1", "٣", "007"), 0, 5),
            shown=[
                (["1", " 2"],),
                (["1_000"],),
                (["2147483648", "4"],),
                (["2147483647", "1"],),
                (["+7", "-0"],),
                (["-2147483648"],),
            ],
        ),
        [
            (r're.fullmatch(r"[+-]?\d+", text)', "text"),
            ('raise ValueError("out of range")', "pass"),
            ("(total + parse($python) + 2**31) % 2**32 - 2**31", "total + parse($python)"),
        ],
        over(
            name=("sumParsed", "scoreParsed"),
            text=("text", "text.trim()"),
            penalty=("-= 1", "-= 100"),
            python=("text", "text.strip()"),
        ),
    ),
    Family(
        "own-exception",
        "test",
        "exceptions",
        0.55,
        "$name",
        """
        static class $error extends $base {
            $error(String message) {
                super(message);
            }
        }

        static int $name(int[] stock, int index, int amount) throws $error {
            if (amount $cmp 0) {
                throw new IllegalArgumentException("amount");
            }
            if (stock[index] < amount) {
                throw new $error("short of " + (amount - stock[index]));
            }
            stock[index] -= amount;
            return stock[index];
        }
        """,
        """
        class $error(Exception):
            pass


        def $name(stock, index, amount):
            if amount $cmp 0:
                raise ValueError("amount")
            if not 0 <= index < len(stock):
                raise IndexError(index)
            if stock[index] < amount:
                raise $error(f"short of {amount - stock[index]}")
            stock[index] -= amount
            return stock[index]
        """,
        args(
            lists(ints(0, 9), 1, 4),
            ints(-1, 4),
            ints(-1, 9),
            shown=[([5, 2], 0, 5), ([5, 2], 1, 3), ([5], 1, 1), ([5], -1, 1), ([1], 0, 0), ([4], 9, -1)],
        ),
        [
            ("if not 0 <= index < len(stock):\n        raise IndexError(index)\n    ", ""),
            ("raise $error(", "raise ValueError("),
            ("stock[index] < amount", "stock[index] <= amount"),
        ],
        over(
            name=("takeStock", "reserve"),
            error=("OutOfStock", "Shortage"),
            base=("RuntimeException", "Exception"),
            cmp=("<=", "<"),
        ),
    ),
    Family(
        "finally-order",
        "train",
        "exceptions",
        0.55,
        "$name",
        """
        static String $name(int[] xs, int at, int by) {
            StringBuilder log = new StringBuilder();
            try {
                log.append("a");
                int value = xs[at] / by;
                log.append(value);
                if (value > $limit) {
                    return log.append("!").toString();
                }
            } catch (ArithmeticException e) {
                log.append("z");
            } catch (IndexOutOfBoundsException | NullPointerException e) {
                log.append(e instanceof NullPointerException ? "n" : "i");
            } finally {
                log.append("$last");
            }
            return log.toString();
        }
        """,
        """
        def $name(xs, at, by):
            log = "a"
            if xs is None:
                return log + "n" + "$last"
            if not 0 <= at < len(xs):
                return log + "i" + "$last"
            if by == 0:
                return log + "z" + "$last"
            value = abs(xs[at]) // abs(by) * (1 if (xs[at] < 0) == (by < 0) else -1)
            log += str(value)
            if value > $limit:
                return log + "!"
            return log + "$last"
        """,
        args(
            nullable(lists(ints(-20, 40), 0, 4)),
            ints(-1, 3),
            ints(-3, 4),
            shown=[
                (None, 0, 0),
                ([7], 0, 0),
                ([9, -7], 1, 2),
                ([40], 0, 1),
                ([1], 1, 0),
                ([1], -1, 1),
                ([-7], 0, 2),
            ],
        ),
        [
            ("abs(xs[at]) // abs(by) * (1 if (xs[at] < 0) == (by < 0) else -1)", "xs[at] // by"),
            ('return log + "!"', 'return log + "!$last"'),
            ("if not 0 <= at < len(xs)", "if not -len(xs) <= at < len(xs)"),
        ],
        over(name=("finallyOrder", "logDivision"), limit=(5, 10), last=("f", "end")),
    ),
    Family(
        "checked-sum",
        "test",
        "exceptions",
        0.5,
        "$name",
        """
        static int $name(int[] values) {
            int total = $start;
            for (int v : values) {
                total = Math.$exact(total, v);
            }
            return total;
        }
        """,
        """
        def $name(values):
            total = $start
            for v in values:
                total = total $op v
                if not -(2**31) <= total < 2**31:
                    raise OverflowError("integer overflow")
            return total
        """,
        args(
            lists(wide_ints(), 0, 4),
            shown=[
                ([INT_MAX, 1],),
                ([INT_MIN, 1],),
                ([INT_MIN],),
                ([50000, 50000],),
                ([INT_MAX, -1],),
                ([INT_MIN, -1],),
                ([3, 4, 5],),
                ([-3, 0],),
            ],
        ),
        [
            ('raise OverflowError("integer overflow")', "total = (total + 2**31) % 2**32 - 2**31"),
            ("< 2**31:", "<= 2**31:"),
            ("total $op v", "total $op v $op v"),
        ],
        over(
            name=("checkedSum", "checkedProduct", "checkedDifference"),
            start=(0, 1, -1),
            exact=("addExact", "multiplyExact", "subtractExact"),
            op="+*-",
        ),
    ),
    Family(
        "null-handling",
        "train",
        "exceptions",
        0.45,
        "$name",
        """
        static int $name(String a, Integer b) {
            try {
                $check
                return a.length() $op b;
            } catch (NullPointerException e) {
                return a == null ? -1 : -2;
            }
        }
        """,
        """
        def $name(a, b):
            if b is None:
                return -1 if a is None else -2
            $python
            if a is None:
                return -1
            return len(a) $op b
        """,
        args(
            texts("abc", 0, 4, None),
            ints(-3, 5),
            shown=[(None, 1), ("ab", None), (None, None), ("", 0), ("abc", 2)],
        ),
        [
            ("return -1\n    return", "return 0\n    return"),
            ("if b is None:", "if not b:"),
            ("$python", "pass"),
        ],
        over(
            name=("nullSafe", "lengthOver"),
            check=("if (b < 0) throw new IllegalStateException(a);", 'a = a.trim().concat("!");'),
            op=("+", "*"),
            python=("if b < 0:\n        raise RuntimeError(a)", 'a = None if a is None else a.strip() + "!"'),
        ),
    ),
    Family(
        "retry-loop",
        "validation",
        "exceptions",
        0.55,
        "$name",
        """
        static int attempt(int n) {
            if (n % 3 == 0) {
                throw new UnsupportedOperationException("three");
            }
            if (n > $big) {
                throw new IllegalStateException("big");
            }
            return n * n;
        }

        static int $name(int start, int tries) {
            RuntimeException last = null;
            for (int i = 0; i < tries; i++) {
                try {
                    return attempt(start + i * $step);
                } catch (UnsupportedOperationException e) {
                    last = e;
                }
            }
            if (last != null) {
                throw last;
            }
            return $none;
        }
        """,
        """
        def attempt(n):
            if n % 3 == 0:
                raise NotImplementedError("three")
            if n > $big:
                raise RuntimeError("big")
            return n * n


        def $name(start, tries):
            last = None
            for i in range(tries):
                try:
                    return attempt(start + i * $step)
                except NotImplementedError as error:
                    last = error
            if last is not None:
                raise last
            return $none
        """,
        args(ints(-9, 14), ints(-1, 4), shown=[(3, 1), (3, 2), (11, 2), (13, 1), (12, 2), (5, 0)]),
        [
            ("raise last", "return 0"),
            ("range(tries)", "range(tries - 1)"),
            ("return $none", "raise ValueError"),
        ],
        over(name=("retryLoop", "tryThrice"), big=(10, 7), step=(1, 3), none=(-1, 0)),
    ),
    Family(
        "strict-casts",
        "train",
        "exceptions",
        0.5,
        "$name",
        """
        static int $name(List<Object> items) {
            int total = 0;
            for (Object item : items) {
                if (item instanceof $kind) {
                    total += $add;
                } else {
                    Integer number = (Integer) item;
                    total += number$times;
                }
            }
            return total;
        }
        """,
        """
        def $name(items):
            total = 0
            for item in items:
                if isinstance(item, $python):
                    total += $value
                elif item is None or type(item) is int:
                    total += item$times
                else:
                    raise TypeError("not an Integer")
            return total
        """,
        args(
            lists(choice(3, -4, "ab", True, 7, "", 2.5), 0, 4),
            shown=[([1, "abc", 2],), ([None],), ([True, 5],), ([2.5],), ([1, 2, 3],), (["x", "y"],)],
        ),
        [
            ("type(item) is int", "isinstance(item, int | float)"),
            ("total += $value", "total += 1000"),
            ("raise TypeError", "raise KeyError"),
        ],
        over(
            name=("strictTotal", "countFlags"),
            kind=("String", "Boolean"),
            add=("((String) item).length()", "((Boolean) item) ? 10 : 20"),
            times=("", " * 2"),
            python=("str", "bool"),
            value=("len(item)", "10 if item else 20"),
        ),
    ),
)
