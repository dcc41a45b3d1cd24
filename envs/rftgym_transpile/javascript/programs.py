"""Hand-written JavaScript, with Python that does the same and inputs. `record.py` adds what Node.js makes of them.

Inputs and results are in the notation of the README. The first line of a text is the one behind the quotes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal


@dataclass(frozen=True, slots=True)
class Pair:
    """A program in both languages.

    Attributes:
        id: of the task.
        inputs: the hidden tests.
        wrong: a Python translation that the tests must find out.
    """

    id: str
    split: Literal["train", "validation", "test"]
    difficulty: float
    category: str
    entry: str
    javascript: str
    python: str
    wrong: str
    inputs: tuple[Any, ...]


PAIRS: Final = (
    Pair(
        "js-clamp", "train", 0.1, "arithmetic", "clamp",
        """
function clamp(x, low, high) {
  return Math.min(Math.max(x, low), high);
}
""",
        """
def clamp(x, low, high):
    return min(max(x, low), high)
""",
        """
def clamp(x, low, high):
    return max(min(x, low), high)
""",
        ([5, 0, 10], [-5, 0, 10], [15, 0, 10], [0.5, 0, 1], [3, 3, 3], [7, 9, 8], [-1, -3, -2]),
    ),
    Pair(
        "js-remainder", "train", 0.2, "arithmetic", "remainder",
        """
function remainder(a, b) {
  return a % b;
}
""",
        """
import math

def remainder(a, b):
    return math.nan if b == 0 else math.fmod(a, b)
""",
        """
def remainder(a, b):
    return a % b if b else float("nan")
""",
        ([7, 3], [-7, 3], [7, -3], [-7, -3], [5, 0], [5.5, 2], [9, 3], [-1, 4]),
    ),
    Pair(
        "js-to-int", "train", 0.4, "arithmetic", "toInt",
        """
const toInt = (x) => x | 0;
""",
        """
import math

def toInt(x):
    if not math.isfinite(x):
        return 0
    return (int(x) + 2**31) % 2**32 - 2**31
""",
        """
def toInt(x):
    return int(x)
""",
        ([3.7], [-3.7], [4294967296], [2147483648], [{"$float": "nan"}], [0], [-2147483649], [1e12]),
    ),
    Pair(
        "js-title-case", "train", 0.3, "strings", "titleCase",
        """
function titleCase(text) {
  return text
    .split(' ')
    .map((word) => (word ? word[0].toUpperCase() + word.slice(1).toLowerCase() : word))
    .join(' ');
}
""",
        """
def titleCase(text):
    return " ".join(word[:1].upper() + word[1:].lower() for word in text.split(" "))
""",
        """
def titleCase(text):
    return " ".join(word.capitalize() for word in text.split())
""",
        (["hello world"], ["  two  spaces "], [""], ["ALL CAPS"], ["o'neil mc-x"], ["a"], ["x y z"]),
    ),
    Pair(
        "js-range-sum", "train", 0.1, "control flow", "rangeSum",
        """
function rangeSum(from, to) {
  let sum = 0;
  for (let i = from; i <= to; i++) {
    if (i % 3 === 0) continue;
    sum += i;
  }
  return sum;
}
""",
        """
def rangeSum(start, to):
    return sum(i for i in range(start, to + 1) if i % 3 != 0)
""",
        """
def rangeSum(start, to):
    return sum(i for i in range(start, to) if i % 3 != 0)
""",
        ([1, 10], [0, 0], [5, 1], [-4, 4], [3, 3], [7, 8], [1, 100]),
    ),
    Pair(
        "js-chunk", "train", 0.4, "arrays", "chunk",
        """
function chunk(items, size) {
  if (size < 1) throw new RangeError('size');
  const out = [];
  for (let i = 0; i < items.length; i += size) {
    out.push(items.slice(i, i + size));
  }
  return out;
}
""",
        """
def chunk(items, size):
    if size < 1:
        raise ValueError("size")
    return [items[i : i + size] for i in range(0, len(items), size)]
""",
        """
def chunk(items, size):
    return [items[i : i + size] for i in range(0, len(items) - size + 1, size)]
""",
        ([[1, 2, 3, 4, 5], 2], [[], 3], [[1], 0], [["a", "b"], 5], [[1, 2, 3, 4], 2], [[1, 2], -1]),
    ),
    Pair(
        "js-default-sort", "train", 0.5, "arrays", "order",
        """
function order(numbers) {
  return numbers.sort();
}
""",
        """
def order(numbers):
    numbers.sort(key=str)
    return numbers
""",
        """
def order(numbers):
    numbers.sort()
    return numbers
