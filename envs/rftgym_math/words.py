"""The stories of the word problems: twenty-two kinds, from one operation to three."""

from __future__ import annotations

from random import Random

from rftgym_math.stories import NAMES, PREVIOUS, THINGS, Story, counted, money, two

# ---- one operation


def gets_more(rng: Random) -> Story:
    """Has some, gets some more."""
    name, thing, a, b = rng.choice(NAMES), rng.choice(THINGS), rng.randint(2, 50), rng.randint(2, 40)
    told = (f"{name} has {a} {thing} and gets {b} more.",)
    return counted(thing, "gets", told, f"How many {thing} does {name} have now?", (a, "+", b))


def gives_away(rng: Random) -> Story:
    """Has some, gives some away."""
    name, thing, b = rng.choice(NAMES), rng.choice(THINGS), rng.randint(2, 30)
    a = b + rng.randint(1, 50)
    told = (f"{name} has {a} {thing} and gives {b} away.",)
    return counted(thing, "gives", told, f"How many {thing} are left?", (a, "-", b))


def how_many_more(rng: Random) -> Story:
    """A comparison of two people's things."""
    (one, other), thing, b = two(rng), rng.choice(THINGS), rng.randint(2, 40)
    a = b + rng.randint(1, 45)
    told = (f"{one} has {a} {thing}.", f"{other} has {b}.")
    return counted(thing, "compares", told, f"How many more does {one} have?", (a, "-", b))


def packed(rng: Random) -> Story:
    """Boxes of equally many."""
    thing, a, b = rng.choice(THINGS), rng.randint(2, 12), rng.randint(3, 20)
    told = (f"There are {a} boxes with {b} {thing} each.",)
    return counted(thing, "packs", told, f"How many {thing} are there?", (a, "*", b))


def shared(rng: Random) -> Story:
    """Shared out evenly."""
    name, thing, k, each = rng.choice(NAMES), rng.choice(THINGS), rng.randint(2, 9), rng.randint(2, 15)
    told = (f"{name} shares {k * each} {thing} evenly among {k} friends.",)
    return counted(thing, "shares", told, "How many does each friend get?", (k * each, "/", k))


def left_over(rng: Random) -> Story:
    """What is left after packing full boxes."""
    thing, n, k = rng.choice(THINGS), rng.randint(15, 99), rng.randint(3, 9)
    told = (f"{n} {thing} are put into boxes of {k}.", "Only full boxes are sold.")
    return counted(thing, "packs mod", told, f"How many {thing} are left over?", (n, "%", k))


def distance(rng: Random) -> Story:
    """Speed times time."""
    speed, hours = rng.randint(3, 18) * 5, rng.randint(2, 9)
    told = (f"A train goes {speed} km an hour.",)
    question = f"How many km does it go in {hours} hours?"
    return Story("travels", told, question, ((speed, "*", hours),), ("km", "kilometres", "kilometers"))


def duration(rng: Random) -> Story:
    """Distance over speed."""
    speed, hours = rng.randint(2, 12) * 5, rng.randint(2, 9)
    told = (f"A bus goes {speed} km an hour.",)
    question = f"How many hours does it need for {speed * hours} km?"
    return Story("lasts", told, question, ((speed * hours, "/", speed),), ("hours", "hour", "h"))


def area(rng: Random) -> Story:
    """Of a rectangle."""
    a, b = rng.randint(3, 20), rng.randint(3, 12)
    told = (f"A garden is {a} m long and {b} m wide.",)
    question = "What is its area in square metres?"
    return Story("area", told, question, ((a, "*", b),), ("m^2", "square metres", "square meters"))


# ---- two operations


def perimeter(rng: Random) -> Story:
    """Of a rectangle."""
    a, b = rng.randint(3, 40), rng.randint(3, 30)
    told = (f"A field is {a} m long and {b} m wide.",)
    question = "How many metres of fence go around it?"
    return Story("perimeter", told, question, ((a, "+", b), (2, "*", PREVIOUS)), ("m", "metres", "meters"))


def change(rng: Random) -> Story:
    """What is given back."""
    name, thing, n, price = rng.choice(NAMES), rng.choice(THINGS), rng.randint(2, 9), rng.randint(2, 12)
    paid = rng.choice([each for each in (20, 50, 100, 200) if each > n * price])
    told = (f"{name} buys {n} {thing} at ${price} each and pays with ${paid}.",)
    return money("change", told, "How much is the change in $?", (n, "*", price), (paid, "-", PREVIOUS))


def times_as_many(rng: Random) -> Story:
    """One has several times as many; together."""
    (one, other), thing, a, k = two(rng), rng.choice(THINGS), rng.randint(2, 20), rng.randint(2, 6)
    told = (f"{one} has {a} {thing}.", f"{other} has {k} times as many.")
    return counted(thing, "times", told, "How many do they have together?", (a, "*", k), (a, "+", PREVIOUS))


def fewer(rng: Random) -> Story:
    """One has fewer; together."""
    (one, other), thing, d = two(rng), rng.choice(THINGS), rng.randint(1, 20)
    a = d + rng.randint(2, 40)
    told = (f"{one} has {a} {thing}.", f"{other} has {d} fewer.")
    return counted(thing, "fewer", told, "How many do they have together?", (a, "-", d), (a, "+", PREVIOUS))


