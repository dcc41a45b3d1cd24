"""Wordle as a multi-turn environment: a guess in tags in, marks and notes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

from pydantic import Field, field_validator

from rftgym import Message, MultiTurnEnv, Response, Rubric, TagParser, Task, TaskRow, Turn
from rftgym.errors import UsageError
from rftgym.tasks import ListTaskset, Taskset
from rftgym_wordle import demonstrations, prompts, rewards
from rftgym_wordle.board import drawn
from rftgym_wordle.game import GUESSES, LENGTH, WIN, Notes, consistent, feedback
from rftgym_wordle.words import answers, difficulty, guesses, split_of

OPENING = prompts.opening()
LONGEST_ECHO = 20
"""A longer word is not repeated to the player."""
HABITS = demonstrations.Habits(consistent=0.6, favourite=0.2, whim=0.2)
"""Of the player in `WordleEnv.demonstrations`: it knows how to win and often does not care."""


class WordleRow(TaskRow):
    """A task: the answer, five letters a-z. It need not be in the word list, and is its own id unless one is given."""

    answer: str = Field(description="The secret: five letters a-z", examples=["crane"])

    @field_validator("answer")
    @classmethod
    def _five_letters(cls, answer: str) -> str:
        if len(answer) != LENGTH or not (answer.isascii() and answer.isalpha() and answer.islower()):
            raise ValueError(f"{answer!r} is not a word of five letters a-z")
        return answer

    def task_id(self) -> str:
        """The answer, where no id is given."""
        return self.id or self.answer


@dataclass(slots=True)
class Game:
    """A game in progress.

    Attributes:
        answer: the secret.
        history: valid guesses with their marks.
        notes: what they tell.
        known: tenths of the answer that the notes tell.
        tries: guesses used up, invalid ones included.
    """

    answer: str
    history: list[tuple[str, str]] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    known: int = 0
    tries: int = 0


class WordleEnv(MultiTurnEnv[Game]):
    """Six guesses at a five-letter word.

    Each turn's ``info`` says: "guess" (the word, lower case, or None), "marks" (None where the guess is not valid),
    "consistent" (it could have been the answer), "progress" (how much more is known, see the reward) and "won".
    """

    max_turns = GUESSES
    system = prompts.SYSTEM
    parser = TagParser("guess")
    task_row = WordleRow

    def make_tasks(self) -> Taskset:
        return _tasks()

    def make_rubric(self) -> Rubric:
        return rewards.rubric()

    def begin(self, task: Task, rng: Random) -> tuple[Game, str]:
        return Game(task.data["answer"]), OPENING

    def respond(self, state: Game, turn: Turn, rng: Random) -> Response:
        guess = _word(turn.answer)
        state.tries += 1
        if guess is not None and (guess in guesses() or guess == state.answer):
            return _marked(state, guess)
        return _refused(state, guess)

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """The same word, fixed openings, an episode cut short."""
        from rftgym_wordle.cheats import CHEATS

        return CHEATS

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Games of an imperfect player.

        Raises:
            UsageError: any split but "train": a held-out word is never a demonstration's answer.
        """
        if split != "train":
            raise UsageError(
                f"Wordle has demonstrations of split 'train' only, not of {split!r}: the rest is held out"
            )
        games = demonstrations.demonstrations(n, seed=seed, habits=HABITS)
        return ([Message(each["role"], each["content"]) for each in game] for game in games)  # type: ignore[arg-type]

    def demonstrate(self, task: Task, seed: int) -> list[Message]:
        """A won game of the careful player, who guesses what may still be the answer."""
        game = demonstrations.won(task.data["answer"], seed)
        return [Message(each["role"], each["content"]) for each in game]  # type: ignore[arg-type]

    def rendered(self) -> str:
        """The board in colours."""
        trajectory = self.trajectory
        notes = Notes.of(
            (turn.info["guess"], turn.info["marks"]) for turn in trajectory.turns if turn.info.get("marks")
        )
        closing = trajectory.closing[0].content.splitlines()[-1] if trajectory.terminated else ""
        return drawn([turn.info for turn in trajectory.turns], notes, closing)


def _marked(state: Game, guess: str) -> Response:
    """Marks, notes and facts about a valid guess."""
    marks = feedback(guess, state.answer)
    won = marks == WIN
    denied = not set(guess).isdisjoint(state.notes.gray)  # a quick way to see that a guess is not consistent
    fits = not denied and consistent(guess, state.history)
    notes = state.notes.after(guess, marks)
    known = _known_tenths(notes)
    info = {
        "guess": guess,
        "marks": marks,
        "consistent": fits,
        "progress": (known - state.known) / 10,
        "won": won,
    }
    state.history.append((guess, marks))
    state.notes, state.known = notes, known
    if won or state.tries == GUESSES:
        return Response(prompts.closing(guess, marks, state.answer), True, info)
    return Response(prompts.after_guess(guess, marks, notes, GUESSES - state.tries), False, info)


def _refused(state: Game, guess: str | None) -> Response:
    """What is said to an answer without a guess, or with one that is not in the word list."""
    info = {"guess": guess, "marks": None, "consistent": False, "progress": 0.0, "won": False}
    if state.tries == GUESSES:
        return Response(prompts.closing(guess, None, state.answer), True, info)
    return Response(prompts.after_error(guess, state.notes, GUESSES - state.tries), False, info)


def _word(answer: object) -> str | None:
    """The guessed word: ASCII letters only, so that no look-alike from another alphabet passes for a word."""
    if isinstance(answer, str) and len(answer) <= LONGEST_ECHO and answer.isascii() and answer.isalpha():
        return answer.lower()
    return None


def _known_tenths(notes: Notes) -> int:
    """Tenths of the answer that are known: two for a letter in its place, one for a letter without. Never shrinks."""
    return 2 * (LENGTH - notes.green.count("_")) + len(notes.unplaced)


@lru_cache(maxsize=1)
def _tasks() -> ListTaskset:
    """One task an answer, its id the answer itself; shared by all environments, since tasks never change."""
    return ListTaskset(Task(word, {"answer": word}, split_of(word), difficulty(word)) for word in answers())
