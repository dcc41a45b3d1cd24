"""The environment ``sort-digits``: one question, one answer, tasks without end."""

from __future__ import annotations

from random import Random

import rftgym
from rftgym.tasks import ProceduralTaskset

# The last digit of the sum decides the split, so that neither a number nor its answer is ever in two of them.
LAST_DIGITS = {"train": range(8), "validation": range(8, 9), "test": range(9, 10)}


def draw(split: str, rng: Random, id: str) -> rftgym.Task:
    """One task: a number of 5 to 9 digits, not yet in order; the longer, the harder."""
    length, digits = rng.randint(5, 9), ""
    while digits == "".join(sorted(digits)):
        digits = "".join(rng.choices("0123456789", k=length - 1))
        digits += str((rng.choice(LAST_DIGITS[split]) - sum(map(int, digits))) % 10)
    return rftgym.Task(id, {"digits": digits}, split, difficulty=(length - 5) / 4)


@rftgym.reward("format", weight=0.05)
def tagged(turn: rftgym.Turn) -> float:
    """1 where the answer stands in exactly one pair of tags."""
    return float(turn.well_formed)


@rftgym.reward("correct", needs=("format",))
def correct(answer: str | None, task: rftgym.Task) -> float:
    """1 for the right answer, behind the gate of a clean format."""
    return float(answer == "".join(sorted(task.data["digits"])))


class SortDigitsEnv(rftgym.SingleTurnEnv):
    """Put the digits of a number in ascending order."""

    system = "You put digits in ascending order. Answer as <answer>0123</answer>, and nothing else."
    parser = rftgym.TagParser("answer")

    def make_tasks(self) -> ProceduralTaskset:
        return ProceduralTaskset(draw)

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([tagged, correct], success="correct")

    def prompt(self, task: rftgym.Task) -> str:
        return f"Digits: {task.data['digits']}"

    def demonstrate(self, task: rftgym.Task, seed: int) -> list[rftgym.Message]:
        answer = f"<answer>{''.join(sorted(task.data['digits']))}</answer>"
        asked = [rftgym.Message("system", self.system), rftgym.Message("user", self.prompt(task))]
        return [*asked, rftgym.Message("assistant", answer)]

    def cheats(self, task: rftgym.Task) -> dict[str, str]:
        digits = task.data["digits"]
        return {"copied": f"<answer>{digits}</answer>", "backwards": f"<answer>{digits[::-1]}</answer>"}
