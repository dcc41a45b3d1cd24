"""Families about texts: codes, formats, parts."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import (
    args,
    booleans,
    choice,
    doubles,
    ints,
    texts,
    wide_ints,
    words,
)
from rftgym_transpile.corpus.family import Family, over

POOL: Final = "apple Java code x tree sky An ox bean seven level noon"

FAMILIES: Final = (
    Family(
        "run-length",
        "train",
        "strings",
        0.3,
        "$name",
        """
        static String $name(String s) {
            StringBuilder out = new StringBuilder();
            int i = 0;
            while (i < s.length()) {
                int j = i;
                while (j < s.length() && s.charAt(j) == s.charAt(i)) {
                    j++;
                }
                out.append($first);
                if (j - i $cmp 1) {
                    out.append($second);
                }
                i = j;
            }
            return out.toString();
        }
        """,
        """
        def $name(s):
            out = []
            i = 0
            while i < len(s):
                j = i
                while j < len(s) and s[j] == s[i]:
                    j += 1
                out.append($one)
                if j - i $cmp 1:
                    out.append($two)
                i = j
            return "".join(out)
        """,
        args(texts("aab", 0, 14), shown=[("aaabccd",), ("a",), ("aaaaaaaaaaaab",)]),
        [
            ("j - i $cmp 1", "j - i == 1"),
            ("i = j\n    return", "i = j + 1\n    return"),
            ("i = j\n    return", "i = i + 1\n    return"),
        ],
        over(
            name=("compressRuns", "runLength", "packRuns"),
            first=("s.charAt(i)", "j - i", "s.charAt(i)"),
            second=("j - i", "s.charAt(i)", "'x'"),
            cmp=(">", ">=", ">"),
            one=("s[i]", "str(j - i)", "s[i]"),
            two=("str(j - i)", "s[i]", '"x"'),
        ),
    ),
    Family(
        "caesar",
        "test",
        "strings",
        0.35,
        "$name",
        """
        static String $name(String text, int shift) {
            char[] out = text.toCharArray();
            for (int i = 0; i < out.length; i++) {
                char c = out[i];
                if (Character.isUpperCase(c)) {
                    out[i] = (char) ((c - 'A' + shift % 26 + 26) % 26 + 'A');
                } else if (Character.isLowerCase(c)) {
                    out[i] = (char) ((c - 'a' $op shift % 26 + 26) % 26 + 'a');
                }
            }
            return new String(out)$tail;
        }
        """,
        """
        import math


        def $name(text, shift):
            by = int(math.fmod(shift, 26))
            out = []
            for c in text:
                if c.isupper():
                    c = chr((ord(c) - 65 + by + 26) % 26 + 65)
                elif c.islower():
                    c = chr((ord(c) - 97 $op by + 26) % 26 + 97)
                out.append(c)
            return "".join(out)$python
        """,
        args(
            texts("abcxyzABCXYZ .1", 0, 12),
            ints(-60, 60, -1, 26, 27),
            shown=[("Hello, World!", 3), ("xyz XYZ", -30)],
        ),
        [
            ("- 65 + by", "- 65 - by"),
            ("+ 97)", "+ 65)"),
            ("elif c.islower()", "elif c.isalpha() or c == '.'"),
        ],
        over(
            name=("caesar", "mirrorCipher", "shiftAndTrim"),
            op=("+", "-", "+"),
            tail=("", "", ".trim()"),
            python=("", "", ".strip()"),
        ),
    ),
    Family(
        "padded-format",
        "test",
        "strings",
        0.35,
        "$name",
        """
        static String $name(String label, int amount, double price) {
            return String.format("$java", label, amount, price);
        }
        """,
        """
        from decimal import ROUND_HALF_UP, Decimal


        def fixed(x, digits):
            return Decimal(repr(x)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


        def $name(label, amount, price):
            return f"$python"
        """,
        args(
            texts("abcXYZ ", 0, 9),
            ints(-2000, 99999, 0, -5, 12345),
            doubles(-100, 5000, 1234567.891, -0.004, 0.5, 99.995, digits=3),
            shown=[
                ("tea", 3, 1234.5),
                ("", -7, 0.0),
                ("longer label", 1000000, -3.75),
                ("half", 1, 0.125),
                ("h", 2, 0.25),
            ],
        ),
        [
            (
                "Decimal(repr(x)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)",
                "round(Decimal(x), digits)",
            ),
            ("$python", "{label} {amount} {price}"),
        ],
        over(
            name=("priceLine", "formatRow", "receiptLine"),
            java=("%-8s|%5d|%.2f", "%s:%05d:%8.1f", "[%6s] x%d @ %,.2f"),
            python=(
                "{label:8}|{amount:5}|{fixed(price, 2)}",
                "{label}:{amount:05}:{fixed(price, 1):8}",
                "[{label:>6}] x{amount} @ {fixed(price, 2):,}",
            ),
        ),
    ),
    Family(
        "split-fields",
        "train",
        "strings",
        0.4,
        "$name",
        """
        static String $name(String line) {
            String[] parts = line.split("$sep");
            StringBuilder sb = new StringBuilder();
            for (String part : parts) {
                sb.append('<').append(part$change).append('>');
            }
            return parts.length + sb.toString();
        }
        """,
        """
        def $name(line):
            parts = line.split("$plain")
            while len(parts) > 1 and parts[-1] == "":
                parts.pop()
            if line != "" and parts == [""]:
                parts = []
            return str(len(parts)) + "".join("<" + part$python + ">" for part in parts)
        """,
        args(
            texts("ab,;. ", 0, 9),
            shown=[("a,b,,",), (",,,",), ("",), ("a",), (",a",), ("a;b;;",), (".x.",), (" a , b ",)],
        ),
        [
            ('while len(parts) > 1 and parts[-1] == ""', 'while False and parts[-1] == ""'),
            ('if line != "" and parts == [""]', 'if parts == [""]'),
            ("str(len(parts)) + ", '"" + '),
        ],
        over(
            name=("splitFields", "showParts", "cutSentence"),
            sep=(",", ";", "[.]"),
            plain=(",", ";", "."),
            change=("", ".trim()", ".toUpperCase()"),
            python=("", ".strip()", ".upper()"),
        ),
    ),
    Family(
        "anagram",
        "train",
        "strings",
        0.25,
        "$name",
        """
        static boolean $name(String a, String b) {
            if (a.length() $len b.length()) {
                return false;
            }
            int[] counts = new int[128];
            for (char c : a.toCharArray()) {
                counts[Character.toLowerCase(c)]++;
            }
            for (int i = 0; i < b.length(); i++) {
                if (--counts[Character.toLowerCase(b.charAt(i))] < 0) {
                    return false;
                }
            }
            return true;
        }
        """,
        """
        def $name(a, b):
            if len(a) $len len(b):
                return False
            counts = {}
            for c in a.lower():
                counts[c] = counts.get(c, 0) + 1
            for c in b.lower():
                counts[c] = counts.get(c, 0) - 1
                if counts[c] < 0:
                    return False
            return True
        """,
        args(
            texts("abB", 0, 4),
            texts("aBb", 0, 4),
            shown=[
                ("ab", "ba"),
                ("aAb", "bAa"),
                ("aB", "b"),
                ("bba", "bAb"),
                ("Listen", "Silent"),
                ("aab", "abb"),
                ("abc", "ab"),
                ("", ""),
            ],
        ),
        [("a.lower()", "a"), ("counts[c] < 0", "counts[c] < -1"), ("len(a) $len len(b)", "len(a) == 0")],
        over(name=("isAnagram", "canSpell"), len=("!=", "<")),
    ),
    Family(
        "reverse-words",
        "validation",
        "strings",
        0.3,
        "$name",
        r"""
        static String $name(String sentence) {
            String[] words = sentence.trim().split("\\s+");
            StringBuilder sb = new StringBuilder();
            for (int i = words.length - 1; i >= 0; i--) {
                sb.append($word);
                if (i > 0) {
                    sb.append("$glue");
                }
            }
            return sb.toString();
        }
        """,
        """
        def $name(sentence):
            words = sentence.split()
            return "$glue".join($python for word in reversed(words))
        """,
        args(words(POOL, 0, 5), shown=[("  the sky  is blue ",), ("",), ("   ",), ("one",)]),
        [
            ("reversed(words)", "words"),
            ("sentence.split()", 'sentence.split(" ")'),
            ("sentence.split()", "sentence.split()[:2]"),
        ],
        over(
            name=("reverseWords", "backwards"),
            word=("words[i]", "words[i].toUpperCase()"),
            glue=(" ", "-"),
            python=("word", "word.upper()"),
        ),
    ),
    Family(
        "compare-texts",
        "test",
        "strings",
        0.4,
        "$name",
        """
        static int $name(String a, String b) {
            int order = a.$method(b);
            return order $op a.indexOf(b);
        }
        """,
        """
        def compare(a, b):
            for x, y in zip(a, b):
                if x != y:
                    return ord(x) - ord(y)
            return len(a) - len(b)


        def $name(a, b):
            order = compare($left, $right)
            return order $op a.find(b)
        """,
        args(
            texts("abBc", 0, 5),
            texts("abBc", 0, 3),
            shown=[("apple", "apply"), ("app", "apple"), ("b", "A"), ("", "a"), ("Bab", "ba"), ("abc", "bc")],
        ),
        [
            ("return len(a) - len(b)", "return 0"),
            ("return ord(x) - ord(y)", "return 1 if x > y else -1"),
            ("a.find(b)", "a.rfind(b) + 1"),
        ],
        over(
            name=("orderOf", "looseOrder", "rankTexts"),
            method=("compareTo", "compareToIgnoreCase", "compareTo"),
            op=("*", "+", "-"),
            left=("a", "a.lower()", "a"),
            right=("b", "b.lower()", "b"),
        ),
    ),
    Family(
        "count-overlapping",
        "train",
        "strings",
        0.25,
        "$name",
        """
        static int $name(String text, String part) {
            int count = 0;
            int at = text.indexOf(part);
            while (at >= 0 && count < 50) {
                count++;
                at = text.indexOf(part, at + $step);
            }
            return count$more;
        }
        """,
        """
        def $name(text, part):
            count = 0
            at = text.find(part)
            while at >= 0 and count < 50:
                count += 1
                at = text.find(part, at + $python)
            return count$last
        """,
        args(
            texts("aab", 0, 10),
            texts("ab", 1, 2),
            shown=[("aaaa", "aa"), ("ababab", "ab"), ("abc", "d"), ("aaa", "a")],
        ),
        [("at + $python", "at + 3"), ("at >= 0", "at > 0"), ("count += 1", "count += 2")],
        over(
            name=("countOverlapping", "countApart", "rateMatches"),
            step=(1, "part.length()", 1),
            more=("", "", " * part.length()"),
            python=(1, "len(part)", 1),
            last=("", "", " * len(part)"),
        ),
    ),
    Family(
        "title-case",
        "train",
        "strings",
        0.3,
        "$name",
        """
        static String $name(String text) {
            StringBuilder sb = new StringBuilder();
            boolean start = true;
            for (char c : text.toCharArray()) {
                if ($breaks) {
                    start = true;
                    $keep
                } else {
                    sb.append(start ? Character.toUpperCase(c) : Character.toLowerCase(c));
                    start = false;
                }
            }
            return sb.toString();
        }
        """,
        """
        def $name(text):
            out = ""
            start = True
            for c in text:
                if $python:
                    start = True
                    $kept
                else:
                    out += c.upper() if start else c.lower()
                    start = False
            return out
        """,
        args(
            texts("abCD _-1", 0, 12),
            shown=[("hello big WORLD",), ("snake_case_name",), ("1st a",), ("--x-y",)],
        ),
        [
            ("start = True\n    for", "start = False\n    for"),
            ("else c.lower()", "else c"),
            ("start = False\n    return", "start = start\n    return"),
        ],
        over(
            name=("titleCase", "toPascal", "headline"),
            breaks=("c == ' '", "c == '_' || c == '-'", "!Character.isLetter(c)"),
            keep=("sb.append(c);", "continue;", "sb.append('.');"),
            python=('c == " "', 'c in "_-"', "not c.isalpha()"),
            kept=("out += c", "continue", 'out += "."'),
        ),
    ),
    Family(
        "number-bases",
        "train",
        "strings",
        0.4,
        "$name",
        """
        static String $name(int n) {
            return Integer.$first(n) + "$glue" + Integer.toString(n, $base);
        }
        """,
        """
        def in_base(n, base):
            digits = "0123456789abcdefghijklmnopqrstuvwxyz"
            if n < 0:
                return "-" + in_base(-n, base)
            return digits[n] if n < base else in_base(n // base, base) + digits[n % base]


        def $name(n):
            return f"{n % 2**32:$format}" + "$glue" + in_base(n, $base)
        """,
        args(wide_ints()),
        [
            ("n % 2**32", "abs(n)"),
            ("n // base", "n // base // base"),
            ('return "-" + in_base', "return in_base"),
        ],
        over(
            name=("inTwoBases", "hexAndMore", "octalPair"),
            first=("toBinaryString", "toHexString", "toOctalString"),
            glue=("/", ":", " "),
            base=(16, 7, 36),
            format=("b", "x", "o"),
        ),
    ),
    Family(
        "rotate-text",
        "train",
        "strings",
        0.25,
        "$name",
        """
        static String $name(String s, int k) {
            if (s == null || s.isEmpty()) {
                return $empty;
            }
            int by = k % s.length();
            if (by < 0) {
                by += s.length();
            }
            return s.substring($from) + "$mid" + s.substring(0, $to);
        }
        """,
        """
        def $name(s, k):
            if not s:
                return $python
            by = k % len(s)
            return s[$start:] + "$mid" + s[: $end]
        """,
        args(texts("abcde", 0, 6, None), ints(-9, 12)),
        [("k % len(s)", "abs(k) % len(s)"), ("if not s:", "if s is None:"), ("s[: $end]", "s[: $end - 1]")],
        over(
            name=("rotateText", "turnRight"),
            empty=('""', '"none"'),
            **{"from": ("by", "s.length() - by")},
            mid=("", "|"),
            to=("by", "s.length() - by"),
            python=('""', '"none"'),
            start=("by", "len(s) - by"),
            end=("by", "len(s) - by"),
        ),
    ),
    Family(
        "join-values",
        "train",
        "strings",
        0.35,
        "$name",
        """
        static String $name(double d, boolean flag, char c, long n) {
            return $java;
        }
        """,
        """
        def $name(d, flag, c, n):
            return $python
        """,
        args(
            doubles(-50, 50, 1.0, -0.0, 100.0, 0.1, digits=1), booleans(), choice("a", "0", " "), ints(-5, 5)
        ),
        [("$python", "str(d) + str(flag) + c + str(n)"), ("$python", "($python).upper() + '.'")],
        over(
            name=("joinValues", "describe", "showAll"),
            java=('d + "," + flag + "," + c + "," + n', '"" + c + n + flag + d', 'c + n + ":" + d + flag'),
            python=(
                'f"{d},{str(flag).lower()},{c},{n}"',
                "c + str(n) + str(flag).lower() + str(d)",
                'str(ord(c) + n) + ":" + str(d) + str(flag).lower()',
            ),
        ),
    ),
)
