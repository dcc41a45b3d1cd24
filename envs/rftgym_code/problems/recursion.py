"""Problems that call for recursion or backtracking."""

from __future__ import annotations

from random import Random
from typing import Any

from rftgym_code.problems.problem import Problem, ints, word


def _nested(rng: Random, depth: int) -> list[Any]:
    """A list of numbers and lists."""
    return [
        _nested(rng, depth - 1) if depth and rng.random() < 0.4 else rng.randint(-9, 9)
        for _ in range(rng.randint(0, 4))
    ]


def _tree(rng: Random, depth: int) -> tuple[Any, ...] | None:
    """A binary tree ``(value, left, right)``."""
    if not depth or rng.random() < 0.2:
        return None
    return (rng.randint(0, 9), _tree(rng, depth - 1), _tree(rng, depth - 1))


PROBLEMS = (
    Problem(
        2,
        '''
def flat(items: list) -> list:
    """Return the items of a list that may hold lists, which may hold lists in turn, as one flat list, in order.

    >>> flat([1, [2, [3, []]], 4])
    [1, 2, 3, 4]
    """
    out = []
    for item in items:
        if isinstance(item, list):
            out.extend(flat(item))
        else:
            out.append(item)
    return out
''',
        (([],), ([[]],), ([[[[5]]]],), (["ab", ["cd"]],), ([[1], 2, [3, [4]]],)),
        lambda rng: (_nested(rng, 3),),
        (
            ("out.extend(flat(item))", "out.extend(item)"),
            ("isinstance(item, list)", "isinstance(item, (list, str)) and item"),
            ("return out", "return sorted(out, key=str)"),
        ),
    ),
    Problem(
        2,
        '''
def nesting(items: list) -> int:
    """Return how deep lists are nested in a list: 1 for a list that holds no list.

    >>> nesting([1, [2, [3]], [4]])
    3
    """
    return 1 + max((nesting(item) for item in items if isinstance(item, list)), default=0)
''',
        (([],), ([1],), ([[]],), ([[[[]]]],), ([[1], [[2]], 3],)),
        lambda rng: (_nested(rng, 4),),
        (
            ("default=0)", "default=-1)"),
            (
                "1 + max((nesting(item) for item in items if isinstance(item, list)), default=0)",
                'str(items).count("[")',
            ),
            (
                "1 + max((nesting(item) for item in items if isinstance(item, list)), default=0)",
                "1 + any(isinstance(item, list) for item in items)",
            ),
        ),
    ),
    Problem(
        3,
        '''
def permutations(text: str) -> list[str]:
    """Return all different arrangements of the characters of a text, in alphabetical order.

    >>> permutations("aba")
    ['aab', 'aba', 'baa']
    """
    if not text:
        return [""]
    found = {c + rest for i, c in enumerate(text) for rest in permutations(text[:i] + text[i + 1 :])}
    return sorted(found)
''',
        (("",), ("z",), ("aa",), ("cba",), ("aabb",)),
        lambda rng: (word(rng, 2, 5, "abcd"),),
        (
            ('return [""]', "return []"),
            (
                "{c + rest for i, c in enumerate(text) for rest in permutations(text[:i] + text[i + 1 :])}",
                "[c + rest for i, c in enumerate(text) for rest in permutations(text[:i] + text[i + 1 :])]",
            ),
            ("text[:i] + text[i + 1 :]", "text[i + 1 :]"),
        ),
    ),
    Problem(
        3,
        '''
def subsets_with_sum(numbers: list[int], total: int) -> int:
    """Return in how many ways some of the numbers of a list add up to ``total``.

    Each place of the list is used at most once; taking none is a way to make 0.

    >>> subsets_with_sum([1, 2, 3, 3], 6)
    3
    """
    if not numbers:
        return int(total == 0)
    return subsets_with_sum(numbers[1:], total) + subsets_with_sum(numbers[1:], total - numbers[0])
''',
        (([], 0), ([], 1), ([0], 0), ([0, 0], 0), ([1, -1], 0), ([5], 5), ([2, 2, 2], 4)),
        lambda rng: (ints(rng, -3, 6, 3, 8), rng.randint(-2, 9)),
        (
            ("return int(total == 0)", "return 0"),
            ("    if not numbers:\n", "    if total == 0:\n        return 1\n    if not numbers:\n"),
            ("total - numbers[0])", "total - abs(numbers[0]))"),
        ),
    ),
    Problem(
        4,
        '''
def queens(rows: int, columns: int) -> int:
    """Return in how many ways queens can stand on a board, one in each row, so that none attacks another.

    Queens attack along columns and diagonals, too. Rotated and mirrored boards count as different.

    >>> queens(4, 4)
    2
    """

    def place(taken: tuple[int, ...]) -> int:
        row = len(taken)
        if row == rows:
            return 1
        return sum(
            place((*taken, column))
            for column in range(columns)
            if all(column != c and abs(column - c) != row - r for r, c in enumerate(taken))
        )

    return place(())
''',
        ((0, 0), (1, 1), (2, 2), (3, 3), (5, 5), (6, 6), (2, 3), (3, 2), (1, 5), (0, 3)),
        lambda rng: (rng.randint(2, 4), rng.randint(3, 7)),
        (
            ("abs(column - c) != row - r", "column - c != row - r"),
            ("column != c and ", ""),
            ("abs(column - c) != row - r", "abs(column - c) != 1"),
        ),
    ),
    Problem(
        3,
        '''
def is_search_tree(tree: tuple | None) -> bool:
    """Tell whether a binary tree is a search tree.

    A tree is None or ``(value, left, right)``. All values in the left part of a node have to be smaller than its own
    value, and all in the right part larger.

    >>> is_search_tree((5, (3, None, None), (8, (6, None, None), None)))
    True
    >>> is_search_tree((5, None, (8, (4, None, None), None)))
    False
    """

    def within(node: tuple | None, low: float, high: float) -> bool:
        if node is None:
            return True
        value, left, right = node
        return low < value < high and within(left, low, value) and within(right, value, high)

    return within(tree, float("-inf"), float("inf"))
''',
        (
            (None,),
            ((1, None, None),),
            ((1, (1, None, None), None),),
            ((1, None, (1, None, None)),),
            ((5, (2, None, (7, None, None)), None),),
            ((5, (2, (1, None, None), (4, None, None)), (9, None, None)),),
            ((5, (2, None, (3, None, None)), (8, (6, None, None), None)),),
            ((10, (5, None, (7, (6, None, None), None)), None),),
            ((10, (5, None, (7, (4, None, None), None)), None),),
            ((0, (-5, None, None), (5, None, None)),),
        ),
        lambda rng: (_tree(rng, 3),),
        (
            ("low < value < high", "low <= value <= high"),
            ("within(right, value, high)", 'within(right, value, float("inf"))'),
            (
                "low < value < high and within(left, low, value) and within(right, value, high)",
                (
                    "(not left or left[0] < value) and (not right or right[0] > value)"
                    " and within(left, 0, 0) and within(right, 0, 0)"
                ),
            ),
        ),
    ),
    Problem(
        3,
        '''
def levels(tree: tuple | None) -> list[list[int]]:
    """Return the values of a binary tree level by level, from left to right.

    A tree is None or ``(value, left, right)``.

    >>> levels((1, (2, None, (4, None, None)), (3, None, None)))
    [[1], [2, 3], [4]]
    """
    out = []
    nodes = [tree] if tree else []
    while nodes:
        out.append([node[0] for node in nodes])
        nodes = [child for node in nodes for child in node[1:] if child]
    return out
''',
        (
            (None,),
            ((7, None, None),),
            ((1, None, (2, None, (3, None, None))),),
            ((1, (2, (3, None, None), None), (4, (5, None, None), None)),),
        ),
        lambda rng: (_tree(rng, 4),),
        (
            ("[tree] if tree else []", "[tree]"),
            ("node[1:] if child", "node[:0:-1] if child"),
            ("for child in node[1:]", "for child in node[1:2]"),
        ),
    ),
)
