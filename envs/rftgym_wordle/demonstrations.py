"""Seeded games by an imperfect player, as chat messages: data for supervised fine-tuning.

Game `i` depends on (seed, i) and the player's habits only. Secrets come from the train split; a held-out word is never
a secret here, though it may be guessed, as by anybody who knows English.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rftgym_wordle import prompts
from rftgym_wordle.game import GUESSES, WIN, Notes, feedback
from rftgym_wordle.words import answers, answers_in

FAVOURITES: Final = (
    "about",
    "crane",
    "dream",
    "group",
    "house",
    "light",
    "money",
    "music",
    "night",
    "plant",
    "smile",
    "story",
)

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Habits:
    """How a player picks a word, as shares of guesses that sum to 1.

    Attributes:
        consistent: any answer that fits everything seen so far, each equally likely.
        favourite: one of `FAVOURITES`, whatever was seen.
        whim: any answer word, whatever was seen.
    """

    consistent: float
    favourite: float
    whim: float

    def __post_init__(self) -> None:
        shares = (self.consistent, self.favourite, self.whim)
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
            raise ValueError(f"habits must be shares that sum to 1, got {shares}")


CAREFUL: Final = Habits(consistent=1.0, favourite=0.0, whim=0.0)


MOST_TRIES: Final = 50
"""Games that the careful player gets: it wins 97 of 100 where the secret is in its list."""


def play(secret: str, habits: Habits, draw: random.Random) -> list[str]:
    """The guesses of one game, up to the right one or the last.

    Args:
        secret: the answer.
        habits: how guesses are picked.
        draw: the only source of chance.
    """
    candidates, guesses = list(answers()), list[str]()
    while len(guesses) < GUESSES and (not guesses or guesses[-1] != secret):
        style = draw.random()
        if style < habits.consistent:
            guess = draw.choice(candidates)
        elif style < habits.consistent + habits.favourite:
            guess = draw.choice(FAVOURITES)
        else:
            guess = draw.choice(answers())
        guesses.append(guess)
        marks = feedback(guess, secret)
        candidates = [word for word in candidates if feedback(guess, word) == marks]
    return guesses


def won(secret: str, seed: int) -> list[Message]:
    """The careful player's first game that wins; a secret outside the word list is guessed last, as if told.

    Args:
        secret: the answer.
        seed: of the games.
    """
    draw = random.Random(f"rftgym-wordle:won:{seed}:{secret}")
    guesses = play(secret, CAREFUL, draw)
    for _ in range(MOST_TRIES):
        if guesses[-1] == secret:
            break
        guesses = play(secret, CAREFUL, draw)
    else:
        guesses[-1] = secret
    return messages(secret, guesses)


def messages(secret: str, guesses: list[str]) -> list[Message]:
    """A game as chat messages: system, user, then assistant and user in turns, up to the closing message."""
    chat: list[Message] = [
        {"role": "system", "content": prompts.SYSTEM},
        {"role": "user", "content": prompts.opening()},
    ]
    notes = Notes()
    for number, guess in enumerate(guesses, start=1):
        chat.append({"role": "assistant", "content": prompts.answer(guess)})
        marks = feedback(guess, secret)
        notes = notes.after(guess, marks)
        over = marks == WIN or number == GUESSES
        text = (
            prompts.closing(guess, marks, secret)
            if over
            else prompts.after_guess(guess, marks, notes, GUESSES - number)
        )
        chat.append({"role": "user", "content": text})
    return chat


def demonstration(seed: int, index: int, habits: Habits = CAREFUL) -> list[Message]:
    """Game number `index` of the endless series that belongs to `seed`."""
    draw = random.Random(f"rftgym-wordle:{seed}:{index}")
    secret = draw.choice(answers_in("train"))
    return messages(secret, play(secret, habits, draw))


def demonstrations(count: int, *, seed: int, habits: Habits = CAREFUL) -> Iterator[list[Message]]:
    """The first `count` games of the series that belongs to `seed`."""
    return (demonstration(seed, index, habits) for index in range(count))
