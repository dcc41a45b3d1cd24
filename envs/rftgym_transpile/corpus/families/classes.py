"""Families whose entry is a class: objects with state."""

from __future__ import annotations

from typing import Final

from rftgym_transpile.corpus.draws import choice, ints, longs, sessions, wide_ints
from rftgym_transpile.corpus.family import Family, over

FAMILIES: Final = (
    Family(
        "account",
        "train",
        "classes",
        0.5,
        "$name",
        """
        class $name {
            private int balance;
            private int count = 0;

            $name(int opening) {
                if (opening < 0) {
                    throw new IllegalArgumentException("negative opening");
                }
                balance = opening;
            }

            void deposit(int amount) {
                if (amount <= 0) {
                    throw new IllegalArgumentException("amount " + amount);
                }
                balance += amount;
                count++;
            }

            boolean withdraw(int amount) {
                if (amount > balance + $credit) {
                    return false;
                }
                balance -= amount$fee;
                count++;
                return true;
            }

            int getBalance() {
                return balance;
            }

            String statement() {
                return count + " moves, " + balance;
            }
        }
        """,
        """
        class $name:
            def __init__(self, opening):
                if opening < 0:
                    raise ValueError("negative opening")
                self.balance = opening
                self.count = 0

            def deposit(self, amount):
                if amount <= 0:
                    raise ValueError(f"amount {amount}")
                self.balance += amount
                self.count += 1

            def withdraw(self, amount):
                if amount > self.balance + $credit:
                    return False
                self.balance -= amount$fee
                self.count += 1
                return True

            def getBalance(self):
                return self.balance

            def statement(self):
                return f"{self.count} moves, {self.balance}"
        """,
        sessions(
            (ints(0, 100, 0, -1),),
            {"deposit": (ints(-5, 60),), "withdraw": (ints(0, 90),), "getBalance": (), "statement": ()},
            shown=[
                {
                    "new": [10],
                    "calls": [
                        ["withdraw", 10],
                        ["deposit", 0],
                        ["statement"],
                        ["withdraw", 1],
                        ["deposit", 5],
                        ["withdraw", 13],
                        ["getBalance"],
                        ["statement"],
                    ],
                },
                {"new": [10], "calls": [["withdraw", 20], ["statement"]]},
                {"new": [10], "calls": [["withdraw", 15], ["statement"]]},
            ],
        ),
        [
            ("amount <= 0", "amount < 0"),
            ("self.balance + $credit", "self.balance + $credit - 1"),
            ("self.count += 1\n        return True", "return True"),
        ],
        over(name=("Account", "Wallet", "Purse"), credit=(0, 10, 5), fee=("", " + 1", " - 0")),
    ),
    Family(
        "bounded-stack",
        "test",
        "classes",
        0.5,
        "$name",
        """
        public class $name {
            private final int[] items;
            private int size;

            public $name(int capacity) {
                items = new int[capacity];
            }

            public void push(int x) {
                if (size == items.length) {
                    $full
                }
                items[size++] = x;
            }

            public int pop() {
                if (size == 0) {
                    throw new NoSuchElementException("empty");
                }
                return items[--size];
            }

            public int peek() {
                return items[size - 1];
            }

            public boolean isEmpty() {
                return size == 0;
            }

            public int sum() {
                int total = 0;
                for (int i = 0; i < size; i++) {
                    total += items[i]$times;
                }
                return total;
            }
        }
        """,
        """
        class $name:
            def __init__(self, capacity):
                if capacity < 0:
                    raise ValueError("negative capacity")
                self.capacity = capacity
                self.items = []

            def push(self, x):
                if len(self.items) == self.capacity:
                    $python
                self.items.append(x)

            def pop(self):
                if not self.items:
                    raise IndexError("empty")
                return self.items.pop()

            def peek(self):
                if not self.items:
                    raise IndexError("empty")
                return self.items[-1]

            def isEmpty(self):
                return len(self.items) == 0

            def sum(self):
                total = sum(value$scaled for i, value in enumerate(self.items))
                return (total + 2**31) % 2**32 - 2**31
        """,
        sessions(
            (ints(0, 4, 0, -1, 2),),
            {"push": (wide_ints(-1000, 2**31 - 1),), "pop": (), "peek": (), "isEmpty": (), "sum": ()},
            shown=[
                {
                    "new": [3],
                    "calls": [
                        ["push", 2000000000],
                        ["push", 2000000000],
                        ["sum"],
                        ["pop"],
                        ["push", -1],
                        ["sum"],
                        ["isEmpty"],
                    ],
                },
                {"new": [1], "calls": [["pop"], ["push", 5], ["push", 6], ["peek"], ["pop"], ["isEmpty"]]},
                {
                    "new": [2],
                    "calls": [
                        ["peek"],
                        ["push", 1],
                        ["push", 2],
                        ["sum"],
                        ["push", 3],
                        ["sum"],
                        ["pop"],
                        ["pop"],
                        ["pop"],
                    ],
                },
            ],
        ),
        [
            ("return (total + 2**31) % 2**32 - 2**31", "return total"),
            ("return self.items.pop()", "return self.items.pop(0)"),
            ("if len(self.items) == self.capacity:", "if len(self.items) > self.capacity:"),
        ],
        over(
            name=("BoundedStack", "DroppingStack", "SmallStack"),
            full=('throw new IllegalStateException("full");', "return;", "size--;"),
            times=("", "", " * (i + 1)"),
            python=(
                'raise RuntimeError("full")',
                "return",
                'if self.capacity == 0:\n                raise IndexError("no room")\n            self.items.pop()',
            ),
            scaled=("", "", " * (i + 1)"),
        ),
    ),
    Family(
        "recent-cache",
        "train",
        "classes",
        0.65,
        "$name",
        """
        class $name {
            private final int capacity;
            private final LinkedHashMap<String, Integer> map;
            private int misses;

            $name(int capacity) {
                this.capacity = capacity;
                this.map = new LinkedHashMap<>(16, 0.75f, $access) {
                    @Override
                    protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
                        return size() > $name.this.capacity;
                    }
                };
            }

            void put(String key, int value) {
                map.put(key, value);
            }

            int get(String key) {
                Integer value = map.get(key);
                if (value == null) {
                    misses++;
                    return -1;
                }
                return value;
            }

            String keys() {
                return String.join(",", map.keySet()) + "/" + misses;
            }
        }
        """,
        """
        class $name:
            def __init__(self, capacity):
                self.capacity = capacity
                self.map = {}
                self.misses = 0

            def put(self, key, value):
                if $python and key in self.map:
                    del self.map[key]
                self.map[key] = value
                if len(self.map) > self.capacity:
                    del self.map[next(iter(self.map))]

            def get(self, key):
                if key not in self.map:
                    self.misses += 1
                    return -1
                if $python:
                    self.map[key] = self.map.pop(key)
                return self.map[key]

            def keys(self):
                return ",".join(self.map) + f"/{self.misses}"
        """,
        sessions(
            (ints(1, 3, 2, 0),),
            {
                "put": (choice("a", "b", "c", "d"), ints(0, 99)),
                "get": (choice("a", "b", "c", "d"),),
                "keys": (),
            },
            low=5,
            shown=[
                {
                    "new": [2],
                    "calls": [
                        ["put", "a", 1],
                        ["put", "b", 2],
                        ["get", "a"],
                        ["put", "c", 3],
                        ["keys"],
                        ["get", "b"],
                        ["put", "a", 9],
                        ["put", "d", 4],
                        ["keys"],
                    ],
                },
                {
                    "new": [2],
                    "calls": [["put", "a", 1], ["put", "b", 2], ["put", "a", 3], ["put", "c", 4], ["keys"]],
                },
            ],
        ),
        [
            ("if $python:\n            self.map[key]", "if not $python:\n            self.map[key]"),
            ("if $python and key in", "if not $python and key in"),
            ("self.misses += 1", "pass"),
        ],
        over(name=("RecentCache", "FirstInCache"), access=("true", "false"), python=("True", "False")),
    ),
    Family(
        "fraction",
        "test",
        "classes",
        0.55,
        "$name",
        """
        final class $name {
            private long top;
            private long bottom;

            $name(int top, int bottom) {
                if (bottom == 0) {
                    throw new ArithmeticException("bottom is 0");
                }
                set(top, bottom);
            }

            private static long gcd(long a, long b) {
                return b == 0 ? Math.abs(a) : gcd(b, a % b);
            }

            private void set(long t, long b) {
                long g = gcd(t, b);
                top = (b < 0 ? -t : t) / g;
                bottom = Math.abs(b) / g;
            }

            void add(int t, int b) {
                set(top * b $sign t * bottom, bottom * b);
            }

            int whole() {
                return (int) (top / bottom);
            }

            String text() {
                return bottom == 1 ? "" + top : top + "/" + bottom;
            }
        }
        """,
        """
        from math import gcd


        class $name:
            def __init__(self, top, bottom):
                if bottom == 0:
                    raise ZeroDivisionError("bottom is 0")
                self.set(top, bottom)

            def set(self, t, b):
                g = gcd(t, b)
                if g == 0:
                    raise ZeroDivisionError("0/0")
                self.top = (-t if b < 0 else t) // g
                self.bottom = abs(b) // g

            def add(self, t, b):
                self.set(self.top * b $sign t * self.bottom, self.bottom * b)

            def whole(self):
                if self.bottom == 0:
                    raise ZeroDivisionError("bottom is 0")
                return abs(self.top) // self.bottom * (1 if self.top >= 0 else -1)

            def text(self):
                return str(self.top) if self.bottom == 1 else f"{self.top}/{self.bottom}"
        """,
        sessions(
            (ints(-9, 9, 0, -3), ints(-6, 6, 0, 1, -2)),
            {"add": (ints(-6, 6), choice(1, 2, 3, 4, -2, -5)), "whole": (), "text": ()},
            shown=[
                {"new": [-7, 2], "calls": [["whole"], ["text"]]},
                {"new": [6, -4], "calls": [["text"], ["whole"]]},
                {"new": [0, 5], "calls": [["text"]]},
                {"new": [1, 0], "calls": [["text"]]},
            ],
        ),
        [
            ("abs(self.top) // self.bottom * (1 if self.top >= 0 else -1)", "self.top // self.bottom"),
            ("(-t if b < 0 else t)", "t"),
            ("// g\n        self.bottom", "\n        self.bottom"),
        ],
        over(name=("Fraction", "Ratio"), sign="+-"),
    ),
    Family(
        "ring-buffer",
        "train",
        "classes",
        0.5,
        "$name",
        """
        class $name {
            private final int[] data;
            private int head, size;

            $name(int capacity) {
                data = new int[capacity];
            }

            boolean add(int value) {
                boolean room = size < data.length;
                data[(head + size) % data.length] = value;
                if (room) {
                    size++;
                } else {
                    head = (head + 1) % data.length;
                }
                return room;
            }

            int get(int index) {
                if (index < 0 || index >= size) {
                    throw new IndexOutOfBoundsException("index " + index);
                }
                return data[(head + index) % data.length];
            }

            int[] toArray() {
                int[] out = new int[size];
                for (int i = 0; i < size; i++) {
                    out[$place] = get(i);
                }
                return out;
            }
        }
        """,
        """
        class $name:
            def __init__(self, capacity):
                if capacity < 0:
                    raise ValueError("negative capacity")
                self.capacity = capacity
                self.data = []

            def add(self, value):
                if self.capacity == 0:
                    raise ZeroDivisionError("no capacity")
                room = len(self.data) < self.capacity
                if not room:
                    self.data.pop(0)
                self.data.append(value)
                return room

            def get(self, index):
                if not 0 <= index < len(self.data):
                    raise IndexError(f"index {index}")
                return self.data[index]

            def toArray(self):
                return self.data[::$step]
        """,
        sessions(
            (ints(1, 4, 0, -2, 3),),
            {"add": (ints(-9, 99),), "get": (ints(-1, 3),), "toArray": ()},
            low=4,
            shown=[
                {
                    "new": [2],
                    "calls": [
                        ["add", 1],
                        ["add", 2],
                        ["get", -1],
                        ["add", 3],
                        ["toArray"],
                        ["get", 0],
                        ["get", 2],
                    ],
                }
            ],
        ),
        [
            (
                'if not 0 <= index < len(self.data):\n            raise IndexError(f"index {index}")\n        ',
                "",
            ),
            ("return room", "return True"),
            ("self.data.pop(0)", "self.data.pop()"),
        ],
        over(name=("RingBuffer", "LastValues"), place=("i", "size - 1 - i"), step=(1, -1)),
    ),
    Family(
        "random-source",
        "validation",
        "classes",
        0.6,
        "$name",
        """
        class $name {
            private long seed;

            $name(long seed) {
                this.seed = (seed ^ $mix) & ((1L << 48) - 1);
            }

            int next(int bits) {
                seed = (seed * 0x5DEECE66DL + 0xBL) & ((1L << 48) - 1);
                return (int) (seed >>> (48 - bits));
            }

            int below(int n) {
                return Math.abs(next(31)) % n;
            }
        }
        """,
        """
        class $name:
            def __init__(self, seed):
                self.seed = (seed ^ $mix) & (2**48 - 1)

            def next(self, bits):
                self.seed = (self.seed * 0x5DEECE66D + 0xB) & (2**48 - 1)
                value = self.seed >> (48 - bits)
                return (value + 2**31) % 2**32 - 2**31

            def below(self, n):
                return self.next(31) % n
        """,
        sessions(
            (longs(),),
            {"next": (ints(1, 32, 32),), "below": (ints(1, 100),)},
            shown=[
                {"new": [0], "calls": [["next", 32], ["next", 32], ["below", 10]]},
                {"new": [123456789], "calls": [["next", 32]] * 6},
            ],
        ),
        [
            ("return (value + 2**31) % 2**32 - 2**31", "return value"),
            ("+ 0xB", ""),
            ("0x5DEECE66D", "0x5DEECE66C"),
        ],
        over(name=("RandomSource", "PlainSource"), mix=("0", "12345")),
    ),
    Family(
        "inventory",
        "train",
        "classes",
        0.55,
        "$name",
        """
        class $name {
            private final Map<String, Integer> stock = new TreeMap<>();

            int add(String item, int count) {
                return stock.merge(item, count, Integer::sum);
            }

            int take(String item, int count) {
                Integer have = stock.get(item);
                if (have == null) {
                    throw new NoSuchElementException(item);
                }
                int taken = Math.min(have, count);
                if (taken == have) {
                    stock.remove(item);
                } else {
                    stock.put(item, have - taken$waste);
                }
                return taken;
            }

            List<String> items() {
                List<String> out = new ArrayList<>();
                for (Map.Entry<String, Integer> e : stock.entrySet()) {
                    if (e.getValue() $cmp 0) {
                        out.add(e.getKey() + "=" + e.getValue());
                    }
                }
                return out;
            }
        }
        """,
        """
        class $name:
            def __init__(self):
                self.stock = {}

            def add(self, item, count):
                self.stock[item] = self.stock.get(item, 0) + count
                return self.stock[item]

            def take(self, item, count):
                if item not in self.stock:
                    raise KeyError(item)
                have = self.stock[item]
                taken = min(have, count)
                if taken == have:
                    del self.stock[item]
                else:
                    self.stock[item] = have - taken$waste
                return taken

            def items(self):
                return [f"{key}={self.stock[key]}" for key in sorted(self.stock) if self.stock[key] $cmp 0]
        """,
        sessions(
            (),
            {
                "add": (choice("pen", "cup", "Axe"), ints(-3, 9)),
                "take": (choice("pen", "cup", "Axe"), ints(0, 9)),
                "items": (),
            },
            low=4,
            count=40,
            shown=[{"new": [], "calls": [["add", "pen", 2], ["add", "Axe", 3], ["items"]]}],
        ),
        [
            ("sorted(self.stock)", "self.stock"),
            ("raise KeyError(item)", "return 0"),
            ("have - taken$waste", "have"),
        ],
        over(name=("Inventory", "Storeroom"), cmp=(">", "!="), waste=("", " - 1")),
    ),
    Family(
        "point-shapes",
        "train",
        "classes",
        0.65,
        "$name",
        """
        interface Shape {
            int area();

            default String describe() {
                return getClass().getSimpleName() + " of " + area();
            }
        }

        abstract class Base implements Shape {
            protected final int size;

            Base(int size) {
                this.size = size;
            }
        }

        class Square extends Base {
            Square(int size) { super(size); }
            public int area() { return size * size; }
        }

        class Strip extends Base {
            Strip(int size) { super(size); }
            public int area() { return size * $width; }
            @Override public String describe() { return "strip " + size + super.describe().substring($cut); }
        }

        class $name {
            private final List<Shape> shapes = new ArrayList<>();

            void add(String kind, int size) {
                switch (kind) {
                    case "square": shapes.add(new Square(size)); break;
                    case "strip": shapes.add(new Strip(size)); break;
                    default: throw new IllegalArgumentException(kind);
                }
            }

            int total() {
                int sum = 0;
                for (Shape s : shapes) {
                    sum += s.area();
                }
                return sum;
            }

            String last() {
                return shapes.get(shapes.size() - 1).describe();
            }
        }
        """,
        """
        class Shape:
            def __init__(self, size):
                self.size = size

            def describe(self):
                return f"{type(self).__name__} of {self.area()}"


        class Square(Shape):
            def area(self):
                return self.size * self.size


        class Strip(Shape):
            def area(self):
                return self.size * $width

            def describe(self):
                return f"strip {self.size}" + super().describe()[$cut:]


        class $name:
            def __init__(self):
                self.shapes = []

            def add(self, kind, size):
                kinds = {"square": Square, "strip": Strip}
                if kind not in kinds:
                    raise ValueError(kind)
                self.shapes.append(kinds[kind](size))

            def total(self):
                return (sum(shape.area() for shape in self.shapes) + 2**31) % 2**32 - 2**31

            def last(self):
                return self.shapes[-1].describe()
        """,
        sessions(
            (),
            {"add": (choice("square", "strip", "strip", "dot"), ints(0, 60000)), "total": (), "last": ()},
            low=3,
            count=40,
            shown=[
                {
                    "new": [],
                    "calls": [
                        ["last"],
                        ["add", "square", 46000],
                        ["total"],
                        ["add", "square", 30000],
                        ["total"],
                        ["add", "strip", 3],
                        ["last"],
                    ],
                }
            ],
        ),
        [
            ("+ super().describe()[$cut:]", ""),
            (
                "(sum(shape.area() for shape in self.shapes) + 2**31) % 2**32 - 2**31",
                "sum(shape.area() for shape in self.shapes)",
            ),
            ("self.shapes[-1]", "self.shapes[0]"),
        ],
        over(name=("Drawing", "Canvas"), width=(3, 7), cut=(5, 8)),
    ),
)
