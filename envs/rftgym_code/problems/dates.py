"""Problems about dates and times, which are written as text or as whole numbers."""

from __future__ import annotations

from random import Random

from rftgym_code.problems.problem import Problem


def _date(rng: Random) -> str:
    return (
        f"{rng.choice([1900, 1999, 2000, 2023, 2024, 2100])}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    )


def _time(rng: Random) -> str:
    return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"


PROBLEMS = (
    Problem(
        1,
        '''
def is_leap_year(year: int) -> bool:
    """Tell whether a year of the Gregorian calendar is a leap year.

    >>> is_leap_year(2024)
    True
    >>> is_leap_year(1900)
    False
    """
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
''',
        ((2000,), (2100,), (2023,), (4,), (1600,), (1700,), (1996,), (2400,), (2200,)),
        lambda rng: (rng.randint(1500, 2500),),
        (
            (" and (year % 100 != 0 or year % 400 == 0)", ""),
            (" or year % 400 == 0", ""),
            ("year % 400 == 0)", "year % 1000 == 0)"),
        ),
    ),
    Problem(
        2,
        '''
def days_between(first: str, second: str) -> int:
    """Return how many days lie between two dates, written as YYYY-MM-DD; the order of the dates does not matter.

    >>> days_between("2024-02-28", "2024-03-01")
    2
    """
    from datetime import date

    return abs((date.fromisoformat(first) - date.fromisoformat(second)).days)
''',
        (
            ("2024-01-01", "2024-01-01"),
            ("2023-12-31", "2024-01-01"),
            ("2024-03-01", "2024-02-28"),
            ("2023-02-28", "2023-03-01"),
            ("1900-02-28", "1900-03-01"),
            ("2000-01-01", "2100-01-01"),
        ),
        lambda rng: (_date(rng), _date(rng)),
        (
            (
                "abs((date.fromisoformat(first) - date.fromisoformat(second)).days)",
                "(date.fromisoformat(second) - date.fromisoformat(first)).days",
            ),
            (".days)", ".days) + 1"),
            (
                "return abs(",
                (
                    "y, m, d = (int(a) - int(b) for a, b in zip(first.split('-'), second.split('-')))\n"
                    "    return abs(y * 365 + m * 30 + d)\n    return abs("
                ),
            ),
        ),
    ),
    Problem(
        2,
        '''
def duration(seconds: int) -> str:
    """Write a number of seconds as hours, minutes and seconds, leaving out what is zero; "0s" for none at all.

    >>> duration(3725)
    '1h 2m 5s'
    >>> duration(7200)
    '2h'
    """
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return " ".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
''',
        ((0,), (1,), (60,), (3600,), (3601,), (86400,), (3660,), (59,), (100000,)),
        lambda rng: (rng.choice([rng.randint(1, 200), rng.randint(3000, 20000)]),),
        (
            ("seconds // 60 % 60", "seconds // 60"),
            (' or "0s"', ""),
            ("seconds // 3600", "seconds // 3600 % 24"),
        ),
    ),
    Problem(
        2,
        '''
def minutes_until(now: str, goal: str) -> int:
    """Return how many minutes pass from one time of day to the next occurrence of another, both written as HH:MM.

    The same time has a whole day to go.

    >>> minutes_until("23:50", "00:10")
    20
    """
    hours, minutes = (int(b) - int(a) for a, b in zip(now.split(":"), goal.split(":")))
    return (60 * hours + minutes) % 1440 or 1440
''',
        (
            ("00:00", "00:00"),
            ("00:00", "23:59"),
            ("23:59", "00:00"),
            ("12:30", "12:29"),
            ("12:29", "12:30"),
            ("07:05", "08:00"),
        ),
        lambda rng: (_time(rng), _time(rng)),
        (
            (" or 1440", ""),
            (" % 1440 or 1440", " or 1440"),
            ("(60 * hours + minutes) % 1440 or 1440", "(60 * (hours % 24) + minutes % 60) or 1440"),
        ),
    ),
    Problem(
        3,
        '''
def add_months(day: str, months: int) -> str:
    """Return the date that lies some months after another one (before it, where ``months`` is negative).

    Dates are written as YYYY-MM-DD. Where the month has no such day, it is the last day of that month.

    >>> add_months("2024-01-31", 1)
    '2024-02-29'
    >>> add_months("2024-01-15", -2)
    '2023-11-15'
    """
    from calendar import monthrange

    year, month, number = map(int, day.split("-"))
    year, month = divmod(12 * year + month - 1 + months, 12)
    number = min(number, monthrange(year, month + 1)[1])
    return f"{year:04}-{month + 1:02}-{number:02}"
''',
        (
            ("2023-01-31", 1),
            ("2024-12-31", 0),
            ("2024-12-31", 1),
            ("2024-10-31", 13),
            ("2024-03-31", -1),
            ("2000-02-29", -12),
            ("2023-12-01", -12),
            ("2023-11-30", 1),
        ),
        lambda rng: (_date(rng), rng.randint(-30, 30)),
        (
            ("number = min(number, monthrange(year, month + 1)[1])", "number = min(number, 28)"),
            ("month - 1 + months, 12)", "month + months, 12)"),
            ("monthrange(year, month + 1)[1]", "monthrange(2023, month + 1)[1]"),
        ),
    ),
    Problem(
        3,
        '''
def free_slots(busy: list[tuple[int, int]], start: int, end: int, least: int) -> list[tuple[int, int]]:
    """Return the parts of a day from ``start`` to ``end`` that are free and at least ``least`` minutes long, in order.

    Appointments are pairs of begin and end in minutes, in any order; they may overlap and reach beyond the day.

    >>> free_slots([(600, 660), (540, 570)], 480, 720, 30)
    [(480, 540), (570, 600), (660, 720)]
    """
    slots = []
    for begin, finish in [*sorted(busy), (end, end)]:
        if min(begin, end) - start >= least:
            slots.append((start, min(begin, end)))
        start = max(start, finish)
    return slots
''',
        (
            ([], 0, 60, 30),
            ([], 0, 20, 30),
            ([(0, 60)], 0, 60, 1),
            ([(10, 50), (20, 30)], 0, 60, 5),
            ([(-20, 10), (50, 90)], 0, 60, 10),
            ([(10, 20), (20, 30)], 0, 40, 10),
            ([(100, 200)], 0, 60, 10),
            ([(30, 40), (0, 10)], 0, 60, 20),
        ),
        lambda rng: (
            [(b := rng.randint(0, 90), b + rng.randint(1, 30)) for _ in range(rng.randint(1, 4))],
            0,
            100,
            rng.randint(1, 20),
        ),
        ((">= least", "> least"), ("start = max(start, finish)", "start = finish"), ("sorted(busy)", "busy")),
    ),
    Problem(
        2,
        '''
def weekday(year: int, month: int, day: int) -> str:
    """Return the English name of the day of the week on which a date of the Gregorian calendar falls.

    Raises ValueError for a date that does not exist.

    >>> weekday(1969, 7, 20)
    'Sunday'
    """
    from datetime import date

    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return names[date(year, month, day).weekday()]
''',
        ((2024, 2, 29), (2023, 2, 29), (2000, 1, 1), (1900, 2, 29), (2024, 13, 1), (2024, 4, 31)),
        lambda rng: (rng.randint(1800, 2200), rng.randint(1, 12), rng.randint(1, 28)),
        (
            (".weekday()]", ".isoweekday() % 7]"),
            ("date(year, month, day)", "date(year, month, min(day, 28))"),
            ('"Thursday", "Friday"', '"Friday", "Thursday"'),
        ),
    ),
)