""",
        ([[10, 9, 1]], [[]], [[3, 20, 100]], [[-1, -10, 5]], [[1, 2, 3]], [[80, 9, 700]]),
    ),
    Pair(
        "js-tally", "train", 0.4, "collections", "tally",
        """
function tally(words) {
  const counts = new Map();
  for (const word of words) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}
""",
        """
def tally(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts
""",
        """
def tally(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 1) + 1
    return counts
""",
        ([["a", "b", "a"]], [[]], [["x"]], [["q", "q", "q"]], [["A", "a"]], [["one", "two", "one", "two"]]),
    ),
    Pair(
        "js-counter", "train", 0.6, "classes", "Counter",
        """
class Counter {
  #count = 0;
  constructor(step = 1) {
    if (step === 0) throw new Error('step');
    this.step = step;
  }
  next() {
    this.#count += this.step;
    return this.#count;
  }
  reset() {
    this.#count = 0;
  }
}
""",
        """
class Counter:
    def __init__(self, step=1):
        if step == 0:
            raise ValueError("step")
        self.step = step
        self._count = 0

    def next(self):
        self._count += self.step
        return self._count

    def reset(self):
        self._count = 0
""",
        """
class Counter:
    def __init__(self, step=1):
        self.step = step
        self._count = 0

    def next(self):
        result = self._count
        self._count += self.step
        return result

    def reset(self):
        self._count = 0
""",
        (
            {"new": [], "calls": [["next"], ["next"], ["reset"], ["next"]]},
            {"new": [5], "calls": [["next"], ["next"]]},
            {"new": [0], "calls": []},
            {"new": [-2], "calls": [["next"], ["reset"], ["next"], ["next"]]},
        ),
    ),
    Pair(
        "js-truthy", "train", 0.5, "control flow", "firstTruthy",
        """
function firstTruthy(values, fallback) {
  for (const value of values) {
    if (value) return value;
  }
  return fallback;
}
""",
        """
def firstTruthy(values, fallback):
    for value in values:
        if isinstance(value, (list, dict, set)) or value:
            return value
    return fallback
""",
        """
def firstTruthy(values, fallback):
    return next((value for value in values if value), fallback)
""",
        ([[0, "", None, 3], -1], [[[], 5], -1], [[], "none"], [[False, "0"], 1], [[0.0, 0], None], [["", []], 2]),
    ),
    Pair(
        "js-factorial-big", "validation", 0.4, "recursion", "factorial",
        """
function factorial(n) {
  if (n < 0) throw new RangeError('negative');
  return n < 2 ? 1n : BigInt(n) * factorial(n - 1);
}
""",
        """
def factorial(n):
    if n < 0:
        raise ValueError("negative")
    return 1 if n < 2 else n * factorial(n - 1)
""",
        """
def factorial(n):
    result = 1.0
    for i in range(2, n + 1):
        result *= i
    return int(result)
""",
        ([0], [1], [5], [25], [30], [-1], [12]),
    ),
    Pair(
        "js-flatten", "validation", 0.6, "recursion", "flatten",
        """
function flatten(value, depth) {
  if (!Array.isArray(value)) return [value];
  if (depth === 0) return value.slice();
  return value.reduce((all, each) => all.concat(Array.isArray(each) ? flatten(each, depth - 1) : each), []);
}
""",
        """
def flatten(value, depth):
    if not isinstance(value, list):
        return [value]
    if depth == 0:
        return value[:]
    out = []
    for each in value:
        out.extend(flatten(each, depth - 1) if isinstance(each, list) else [each])
    return out
""",
        """
def flatten(value, depth):
    if not isinstance(value, list):
        return [value]
    out = []
    for each in value:
        out.extend(flatten(each, depth - 1))
    return out
""",
        ([[1, [2, [3]]], 1], [[1, [2, [3]]], 9], [5, 1], [[], 2], [[[1]], 0], [[[[[1]]]], 2]),
    ),
    Pair(
        "js-fixed", "validation", 0.5, "strings", "price",
        """
function price(cents, currency = 'EUR') {
  const sign = cents < 0 ? '-' : '';
  const whole = Math.trunc(Math.abs(cents) / 100);
  return `${sign}${whole}.${String(Math.abs(cents) % 100).padStart(2, '0')} ${currency}`;
}
""",
        """
def price(cents, currency="EUR"):
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole}.{rest:02d} {currency}"
""",
        """
def price(cents, currency="EUR"):
    return f"{cents // 100}.{cents % 100:02d} {currency}"
