"""Families about streams."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import args, choice, grids, ints, lists, texts, wide_ints
from rftgym_transpile.corpus.family import Family, over

WORDS: Final = lists(choice("fig", "apple", "kiwi", "pear", "plum", "Fig", "date", "a", "bb", ""), 0, 8)
NUMBERS: Final = lists(ints(-9, 15), 0, 9)

FAMILIES: Final = (
    Family(
        "filter-map-sum",
        "train",
        "streams",
        0.45,
        "$name",
        """
        static int $name(List<Integer> xs, int k) {
            return xs.stream()
                .filter(x -> x % $m $cmp 0)
                .mapToInt(x -> x * $by)
                .skip(k)
                .sum();
        }
        """,
        """
        def $name(xs, k):
            if k < 0:
                raise ValueError("negative skip")
            kept = [x * $by for x in xs if $python]
            return (sum(kept[k:]) + 2**31) % 2**32 - 2**31
        """,
        args(
            NUMBERS,
            ints(-1, 4),
            shown=[([-7, -2, 4, 9], 0), ([2000000000, 2000000000, 6], 0), ([1, 2, 3, 4], 1)],
        ),
        [
            ("if $python", "if x % $m $cmp 1"),
            ("kept[k:]", "kept"),
            ('if k < 0:\n        raise ValueError("negative skip")\n    ', ""),
        ],
        over(
            name=("filterMapSum", "sumOdd", "scaledRest"),
            m=(2, 2, 3),
            cmp=("==", "!=", ">"),
            by=(3, 10, 2),
            python=("x % 2 == 0", "x % 2 != 0", "x > 0 and x % 3 != 0"),
        ),
    ),
    Family(
        "count-by",
        "test",
        "streams",
        0.5,
        "$name",
        """
        static Map<$type, Long> $name(List<String> words) {
            return words.stream()
                .filter(w -> !w.isEmpty())
                .collect(Collectors.groupingBy(w -> $key, Collectors.counting()));
        }
        """,
        """
        def $name(words):
            counts = {}
            for w in words:
                if w:
                    counts[$python] = counts.get($python, 0) + 1
            return counts
        """,
        args(WORDS, shown=[(["fig", "Fig", "apple", "", "plum", "pear"],)]),
        [
            ("if w:", "if True:"),
            ("counts.get($python, 0) + 1", "1"),
            ("counts[$python] = counts.get($python, 0)", "counts[w] = counts.get(w, 0)"),
        ],
        over(
            name=("countByLength", "countByStart", "countByVowel"),
            type=("Integer", "Character", "Boolean"),
            key=("w.length()", "w.charAt(0)", '"aeiou".indexOf(w.charAt(0)) >= 0'),
            python=("len(w)", "w[0]", 'w[:1] in "aeiou"'),
        ),
    ),
    Family(
        "distinct-joined",
        "train",
        "streams",
        0.45,
        "$name",
        """
        static String $name(List<String> words) {
            return words.stream()
                .map(String::$change)
                .distinct()
                .sorted($order)
                .limit($most)
                .collect(Collectors.joining("$glue", "$open", "$close"));
        }
        """,
        """
        def $name(words):
            changed = list(dict.fromkeys(word.$python() for word in words))
            return "$open" + "$glue".join(sorted(changed, $key)[:$most]) + "$close"
        """,
        args(WORDS, shown=[(["Fig", "fig", "kiwi", "apple", "a", "bb", "date"],)]),
        [
            ("dict.fromkeys(word.$python() for word in words)", "word.$python() for word in words"),
            ("[:$most]", ""),
            ("sorted(changed, $key)", "changed"),
        ],
        over(
            name=("distinctJoined", "topWords"),
            change=("toLowerCase", "toUpperCase"),
            order=("Comparator.reverseOrder()", "Comparator.comparingInt(String::length)"),
            most=(4, 3),
            glue=(", ", "+"),
            open=("[", ""),
            close=("]", "!"),
            python=("lower", "upper"),
            key=("reverse=True", "key=len"),
        ),
    ),
    Family(
        "range-stream",
        "train",
        "streams",
        0.5,
        "$name",
        """
        static $type $name(int n) {
            return $stream.rangeClosed(1, n)
                .filter(i -> $test)
                .reduce($start, (a, b) -> a $op b);
        }
        """,
        """
        def $name(n):
            result = $start
            for i in range(1, n + 1):
                if $python:
                    result = (result $op i + 2**$half) % 2**$bits - 2**$half
            return result
        """,
        args(ints(-2, 45, 12, 13, 20, 21, 25)),
        [
            ("range(1, n + 1)", "range(1, n)"),
            ("(result $op i + 2**$half) % 2**$bits - 2**$half", "result $op i"),
            ("if $python", "if i > 0"),
        ],
        over(
            name=("rangeProduct", "oddProduct"),
            type=("int", "long"),
            stream=("IntStream", "LongStream"),
            test=("i % 3 != 0", "i % 2 == 1"),
            start=(1, 1),
            op="**",
            python=("i % 3 != 0", "i % 2 == 1"),
            half=(31, 63),
            bits=(32, 64),
        ),
    ),
    Family(
        "best-option",
        "test",
        "streams",
        0.55,
        "$name",
        """
        static Optional<String> $name(List<String> words, int least) {
            return words.stream()
                .filter(w -> w.length() $cmp least)
                .$pick(Comparator.comparing(String::length)$more)
                .map(w -> w + "$mark");
        }
        """,
        """
        def $name(words, least):
            kept = [w for w in words if len(w) $cmp least]
            if not kept:
                return None
            best = kept[0]
            for w in kept[1:]:
                if $python:
                    best = w
            return best + "$mark"
        """,
        args(
            WORDS,
            ints(0, 5),
            shown=[
                (["kiwi", "pear", "fig"], 3),
                (["a", "bb"], 4),
                (["fig", "Fig"], 1),
                ([], 0),
                (["pear", "kiwi"], 4),
                (["bb", "plum", "date"], 2),
            ],
        ),
        [
            ("if $python", "if len(w) == len(best) + 1"),
            ("return None", 'return ""'),
            ("len(w) $cmp least", "len(w) != least"),
        ],
        over(
            name=("longestWord", "shortestWord", "longestFirst"),
            cmp=(">=", ">", ">="),
            pick=("max", "min", "max"),
            more=("", "", ".thenComparing(Comparator.reverseOrder())"),
            mark=("", "!", "."),
            python=(
                "len(w) > len(best)",
                "len(w) < len(best)",
                "len(w) > len(best) or (len(w) == len(best) and w < best)",
            ),
        ),
    ),
    Family(
        "flattened",
        "train",
        "streams",
        0.5,
        "$name",
        """
        static List<Integer> $name(List<List<Integer>> groups) {
            return groups.stream()
                .filter(g -> g.size() $cmp 1)
                .flatMap(List::stream)
                .map(x -> x $op $k)
                .sorted()
                .$last
                .collect(Collectors.toList());
        }
        """,
        """
        def $name(groups):
            values = sorted($value for group in groups if len(group) $cmp 1 for x in group)
            return $python
        """,
        args(
            grids(ints(-9, 9), (0, 4), (1, 3), [], [[1]], [[], [3, -3, -7]]),
            shown=[([[5, -5], [1], [7, 7, -4]],), ([[2, 1], [0]],), ([[-7, 3], [8]],)],
        ),
        [
            ("sorted($value for", "list($value for"),
            ("len(group) $cmp 1", "len(group) >= 0"),
            ("return $python", "return values[2:]"),
        ],
        over(
            name=("flattened", "mergedHalves"),
            cmp=(">", "!="),
            op=("*", "/"),
            k=(2, 2),
            last=("distinct()", "limit(3)"),
            value=("x * 2", "int(x / 2)"),
            python=("list(dict.fromkeys(values))", "values[:3]"),
        ),
    ),
    Family(
        "all-any-none",
        "validation",
        "streams",
        0.5,
        "$name",
        """
        static String $name(int[] xs, int limit) {
            boolean all = Arrays.stream(xs).allMatch(x -> x $cmp limit);
            boolean any = IntStream.of(xs).anyMatch(x -> x == limit);
            boolean none = Arrays.stream(xs).map(x -> x / $by).noneMatch(x -> x == $zero);
            return all + "/" + any + "/" + none;
        }
        """,
        """
        def $name(xs, limit):
            every = all(x $cmp limit for x in xs)
            some = any(x == limit for x in xs)
            none = not any(int(x / $by) == $zero for x in xs)
            return "/".join(str(each).lower() for each in (every, some, none))
        """,
        args(
            lists(ints(-6, 9), 0, 5),
            ints(-5, 9),
            shown=[([1, 2], 3), ([3, 3], 3), ([-1, 9], 9), ([], 1), ([7, 8], 2), ([-4, 9], -4)],
        ),
        [
            ("int(x / $by)", "x // $by"),
            ("all(x $cmp limit for x in xs)", "bool(xs) and all(x $cmp limit for x in xs)"),
            ("str(each).lower()", "str(each)"),
        ],
        over(name=("allAnyNone", "threeChecks"), cmp=("<", ">="), by=(2, 3), zero=(0, -1)),
    ),
    Family(
        "partitioned",
        "train",
        "streams",
        0.55,
        "$name",
        """
        static Map<Boolean, Integer> $name(List<Integer> xs) {
            return xs.stream().collect(
                Collectors.partitioningBy(x -> x $test, Collectors.$down(x -> x$change)));
        }
        """,
        """
        def $name(xs):
            out = {True: 0, False: 0}
            for x in xs:
                out[x $test] += x$change
            return out
        """,
        args(NUMBERS, shown=[([],), ([4],), ([1, 2, 3],)]),
        [
            ("{True: 0, False: 0}", "{True: 0, False: 1}"),
            ("x$change\n", "x\n    del out[False]\n"),
            ("out[x $test]", "out[not x $test]"),
        ],
        over(
            name=("partitioned", "splitTotals"),
            test=("> 3", "% 2 == 0"),
            down=("summingInt", "summingInt"),
            change=(" + 1", " * 2"),
        ),
    ),
    Family(
        "letter-stream",
        "test",
        "streams",
        0.5,
        "$name",
        """
        static $type $name(String text) {
            return text.chars()
                .filter(Character::$kind)
                .$middle;
        }
        """,
        """
        def $name(text):
            kept = [c for c in text if c.$python()]
            return $result
        """,
        args(texts("abcXYZ019 ,", 0, 10), shown=[("Hello World 99",), ("zz",), ("A1b2",)]),
        [("c.$python()", "c.isspace()"), ("return $result", "return $wrong")],
        over(
            name=("letterSum", "upperText", "distinctDigits"),
            type=("int", "String", "long"),
            kind=("isLetter", "isUpperCase", "isDigit"),
            middle=(
                "sum()",
                "mapToObj(c -> String.valueOf((char) (c + 1))).collect(Collectors.joining())",
                "distinct().count()",
            ),
            python=("isalpha", "isupper", "isdigit"),
            result=("sum(ord(c) for c in kept)", '"".join(chr(ord(c) + 1) for c in kept)', "len(set(kept))"),
            wrong=("sum(ord(c) - 1 for c in kept)", '"".join(kept)', "len(kept)"),
        ),
    ),
    Family(
        "average-of",
        "train",
        "streams",
        0.5,
        "$name",
        """
        static double $name(int[] xs) {
            return Arrays.stream(xs).filter(x -> x $cmp 0).average().orElse($none);
        }
        """,
        """
        def $name(xs):
            kept = [x for x in xs if x $cmp 0]
            return sum(kept) / len(kept) if kept else $python
        """,
        args(lists(wide_ints(), 0, 5), shown=[([],), ([0],), ([3, 4],), ([-3, -4, 5],)]),
        [
            ("sum(kept) / len(kept)", "sum(kept) // len(kept)"),
            ("else $python", "else 1.0"),
            ("x $cmp 0", "x $cmp 3"),
        ],
        over(name=("averageOf", "averageLow"), cmp=(">", "<"), none=("0.0", "-1"), python=("0.0", "-1.0")),
    ),
)
