"""Problems about lists."""

from __future__ import annotations

from rftgym_code.problems.problem import Problem, ints

PROBLEMS = (
    Problem(
        1,
        '''
def second_largest(numbers: list[int]) -> int | None:
    """Return the second largest of the different numbers in a list; None where there are fewer than two.

    >>> second_largest([3, 9, 9, 4])
    4
    """
    ordered = sorted(set(numbers))
    return ordered[-2] if len(ordered) >= 2 else None
''',
        (([],), ([5],), ([5, 5],), ([1, 2],), ([-1, -2, -3],), ([0, 0, -1],)),
        lambda rng: (ints(rng, -9, 9, 2, 8),),
        (
            ("sorted(set(numbers))", "sorted(numbers)"),
            ("ordered[-2]", "ordered[1]"),
            (">= 2 else None", ">= 2 else 0"),
        ),
    ),
    Problem(
        1,
        '''
def without_repeats(items: list[int]) -> list[int]:
    """Return a list without the items that occurred before; the order stays.

    >>> without_repeats([3, 1, 3, 2, 1])
    [3, 1, 2]
    """
    return list(dict.fromkeys(items))
''',
        (([],), ([1, 1, 1],), ([2, 1],), ([0, -1, 0],)),
        lambda rng: (ints(rng, -4, 4, 3, 9),),
        (
            ("list(dict.fromkeys(items))", "sorted(set(items))"),
            ("list(dict.fromkeys(items))", "[x for i, x in enumerate(items) if i == 0 or x != items[i - 1]]"),
        ),
    ),
    Problem(
        2,
        '''
def rotated(items: list[int], steps: int) -> list[int]:
    """Return a list whose items have moved ``steps`` places to the right; those that fall off come in at the left.

    Negative steps move them to the left. The list that was given stays as it is.

    >>> rotated([1, 2, 3, 4, 5], 2)
    [4, 5, 1, 2, 3]
    """
    if not items:
        return []
    cut = -steps % len(items)
    return items[cut:] + items[:cut]
''',
        (([], 3), ([1], 5), ([1, 2, 3], 0), ([1, 2, 3], 3), ([1, 2, 3], -1), ([1, 2, 3], 7), ([1, 2, 3], -8)),
        lambda rng: (ints(rng, 0, 9, 2, 7), rng.randint(-15, 15)),
        (
            ("-steps % len(items)", "steps % len(items)"),
            ("cut = -steps % len(items)", "cut = len(items) - steps"),
            ("    if not items:\n        return []\n", ""),
        ),
    ),
    Problem(
        2,
        '''
def chunks(items: list[int], size: int) -> list[list[int]]:
    """Cut a list into pieces of ``size`` items, in order; the last one may be shorter.

    Raises ValueError where the size is less than 1.

    >>> chunks([1, 2, 3, 4, 5], 2)
    [[1, 2], [3, 4], [5]]
    """
    if size < 1:
        raise ValueError("a piece has at least one item")
    return [items[i : i + size] for i in range(0, len(items), size)]
''',
        (([], 2), ([1], 3), ([1, 2, 3], 3), ([1, 2], 0), ([1, 2], -1), ([], 0), ([1, 2, 3], 1)),
        lambda rng: (ints(rng, 0, 9, 1, 10), rng.randint(1, 5)),
        (
            ("if size < 1:", "if size == 0:"),
            ("len(items), size)", "len(items) - size + 1, size)"),
            ('raise ValueError("a piece has at least one item")', "return []"),
        ),
    ),
    Problem(
        2,
        '''
def move_zeros(numbers: list[int]) -> None:
    """Move all zeros to the end of a list, in place; the other numbers keep their order. Return nothing.

    >>> numbers = [0, 1, 0, 3]
    >>> move_zeros(numbers)
    >>> numbers
    [1, 3, 0, 0]
    """
    numbers.sort(key=lambda number: number == 0)
''',
        (([],), ([0],), ([0, 0, 1],), ([1, 2],), ([0, -1, 0, -2, 5],)),
        lambda rng: (ints(rng, -2, 2, 2, 9),),
        (
            (
                "numbers.sort(key=lambda number: number == 0)",
                "numbers = [n for n in numbers if n] + [0] * numbers.count(0)",
            ),
            ("numbers.sort(key=lambda number: number == 0)", "numbers.sort(key=lambda number: -abs(number))"),
            ("numbers.sort(key=lambda number: number == 0)", "numbers.sort(key=lambda number: number <= 0)"),
        ),
        in_place=True,
    ),
    Problem(
        3,
        '''
def merge_intervals(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge closed intervals that overlap or touch at an end; return the merged ones in ascending order.

    >>> merge_intervals([(6, 8), (1, 3), (2, 5)])
    [(1, 5), (6, 8)]
    """
    merged: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
''',
        (
            ([],),
            ([(1, 2)],),
            ([(1, 4), (4, 5)],),
            ([(1, 9), (2, 3)],),
            ([(1, 2), (3, 4)],),
            ([(5, 5), (5, 5)],),
        ),
        lambda rng: (
            [(low := rng.randint(0, 20), low + rng.randint(0, 6)) for _ in range(rng.randint(2, 6))],
        ),
        (
            ("low <= merged[-1][1]", "low < merged[-1][1]"),
            ("max(high, merged[-1][1])", "high"),
            ("low <= merged[-1][1]", "low <= merged[-1][1] + 1"),
            ("sorted(intervals)", "intervals"),
        ),
    ),
    Problem(
        3,
        '''
def pairs_with_sum(numbers: list[int], total: int) -> list[tuple[int, int]]:
    """Return all different pairs (a, b) with a <= b of numbers at two places of a list that add up to ``total``.

    Each pair is listed once, and pairs are in ascending order.

    >>> pairs_with_sum([1, 5, 3, 3, 5], 6)
    [(1, 5), (3, 3)]
    """
    seen: set[int] = set()
    found: set[tuple[int, int]] = set()
    for number in numbers:
        other = total - number
        if other in seen:
            found.add((min(number, other), max(number, other)))
        seen.add(number)
    return sorted(found)
''',
        (([], 0), ([3], 6), ([3, 3, 3], 6), ([0, 0], 0), ([-1, 1, 2, -2], 0), ([1, 2], 4)),
        lambda rng: (ints(rng, -4, 6, 3, 9), rng.randint(-2, 8)),
        (
            ("        if other in seen:", "        if other in numbers:"),
            ("found.add((min(number, other), max(number, other)))", "found.add((other, number))"),
            ("return sorted(found)", "return sorted(found)[:1]"),
        ),
    ),
    Problem(
        3,
        '''
def largest_sum(numbers: list[int]) -> int:
    """Return the largest sum of one or more neighbouring numbers of a list.

    Raises ValueError where the list is empty.

    >>> largest_sum([-2, 1, -3, 4, -1, 2, 1, -5, 4])
    6
    """
    if not numbers:
        raise ValueError("no numbers")
    best = here = numbers[0]
    for number in numbers[1:]:
        here = max(number, here + number)
        best = max(best, here)
    return best
''',
        (([],), ([-3],), ([-3, -1, -2],), ([5, -9, 6],), ([1, 2, 3],), ([0],), ([2, -1, 2],)),
        lambda rng: (ints(rng, -9, 9, 2, 9),),
        (
            ("max(number, here + number)", "max(0, here + number)"),
            ("return best", "return here"),
            ('raise ValueError("no numbers")', "return 0"),
        ),
    ),
    Problem(
        2,
        '''
def moving_average(numbers: list[float], size: int) -> list[float]:
    """Return the means of every ``size`` neighbouring numbers, from left to right; [] where there are too few.

    >>> moving_average([1.0, 2.0, 3.0, 5.0], 2)
    [1.5, 2.5, 4.0]
    """
    return [sum(numbers[i : i + size]) / size for i in range(len(numbers) - size + 1)]
''',
        (([], 1), ([1.0], 2), ([1.0, 2.0], 2), ([4.0, -4.0, 0.5], 1), ([0.1, 0.2, 0.3], 3)),
        lambda rng: ([round(rng.uniform(-5, 5), 2) for _ in range(rng.randint(2, 8))], rng.randint(1, 4)),
        (
            ("len(numbers) - size + 1", "len(numbers) - size"),
            ("/ size", "// size"),
            ("len(numbers) - size + 1", "len(numbers)"),
        ),
    ),
    Problem(
        4,
        '''
def longest_increasing(numbers: list[int]) -> int:
    """Return how many numbers can stay at most, if others are struck out so that each one is larger than the last.

    >>> longest_increasing([10, 9, 2, 5, 3, 7, 101, 18])
    4
    """
    tails: list[int] = []
    for number in numbers:
        place = sum(tail < number for tail in tails)
        tails[place : place + 1] = [number]
    return len(tails)
''',
        (
            ([],),
            ([7],),
            ([7, 7, 7],),
            ([3, 2, 1],),
            ([1, 2, 3],),
            ([0, 1, 0, 3, 2, 3],),
            ([4, 10, 4, 3, 8, 9],),
        ),
        lambda rng: (ints(rng, 0, 12, 4, 10),),
        (
            ("tail < number", "tail <= number"),
            ("tails[place : place + 1] = [number]", "tails[place:] = [number]"),
            ("return len(tails)", "return max(len(tails), 1)"),
        ),
    ),
    Problem(
        1,
        '''
def interleave(first: list[int], second: list[int]) -> list[int]:
    """Take items from two lists in turn, beginning with the first; the rest of the longer one follows at the end.

    >>> interleave([1, 2, 3, 4], [9, 8])
    [1, 9, 2, 8, 3, 4]
    """
    size = min(len(first), len(second))
    mixed = [item for pair in zip(first, second) for item in pair]
    return mixed + first[size:] + second[size:]
''',
        (([], []), ([], [1, 2]), ([1, 2], []), ([1], [2, 3, 4]), ([1, 2], [3, 4])),
        lambda rng: (ints(rng, 0, 9, 0, 5), ints(rng, 10, 19, 0, 5)),
        ((" + second[size:]", ""), (" + first[size:]", ""), ("zip(first, second)", "zip(second, first)")),
    ),
    Problem(
        3,
        '''
def trapped_water(heights: list[int]) -> int:
    """Return how many unit squares of rain a skyline of bars holds, each bar one unit wide.

    >>> trapped_water([2, 0, 1, 3])
    3
    """
    total = 0
    for i, height in enumerate(heights):
        level = min(max(heights[: i + 1]), max(heights[i:]))
        total += level - height
    return total
''',
        (
            ([],),
            ([3],),
            ([1, 2, 3],),
            ([3, 2, 1],),
            ([3, 0, 3],),
            ([0, 1, 0, 2, 1, 0, 1, 3, 2, 1, 2, 1],),
            ([4, 2, 0, 3, 2, 5],),
        ),
        lambda rng: (ints(rng, 0, 6, 3, 10),),
        (
            ("min(max(heights[: i + 1]), max(heights[i:]))", "max(heights[: i + 1])"),
            ("max(heights[i:])", "heights[-1]"),
            ("total += level - height", "total += level > height"),
        ),
    ),
)
