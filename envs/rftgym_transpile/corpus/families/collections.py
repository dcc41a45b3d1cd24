"""Families about lists, maps, sets and queues."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import args, choice, ints, lists, maps, nullable, sets, texts
from rftgym_transpile.corpus.family import Family, over

WORDS: Final = lists(choice("fig", "apple", "kiwi", "pear", "plum", "Fig", "date", "a", "bb", ""), 0, 8)
NUMBERS: Final = lists(ints(-9, 12), 0, 9)

FAMILIES: Final = (
    Family(
        "count-words",
        "train",
        "collections",
        0.35,
        "$name",
        """
        static Map<String, Integer> $name(List<String> words) {
            Map<String, Integer> counts = new HashMap<>();
            for (String word : words) {
                String key = $key;
                $count
            }
            counts.remove("$drop");
            return counts;
        }
        """,
        """
        def $name(words):
            counts = {}
            for word in words:
                key = $python
                $store
            counts.pop("$drop", None)
            return counts
        """,
        args(WORDS, shown=[(["fig", "Fig", "apple", "", "a"],)]),
        [
            ('counts.pop("$drop", None)', "pass"),
            ("key = $python", 'key = word + ""[:0] if len(word) > 3 else "x"'),
            ("counts = {}\n", 'counts = {"fig": 0}\n'),
        ],
        over(
            name=("countWords", "countByStart", "lastLengths"),
            key=(
                "word.toLowerCase()",
                'word.isEmpty() ? "-" : word.substring(0, 1)',
                "word.length() > 2 ? word.substring(2) : word",
            ),
            count=(
                "counts.merge(key, 1, Integer::sum);",
                "counts.put(key, counts.getOrDefault(key, 0) + 2);",
                "counts.put(key, word.length());",
            ),
            drop=("a", "-", "bb"),
            python=("word.lower()", 'word[0] if word else "-"', "word[2:] if len(word) > 2 else word"),
            store=(
                "counts[key] = counts.get(key, 0) + 1",
                "counts[key] = counts.get(key, 0) + 2",
                "counts[key] = len(word)",
            ),
        ),
    ),
    Family(
        "group-words",
        "test",
        "collections",
        0.4,
        "$name",
        """
        static Map<$type, List<String>> $name(List<String> words) {
            Map<$type, List<String>> groups = new TreeMap<>();
            for (String w : words) {
                if (w == null) {
                    continue;
                }
                List<String> group = groups.computeIfAbsent($key, k -> new ArrayList<>());
                if (!group.contains(w)) {
                    group.$add;
                }
            }
            return groups;
        }
        """,
        """
        def $name(words):
            groups = {}
            for w in words:
                if w is None:
                    continue
                group = groups.setdefault($python, [])
                if w not in group:
                    group.$insert
            return groups
        """,
        args(
            lists(nullable(choice("fig", "apple", "kiwi", "pear", "plum", "Fig", "a", "")), 0, 8),
            shown=[(["fig", "fig", None, "a", "plum", "pear"],)],
        ),
        [
            ("if w is None:", "if not w:"),
            ("if w not in group:\n            group", "if True:\n            group"),
            ("group.$insert", "group[:] = [w]"),
        ],
        over(
            name=("groupWords", "groupByEnd", "groupByCase"),
            type=("Integer", "String", "Boolean"),
            key=(
                "w.length()",
                'w.isEmpty() ? "" : w.substring(w.length() - 1)',
                "!w.isEmpty() && Character.isUpperCase(w.charAt(0))",
            ),
            add=("add(w)", "add(0, w)", "add(w)"),
            python=("len(w)", "w[-1:]", "w[:1].isupper()"),
            insert=("append(w)", "insert(0, w)", "append(w)"),
        ),
    ),
    Family(
        "set-algebra",
        "train",
        "collections",
        0.35,
        "$name",
        """
        static Set<Integer> $name(Set<Integer> a, Set<Integer> b, int limit) {
            Set<Integer> result = new HashSet<>(a);
            result.$first(b);
            Set<Integer> rest = new HashSet<>(b);
            rest.removeAll(a);
            result.$second(rest);
            result.removeIf(x -> x $cmp limit);
            return result;
        }
        """,
        """
        def $name(a, b, limit):
            result = a $op b
            rest = b - a
            result = result $more rest
            return {x for x in result if not x $cmp limit}
        """,
        args(sets(ints(-5, 9), 0, 6), sets(ints(-5, 9), 0, 6), ints(-3, 9)),
        [
            ("b - a", "a - b"),
            ("if not x $cmp limit", "if x $cmp limit"),
            ("result = a $op b", "result = set(b)"),
        ],
        over(
            name=("symmetricDifference", "keepFirst"),
            first=("removeAll", "addAll"),
            second=("addAll", "removeAll"),
            cmp=(">", "<"),
            op=("-", "|"),
            more=("|", "-"),
        ),
    ),
    Family(
        "balanced",
        "test",
        "collections",
        0.35,
        "$name",
        """
        static $type $name(String text) {
            Deque<Character> open = new ArrayDeque<>();
            int deepest = 0;
            for (char c : text.toCharArray()) {
                if ("([{".indexOf(c) >= 0) {
                    open.push(c);
                    deepest = Math.max(deepest, open.size());
                } else if (")]}".indexOf(c) >= 0) {
                    if (open.isEmpty() || "([{".indexOf(open.pop()) != ")]}".indexOf(c)) {
                        return $bad;
                    }
                }
            }
            return $result;
        }
        """,
        """
        def $name(text):
            opened = []
            deepest = 0
            for c in text:
                if c in "([{":
                    opened.append(c)
                    deepest = max(deepest, len(opened))
                elif c in ")]}":
                    if not opened or "([{".index(opened.pop()) != ")]}".index(c):
                        return $wrong
            return $python
        """,
        args(
            texts("()[]", 0, 6),
            shown=[
                ("([{}])",),
                ("(]",),
                ("((",),
                ("())",),
                ("a(b)c",),
                ("[()]",),
                ("()",),
                ("[[[]",),
                ("{}{}",),
            ],
        ),
        [
            ("not opened or ", ""),
            ('"([{".index(opened.pop()) != ")]}".index(c)', "opened.pop() == c"),
            ("return $python", "return $other"),
        ],
        over(
            name=("isBalanced", "deepestNesting"),
            type=("boolean", "int"),
            bad=("false", "-1"),
            result=("open.isEmpty()", "open.isEmpty() ? deepest : -open.size()"),
            wrong=("False", "-1"),
            python=("not opened", "deepest if not opened else -len(opened)"),
            other=("True", "deepest"),
        ),
    ),
    Family(
        "remove-in-place",
        "train",
        "collections",
        0.4,
        "$name",
        """
        static boolean $name(List<Integer> numbers, int x) {
            boolean found = numbers.remove($what);
            Iterator<Integer> it = numbers.iterator();
            while (it.hasNext()) {
                if (it.next() $cmp x) {
                    it.remove();
                }
            }
            return found;
        }
        """,
        """
        def $name(numbers, x):
            found = $value in numbers
            if found:
                numbers.remove($value)
            numbers[:] = [n for n in numbers if not n $cmp x]
            return found
        """,
        args(NUMBERS, ints(-3, 9), shown=[([3, 5, 3, 9], 3), ([1, 2], 7)]),
        [
            ("numbers[:] = ", "numbers = "),
            ("numbers.remove($value)", "numbers.pop(0)"),
            ("if not n $cmp x", "if n $cmp x"),
        ],
        over(
            name=("dropAbove", "dropBelow"),
            what=("Integer.valueOf(x)", "Integer.valueOf(x + 1)"),
            cmp=(">", "<"),
            value=("x", "x + 1"),
        ),
    ),
    Family(
        "most-frequent",
        "validation",
        "collections",
        0.4,
        "$name",
        """
        static int $name(int[] values) {
            TreeMap<Integer, Integer> counts = new TreeMap<>();
            for (int v : values) {
                counts.put(v, counts.getOrDefault(v, 0) + 1);
            }
            int best = $none;
            int most = 0;
            for (Map.Entry<Integer, Integer> e : counts.$view.entrySet()) {
                if (e.getValue() > most) {
                    most = e.getValue();
                    best = e.getKey();
                }
            }
            return best;
        }
        """,
        """
        def $name(values):
            counts = {}
            for v in values:
                counts[v] = counts.get(v, 0) + 1
            best = $none
            most = 0
            for key in sorted(counts, reverse=$reverse):
                if counts[key] > most:
                    most = counts[key]
                    best = key
            return best
        """,
        args(lists(ints(-3, 5), 0, 9), shown=[([3, 1, 3, 1],), ([2],), ([5, -1, 5, -1, 2],)]),
        [
            ("sorted(counts, reverse=$reverse)", "counts"),
            ("> most", ">= most"),
            ("best = key", "best = most"),
        ],
        over(
            name=("mostFrequent", "largestMode"),
            none=(-1, 0),
            view=("headMap(Integer.MAX_VALUE)", "descendingMap()"),
            reverse=("False", "True"),
        ),
    ),
    Family(
        "circle-game",
        "train",
        "collections",
        0.35,
        "$name",
        """
        static String $name(int n, int k) {
            Queue<Integer> circle = new LinkedList<>();
            for (int i = 1; i <= n; i++) {
                circle.offer(i);
            }
            StringBuilder order = new StringBuilder();
            while (circle.size() > $left) {
                for (int i = 1; i < k; i++) {
                    circle.offer(circle.poll());
                }
                order.append(circle.poll()).append('$glue');
            }
            return order.toString() + circle.peek();
        }
        """,
        """
        def $name(n, k):
            circle = list(range(1, n + 1))
            order = ""
            while len(circle) > $left:
                for _ in range(1, k):
                    circle.append(circle.pop(0))
                order += str(circle.pop(0)) + "$glue"
            return order + (str(circle[0]) if circle else "null")
        """,
        args(ints(0, 9), ints(0, 5), shown=[(7, 3), (1, 1), (0, 2), (5, 1)]),
        [
            ("range(1, k)", "range(k)"),
            ('(str(circle[0]) if circle else "null")', "str(circle[:1])"),
            ("len(circle) > $left", "len(circle) > $left + 1"),
        ],
        over(name=("circleGame", "countOut"), left=(1, 0), glue=(",", ">")),
    ),
    Family(
        "merge-counts",
        "train",
        "collections",
        0.4,
        "$name",
        """
        static Map<String, Integer> $name(Map<String, Integer> a, Map<String, Integer> b) {
            Map<String, Integer> out = new TreeMap<>(a);
            for (String key : b.keySet()) {
                if (out.containsKey(key)) {
                    out.put(key, $both);
                } else if (b.get(key) $cmp 0) {
                    out.put(key, b.get(key));
                }
            }
            return out;
        }
        """,
        """
        def $name(a, b):
            out = dict(a)
            for key, value in b.items():
                if key in out:
                    out[key] = $python
                elif value $cmp 0:
                    out[key] = value
            return out
        """,
        args(
            maps(choice("a", "b", "c", "d"), ints(-5, 9), 0, 4),
            maps(choice("a", "b", "c", "d"), ints(-5, 9), 0, 4),
        ),
        [
            ("elif value $cmp 0", "else"),
            ("out = dict(a)", "out = {}"),
            ("out[key] = $python", "out[key] = value"),
        ],
        over(
            name=("mergeCounts", "keepLarger"),
            both=("out.get(key) + b.get(key)", "Math.max(out.get(key), b.get(key))"),
            cmp=(">", "<"),
            python=("out[key] + value", "max(out[key], value)"),
        ),
    ),
    Family(
        "priority-order",
        "test",
        "collections",
        0.45,
        "$name",
        """
        static List<String> $name(List<String> jobs, int most) {
            PriorityQueue<String> queue = new PriorityQueue<>($order);
            queue.addAll(jobs);
            List<String> done = new ArrayList<>();
            while (!queue.isEmpty() && done.size() < most) {
                done.add(queue.poll());
            }
            done.add("" + queue.size());
            return done;
        }
        """,
        """
        def $name(jobs, most):
            queue = sorted(jobs, $python)
            count = max(0, min(most, len(queue)))
            return queue[:count] + [str(len(queue) - count)]
        """,
        args(
            lists(choice("fig", "apple", "kiwi", "pear", "plum", "Fig", "date", "a", "bb"), 0, 7), ints(-1, 6)
        ),
        [
            ("sorted(jobs, $python)", "list(jobs)"),
            ("max(0, min(most, len(queue)))", "min(most, len(queue))"),
            ("$python", "key=lambda w: w[::-1]"),
        ],
        over(
            name=("priorityOrder", "shortestFirst", "reverseOrder"),
            order=(
                "Comparator.naturalOrder()",
                "Comparator.comparing(String::length).thenComparing(Comparator.naturalOrder())",
                "Collections.reverseOrder()",
            ),
            python=("key=None", "key=lambda w: (len(w), w)", "reverse=True"),
        ),
    ),
    Family(
        "sublist-view",
        "train",
        "collections",
        0.45,
        "$name",
        """
        static int $name(List<Integer> items, int from, int to) {
            List<Integer> part = items.subList(from, to);
            int sum = 0;
            for (int x : part) {
                sum += x;
            }
            part.$change;
            return sum + items.size();
        }
        """,
        """
        def $name(items, from_, to):
            if from_ < 0 or to > len(items):
                raise IndexError("no such part")
            if from_ > to:
                raise ValueError("turned round")
            total = sum(items[from_:to])
            items[from_:to] = $python
            return total + len(items)
        """,
        args(
            NUMBERS,
            ints(0, 4),
            ints(0, 6),
            shown=[([1, 2, 3, 4], 1, 3), ([1], 0, 2), ([5, 6], 1, 1), ([1, 2, 3], 2, 1)],
        ),
        [
            ('raise ValueError("turned round")', "pass"),
            ("items[from_:to] = $python", "items = items[:from_] + $python + items[to:]"),
            ("sum(items[from_:to])", "sum(items)"),
        ],
        over(
            name=("cutPart", "appendPart"),
            change=("clear()", "add(7)"),
            python=("[]", "items[from_:to] + [7]"),
        ),
    ),
)
