"""What an adapter costs: episodes per CPU-second of the foreign package used bare, and through rftgym, in one run.

    python benchmarks/adapter_throughput.py reasoning-gym                      a few datasets
    python benchmarks/adapter_throughput.py reasoning-gym --names all          each of them
    python benchmarks/adapter_throughput.py gymnasium --names FrozenLake-v1,Taxi-v4 --json

Contestants take turns within a round, so that a noisy machine hits all of them alike; each counts its own CPU seconds.
Printed are medians of the rounds, and the median of the ratios within a round: how many times as much CPU time it takes
as bare. The first contestant of each subject is the bare one.

Another adapter is a function that gives subjects, in ``ADAPTERS``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Play = Callable[[int], int]
"""Plays the piece of work of a number and returns how many units it was: answers, or steps."""
BAR = 1.3


@dataclass(frozen=True)
class Subject:
    """Something that an adapter adapts.

    Attributes:
        unit: what is counted.
        contestants: by name, the bare one first.
        barred: the contestant that the bar is for.
    """

    name: str
    unit: str
    contestants: Mapping[str, Play]
    barred: str


# ---------------------------------------------------------------------------------------------- reasoning-gym

DATASETS = (
    "leg_counting",
    "chain_sum",
    "mini_sudoku",
    "knights_knaves",
    "graph_color",
    "countdown",
    "sudoku",
)


def reasoning_gym(names: Sequence[str]) -> Iterator[Subject]:
    """Bare: ``ds[i]`` and ``score_answer``. Ours: task, prompt, parsing, score; and the episode with its record."""
    from rftgym.registry import make
    from rftgym_reasoning_gym import quirks

    apart = {*quirks.APART, *quirks.EXECUTES}  # in other processes, whose CPU seconds are not ours to count
    for name in names or DATASETS:
        if name not in apart:
            yield _dataset(name, make(f"reasoning-gym:{name}"))


def _dataset(name: str, env: Any) -> Subject:
    from rftgym import Turn
    from rftgym.registry import make
    from rftgym_reasoning_gym.drawing import made
    from rftgym_reasoning_gym.scoring import verdict

    foreign, other = made(name, {}), make(f"reasoning-gym:{name}")  # each of ours has a memory of its own
    draws: dict[int, int] = {}

    def bare(index: int) -> int:
        entry = foreign[draws[index]]
        foreign.score_answer(entry["answer"] or "0", entry)
        return 1

    def ours(index: int) -> int:
        task = env.tasks.item("train", index)
        env.prompt(task)
        said, _ = env.parser.parse(f"<answer>{task.data['answer'] or 0}</answer>")
        verdict(env.dataset, said, env.entry(task))
        draws[index] = task.data["draw"]
        return 1

    def episode(index: int) -> int:
        task = other.tasks.item("train", index)
        other.start(task, 0)
        other.advance(Turn((), f"<answer>{task.data['answer'] or 0}</answer>"))
        other.rubric.score(other.trajectory)
        return 1

    return Subject(name, "answers", {"bare": bare, "task, prompt, parse, score": ours, "episode": episode},
                   "task, prompt, parse, score")  # fmt: skip


# -------------------------------------------------------------------------------------------------- gymnasium

TOYS = ("FrozenLake-v1", "Taxi-v4", "CliffWalking-v1", "Blackjack-v1", "CartPole-v1")


def gymnasium(names: Sequence[str]) -> Iterator[Subject]:
    """Bare: ``reset`` and ``step``; the same with each observation told and each action read; ours."""
    from rftgym.registry import make

    for name in names or TOYS:
        yield _foreign(name, make(f"gymnasium:{name}"))


def _foreign(name: str, env: Any) -> Subject:
    import gymnasium as package

    from rftgym import Turn

    foreign, codec = package.make(name, disable_env_checker=True), env.codec
    foreign.action_space.seed(0)
    actions = itertools.cycle([foreign.action_space.sample() for _ in range(997)])
    texts = itertools.cycle(
        [f"<action>{codec.write(foreign.action_space.sample())}</action>" for _ in range(997)]
    )

    def bare(index: int, words: bool = False) -> int:
        observation, info = foreign.reset(seed=env.tasks.item("train", index).data["seed"])
        if words:
            codec.show(observation, info)
        for step in itertools.count(1):
            action = codec.read(env.parser.parse(next(texts))[0]) if words else next(actions)
            observation, _, terminated, truncated, info = foreign.step(action)
            if words:
                codec.show(observation, info)
            if terminated or truncated or step == env.max_turns:
                return step
        return 0

    def in_words(index: int) -> int:
        return bare(index, words=True)

    def ours(index: int) -> int:
        env.start(env.tasks.item("train", index), 0)
        trajectory = env.trajectory
        while not (trajectory.terminated or trajectory.truncated):
            env.advance(Turn((), next(texts)))
            env.rubric.score_turn(trajectory)
        env.rubric.score(trajectory)
        return len(trajectory.turns)

    return Subject(name, "steps", {"bare": bare, "bare, in words": in_words, "episode": ours}, "episode")


ADAPTERS: Mapping[str, Callable[[Sequence[str]], Iterator[Subject]]] = {
    "reasoning-gym": reasoning_gym,
    "gymnasium": gymnasium,
}


# -------------------------------------------------------------------------------------------------- measuring


def per_cpu_second(play: Play, pieces: range) -> float:
    """Units per CPU-second of one contestant over some pieces of work."""
    begun = time.process_time()
    done = sum(map(play, pieces))
    return done / max(time.process_time() - begun, 1e-9)


def measured(subject: Subject, rounds: int, seconds: float) -> dict[str, Any]:
    """Medians, and the ratios to bare. Ours go first, since bare takes the draws that they took."""
    order = list(subject.contestants.items())[::-1]
    for _, play in order:
        play(0)  # what is made on first use
    each, begun = 1, time.process_time()
    while time.process_time() - begun < seconds / 2:
        order[1][1](each)
        each += 1
    table = []
    for number in range(1, rounds + 1):
        pieces = range(number * 2 * each, (number + 1) * 2 * each)
        table.append({name: per_cpu_second(play, pieces) for name, play in order})
    bare = order[-1][0]
    return {
        "subject": subject.name,
        "unit": subject.unit,
        "per_cpu_second": {
            name: statistics.median(row[name] for row in table) for name in subject.contestants
        },
        "times_bare": {
            name: statistics.median(row[bare] / row[name] for row in table) for name in subject.contestants
        },
        "barred": subject.barred,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("adapter", choices=sorted(ADAPTERS))
    parser.add_argument(
        "--names", default="", help="with commas between; all: every name that the adapter lists"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--seconds", type=float, default=0.5, help="CPU seconds of each contestant in each round"
    )
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    names = _all(given.adapter) if given.names == "all" else [name for name in given.names.split(",") if name]
    rows = []
    for subject in ADAPTERS[given.adapter](names):
        rows.append(measured(subject, given.rounds, given.seconds))
        if not given.json:
            _print(rows[-1])
    if given.json:
        print(json.dumps({"python": platform.python_version(), "rows": rows}, indent=1))
    else:
        ratios = [row["times_bare"][row["barred"]] for row in rows]
        within = sum(ratio <= BAR for ratio in ratios)
        print(f"{within} of {len(ratios)} within {BAR} times bare; median {statistics.median(ratios):.2f}")


def _all(adapter: str) -> list[str]:
    from rftgym.registry import installed
    from rftgym.specs import EnvSpec

    names: list[str] = installed().spec(EnvSpec, adapter).load().names()
    return names


def _print(row: dict[str, Any]) -> None:
    speeds, ratios = row["per_cpu_second"], row["times_bare"]
    told = ", ".join(f"{name} {speeds[name]:,.0f} ({ratios[name]:.2f}x)" for name in speeds)
    print(f"{row['subject']:28} {row['unit']}/CPU-s: {told}", flush=True)


if __name__ == "__main__":
    main()
