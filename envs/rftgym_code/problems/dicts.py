"""Problems about dictionaries."""

from __future__ import annotations

from rftgym_code.problems.problem import Problem, ints, sentence, word, words

PROBLEMS = (
    Problem(
        1,
        '''
def inverted(mapping: dict[str, int]) -> dict[int, list[str]]:
    """Return a dictionary from each value to the sorted list of the keys that had it.

    >>> inverted({"b": 1, "a": 1, "c": 2})
    {1: ['a', 'b'], 2: ['c']}
    """
    out: dict[int, list[str]] = {}
    for key in sorted(mapping):
        out.setdefault(mapping[key], []).append(key)
    return out
''',
        (({},), ({"x": 0},), ({"z": 3, "y": 3, "x": 3},)),
        lambda rng: ({key: rng.randint(0, 3) for key in words(rng, 1, 6)},),
        (
            ("sorted(mapping)", "mapping"),
            (
                "for key in sorted(mapping):\n        out.setdefault(mapping[key], []).append(key)",
                "for key in mapping:\n        out[mapping[key]] = [key]",
            ),
        ),
    ),
    Problem(
        1,
        '''
def word_counts(text: str) -> dict[str, int]:
    """Count how often each word of a text occurs; words are separated by white space and their case does not count.

    >>> word_counts("The cat the dog")
    {'the': 2, 'cat': 1, 'dog': 1}
    """
    counts: dict[str, int] = {}
    for each in text.lower().split():
        counts[each] = counts.get(each, 0) + 1
    return counts
''',
        (("",), ("  a \n a\t",), ("A a",), ("one",), ("a, a",)),
        lambda rng: (sentence(rng, 2, 8, "abA"),),
        (
            ("text.lower().split()", "text.split()"),
            ("text.lower().split()", 'text.lower().split(" ")'),
            ("counts.get(each, 0) + 1", "1"),
        ),
    ),
    Problem(
        2,
        '''
def merged(first: dict[str, int], second: dict[str, int]) -> dict[str, int]:
    """Merge two dictionaries into a new one, adding the values of keys that are in both; drop keys whose value is 0.

    >>> merged({"a": 1, "b": 2}, {"b": -2, "c": 3})
    {'a': 1, 'c': 3}
    """
    out = dict(first)
    for key, value in second.items():
        out[key] = out.get(key, 0) + value
    return {key: value for key, value in out.items() if value}
''',
        (({}, {}), ({"a": 0}, {}), ({}, {"a": 0, "b": 1}), ({"a": 1}, {"a": 1}), ({"a": 5}, {"a": -5})),
        lambda rng: (
            {word(rng, 1, 1, "abcd"): rng.randint(-2, 2) for _ in range(4)},
            {word(rng, 1, 1, "abcd"): rng.randint(-2, 2) for _ in range(4)},
        ),
        (
            ("out = dict(first)", "out = first"),
            ("out.get(key, 0) + value", "value"),
            (" if value}", " if value > 0}"),
        ),
    ),
    Problem(
        2,
        '''
def most_frequent(items: list[str], n: int) -> list[str]:
    """Return the ``n`` most frequent items, most frequent first; among equally frequent ones the alphabet decides.

    >>> most_frequent(["b", "a", "c", "b", "a"], 2)
    ['a', 'b']
    """
    return sorted(set(items), key=lambda item: (-items.count(item), item))[:n]
''',
        (([], 3), (["x"], 0), (["x"], 5), (["b", "a"], 1), (["z", "z", "a"], 2)),
        lambda rng: ([word(rng, 1, 1, "abcde") for _ in range(rng.randint(3, 12))], rng.randint(1, 4)),
        (
            ("(-items.count(item), item)", "(items.count(item), item)"),
            ("(-items.count(item), item)", "item"),
            ("(-items.count(item), item)", "(-items.count(item), items.index(item))"),
        ),
    ),
    Problem(
        3,
        '''
def flattened(tree: dict, separator: str) -> dict:
    """Turn nested dictionaries into a flat one whose keys are the paths, joined by a separator.

    A dictionary that is empty stays as a value.

    >>> flattened({"a": {"b": 1, "c": {"d": 2}}, "e": 3}, ".")
    {'a.b': 1, 'a.c.d': 2, 'e': 3}
    """
    flat: dict = {}
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            for path, leaf in flattened(value, separator).items():
                flat[key + separator + path] = leaf
        else:
            flat[key] = value
    return flat
''',
        (
            ({}, "."),
            ({"a": {}}, "/"),
            ({"a": {"b": {}}}, "."),
            ({"a": 1}, "-"),
            ({"a": {"b": None}}, "::"),
            ({"x": {"y": {"z": [1]}}}, ""),
        ),
        lambda rng: (
            {
                word(rng, 1, 1, "abc"): rng.choice([1, {word(rng, 1, 1): rng.choice([2, {"k": 3, "m": {}}])}])
                for _ in range(3)
            },
            rng.choice("./_"),
        ),
        (
            (" and value:", ":"),
            ("key + separator + path", "path"),
            ("flattened(value, separator)", 'flattened(value, ".")'),
        ),
    ),
    Problem(
        3,
        '''
def group_anagrams(words: list[str]) -> list[list[str]]:
    """Put words that consist of the same letters into one group.

    Words are in their order in every group, and groups are in the order of their first words.

    >>> group_anagrams(["eat", "tan", "tea", "nat"])
    [['eat', 'tea'], ['tan', 'nat']]
    """
    groups: dict[str, list[str]] = {}
    for each in words:
        groups.setdefault("".join(sorted(each)), []).append(each)
    return list(groups.values())
''',
        (([],), ([""],), (["a", "a"],), (["ab", "ba", "abb", "bab"],), (["b", "a"],)),
        lambda rng: ([word(rng, 1, 3, "ab") for _ in range(rng.randint(3, 8))],),
        (
            ('"".join(sorted(each))', '"".join(sorted(set(each)))'),
            ("list(groups.values())", "sorted(groups.values())"),
            ('"".join(sorted(each))', "each[:1]"),
        ),
    ),
    Problem(
        4,
        '''
def shortest_path(links: dict[str, list[str]], start: str, goal: str) -> list[str] | None:
    """Return a path with as few steps as possible from a node to another one, both ends included.

    ``links`` lists for each node the nodes that can be reached from it in a step; a node may be missing there. Of
    several shortest paths, return the one that is first in alphabetical order. None where there is no way.

    >>> shortest_path({"a": ["c", "b"], "b": ["d"], "c": ["d"]}, "a", "d")
    ['a', 'b', 'd']
    """
    paths = {start: [start]}
    border = [start]
    while border and goal not in paths:
        found: dict[str, list[str]] = {}
        for node in border:
            for following in links.get(node, []):
                if following not in paths:
                    path = [*paths[node], following]
                    found[following] = min(path, found.get(following, path))
        paths.update(found)
        border = list(found)
    return paths.get(goal)
''',
        (
            ({}, "a", "a"),
            ({}, "a", "b"),
            ({"a": ["b"], "b": ["a"]}, "a", "c"),
            ({"a": ["a"]}, "a", "a"),
            ({"a": ["b", "c"], "b": ["c"]}, "a", "c"),
            ({"a": ["b"]}, "b", "a"),
            ({"a": ["b", "z"], "z": ["g"], "b": ["g"]}, "a", "g"),
            ({"a": ["z", "b"], "z": ["g"], "b": ["g"]}, "a", "g"),
        ),
        lambda rng: (
            {node: rng.sample("abcdefg", rng.randint(1, 3)) for node in rng.sample("abcdefg", 6)},
            "a",
            rng.choice("defg"),
        ),
        (
            ("min(path, found.get(following, path))", "path"),
            ("links.get(node, [])", "sorted(links.get(node, []))[:1]"),
            ("return paths.get(goal)", "return paths.get(goal, [])"),
        ),
    ),
    Problem(
        2,
        '''
def missing_numbers(numbers: list[int]) -> list[int]:
    """Return, in ascending order, the whole numbers between the smallest and the largest of a list that are not in it.

    >>> missing_numbers([7, 3, 5, 3])
    [4, 6]
    """
    if not numbers:
        return []
    have = set(numbers)
    return [n for n in range(min(have), max(have)) if n not in have]
''',
        (([],), ([4],), ([1, 2, 3],), ([-2, 2],), ([5, 1],)),
        lambda rng: (ints(rng, -6, 8, 2, 6),),
        (
            ("range(min(have), max(have))", "range(max(have))"),
            ("range(min(have), max(have))", "range(numbers[0], numbers[-1])"),
            ("    if not numbers:\n        return []\n", ""),
        ),
    ),
)
