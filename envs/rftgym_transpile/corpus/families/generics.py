"""Families about generic methods and classes."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import args, choice, ints, lists, maps, nullable, sessions
from rftgym_transpile.corpus.family import Family, over

WORDS: Final = lists(choice("fig", "apple", "kiwi", "pear", "a", "Zoo"), 0, 7)

FAMILIES: Final = (
    Family(
        "largest-of",
        "train",
        "generics",
        0.45,
        "$name",
        """
        static <T extends Comparable<T>> T $name(List<T> items) {
            if (items.isEmpty()) {
                $empty
            }
            T best = items.get(0);
            for (T item : items) {
                if (item.compareTo(best) $cmp 0) {
                    best = item;
                }
            }
            return best;
        }
        """,
        """
        def $name(items):
            if not items:
                $python
            best = items[0]
            for item in items:
                if item $cmp best:
                    best = item
            return best
        """,
        args(WORDS, shown=[([3, 9, 2],), ([-1, -5],), (["b", "a", "C"],), ([2.5, 1.5],)]),
        [
            ("item $cmp best", "best $cmp item"),
            ("best = items[0]", 'best = ""'),
            ("for item in items:", "for item in items[:-1]:"),
        ],
        over(
            name=("largestOf", "smallestOf"),
            cmp=(">", "<"),
            empty=("return null;", 'throw new NoSuchElementException("empty");'),
            python=("return None", 'raise IndexError("empty")'),
        ),
    ),
    Family(
        "zip-lists",
        "test",
        "generics",
        0.45,
        "$name",
        """
        static <A, B> List<String> $name(List<A> first, List<B> second) {
            List<String> out = new ArrayList<>();
            Iterator<A> a = first.iterator();
            Iterator<B> b = second.iterator();
            while (a.hasNext() $op b.hasNext()) {
                out.add((a.hasNext() ? a.next() : "$none") + "$glue" + (b.hasNext() ? b.next() : "$none"));
            }
            return out;
        }
        """,
        """
        def text(x):
            return "null" if x is None else str(x)


        def $name(first, second):
            out = []
            for i in range($python(len(first), len(second))):
                a = text(first[i]) if i < len(first) else "$none"
                b = text(second[i]) if i < len(second) else "$none"
                out.append(a + "$glue" + b)
            return out
        """,
        args(
            lists(nullable(choice("x", "yy", "z")), 0, 5),
            lists(ints(-5, 9), 0, 5),
            shown=[([None, "a"], [1]), ([], [3, 4])],
        ),
        [
            ('"null" if x is None else str(x)', "str(x)"),
            ("$python(len", "len(first) or max(len"),
            ('a + "$glue" + b', 'b + "$glue" + a'),
        ],
        over(
            name=("zipLists", "zipLongest"),
            op=("&&", "||"),
            none=("-", "?"),
            glue=("=", "/"),
            python=("min", "max"),
        ),
    ),
    Family(
        "invert-map",
        "train",
        "generics",
        0.5,
        "$name",
        """
        static <K extends Comparable<K>, V> Map<V, List<K>> $name(Map<K, V> map) {
            Map<V, List<K>> out = new HashMap<>();
            List<K> keys = new ArrayList<>(map.keySet());
            keys.sort($order);
            for (K key : keys) {
                out.computeIfAbsent(map.get(key), v -> new LinkedList<>()).$add(key);
            }
            return out;
        }
        """,
        """
        def $name(map):
            out = {}
            for key in sorted(map, reverse=$reverse):
                out.setdefault(map[key], []).$insert
            return out
        """,
        args(maps(choice("a", "b", "c", "d", "e"), ints(0, 2), 0, 5)),
        [
            ("sorted(map, reverse=$reverse)", "sorted(map, reverse=not $reverse)"),
            ("out.setdefault(map[key], []).$insert", "out[map[key]] = [key]"),
        ],
        over(
            name=("invertMap", "groupKeys"),
            order=("null", "Comparator.reverseOrder()"),
            add=("add", "add"),
            reverse=("False", "True"),
            insert=("append(key)", "append(key)"),
        ),
    ),
    Family(
        "linked-stack",
        "test",
        "generics",
        0.6,
        "$name",
        """
        class $name<T> {
            private static class Node<T> {
                final T value;
                Node<T> next;

                Node(T value, Node<T> next) {
                    this.value = value;
                    this.next = next;
                }
            }

            private Node<T> top;
            private int size;

            void push(T value) {
                top = new Node<>(value, top);
                size++;
            }

            T pop() {
                if (top == null) {
                    return null;
                }
                T value = top.value;
                top = top.next;
                size--;
                return value;
            }

            void reverse() {
                Node<T> done = null;
                while (top != null) {
                    Node<T> next = top.next;
                    top.next = done;
                    done = top;
                    top = next;
                }
                top = done;
            }

            boolean contains(T wanted) {
                for (Node<T> n = top; n != null; n = n.next) {
                    if (Objects.equals(n.value, wanted)) {
                        return true;
                    }
                }
                return false;
            }

            String show() {
                StringBuilder sb = new StringBuilder("$open");
                for (Node<T> n = top; n != null; n = n.next) {
                    sb.append(n.value).append(n.next == null ? "" : "$glue");
                }
                return sb.append(size).toString();
            }
        }
        """,
        """
        class $name:
            def __init__(self):
                self.items = []

            def push(self, value):
                self.items.append(value)

            def pop(self):
                return self.items.pop() if self.items else None

            def reverse(self):
                self.items.reverse()

            def contains(self, wanted):
                return wanted in self.items

            def show(self):
                texts = ["null" if each is None else str(each) for each in reversed(self.items)]
                return "$open" + "$glue".join(texts) + str(len(self.items))
        """,
        sessions(
            (),
            {
                "push": (nullable(choice("x", "yy", "z")),),
                "pop": (),
                "reverse": (),
                "contains": (nullable(choice("x", "z")),),
                "show": (),
            },
            low=4,
            high=12,
            shown=[
                {
                    "new": [],
                    "calls": [
                        ["pop"],
                        ["push", "a"],
                        ["push", None],
                        ["show"],
                        ["contains", None],
                        ["reverse"],
                        ["show"],
                        ["pop"],
                        ["show"],
                    ],
                },
                {"new": [], "calls": [["push", "b"], ["push", "a"], ["push", "c"], ["reverse"], ["show"]]},
            ],
        ),
        [
            ("self.items.reverse()", "self.items.sort(key=str)"),
            ("reversed(self.items)", "self.items"),
            ('"null" if each is None else str(each)', "str(each)"),
        ],
        over(name=("LinkedStack", "Chain"), open=("[", ""), glue=(" > ", ",")),
    ),
    Family(
        "partition-by",
        "train",
        "generics",
        0.5,
        "$name",
        """
        static <T> List<List<T>> chunks(List<T> items, int size) {
            List<List<T>> out = new ArrayList<>();
            for (int i = 0; i < items.size(); i += size) {
                out.add(new ArrayList<>(items.subList(i, Math.min(i + size, items.size()))));
            }
            return out;
        }

        static List<List<Integer>> $name(List<Integer> items, int size) {
            if (size <= 0) {
                throw new IllegalArgumentException("size");
            }
            List<List<Integer>> parts = chunks(items, size);
            if (!parts.isEmpty() && parts.get(parts.size() - 1).size() $cmp size) {
                parts.$change;
            }
            return parts;
        }
        """,
        """
        def $name(items, size):
            if size <= 0:
                raise ValueError("size")
            parts = [items[i : i + size] for i in range(0, len(items), size)]
            if parts and len(parts[-1]) $cmp size:
                $python
            return parts
        """,
        args(
            lists(ints(-9, 9), 0, 9), ints(-1, 4), shown=[([1, 2, 3, 4, 5], 2), ([1, 2], 2), ([1, 2, 3], 5)]
        ),
        [
            ("size <= 0", "size <= 1"),
            ("$python\n", "pass\n"),
            ("items[i : i + size]", "items[i : i + size - 1]"),
        ],
        over(
            name=("wholeChunks", "markChunks"),
            cmp=("<", "=="),
            change=("remove(parts.size() - 1)", "add(new ArrayList<>())"),
            python=("parts.pop()", "parts.append([])"),
        ),
    ),
    Family(
        "pair-swap",
        "validation",
        "generics",
        0.5,
        "$name",
        """
        record Pair<A, B>(A left, B right) {
            Pair<B, A> swap() {
                return new Pair<>(right, left);
            }
        }

        static <T extends Comparable<T>> Pair<T, T> ordered(T a, T b) {
            return a.compareTo(b) <= 0 ? new Pair<>(a, b) : new Pair<>(b, a);
        }

        static Pair<Integer, Integer> $name(int[] values) {
            Pair<Integer, Integer> range = new Pair<>(values[0], values[0]);
            for (int v : values) {
                range = new Pair<>(ordered(range.left(), v).left(), ordered(range.right(), v).right());
            }
            return range$end;
        }
        """,
        """
        def $name(values):
            low = high = values[0]
            for v in values:
                low = min(low, v)
                high = max(high, v)
            return $python
        """,
        args(lists(ints(-50, 50), 0, 6), shown=[([3, 1, 2],), ([],), ([7],), ([-1, -9],)]),
        [
            ("return $python", "return $other"),
            ("high = max(high, v)", "high = v"),
            ("low = high = values[0]", "low = high = 0"),
        ],
        over(
            name=("rangeOf", "spanOf"),
            end=("", ".swap()"),
            python=("(low, high)", "(high, low)"),
            other=("(high, low)", "(low, high)"),
        ),
    ),
)
