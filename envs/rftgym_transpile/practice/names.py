"""Names that practice methods use, legal in Java and in Python, and no builtin that the Python side calls."""

from __future__ import annotations

from random import Random
from typing import Final


def _words(text: str) -> list[str]:
    return text.split()


VERBS: Final = _words(
    "add apply build calc check clip collect combine compare compute convert count decide detect encode eval fill "
    "filter find fix fold get grade has is join keep list make map mark measure merge mix move next pack pick rank "
    "reduce rate repeat run scan score seek select shift skip solve sort split step sum take test trim turn update "
    "walk weigh wrap"
)
NOUNS: Final = _words(
    "Age Amount Area Array Average Balance Bars Best Bits Blocks Bonus Box Cells Chars Clock Code Coins Cost Cycle "
    "Data Days Degree Delta Depth Diff Digits Discount Distance Divisors Energy Entry Even Factor Fee Field Flags "
    "Floor Frame Gain Gap Grade Grid Group Growth Height Hits Hours Index Interest Items Key Label Length Letters "
    "Level Limit Line Load Longest Loss Margin Mask Matches Minutes Names Nearest Number Odd Offset Order Pairs "
    "Parity Parts Path Peak Points Power Price Prime Product Profit Range Rank Rate Ratio Remainder Rest Root Row "
    "Runs Salary Score Seconds Series Shape Shift Sign Size Slope Span Speed Square Stars Steps Streak Sum Tax "
    "Temperature Text Ticket Tier Tiles Time Tokens Total Triangle Units Value Vowels Wage Weight Width Window "
    "Words Year Zeros Zone"
)
SINGLE: Final = _words(
    "absolute alternate balance between bounded capped ceiling classify clamp clean climb collapse countdown dial "
    "digest doubled drain echo factorial fizz gcd grade halve hash interleave kind lower mirror mystery nearest norm "
    "odds palindrome parity power product ramp repeat reverse route score shrink sign spread square stretch tally "
    "toggle total triple twist upper weight zigzag"
)
NUMBERS: Final = _words(
    "a b c d m n p q x y z num value limit size start end low high first second left right base width height rate "
    "age year days hours level points price amount seed offset factor step depth bound target key number"
)
TOTALS: Final = _words(
    "total result count acc product best score res answer found hits out current memo sumSoFar"
)
LOCALS: Final = _words(
    "t u v w r g h tmp diff part rest extra half twice gap next digit unit square shifted mixed"
)
INDICES: Final = ("i", "j", "k")
ARRAYS: Final = _words("xs values nums data items numbers array arr scores prices cells row weights a v")
TEXTS: Final = _words("s text word t line name phrase message token label code")
LETTERS: Final = ("c", "ch", "letter", "ch", "c", "symbol")
FLAGS: Final = _words("flag strict even open up active ready member")
BUILDERS: Final = ("sb", "out", "builder", "sb", "buf")
WORDS: Final = _words(
    "low high small big even odd yes no zero one two three none many few cold warm hot A B C D F fail pass good bad "
    "ok up down left right same more less equal positive negative first second neither both fizz buzz child adult "
    "senior short long medium red green blue open closed on off early late odd-one x y n/a"
)
LEADS: Final = (
    "n=",
    "total: ",
    "#",
    "value ",
    "x",
    "id-",
    "sum=",
    "[",
    "<",
    "no. ",
    "level ",
    "row ",
    "count: ",
)
SYLLABLES: Final = _words(
    "ba ce di fo gu ka le mi no pu ra se ti vo wa xe yo zu lan mer tor pin sel dun gar hol"
)


def method_name(chance: Random) -> str:
    """A name of a method; one in ten is made up from syllables, so that copying is learnt and not a list."""
    kind = chance.random()
    if kind < 0.1:
        return _made_up(chance)
    if kind < 0.3:
        return chance.choice(SINGLE)
    return chance.choice(VERBS) + chance.choice(NOUNS)


def _made_up(chance: Random) -> str:
    made = "".join(chance.choice(SYLLABLES) for _ in range(chance.randint(2, 3)))
    return made + (chance.choice(NOUNS) if chance.random() < 0.4 else "")


class Namer:
    """Gives each variable of a method a name of its own.

    Args:
        chance: the source of chance.
        taken: names that are not given.
    """

    def __init__(self, chance: Random, taken: frozenset[str]) -> None:
        self._chance = chance
        self._taken = set(taken)

    def pick(self, pool: tuple[str, ...] | list[str]) -> str:
        """A name of the pool that is free; a made-up one now and then."""
        if pool is not INDICES and self._chance.random() < 0.04:
            pool = [_made_up(self._chance)]
        for _ in range(8):
            name = pool[0] if pool is INDICES else self._chance.choice(pool)
            if name not in self._taken:
                break
            pool = pool[1:] if pool is INDICES else pool
        while name in self._taken:
            name += "2"
        self._taken.add(name)
        return name
