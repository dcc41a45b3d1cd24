"""Simple families without loops: formulas and decisions."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import args, booleans, ints
from rftgym_transpile.corpus.family import Family, over

FAMILIES: Final = (
    Family(
        "ticket-price",
        "train",
        "control flow",
        0.0,
        "$name",
        """
        static int $name(int age) {
            if (age < $child) {
                return 0;
            }
            if (age < $adult) {
                return $low;
            }
            return $high;
        }
        """,
        """
        def $name(age):
            if age < $child:
                return 0
            if age < $adult:
                return $low
            return $high
        """,
        args(ints(-5, 99, 3, 4, 5, 6, 12, 13, 16, 18, 21)),
        [("age < $adult", "age <= $adult"), ("age < $child", "age <= $child"), ("return 0", "return $low")],
        over(
            name=("ticketPrice", "getFee", "findPrice"),
            child=(4, 6, 3),
            adult=(16, 18, 12),
            low=(5, 7, 12),
            high=(12, 9, 20),
        ),
        simple=True,
    ),
    Family(
        "shipping-fee",
        "test",
        "control flow",
        0.05,
        "$name",
        """
        static int $name(int weight, boolean $flag) {
            int fee = $base;
            if (weight > $limit) {
                fee += (weight - $limit) * $rate;
            }
            if ($flag) {
                fee $op $extra;
            }
            return fee;
        }
        """,
        """
        def $name(weight, $flag):
            fee = $base
            if weight > $limit:
                fee += (weight - $limit) * $rate
            if $flag:
                fee $op $extra
            return fee
        """,
        args(ints(0, 60, 10, 5, 20, 11), booleans(), shown=[(25, True), (25, False)]),
        [("(weight - $limit) * $rate", "weight * $rate"), ("if $flag:", "if not $flag:"), ("$base", "0")],
        over(
            name=("shippingFee", "computeCost", "calcRate"),
            flag=("fast", "express", "member"),
            base=(4, 10, 6),
            limit=(10, 5, 20),
            rate=(2, 3, 4),
            op=("*=", "+=", "-="),
            extra=(2, 15, 3),
        ),
        simple=True,
    ),
    Family(
        "clamp",
        "train",
        "arithmetic",
        0.0,
        "$name",
        """
        static int $name(int value, int low, int high) {
            int bounded = Math.max(low, Math.min(value, high));
            return bounded $op $shift;
        }
        """,
        """
        def $name(value, low, high):
            bounded = max(low, min(value, high))
            return bounded $op $shift
        """,
        args(ints(-50, 50), ints(-20, 0), ints(1, 30)),
        [("max(low, min(value, high))", "min(low, max(value, high))"), ("min(value, high)", "value")],
        over(name=("clamp", "fixRange", "keepValue"), op=("+", "-", "*"), shift=(0, 3, 2)),
        simple=True,
    ),
    Family(
        "scaled-rest",
        "test",
        "arithmetic",
        0.1,
        "$name",
        """
        static int $name(int a, int b) {
            int part = (a $sign b) / $by;
            return part * $times + a % $base;
        }
        """,
        """
        def $name(a, b):
            part = int((a $sign b) / $by)
            return part * $times + (a - int(a / $base) * $base)
        """,
        args(ints(-90, 90), ints(-90, 90), shown=[(-7, 2), (7, -10), (-1, -2), (-11, 4)]),
        [
            ("int((a $sign b) / $by)", "(a $sign b) // $by"),
            ("(a - int(a / $base) * $base)", "a % $base"),
            ("int((a $sign b) / $by)", "(a $sign b) / $by"),
        ],
        over(
            name=("mixParts", "scoreDelta", "shiftRatio"),
            sign="+--",
            by=(3, 4, 5),
            times=(2, 3, 10),
            base=(5, 7, 4),
        ),
        simple=True,
    ),
    Family(
        "leap-year",
        "train",
        "control flow",
        0.05,
        "$name",
        """
        static boolean $name(int year) {
            return year % $a == 0 && year % $b != 0 || year % $c == 0;
        }
        """,
        """
        def $name(year):
            return year % $a == 0 and year % $b != 0 or year % $c == 0
        """,
        args(
            ints(0, 3000, 4, 6, 8, 100, 400, 1900, 2000, 12, 24), shown=[(100,), (400,), (36,), (72,), (30,)]
        ),
        [(" or year % $c == 0", ""), ("year % $b != 0", "year % $b == 0"), ("year % $a == 0 and ", "")],
        over(name=("isLeapYear", "checkYear", "isSpecial"), a=(4, 6, 3), b=(100, 12, 9), c=(400, 72, 30)),
        simple=True,
    ),
    Family(
        "triangle-kind",
        "test",
        "control flow",
        0.1,
        "$name",
        """
        static String $name(int a, int b, int c) {
            if ($check) {
                return "none";
            }
            if (a == b && b == c) {
                return "$all";
            } else if (a == b || b == c || a == c) {
                return "$two";
            }
            return "$no";
        }
        """,
        """
        def $name(a, b, c):
            if $checked:
                return "none"
            if a == b and b == c:
                return "$all"
            elif a == b or b == c or a == c:
                return "$two"
            return "$no"
        """,
        args(
            ints(1, 6),
            ints(1, 6),
            ints(1, 6),
            shown=[
                (3, 3, 3),
                (3, 3, 4),
                (3, 4, 3),
                (4, 3, 3),
                (3, 4, 5),
                (1, 2, 3),
                (0, 1, 1),
                (1, 5, 1),
                (2, -2, 2),
                (2, 2, -1),
            ],
        ),
        [
            (" or a == c", ""),
            ("a == b and b == c", "a == b or b == c"),
            ("$checked", "a < 0"),
            ("$checked", "a <= 0 or b <= 0 or c <= 0"),
        ],
        over(
            name=("triangleKind", "classify", "findShape"),
            check=("a <= 0 || b <= 0", "a + b <= c", "a + b < c || a <= 0"),
            checked=("a <= 0 or b <= 0", "a + b <= c", "a + b < c or a <= 0"),
            all=("equal", "same", "three"),
            two=("two", "pair", "some"),
            no=("different", "none equal", "mixed"),
        ),
        simple=True,
    ),
    Family(
        "sign-word",
        "train",
        "control flow",
        0.0,
        "$name",
        """
        static String $name(int $n) {
            String result = "zero";
            if ($n > $bound) {
                result = "$high";
            } else if ($n < -$bound) {
                result = "$low";
            }
            return result;
        }
        """,
        """
        def $name($n):
            result = "zero"
            if $n > $bound:
                result = "$high"
            elif $n < -$bound:
                result = "$low"
            return result
        """,
        args(ints(-40, 40), shown=[(0,), (3,), (-3,), (10,), (-10,)]),
        [("$n > $bound", "$n >= $bound"), ("$n < -$bound", "$n <= -$bound"), ('"zero"', '"$low"')],
        over(
            name=("signWord", "sign", "rateDelta"),
            n=("n", "value", "x"),
            bound=(0, 3, 10),
            high=("positive", "up", "hot"),
            low=("negative", "down", "cold"),
        ),
        simple=True,
    ),
    Family(
        "grade-letter",
        "test",
        "control flow",
        0.05,
        "$name",
        """
        static String $name(int score, int bonus) {
            int total = $adjusted;
            String grade = "F";
            if (total >= $a) {
                grade = "A";
            } else if (total >= $b) {
                grade = "B";
            } else if (total >= $c) {
                grade = "C";
            }
            return grade;
        }
        """,
        """
        def $name(score, bonus):
            total = $python
            grade = "F"
            if total >= $a:
                grade = "A"
            elif total >= $b:
                grade = "B"
            elif total >= $c:
                grade = "C"
            return grade
        """,
        args(
            ints(0, 110),
            ints(0, 10),
            shown=[
                (90, 0),
                (89, 0),
                (80, 0),
                (79, 0),
                (70, 0),
                (60, 0),
                (59, 0),
                (50, 0),
                (100, 10),
                (85, 0),
                (65, 0),
            ],
        ),
        [
            ("total >= $a", "total > $a"),
            ("elif total >= $b", "if total >= $b"),
            ("total >= $c", "total > $c"),
        ],
        over(
            name=("gradeLetter", "getGrade", "rankScore"),
            adjusted=("score + bonus", "Math.min(score + bonus, 100)", "Math.max(score - bonus, 0)"),
            python=("score + bonus", "min(score + bonus, 100)", "max(score - bonus, 0)"),
            a=(90, 85, 80),
            b=(80, 70, 65),
            c=(70, 60, 50),
        ),
        simple=True,
    ),
    Family(
        "split-bill",
        "validation",
        "arithmetic",
        0.1,
        "$name",
        """
        static String $name(int total, int people) {
            int share = total / people;
            int rest = total % people;
            if (rest == 0) {
                return "each " + share;
            }
            return share + "$glue" + rest;
        }
        """,
        """
        def $name(total, people):
            share = int(total / people)
            rest = total - int(total / people) * people
            if rest == 0:
                return "each " + str(share)
            return str(share) + "$glue" + str(rest)
        """,
        args(ints(-60, 90), ints(1, 9), shown=[(-7, 2), (10, 5), (10, 4), (-9, 4)]),
        [
            ("int(total / people)\n", "total // people\n"),
            ("total - int(total / people) * people", "total % people"),
        ],
        over(name=("splitBill", "shareCost", "getParts"), glue=(" rest ", ",", "/")),
        simple=True,
    ),
    Family(
        "celsius",
        "train",
        "arithmetic",
        0.1,
        "$name",
        """
        static int $name(int degrees) {
            return (degrees - $zero) * $up / $down;
        }
        """,
        """
        def $name(degrees):
            return int((degrees - $zero) * $up / $down)
        """,
        args(ints(-100, 120, 32, 31, 33, -40, 0, 273)),
        [
            ("int((degrees - $zero) * $up / $down)", "(degrees - $zero) * $up // $down"),
            ("int((degrees - $zero) * $up / $down)", "(degrees - $zero) * $up / $down"),
        ],
        over(
            name=("toCelsius", "convertDegree", "scaleTemperature"),
            zero=(32, 10, 273),
            up=(5, 2, 4),
            down=(9, 7, 5),
        ),
        simple=True,
    ),
    Family(
        "clock-label",
        "test",
        "strings",
        0.1,
        "$name",
        """
        static String $name(int hours, int minutes) {
            int total = Math.abs(hours * $unit + minutes);
            int first = total / $unit;
            int second = total % $unit;
            return $order;
        }
        """,
        """
        def $name(hours, minutes):
            total = abs(hours * $unit + minutes)
            first = total // $unit
            second = total % $unit
            return $python
        """,
        args(ints(-12, 40), ints(-90, 90)),
        [("total // $unit", "total / $unit"), ("total % $unit", "total"), ("abs(hours", "(hours")],
        over(
            name=("clockLabel", "showTime", "formatSpan"),
            unit=(60, 24, 12),
            order=('first + ":" + second', '"h" + first + "m" + second', 'second + " of " + first'),
            python=(
                'str(first) + ":" + str(second)',
                '"h" + str(first) + "m" + str(second)',
                'str(second) + " of " + str(first)',
            ),
        ),
        simple=True,
    ),
    Family(
        "overtime-pay",
        "train",
        "arithmetic",
        0.0,
        "$name",
        """
        static int $name(int hours, int rate) {
            int pay = Math.min(hours, $limit) * rate;
            int extra = hours - $limit;
            if (extra > 0) {
                pay += extra * rate * $factor;
            } else {
                pay -= $fine;
            }
            return pay;
        }
        """,
        """
        def $name(hours, rate):
            pay = min(hours, $limit) * rate
            extra = hours - $limit
            if extra > 0:
                pay += extra * rate * $factor
            else:
                pay -= $fine
            return pay
        """,
        args(ints(0, 80, 40, 41, 30, 35), ints(0, 25)),
        [("extra > 0", "extra >= 0"), ("min(hours, $limit)", "hours"), ("pay -= $fine", "pay += $fine")],
        over(
            name=("overtimePay", "computeWage", "weighHours"),
            limit=(40, 35, 30),
            factor=(2, 3, 2),
            fine=(1, 5, 10),
        ),
        simple=True,
    ),
    Family(
        "outside-both",
        "test",
        "control flow",
        0.05,
        "$name",
        """
        static boolean $name(int x, int low, int high) {
            if (low $order high) {
                return false;
            }
            return !(x >= low && x <= high) || x % $k == 0;
        }
        """,
        """
        def $name(x, low, high):
            if low $order high:
                return False
            return not (x >= low and x <= high) or x % $k == 0
        """,
        args(
            ints(-20, 20),
            ints(-10, 10),
            ints(-10, 10),
            shown=[
                (5, 1, 7),
                (7, 1, 7),
                (1, 1, 7),
                (8, 1, 7),
                (5, 5, 5),
                (11, 2, 2),
                (6, 1, 9),
                (10, 1, 12),
                (3, 1, 4),
                (1, 1, 1),
            ],
        ),
        [
            ("not (x >= low and x <= high)", "x >= low and x <= high"),
            (" or x % $k == 0", ""),
            ("x <= high", "x < high"),
        ],
        over(name=("isOutside", "checkBounds", "testMargin"), order=(">", ">=", "=="), k=(5, 3, 2)),
        simple=True,
    ),
    Family(
        "bit-mix",
        "train",
        "arithmetic",
        0.1,
        "$name",
        """
        static int $name(int n) {
            int low = n & $mask;
            int high = n >> $shift;
            return low $op high;
        }
        """,
        """
        def $name(n):
            low = n & $mask
            high = n >> $shift
            return low $op high
        """,
        args(ints(-300, 300, 7, 8, 255, -8)),
        [("n >> $shift", "int(n / 2**$shift)"), ("n & $mask", "n % $mask"), ("low $op high", "low | high")],
        over(name=("mixBits", "foldMask", "packFlags"), mask=(7, 15, 3), shift=(3, 2, 1), op=("^", "+", "-")),
        simple=True,
    ),
    Family(
        "largest-of-three",
        "validation",
        "control flow",
        0.0,
        "$name",
        """
        static int $name(int first, int second, int third) {
            int best = first;
            if (second $op best) {
                best = second;
            }
            if (third $op best) {
                best = third;
            }
            return best $sign first;
        }
        """,
        """
        def $name(first, second, third):
            best = first
            if second $op best:
                best = second
            if third $op best:
                best = third
            return best $sign first
        """,
        args(ints(-9, 9), ints(-9, 9), ints(-9, 9), shown=[(5, 3, 4), (3, 5, 4), (4, 2, 3)]),
        [("third $op best", "third $op second"), ("if third", "elif third"), ("$sign first", "$sign 0")],
        over(name=("largest", "findLow", "pickBest"), op=(">", "<", ">"), sign="++-"),
        simple=True,
    ),
)
