"""The good environment that every fault in this folder is planted into: multiply two numbers, in three tries."""

from __future__ import annotations

from random import Random

import rftgym
from rftgym.tasks import ProceduralTaskset, Taskset

# The product's remainder decides a problem's split, so that no problem is ever in two of them.
SPLIT_OF = {"train": (0, 1, 2), "validation": (3,), "test": (4,)}


def draw(split: str, rng: Random, id: str) -> rftgym.Task:
    while True:
        a, b = rng.randint(2, 99), rng.randint(2, 99)
        if (a * 7 + b) % 5 in SPLIT_OF[split]:
            return rftgym.Task(id, {"a": a, "b": b}, split, difficulty=a / 99)


@rftgym.reward(weight=0.1, per="turn", reduce="mean")
def tidy(turn: rftgym.Turn) -> float:
    return float(turn.well_formed)


@rftgym.reward()
def right(trajectory: rftgym.Trajectory) -> float:
    return float(trajectory.turns[-1].info["right"])


class Good(rftgym.MultiTurnEnv[list[str]]):
    """Keeps the contract."""

    max_turns = 3
    parser = rftgym.TagParser("answer")

    def make_tasks(self) -> Taskset:
        return ProceduralTaskset(draw)

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([tidy, right], success="right")

    def begin(self, task: rftgym.Task, rng: Random) -> tuple[list[str], str]:
        return [str(task.data["a"] * task.data["b"])], self.question(task)

    def question(self, task: rftgym.Task) -> str:
        return f"What is {task.data['a']} x {task.data['b']}? Say it in answer tags."

    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        won = turn.answer == state[0]
        state.append(str(turn.answer)[:20])
        info = {"right": won, "tries": len(state) - 1}
        tries, advice = ", ".join(state[1:]), rng.choice(["again", "twice"])
        words = "Right." if won else f"No; tries so far: {tries}. Think {advice}."
        return rftgym.Response(words, terminated=won, info=info)

    def demonstrate(self, task: rftgym.Task, seed: int) -> list[rftgym.Message]:
        answer = f"<answer>{task.data['a'] * task.data['b']}</answer>"
        return [rftgym.Message("user", self.question(task)), rftgym.Message("assistant", answer)]
