"""Problems whose answer is a class; a test constructs it and calls its methods in turn."""

from __future__ import annotations

from random import Random

from rftgym_code.problems.problem import Problem, Steps


def _calls(rng: Random, n: int, *choices: tuple[str, int]) -> Steps:
    """``n`` calls of methods, each given with the number of its arguments, which are small numbers."""
    picked = [rng.choice(choices) for _ in range(n)]
    return tuple((name, tuple(rng.randint(1, 5) for _ in range(count))) for name, count in picked)


PROBLEMS = (
    Problem(
        2,
        '''
class Counter:
    """Counts from a start value, and remembers the highest value it ever had, the start value included.

    >>> counter = Counter(5)
    >>> counter.add(3)
    8
    >>> counter.add(-6)
    2
    >>> counter.highest()
    8
    """

    def __init__(self, start: int) -> None:
        self.value = self.peak = start

    def add(self, amount: int) -> int:
        """Add an amount, which may be negative; return the new value."""
        self.value += amount
        self.peak = max(self.peak, self.value)
        return self.value

    def highest(self) -> int:
        """Return the highest value so far."""
        return self.peak
''',
        (
            ((0,), (("highest", ()),)),
            ((-3,), (("add", (-1,)), ("highest", ()))),
            ((1,), (("add", (2,)), ("add", (-5,)), ("highest", ()), ("add", (1,)), ("highest", ()))),
        ),
        lambda rng: (
            (rng.randint(-3, 3),),
            (*((("add"), (rng.randint(-4, 4),)) for _ in range(4)), ("highest", ())),
        ),
        (
            ("max(self.peak, self.value)", "max(self.peak, amount)"),
            ("self.value = self.peak = start", "self.value, self.peak = start, 0"),
            ("return self.peak", "return self.value"),
        ),
    ),
    Problem(
        2,
        '''
class Stack:
    """A stack that knows its smallest number.

    >>> stack = Stack()
    >>> stack.push(3)
    >>> stack.push(1)
    >>> stack.smallest()
    1
    >>> stack.pop()
    1
    >>> stack.smallest()
    3
    """

    def __init__(self) -> None:
        self.items: list[int] = []

    def push(self, number: int) -> None:
        """Put a number on top."""
        self.items.append(number)

    def pop(self) -> int:
        """Take the number on top away and return it; raise IndexError where there is none."""
        return self.items.pop()

    def smallest(self) -> int | None:
        """Return the smallest number on the stack, or None where it is empty."""
        return min(self.items, default=None)
''',
        (
            ((), (("smallest", ()), ("pop", ()))),
            ((), (("push", (2,)), ("push", (2,)), ("pop", ()), ("smallest", ()))),
            (
                (),
                (
                    ("push", (-1,)),
                    ("push", (5,)),
                    ("smallest", ()),
                    ("pop", ()),
                    ("pop", ()),
                    ("smallest", ()),
                ),
            ),
        ),
        lambda rng: ((), _calls(rng, 8, ("push", 1), ("push", 1), ("pop", 0), ("smallest", 0))),
        (
            ("self.items.pop()", "self.items.pop(0)"),
            ("return self.items.pop()", "return self.items.pop() if self.items else None"),
            ("min(self.items, default=None)", "self.items[-1] if self.items else None"),
        ),
    ),
    Problem(
        3,
        '''
class Account:
    """A bank account that may be overdrawn down to a limit.

    >>> account = Account(100, 50)
    >>> account.withdraw(120)
    -20
    >>> account.deposit(5)
    -15
    """

    def __init__(self, balance: int, limit: int) -> None:
        self.balance = balance
        self.limit = limit

    def deposit(self, amount: int) -> int:
        """Pay in; return the new balance. Raise ValueError where the amount is not above 0."""
        if amount <= 0:
            raise ValueError("nothing to pay in")
        self.balance += amount
        return self.balance

    def withdraw(self, amount: int) -> int:
        """Pay out; return the new balance.

        Raise ValueError, and change nothing, where the amount is not above 0 or the balance would fall below -limit.
        """
        if amount <= 0 or self.balance - amount < -self.limit:
            raise ValueError("not covered")
        self.balance -= amount
        return self.balance
''',
        (
            ((0, 0), (("withdraw", (1,)), ("deposit", (1,)), ("withdraw", (1,)))),
            ((5, 5), (("withdraw", (10,)), ("withdraw", (1,)), ("deposit", (0,)))),
            (
                (5, 0),
                (
                    ("deposit", (-1,)),
                    ("withdraw", (-1,)),
                    ("withdraw", (0,)),
                    ("withdraw", (6,)),
                    ("withdraw", (5,)),
                ),
            ),
        ),
        lambda rng: (
            (rng.randint(0, 8), rng.randint(0, 4)),
            _calls(rng, 6, ("deposit", 1), ("withdraw", 1), ("withdraw", 1)),
        ),
        (
            ("< -self.limit", "<= -self.limit"),
            ("< -self.limit", "< 0"),
            ("amount <= 0 or self.balance", "self.balance"),
            ('            raise ValueError("not covered")\n', "            amount = 0\n"),
        ),
    ),
    Problem(
        4,
        '''
class Cache:
    """Keeps the values of the keys that were used last, as many as it has room for.

    Reading and writing both count as use. Where there is no room, the key that was not used for longest is dropped.

    >>> cache = Cache(2)
    >>> cache.put(1, 10)
    >>> cache.put(2, 20)
    >>> cache.get(1)
    10
    >>> cache.put(3, 30)
    >>> cache.get(2) is None
    True
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.kept: dict[int, int] = {}

    def get(self, key: int) -> int | None:
        """Return the key's value; None where it is not kept."""
        if key not in self.kept:
            return None
        self.kept[key] = self.kept.pop(key)
        return self.kept[key]

    def put(self, key: int, value: int) -> None:
        """Keep a value, in place of the key's former one."""
        self.kept.pop(key, None)
        self.kept[key] = value
        if len(self.kept) > self.room:
            del self.kept[next(iter(self.kept))]

    def keys(self) -> list[int]:
        """Return the keys, the one that was used last in front."""
        return list(self.kept)[::-1]
''',
        (
            ((1,), (("put", (1, 1)), ("put", (2, 2)), ("get", (1,)), ("keys", ()))),
            ((2,), (("get", (9,)), ("put", (1, 1)), ("put", (1, 5)), ("get", (1,)), ("keys", ()))),
            (
                (2,),
                (
                    ("put", (1, 1)),
                    ("put", (2, 2)),
                    ("put", (1, 3)),
                    ("put", (3, 3)),
                    ("keys", ()),
                    ("get", (2,)),
                    ("get", (1,)),
                    ("keys", ()),
                ),
            ),
        ),
        lambda rng: (
            (rng.randint(1, 3),),
            (*_calls(rng, 8, ("put", 2), ("put", 2), ("get", 1)), ("keys", ())),
        ),
        (
            ("        self.kept[key] = self.kept.pop(key)\n", ""),
            ("        self.kept.pop(key, None)\n", ""),
            ("list(self.kept)[::-1]", "sorted(self.kept)"),
            ("> self.room", ">= self.room"),
        ),
    ),
    Problem(
        3,
        '''
class Polynomial:
    """A polynomial, given by its coefficients, that of the constant first.

    >>> line = Polynomial([1, 2])
    >>> line.value(3)
    7
    >>> line.times([1, 2])
    [1, 4, 4]
    """

    def __init__(self, coefficients: list[int]) -> None:
        self.coefficients = list(coefficients)

    def value(self, x: int) -> int:
        """Return the polynomial's value at ``x``."""
        return sum(c * x**i for i, c in enumerate(self.coefficients))

    def degree(self) -> int:
        """Return the highest power whose coefficient is not 0; -1 where there is none."""
        return max((i for i, c in enumerate(self.coefficients) if c), default=-1)

    def times(self, other: list[int]) -> list[int]:
        """Return the coefficients of the product with another polynomial, without zeros at the end."""
        out = [0] * (len(self.coefficients) + len(other))
        for i, a in enumerate(self.coefficients):
            for j, b in enumerate(other):
                out[i + j] += a * b
        while out and not out[-1]:
            out.pop()
        return out
''',
        (
            (([],), (("degree", ()), ("value", (2,)), ("times", ([1],)))),
            (([0, 0],), (("degree", ()), ("value", (5,)), ("times", ([1, 1],)))),
            (([3, 0, 2, 0],), (("degree", ()), ("value", (-1,)), ("times", ([0],)), ("times", ([-1, 1],)))),
        ),
        lambda rng: (
            ([rng.randint(-2, 2) for _ in range(rng.randint(1, 4))],),
            (("degree", ()), ("value", (rng.randint(-2, 3),)), ("times", ([rng.randint(-2, 2), 1],))),
        ),
        (
            ("c * x**i", "c * x * i"),
            ("if c), default=-1)", "if c), default=0)"),
            ("        while out and not out[-1]:\n            out.pop()\n", ""),
            ("out[i + j] += a * b", "out[i + j] = a * b"),
        ),
    ),
    Problem(
        3,
        '''
class Inventory:
    """Counts the goods of a shop.

    >>> shop = Inventory()
    >>> shop.add("apple", 3)
    3
    >>> shop.remove("apple", 1)
    2
    >>> shop.report()
    [('apple', 2)]
    """

    def __init__(self) -> None:
        self.stock: dict[str, int] = {}

    def add(self, name: str, count: int) -> int:
        """Add some pieces of a good; return how many there are now."""
        self.stock[name] = self.stock.get(name, 0) + count
        return self.stock[name]

    def remove(self, name: str, count: int) -> int:
        """Take some pieces of a good away; return how many are left.

        Raise KeyError for a good that is not there, and ValueError, changing nothing, where there are too few. A good
        of which nothing is left is not there any more.
        """
        left = self.stock[name] - count
        if left < 0:
            raise ValueError("too few")
        self.stock[name] = left
        if not left:
            del self.stock[name]
        return left

    def report(self) -> list[tuple[str, int]]:
        """Return the goods with their counts, the largest count first and equal ones by name."""
        return sorted(self.stock.items(), key=lambda item: (-item[1], item[0]))
''',
        (
            ((), (("report", ()), ("remove", ("x", 1)))),
            ((), (("add", ("a", 2)), ("remove", ("a", 2)), ("report", ()), ("remove", ("a", 1)))),
            (
                (),
                (
                    ("add", ("b", 1)),
                    ("add", ("a", 1)),
                    ("add", ("c", 5)),
                    ("report", ()),
                    ("remove", ("c", 6)),
                    ("report", ()),
                ),
            ),
        ),
        lambda rng: (
            (),
            (
                *(
                    (rng.choice(["add", "add", "remove"]), (rng.choice("ab"), rng.randint(1, 3)))
                    for _ in range(6)
                ),
                ("report", ()),
            ),
        ),
        (
            ("        if not left:\n            del self.stock[name]\n", ""),
            ("(-item[1], item[0])", "(item[1], item[0])"),
            ("self.stock[name] - count", "self.stock.get(name, 0) - count"),
            ("self.stock.get(name, 0) + count", "count"),
        ),
    ),
    Problem(
        3,
        '''
class Graph:
    """An undirected graph between names.

    >>> graph = Graph()
    >>> graph.connect("a", "b")
    >>> graph.neighbours("b")
    ['a']
    >>> graph.reachable("a", "c")
    False
    """

    def __init__(self) -> None:
        self.links: dict[str, set[str]] = {}

    def connect(self, first: str, second: str) -> None:
        """Put an edge between two names, which may be new."""
        self.links.setdefault(first, set()).add(second)
        self.links.setdefault(second, set()).add(first)

    def neighbours(self, name: str) -> list[str]:
        """Return the names that are connected to this one directly, by alphabet; [] for a name that is not known."""
        return sorted(self.links.get(name, ()))

    def reachable(self, start: str, goal: str) -> bool:
        """Tell whether a way leads from one name to the other; to itself one always does."""
        seen, border = {start}, [start]
        while border:
            for name in self.links.get(border.pop(), ()):
                if name not in seen:
                    seen.add(name)
                    border.append(name)
        return goal in seen
''',
        (
            ((), (("neighbours", ("a",)), ("reachable", ("a", "a")), ("reachable", ("a", "b")))),
            (
                (),
                (
                    ("connect", ("a", "b")),
                    ("connect", ("b", "c")),
                    ("reachable", ("c", "a")),
                    ("neighbours", ("b",)),
                    ("neighbours", ("c",)),
                ),
            ),
            (
                (),
                (
                    ("connect", ("a", "a")),
                    ("connect", ("b", "a")),
                    ("connect", ("c", "d")),
                    ("reachable", ("a", "d")),
                    ("neighbours", ("a",)),
                ),
            ),
        ),
        lambda rng: (
            (),
            (
                *(("connect", tuple(rng.sample("abcde", 2))) for _ in range(3)),
                ("reachable", tuple(rng.sample("abcde", 2))),
                ("neighbours", (rng.choice("abcde"),)),
                ("reachable", tuple(rng.sample("abcde", 2))),
            ),
        ),
        (
            ("        self.links.setdefault(second, set()).add(first)\n", ""),
            ("return goal in seen", "return goal in self.links.get(start, ())"),
            ("sorted(self.links.get(name, ()))", "sorted(self.links[name])"),
        ),
    ),
)
