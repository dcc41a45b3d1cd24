"""Problems about strings."""

from __future__ import annotations

from rftgym_code.problems.problem import Problem, sentence, word

PROBLEMS = (
    Problem(
        1,
        '''
def count_vowels(text: str) -> int:
    """Count the vowels (a, e, i, o, u) in a text, in upper and lower case alike.

    >>> count_vowels("Banana Omelette")
    7
    """
    return sum(letter in "aeiou" for letter in text.lower())
''',
        (("",), ("rhythm",), ("AEIOU",), ("yY",)),
        lambda rng: (word(rng, 1, 14, "aeiouAEIOUxyzB "),),
        (("text.lower()", "text"), ('"aeiou"', '"aeiouy"')),
    ),
    Problem(
        1,
        '''
def initials(name: str) -> str:
    """Return the initials of a name in upper case, each followed by a full stop.

    The parts of the name are separated by any number of blanks.

    >>> initials("ada king  lovelace")
    'A.K.L.'
    """
    return "".join(part[0].upper() + "." for part in name.split())
''',
        (("",), ("  ",), ("x",), (" grace   hopper ",)),
        lambda rng: (sentence(rng, 1, 5).replace(" ", " " * rng.randint(1, 2)),),
        (("name.split()", '(name or " ").split(" ")'), (".upper()", ""), ('+ "."', "")),
    ),
    Problem(
        2,
        '''
def is_palindrome(text: str) -> bool:
    """Tell whether a text reads the same backwards, when only its letters and digits count and case does not.

    >>> is_palindrome("Never odd, or even!")
    True
    >>> is_palindrome("ab")
    False
    """
    kept = [c.lower() for c in text if c.isalnum()]
    return kept == kept[::-1]
''',
        (("",), ("!?",), ("Aa",), ("a1b 1A",), ("A man, a plan, a canal: Panama",), ("0P",), ("1 2 1",)),
        lambda rng: (
            (half := word(rng, 1, 4, "abAB1 ,")) + half[::-1].swapcase() + rng.choice(["", "", "c"]),
        ),
        (("c.lower()", "c"), ("c.isalnum()", "c.isalpha()"), (" if c.isalnum()", "")),
    ),
    Problem(
        2,
        '''
def caesar(text: str, shift: int) -> str:
    """Shift every ASCII letter of a text along the alphabet, wrapping around; leave everything else alone.

    Case is kept. The shift may be negative or larger than the alphabet.

    >>> caesar("Abc, xyz!", 3)
    'Def, abc!'
    """
    out = []
    for c in text:
        if "a" <= c <= "z":
            c = chr((ord(c) - ord("a") + shift) % 26 + ord("a"))
        elif "A" <= c <= "Z":
            c = chr((ord(c) - ord("A") + shift) % 26 + ord("A"))
        out.append(c)
    return "".join(out)
''',
        (("", 1), ("Zz", 1), ("Hello", 0), ("abc", -1), ("abc", 52), ("é ß", 5), ("aZ", -27)),
        lambda rng: (word(rng, 3, 12, "abcXYZ .!mzZ"), rng.randint(-60, 60)),
        (
            (' % 26 + ord("a")', ' + ord("a")'),
            ('(ord(c) - ord("A") + shift)', '(ord(c) - ord("A") + 1)'),
            ('        elif "A" <= c <= "Z":', "        elif c.isupper() and shift > 0:"),
        ),
    ),
    Problem(
        2,
        '''
def run_lengths(text: str) -> list[tuple[str, int]]:
    """Return the runs of equal characters in a text, each with its length, in order.

    >>> run_lengths("aabccc")
    [('a', 2), ('b', 1), ('c', 3)]
    """
    runs: list[tuple[str, int]] = []
    for c in text:
        if runs and runs[-1][0] == c:
            runs[-1] = (c, runs[-1][1] + 1)
        else:
            runs.append((c, 1))
    return runs
''',
        (("",), ("a",), ("aaaa",), ("abab",), ("aAa",)),
        lambda rng: (word(rng, 2, 14, "aab "),),
        (
            ("if runs and runs[-1][0] == c:", "if runs and runs[-1][0].lower() == c.lower():"),
            ("runs.append((c, 1))", "runs.append((c, 0))"),
            (
                "runs: list[tuple[str, int]] = []\n    for c in text:",
                "runs: list[tuple[str, int]] = []\n    for c in text.strip():",
            ),
        ),
    ),
    Problem(
        3,
        '''
def common_prefix(words: list[str]) -> str:
    """Return the longest text with which every one of the words begins; "" where there are no words.

    >>> common_prefix(["flower", "flow", "flight"])
    'fl'
    """
    if not words:
        return ""
    first, last = min(words), max(words)
    size = 0
    while size < len(first) and first[size] == last[size]:
        size += 1
    return first[:size]
''',
        (([],), (["same", "same"],), (["", "a"],), (["one"],), (["ab", "abc", "abd"],), (["x", "y"],)),
        lambda rng: ([start + word(rng, 0, 3, "ab") for start in [word(rng, 0, 4, "ab")] * 3],),
        (
            ("min(words), max(words)", "words[0], words[-1]"),
            ("return first[:size]", "return first[:size + 1]"),
            ("        size += 1\n", "        size += 1\n        break\n"),
        ),
    ),
    Problem(
        3,
        '''
def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most ``width`` characters, between words only, as full as they get.

    Words are separated by blanks in the text and by single blanks in a line. A word that is longer than ``width``
    gets a line of its own.

    >>> wrap("to be or not to be", 8)
    ['to be or', 'not to', 'be']
    """
    lines: list[str] = []
    for each in text.split():
        if lines and len(lines[-1]) + 1 + len(each) <= width:
            lines[-1] += " " + each
        else:
            lines.append(each)
    return lines
''',
        (
            ("", 5),
            ("   ", 5),
            ("incomprehensible", 4),
            ("a b c", 1),
            ("a b c", 3),
            ("ab  cd", 5),
            ("a longerword b", 6),
        ),
        lambda rng: (sentence(rng, 3, 9), rng.randint(3, 16)),
        (
            ("+ 1 + len(each) <= width", "+ len(each) <= width"),
            ("<= width", "< width"),
            ("text.split()", 'text.split(" ")'),
        ),
    ),
    Problem(
        3,
        '''
def longest_unique(text: str) -> str:
    """Return the longest part of a text in which no character occurs twice; the first one of several.

    >>> longest_unique("abcabcbb")
    'abc'
    """
    best, start = "", 0
    seen: dict[str, int] = {}
    for i, c in enumerate(text):
        start = max(start, seen.get(c, -1) + 1)
        seen[c] = i
        if i + 1 - start > len(best):
            best = text[start : i + 1]
    return best
''',
        (("",), ("aaaa",), ("abba",), ("pwwkew",), ("dvdf",), ("tmmzuxt",), ("ab cd ab",)),
        lambda rng: (word(rng, 3, 14, "abcde"),),
        (
            ("max(start, seen.get(c, -1) + 1)", "seen.get(c, start - 1) + 1"),
            ("> len(best)", ">= len(best)"),
            ("text[start : i + 1]", "text[start:i]"),
        ),
    ),
    Problem(
        4,
        '''
def matches(pattern: str, text: str) -> bool:
    """Tell whether a whole text fits a pattern: "?" stands for any one character, "*" for any number of any.

    Every other character of the pattern stands for itself.

    >>> matches("a*c?", "abbcd")
    True
    >>> matches("a?", "a")
    False
    """
    possible = {0}
    for c in pattern:
        if c == "*":
            possible = set(range(min(possible), len(text) + 1)) if possible else set()
        else:
            possible = {i + 1 for i in possible if i < len(text) and c in ("?", text[i])}
    return len(text) in possible
''',
        (
            ("", ""),
            ("", "a"),
            ("*", ""),
            ("**", "xyz"),
            ("a", "ab"),
            ("*b", "abab"),
            ("a*b*c", "aXbXbc"),
            ("?", ""),
            ("*a?", "aaa"),
            ("a.c", "abc"),
            ("*.txt", "notes.txt"),
        ),
        lambda rng: (word(rng, 1, 5, "ab?*"), word(rng, 0, 6, "ab")),
        (
            ("return len(text) in possible", "return bool(possible)"),
            ("range(min(possible), len(text) + 1)", "range(min(possible) + 1, len(text) + 1)"),
            ('c in ("?", text[i])', 'c in ("?", ".", text[i])'),
        ),
    ),
    Problem(
        2,
        '''
def title_case(text: str, small: list[str]) -> str:
    """Begin every word with a capital and write the rest of it small, but for the words in ``small``.

    Those are written small throughout, except where they are the first word. Words are separated by single blanks.

    >>> title_case("the LORD of the rings", ["of", "the"])
    'The Lord of the Rings'
    """
    parts = [part.lower() for part in text.split(" ")]
    return " ".join(part if i and part in small else part.capitalize() for i, part in enumerate(parts))
''',
        (
            ("", []),
            ("a", ["a"]),
            ("A TALE OF a city", ["a", "of"]),
            ("it's mine", []),
            ("x-ray and I", ["and"]),
        ),
        lambda rng: (sentence(rng, 2, 5, "abAB"), [word(rng, 1, 2, "ab") for _ in range(3)]),
        (
            ("i and part in small", "part in small"),
            ("part.lower() for", "part for"),
            ("part.capitalize()", "part.title()"),
        ),
    ),
    Problem(
        1,
        '''
def censor(text: str, banned: str) -> str:
    """Replace every occurrence of a word by as many asterisks as it has letters; the case of both texts counts.

    Occurrences inside of longer words are replaced as well, from left to right.

    >>> censor("an ant and Ann", "an")
    '** **t **d Ann'
    """
    return text.replace(banned, "*" * len(banned))
''',
        (("", "a"), ("aaa", "aa"), ("nothing here", "xyz"), ("Aa", "a"), ("banana", "ana")),
        lambda rng: (sentence(rng, 1, 5, "abA"), word(rng, 1, 2, "ab")),
        (
            ('"*" * len(banned)', '"***"'),
            ("return text", "return text.lower()"),
            (', "*" * len(banned))', ', "*" * len(banned), 1)'),
        ),
    ),
    Problem(
        2,
        '''
def are_anagrams(first: str, second: str) -> bool:
    """Tell whether two texts consist of the same letters, each equally often; blanks and case do not count.

    >>> are_anagrams("Dormitory", "dirty room")
    True
    """
    return sorted(first.replace(" ", "").lower()) == sorted(second.replace(" ", "").lower())
''',
        (("", ""), ("", " "), ("aab", "abb"), ("ab", "abc"), ("Ab", "bA"), ("a.b", "ab"), ("abc", "acb")),
        lambda rng: (
            "".join(rng.sample((text := word(rng, 2, 6, "abAB ")), len(text))),
            text if rng.random() < 0.6 else text + "a",
        ),
        (
            (
                'sorted(first.replace(" ", "").lower()) == sorted(second.replace(" ", "").lower())',
                'set(first.replace(" ", "").lower()) == set(second.replace(" ", "").lower())',
            ),
            ('first.replace(" ", "").lower()', 'first.replace(" ", "")'),
            ('second.replace(" ", "").lower()', "second.lower()"),
        ),
    ),
)
