"""Problems about numbers."""

from __future__ import annotations

from rftgym_code.problems.problem import Problem, ints

PROBLEMS = (
    Problem(
        1,
        '''
def digit_sum(number: int) -> int:
    """Return the sum of the decimal digits of a whole number; a minus sign does not count.

    >>> digit_sum(-142)
    7
    """
    return sum(map(int, str(abs(number))))
''',
        ((0,), (9,), (-9,), (10**30 + 5,)),
        lambda rng: (rng.randint(-99999, 99999),),
        (
            ("str(abs(number))", "str(number)[1:]"),
            ("sum(map(int, str(abs(number))))", "abs(number) % 9"),
            ("str(abs(number))", "set(str(abs(number)))"),
        ),
    ),
    Problem(
        1,
        '''
def clamp(number: float, low: float, high: float) -> float:
    """Return the number nearest to ``number`` that is neither below ``low`` nor above ``high``.

    Raises ValueError where ``low`` is above ``high``.

    >>> clamp(12, 0, 10)
    10
    """
    if low > high:
        raise ValueError("low is above high")
    return min(max(number, low), high)
''',
        ((0, 0, 0), (5, 1, 1), (-3, -2, 2), (2.5, 0, 5), (1, 2, 1), (7.5, 0, 7.25)),
        lambda rng: (rng.randint(-9, 9), low := rng.randint(-6, 3), low + rng.randint(0, 6)),
        (
            ('    if low > high:\n        raise ValueError("low is above high")\n', ""),
            ("min(max(number, low), high)", "max(number, low)"),
            ("min(max(number, low), high)", "min(max(int(number), low), high)"),
            ("low > high", "low >= high"),
        ),
    ),
    Problem(
        2,
        '''
def is_prime(number: int) -> bool:
    """Tell whether a whole number is a prime. Numbers below 2 are none.

    >>> is_prime(97)
    True
    >>> is_prime(91)
    False
    """
    if number < 2:
        return False
    return all(number % divisor for divisor in range(2, int(number**0.5) + 1))
''',
        ((0,), (1,), (2,), (-7,), (4,), (25,), (1000003,), (997 * 991,), (341,), (561,)),
        lambda rng: (rng.choice([3, 5, 7, 13, 101, 211, 307, 401, rng.randint(2, 400)]),),
        (
            ("int(number**0.5) + 1", "int(number**0.5)"),
            ("    if number < 2:\n        return False\n", ""),
            ("range(2, int(number**0.5) + 1)", "(2, 3, 5, 7)"),
        ),
    ),
    Problem(
        2,
        '''
def prime_factors(number: int) -> list[int]:
    """Return the prime factors of a positive whole number in ascending order, each as often as it divides the number.

    >>> prime_factors(60)
    [2, 2, 3, 5]
    """
    factors = []
    divisor = 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    if number > 1:
        factors.append(number)
    return factors
''',
        ((1,), (2,), (4,), (49,), (97,), (2**20,), (2 * 1000003,), (36,)),
        lambda rng: (rng.randint(2, 5000),),
        (
            ("divisor * divisor <= number", "divisor * divisor < number"),
            ("while number % divisor == 0", "if number % divisor == 0"),
            ("    if number > 1:\n        factors.append(number)\n", ""),
        ),
    ),
    Problem(
        2,
        '''
def to_roman(number: int) -> str:
    """Write a whole number from 1 to 3999 in Roman numerals; raise ValueError for any other.

    >>> to_roman(1994)
    'MCMXCIV'
    """
    if not 1 <= number <= 3999:
        raise ValueError("only numbers from 1 to 3999")
    values = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
    signs = ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I")
    out = ""
    for value, sign in zip(values, signs):
        out += sign * (number // value)
        number %= value
    return out
''',
        ((1,), (4,), (9,), (40,), (90,), (400,), (3999,), (0,), (4000,), (-5,), (3888,)),
        lambda rng: (rng.randint(1, 3999),),
        (
            ("not 1 <= number <= 3999", "not 0 <= number <= 3999"),
            ("90, 50, 40", "90, 50, 45"),
            ('"IX", "V", "IV", "I"', '"VIIII", "V", "IV", "I"'),
        ),
    ),
    Problem(
        3,
        '''
def in_base(number: int, base: int) -> str:
    """Write a whole number in a base from 2 to 16, with the digits 0-9 and a-f and a "-" in front of negative ones.

    >>> in_base(255, 16)
    'ff'
    >>> in_base(-5, 2)
    '-101'
    """
    if number < 0:
        return "-" + in_base(-number, base)
    digits = ""
    while number or not digits:
        digits = "0123456789abcdef"[number % base] + digits
        number //= base
    return digits
''',
        ((0, 2), (1, 2), (-1, 16), (16, 16), (10, 11), (2**70, 7), (15, 16)),
        lambda rng: (rng.randint(-3000, 3000), rng.randint(2, 16)),
        (
            ("while number or not digits:", "while number:"),
            ("[number % base] + digits", "[number % base]"),
            ('"-" + in_base(-number, base)', "in_base(-number, base)"),
        ),
    ),
    Problem(
        3,
        '''
def change(amount: int, coins: list[int]) -> int | None:
    """Return the smallest number of coins that make up an amount; None where they can't. Each kind may be used often.

    >>> change(11, [1, 5, 6])
    2
    """
    fewest: list[int | None] = [0]
    for value in range(1, amount + 1):
        known = [fewest[value - coin] for coin in coins if coin <= value]
        counts = [count for count in known if count is not None]
        fewest.append(min(counts) + 1 if counts else None)
    return fewest[amount]
''',
        (
            (0, []),
            (0, [5]),
            (3, [2]),
            (3, []),
            (10, [1, 3, 4]),
            (6, [1, 3, 4]),
            (30, [1, 10, 25]),
            (7, [3, 5]),
        ),
        lambda rng: (rng.randint(1, 40), sorted({rng.randint(2, 12) for _ in range(3)})),
        (
            ("    return fewest[amount]", "    return fewest[amount] or 0"),
            ("[count for count in known if count is not None]", "[count for count in known if count]"),
            ("if coin <= value]", "if coin < value]"),
        ),
    ),
    Problem(
        4,
        '''
def josephus(people: int, step: int) -> list[int]:
    """People 1, 2, ... stand in a circle and every ``step``-th one still there leaves; return who left, in order.

    Counting begins with person 1, and goes on behind the one who has left.

    >>> josephus(5, 2)
    [2, 4, 1, 5, 3]
    """
    circle = list(range(1, people + 1))
    out = []
    place = 0
    while circle:
        place = (place + step - 1) % len(circle)
        out.append(circle.pop(place))
    return out
''',
        ((0, 3), (1, 7), (5, 1), (3, 5), (7, 3), (4, 4)),
        lambda rng: (rng.randint(2, 9), rng.randint(1, 12)),
        (
            ("(place + step - 1) % len(circle)", "(place + step) % len(circle)"),
            ("place = (place + step - 1) % len(circle)", "place = (step - 1) % len(circle)"),
            ("return out", "return out[-1:]"),
        ),
    ),
    Problem(
        2,
        '''
def median(numbers: list[float]) -> float:
    """Return the median of a list: the middle number by size, or the mean of the two in the middle.

    Raises ValueError where the list is empty. The list stays as it is.

    >>> median([7, 1, 3])
    3
    >>> median([4, 1, 2, 3])
    2.5
    """
    if not numbers:
        raise ValueError("no numbers")
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
''',
        (([],), ([5],), ([1, 2],), ([2.5, -1.0, 9.25],), ([3, 3, 3, 3],), ([10, 9, 8, 1],)),
        lambda rng: (ints(rng, -20, 20, 1, 8),),
        (
            ("sorted(numbers)", "numbers"),
            ("(ordered[middle - 1] + ordered[middle]) / 2", "ordered[middle]"),
            ("ordered = sorted(numbers)", "numbers.sort()\n    ordered = numbers"),
            ("ordered[middle - 1] + ordered[middle]) / 2", "ordered[middle - 1] + ordered[middle]) // 2"),
        ),
    ),
    Problem(
        1,
        '''
def collatz_steps(number: int) -> int:
    """Return how many steps lead from a positive whole number to 1.

    A step halves an even number, and makes three times an odd number plus one of it.

    >>> collatz_steps(6)
    8
    """
    steps = 0
    while number != 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps += 1
    return steps
''',
        ((1,), (2,), (3,), (27,), (1024,)),
        lambda rng: (rng.randint(2, 300),),
        (
            ("steps = 0", "steps = 1"),
            ("3 * number + 1", "(3 * number + 1) // 2"),
            ("while number != 1", "while number > 2"),
        ),
    ),
)
