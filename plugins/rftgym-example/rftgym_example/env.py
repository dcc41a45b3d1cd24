"""The environment ``sort-digits``: one question, one answer, tasks without end."""

from __future__ import annotations

from random import Random

import rftgym
from rftgym.tasks import ProceduralTaskset

# A number's last digit decides its split, so that no number is ever in two of them.
LAST_DIGITS = {"train": "01234567", "validation": "8", "test": "9"}


def draw(split: str, rng: Random, id: str) -> rftgym.Task:
    """One task: a number of 3 to 7 digits; the longer, the harder."""
    length = rng.randint(3, 7)
    digits = "".join(rng.choices("0123456789", k=length - 1)) + rng.choice(LAST_DIGITS[split])
    return rftgym.Task(id, {"digits": digits}, split, difficulty=(length - 3) / 4)


class DigitsRow(rftgym.TaskRow):
    """A line of a ``--tasks`` file: ``{"id": "mine-1", "digits": "3021"}``."""

    digits: str


@rftgym.reward("format", weight=0.1)
def tagged(turn: rftgym.Turn) -> float:
    """1 where the answer stands in exactly one pair of tags."""
    return float(turn.well_formed)


@rftgym.reward("placed", weight=0.2)
def placed(answer: str | None, task: rftgym.Task) -> float:
    """Share of the digits that are in their place; 0 for an answer of another length.

    Pays less than ``correct`` even when nearly complete: a partial answer is never worth stopping at.
    """
    solution = "".join(sorted(task.data["digits"]))
    if answer is None or len(answer) != len(solution):
        return 0.0
    return sum(a == b for a, b in zip(answer, solution, strict=True)) / len(solution)


@rftgym.reward("correct", needs=("format",))
def correct(answer: str | None, task: rftgym.Task) -> float:
    """1 for the sorted digits, behind the gate of a clean format."""
    return float(answer == "".join(sorted(task.data["digits"])))


class SortDigitsEnv(rftgym.SingleTurnEnv):
    """Put the digits of a number in ascending order."""

    system = "You put digits in ascending order. Answer as <answer>0123</answer>, and nothing else."
    parser = rftgym.TagParser("answer")
    task_row = DigitsRow

    def make_tasks(self) -> ProceduralTaskset:
        """Numbers without end, each a function of the seed and its index only."""
        return ProceduralTaskset(draw)

    def make_rubric(self) -> rftgym.Rubric:
        """Mostly ``correct``; a little for the format and for digits in place, so that there is something to climb."""
        return rftgym.Rubric([tagged, placed, correct], success="correct")

    def prompt(self, task: rftgym.Task) -> str:
        """The question."""
        return f"Digits: {task.data['digits']}"