""",
        ([1234], [5, "USD"], [-250], [0], [-99, "CHF"], [100000]),
    ),
    Pair(
        "js-group-by", "test", 0.6, "collections", "groupBy",
        """
function groupBy(items, size) {
  const groups = new Map();
  items.forEach((item, index) => {
    const key = index % size;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).unshift(item);
  });
  return groups;
}
""",
        """
def groupBy(items, size):
    groups = {}
    for index, item in enumerate(items):
        groups.setdefault(index % size, []).insert(0, item)
    return groups
""",
        """
def groupBy(items, size):
    groups = {}
    for index, item in enumerate(items):
        groups.setdefault(index % size, []).append(item)
    return groups
""",
        ([[1, 2, 3, 4, 5], 2], [[], 3], [["a", "b", "c"], 1], [["a", "b", "c"], 9], [[1, 2, 3, 4], 4]),
    ),
    Pair(
        "js-unsigned-hash", "test", 0.7, "arithmetic", "checksum",
        """
function checksum(text) {
  let hash = 5381;
  for (const c of text) {
    hash = ((hash << 5) + hash) ^ c.codePointAt(0);
  }
  return hash >>> 0;
}
""",
        """
def checksum(text):
    h = 5381
    for c in text:
        s = h & 0xFFFFFFFF
        s = (s << 5) & 0xFFFFFFFF
        s = s - 2**32 if s >= 2**31 else s
        total = (s + h) & 0xFFFFFFFF
        h = total ^ ord(c)
        h = h - 2**32 if h >= 2**31 else h
    return h & 0xFFFFFFFF
""",
        """
def checksum(text):
    h = 5381
    for c in text:
        h = ((h << 5) + h) ^ ord(c)
    return h
""",
        (["hello"], [""], ["a"], ["negative"], ["The quick brown fox jumps"], ["zzzzzzzzzz"], ["\u00e9\u4e2d"]),
    ),
    Pair(
        "js-index-of", "test", 0.3, "strings", "positions",
        """
function positions(text, part) {
  const found = [];
  let at = text.indexOf(part);
  while (at !== -1 && part !== '') {
    found.push(at);
    at = text.indexOf(part, at + 1);
  }
  return found;
}
""",
        """
def positions(text, part):
    found = []
    at = text.find(part)
    while at != -1 and part != "":
        found.append(at)
        at = text.find(part, at + 1)
    return found
""",
        """
def positions(text, part):
    found = []
    at = text.find(part)
    while at != -1 and part != "":
        found.append(at)
        at = text.find(part, at + len(part))
    return found
""",
        (["banana", "ana"], ["aaaa", "aa"], ["", "x"], ["abc", ""], ["abcabc", "c"], ["xyz", "q"]),
    ),
    Pair(
        "js-reverse-words", "test", 0.2, "strings", "reverseWords",
        r"""
const reverseWords = (text) => text.trim().split(/\s+/).reverse().join(' ');
""",
        """
def reverseWords(text):
    return " ".join(reversed(text.split()))
""",
        """
def reverseWords(text):
    return " ".join(reversed(text.split(" ")))
""",
        (["one two three"], ["  padded  text "], [""], ["single"], ["tabs\tand\nlines"], ["a b"]),
    ),
    Pair(
        "js-queue", "test", 0.7, "classes", "Queue",
        """
class Queue {
  constructor(limit) {
    this.items = [];
    this.limit = limit;
  }
  get length() {
    return this.items.length;
  }
  add(item) {
    if (this.items.length >= this.limit) throw new Error('full');
    this.items.push(item);
    return this.items.length;
  }
  take() {
    return this.items.shift();
  }
}
""",
        """
class Queue:
    def __init__(self, limit):
        self.items = []
        self.limit = limit

    @property
    def length(self):
        return len(self.items)

    def add(self, item):
        if len(self.items) >= self.limit:
            raise RuntimeError("full")
        self.items.append(item)
        return len(self.items)

    def take(self):
        return self.items.pop(0) if self.items else None
""",
        """
class Queue:
    def __init__(self, limit):
        self.items = []
        self.limit = limit

    @property
    def length(self):
        return len(self.items)

    def add(self, item):
        if len(self.items) >= self.limit:
            raise RuntimeError("full")
        self.items.append(item)
        return len(self.items)

    def take(self):
        return self.items.pop(0)
""",
        (
            {"new": [2], "calls": [["add", 1], ["add", 2], ["add", 3], ["take"], ["length"], ["take"], ["take"]]},
            {"new": [1], "calls": [["take"], ["add", "x"], ["length"]]},
            {"new": [0], "calls": [["add", 1], ["length"]]},
        ),
    ),
)  # fmt: skip
