"""Problems about reading structured text."""

from __future__ import annotations

from random import Random

from rftgym_code.problems.problem import Problem, word


def _expression(rng: Random, depth: int) -> str:
    if not depth or rng.random() < 0.3:
        return str(rng.randint(0, 20))
    inner = (
        f"{_expression(rng, depth - 1)}{rng.choice([' + ', '-', '*', ' * '])}{_expression(rng, depth - 1)}"
    )
    return f"({inner})" if rng.random() < 0.4 else inner


def _version(rng: Random) -> str:
    return ".".join(str(rng.choice([0, 1, 2, 9, 10])) for _ in range(rng.randint(1, 4)))


PROBLEMS = (
    Problem(
        2,
        '''
def balanced(text: str) -> bool:
    """Tell whether the brackets (), [] and {} of a text are balanced; all other characters do not matter.

    >>> balanced("f(a[1], {b: (c)})")
    True
    >>> balanced("(]")
    False
    """
    partner = {")": "(", "]": "[", "}": "{"}
    waiting: list[str] = []
    for c in text:
        if c in partner.values():
            waiting.append(c)
        elif c in partner and (not waiting or waiting.pop() != partner[c]):
            return False
    return not waiting
''',
        (("",), ("(",), (")",), ("([)]",), ("a(b)c",), ("{[()]}",), ("())(",), ("((a))]",), ("][",)),
        lambda rng: (
            (word(rng, 1, 3, "([{") + word(rng, 0, 2, "x)]}") + word(rng, 0, 3, ")]}"),)
            if rng.random() < 0.5
            else ("".join(rng.choice(["()", "[x]", "{[]}", "(())"]) for _ in range(3)),)
        ),
        (
            ("    return not waiting", "    return True"),
            ("waiting.pop() != partner[c]", "not waiting.pop()"),
            ("not waiting or ", "waiting and "),
        ),
    ),
    Problem(
        2,
        '''
def parse_query(query: str) -> dict[str, list[str]]:
    """Read the query of a web address, as in "a=1&b=2&a=3", into a dictionary from names to their values, in order.

    A part without "=" has the value "". Empty parts do not count. Nothing is decoded. Only the first "=" of a part
    separates.

    >>> parse_query("a=1&b=2&a=3&flag")
    {'a': ['1', '3'], 'b': ['2'], 'flag': ['']}
    """
    found: dict[str, list[str]] = {}
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            found.setdefault(name, []).append(value)
    return found
''',
        (("",), ("&&",), ("a",), ("a=",), ("=b",), ("a=b=c",), ("a=1&&a=1",)),
        lambda rng: (
            "&".join(
                word(rng, 1, 1, "ab") + rng.choice(["=", "", "=x="]) + word(rng, 0, 2, "xyz")
                for _ in range(rng.randint(1, 4))
            ),
        ),
        (
            ('part.partition("=")', 'part.rpartition("=")'),
            ("        if part:\n", "        if True:\n"),
            ("found.setdefault(name, []).append(value)", "found[name] = [value]"),
        ),
    ),
    Problem(
        3,
        '''
def split_csv(line: str) -> list[str]:
    """Split a line of comma-separated values into its fields.

    A field that begins with a double quote goes on to the closing one and may hold commas; two double quotes in it
    stand for one.

    >>> split_csv('a,"b,c",d')
    ['a', 'b,c', 'd']
    >>> split_csv('"a""b",')
    ['a"b', '']
    """
    fields = [""]
    quoted = False
    i = 0
    while i < len(line):
        c = line[i]
        if quoted and c == '"' and line[i + 1 : i + 2] == '"':
            fields[-1] += '"'
            i += 1
        elif c == '"':
            quoted = not quoted
        elif c == "," and not quoted:
            fields.append("")
        else:
            fields[-1] += c
        i += 1
    return fields
''',
        (("",), (",",), ('""',), ('"a"',), ("a, b",), ('"","x"',), ('"""",1',), ('"a,b","c""d"',)),
        lambda rng: (
            ",".join(
                rng.choice([word(rng, 0, 3), f'"{word(rng, 0, 2)},"', f'"x""{word(rng, 1, 1)}"'])
                for _ in range(rng.randint(1, 4))
            ),
        ),
        (
            (" and not quoted:", ":"),
            ("            fields[-1] += '\"'\n", "            pass\n"),
            ("    return fields", "    return [f for f in fields if f]"),
        ),
    ),
    Problem(
        4,
        '''
def evaluate(expression: str) -> int:
    """Compute an expression of whole numbers with +, -, * and parentheses; blanks do not matter.

    Multiplication binds tighter than addition and subtraction, and equals go from left to right. No sign stands in
    front of a number.

    >>> evaluate("2 + 3 * (4 - 1)")
    11
    """
    tokens = list(expression.replace(" ", "") + "=")

    def atom() -> int:
        if tokens[0] == "(":
            tokens.pop(0)
            value = total()
            tokens.pop(0)
            return value
        digits = ""
        while tokens[0].isdigit():
            digits += tokens.pop(0)
        return int(digits)

    def product() -> int:
        value = atom()
        while tokens[0] == "*":
            tokens.pop(0)
            value *= atom()
        return value

    def total() -> int:
        value = product()
        while tokens[0] in "+-":
            value += product() if tokens.pop(0) == "+" else -product()
        return value

    return total()
''',
        (
            ("7",),
            ("10-3-2",),
            ("2*3*4",),
            ("1+2*3",),
            ("(1+2)*3",),
            ("((5))",),
            (" 1 - (2 - 3) ",),
            ("0*99+1",),
            ("2*(3-5)*2",),
        ),
        lambda rng: (_expression(rng, 3),),
        (
            ('if tokens.pop(0) == "+" else -product()', 'if tokens.pop(0) == "+" else -total()'),
            (
                "            value *= atom()",
                "            value *= product()\n            value += 0 * len(tokens) or (value < 0)",
            ),
            ("            digits += tokens.pop(0)", "            digits = tokens.pop(0)"),
            (
                "        value = product()\n        while tokens[0] in",
                "        value = atom()\n        while tokens[0] in",
            ),
        ),
    ),
    Problem(
        3,
        '''
def compare_versions(first: str, second: str) -> int:
    """Compare two versions, numbers with dots between: -1 where the first is older, 1 where it is newer, else 0.

    Numbers that are missing at the end count as 0.

    >>> compare_versions("1.10", "1.9.3")
    1
    >>> compare_versions("2", "2.0")
    0
    """
    parts = [[int(part) for part in version.split(".")] for version in (first, second)]
    size = max(map(len, parts))
    a, b = ([*numbers, *[0] * (size - len(numbers))] for numbers in parts)
    return (a > b) - (a < b)
''',
        (
            ("1", "1"),
            ("1.0.0", "1"),
            ("1.0.1", "1"),
            ("0.9", "1.0"),
            ("1.01", "1.1"),
            ("10", "9"),
            ("1.2", "1.10"),
        ),
        lambda rng: (_version(rng), _version(rng)),
        (
            ("int(part) for part", "part for part"),
            ("[0] * (size - len(numbers))", "[0] * 0"),
            ("(a > b) - (a < b)", "int(a > b)"),
        ),
    ),
    Problem(
        3,
        '''
def expand_ranges(text: str) -> list[int]:
    """Read a list of pages such as "1-3, 7, 5" into the pages it names, in ascending order and each once.

    Raises ValueError for a range that runs backwards, and for a part that is no number and no range.

    >>> expand_ranges("7, 1-3,2")
    [1, 2, 3, 7]
    """
    pages: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        low, high = int(first), int(last if dash else first)
        if low > high:
            raise ValueError(f"{part} runs backwards")
        pages.update(range(low, high + 1))
    return sorted(pages)
''',
        (("5",), ("1-1",), ("3-1",), ("a",), ("1-",), ("1,,2",), ("10-12,11-14",), (" 2 , 1 ",), ("",)),
        lambda rng: (
            ", ".join(
                rng.choice([str(a := rng.randint(1, 9)), f"{a}-{a + rng.randint(0, 4)}"])
                for _ in range(rng.randint(1, 4))
            ).replace(", ", rng.choice([",", ", "])),
        ),
        (
            ("range(low, high + 1)", "range(low, high)"),
            ('        if low > high:\n            raise ValueError(f"{part} runs backwards")\n', ""),
            ("last if dash else first", "last or first"),
            ("return sorted(pages)", "return list(dict.fromkeys(pages))[::-1]"),
        ),
    ),
    Problem(
        2,
        '''
def parse_size(text: str) -> int:
    """Read a size such as "3 KB" into bytes: a whole number and one of B, KB, MB and GB, each 1024 times the last.

    Case does not matter, and neither do blanks. Without a unit, it is bytes. Raises ValueError for anything else.

    >>> parse_size("2 kb")
    2048
    """
    squeezed = text.replace(" ", "").upper()
    number = squeezed.rstrip("KMGB")
    unit = squeezed[len(number) :]
    if unit not in ("", "B", "KB", "MB", "GB") or not number.isdigit():
        raise ValueError(f"{text!r} is no size")
    return int(number) * 1024 ** ("KMG".find(unit[0]) + 1 if unit else 0)
''',
        (
            ("0",),
            ("7B",),
            ("1 GB",),
            ("5mb",),
            ("",),
            ("KB",),
            ("1.5KB",),
            ("3 TB",),
            (" 1 2 kB ",),
            ("-1",),
            ("1 K",),
            ("1BB",),
        ),
        lambda rng: (
            str(rng.randint(0, 3000)) + rng.choice(["", " "]) + rng.choice(["B", "KB", "mb", "Gb", "", "XB"]),
        ),
        (
            ("1024 **", "1000 **"),
            (" or not number.isdigit()", ""),
            (".upper()", ""),
            ('("", "B", "KB", "MB", "GB")', '("", "B", "K", "KB", "MB", "GB", "BB")'),
        ),
    ),
)