def ages(rng: Random) -> Story:
    """How old somebody will be."""
    (one, other), a, d, k = two(rng), rng.randint(4, 30), rng.randint(1, 15), rng.randint(2, 20)
    told = (f"{one} is {a} years old.", f"{other} is {d} years older.")
    question = f"How old will {other} be in {k} years?"
    return Story("ages", told, question, ((a, "+", d), (PREVIOUS, "+", k)), ("years", "years old"))


def average(rng: Random) -> Story:
    """Of three scores, a whole number."""
    name, a, b = rng.choice(NAMES), rng.randint(4, 30), rng.randint(4, 30)
    c = rng.choice([each for each in range(4, 31) if (a + b + each) % 3 == 0])
    told = (f"{name} scores {a}, {b} and {c} points in three games.",)
    plan = ((a, "+", b), (PREVIOUS, "+", c), (PREVIOUS, "/", 3))
    return Story("average", told, "What is the average?", plan, ("points",))


def a_part(rng: Random) -> Story:
    """One of so many parts is red."""
    thing, k, each = rng.choice(THINGS), rng.randint(2, 9), rng.randint(2, 12)
    told = (f"Of {k * each} {thing}, 1/{k} are red.",)
    question = f"How many {thing} are not red?"
    return counted(thing, "part", told, question, (k * each, "/", k), (k * each, "-", PREVIOUS))


def joined_and_shared(rng: Random) -> Story:
    """Put together, then shared evenly."""
    (one, other), thing, k = two(rng), rng.choice(THINGS), rng.randint(2, 6)
    total = k * rng.randint(4, 15)
    a = rng.randint(2, total - 2)
    told = (
        f"{one} has {a} {thing} and {other} has {total - a}.",
        f"They share all of them evenly among {k} children.",
    )
    question = "How many does each child get?"
    return counted(thing, "joins", told, question, (a, "+", total - a), (PREVIOUS, "/", k))


# ---- three operations


def two_kinds(rng: Random) -> Story:
    """Large and small boxes."""
    thing = rng.choice(THINGS)
    a, b, c = rng.randint(2, 9), rng.randint(5, 12), rng.randint(2, 9)
    d = rng.randint(2, b - 1)
    told = (f"There are {a} large boxes with {b} {thing} each and {c} small ones with {d} each.",)
    question = f"How many {thing} are there?"
    return counted(thing, "kinds", told, question, (a, "*", b), (c, "*", d), (a * b, "+", c * d))


def tickets(rng: Random) -> Story:
    """Adults and children."""
    a, c, q = rng.randint(2, 6), rng.randint(2, 9), rng.randint(2, 7)
    p = q + rng.randint(1, 5)
    told = (f"A ticket costs ${p} for adults and ${q} for children.",)
    question = f"How many $ do {a} adults and {c} children pay?"
    return money("tickets", told, question, (a, "*", p), (c, "*", q), (a * p, "+", c * q))


def wages(rng: Random) -> Story:
    """What is left of the wages."""
    name, rate, hours, days = rng.choice(NAMES), rng.randint(4, 12), rng.randint(2, 8), rng.randint(2, 5)
    spent = rng.randint(5, rate * hours * days - 1)
    told = (
        f"{name} earns ${rate} an hour and works {hours} hours a day for {days} days.",
        f"Then {name} spends ${spent}.",
    )
    plan = ((rate, "*", hours), (PREVIOUS, "*", days), (PREVIOUS, "-", spent))
    return money("wages", told, "How many $ are left?", *plan)


def discount(rng: Random) -> Story:
    """Some percent off, for several."""
    thing, percent, n = rng.choice(THINGS), rng.choice((10, 20, 25, 50)), rng.randint(2, 6)
    price = rng.randint(1, 6) * 20
    told = (f"A box of {thing} costs ${price}.", f"Today it is {percent}% cheaper.")
    off = price * percent // 100
    question = f"How many $ do {n} boxes cost today?"
    plan = ((price * percent, "/", 100), (price, "-", off), (price - off, "*", n))
    return money("discount", told, question, *plan)


def saving(rng: Random) -> Story:
    """How many weeks until there is enough."""
    name, weekly, weeks, had = rng.choice(NAMES), rng.randint(3, 15), rng.randint(2, 9), rng.randint(5, 40)
    left = rng.randint(2, 20)
    told = (
        f"{name} has ${had}, saves ${weekly} a week and wants a bike for ${had + weekly * weeks - left}.",
        f"{name} also owes a friend ${left}.",
    )
    goal = had + weekly * weeks - left
    plan = ((goal, "+", left), (PREVIOUS, "-", had), (PREVIOUS, "/", weekly))
    question = "After how many weeks is there enough for both?"
    return Story("saving", told, question, plan, ("weeks", "week"))


ONE = (gets_more, gives_away, how_many_more, packed, shared)
ONE_HARDER = (left_over, distance, duration, area)
TWO = (perimeter, change, times_as_many, fewer, ages)
TWO_HARDER = (average, a_part, joined_and_shared)
THREE = (two_kinds, tickets, wages, discount, saving)
