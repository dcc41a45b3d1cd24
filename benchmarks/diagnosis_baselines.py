"""What players without a model earn in the environment `diagnosis`: mean reward and accuracy, with intervals.

    python benchmarks/diagnosis_baselines.py --patients 2000 --split test

All players see the same patients, and all but the random one state what they believe by Bayes' rule. "optimum" is no
player but a number: the highest expected reward that any player can have who does not peek, by dynamic programming over
everything that may be known of a patient (about half a second a clinic and complaint).
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from functools import cache

import rftgym
from rftgym import Message, Task
from rftgym.intervals import bootstrap_interval, share_interval
from rftgym_diagnosis import prompts
from rftgym_diagnosis.belief import Clinic, outcomes
from rftgym_diagnosis.player import examined
from rftgym_diagnosis.rewards import expected

Player = Callable[[Clinic, Task, random.Random], list[str]]
"""A patient's completions, the diagnosis last. Of the task it looks at the complaint, and at the signs it asks for."""


def named(clinic: Clinic, known: dict[str, bool]) -> str:
    """The likeliest illness given what is known, with its probability."""
    belief = clinic.posterior(known)
    return prompts.diagnosis(clinic.illnesses[belief.index(max(belief))], max(belief))


def at_random(clinic: Clinic, task: Task, rng: random.Random) -> list[str]:
    """Any number of any questions, and any illness."""
    names = [name for name in clinic.findings if name != task.data["complaint"]]
    asked = rng.sample(names, rng.randint(0, len(names)))
    guess = prompts.diagnosis(rng.choice(clinic.illnesses), 1 / len(clinic.illnesses))
    return [*map(prompts.ask, asked), guess]


def commonest(clinic: Clinic, task: Task, rng: random.Random) -> list[str]:
    """No question; the commonest illness of the clinic."""
    return [named(clinic, {})]


def complaint_only(clinic: Clinic, task: Task, rng: random.Random) -> list[str]:
    """No question; the likeliest illness given the complaint."""
    return [named(clinic, {task.data["complaint"]: True})]


def ask_all(clinic: Clinic, task: Task, rng: random.Random) -> list[str]:
    """Every question there is."""
    known = {name: name in task.data["present"] for name in clinic.findings}
    asked = [prompts.ask(name) for name in clinic.findings if name != task.data["complaint"]]
    return [*asked, named(clinic, known)]


def bayes(depth: int) -> Player:
    """The exact Bayesian player that looks ``depth`` questions ahead."""

    def play(clinic: Clinic, task: Task, rng: random.Random) -> list[str]:
        complaint = task.data["complaint"]
        known, _ = examined(clinic, complaint, task.data["present"], depth=depth)
        return [*(prompts.ask(name) for name in known if name != complaint), named(clinic, known)]

    return play


def gold(clinic: Clinic, task: Task, rng: random.Random) -> list[str]:
    """The environment's own solution, which knows the illness."""
    talk: list[Message] = rftgym.make("diagnosis").demonstrate(task, 0) or []
    return [message.content for message in talk if message.role == "assistant"]


PLAYERS: dict[str, Player] = {
    "random": at_random,
    "prior only: the commonest illness": commonest,
    "complaint only": complaint_only,
    "ask all": ask_all,
    "Bayes, greedy": bayes(1),
    "Bayes, two questions ahead": bayes(2),
    "gold (knows the illness)": gold,
}


def optimum(clinic: Clinic, complaint: str) -> float:
    """The highest expected reward for patients of a clinic with a complaint."""
    budget = clinic.budget(complaint)
    findings = [each for name, each in clinic.findings.items() if name != complaint]

    @cache
    def value(state: tuple[bool | None, ...]) -> float:
        known = {each.name: told for each, told in zip(findings, state, strict=True) if told is not None}
        left = budget - sum(clinic.findings[name].cost for name in known)
        belief = clinic.posterior({complaint: True, **known})
        best = expected(max(belief), left / budget)
        for place, finding in enumerate(findings):
            if state[place] is None:
                (there, _), (gone, _) = outcomes(finding, belief)
                after = [(*state[:place], told, *state[place + 1 :]) for told in (True, False)]
                best = max(best, there * value(after[0]) + gone * value(after[1]))
        return best

    return value((None,) * len(findings))


def main() -> None:
    """Play, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--split", default="test", choices=("train", "validation", "test"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-optimum", action="store_true", help="leave the dynamic programme out")
    options = parser.parse_args()
    env = rftgym.make("diagnosis")
    tasks = [env.tasks.item(options.split, index, options.seed) for index in range(options.patients)]
    clinics = [Clinic.of(task.data) for task in tasks]
    print(f"{options.patients} patients, split {options.split}, seed {options.seed}; 95% intervals\n")
    print("| player | reward | accuracy | questions |\n| --- | --- | --- | --- |")
    for name, player in PLAYERS.items():
        rng = random.Random(options.seed)
        rows = [
            {"task": task.id, "completions": player(clinic, task, rng)}
            for clinic, task in zip(clinics, tasks, strict=True)
        ]
        results = rftgym.score(env, rows)
        if any(result["error"] for result in results):
            raise SystemExit(f"{name}: {next(result['error'] for result in results if result['error'])}")
        reward = bootstrap_interval([[result["reward"]] for result in results], 0)
        right = share_interval([[float(result["success"])] for result in results], 0)
        asked = statistics.mean(len(row["completions"]) - 1 for row in rows)
        cells = (f"{each['mean']:.3f} [{each['low']:.3f}, {each['high']:.3f}]" for each in (reward, right))
        print(f"| {name} | {' | '.join(cells)} | {asked:.1f} |", flush=True)
    if not options.no_optimum:
        began = time.perf_counter()
        known: dict[tuple[tuple[str, ...], tuple[str, ...], str], float] = {}
        for clinic, task in zip(clinics, tasks, strict=True):
            key = (clinic.illnesses, tuple(clinic.findings), task.data["complaint"])
            known[key] = known[key] if key in known else optimum(clinic, task.data["complaint"])
        values = [
            known[clinic.illnesses, tuple(clinic.findings), task.data["complaint"]]
            for clinic, task in zip(clinics, tasks, strict=True)
        ]
        seconds = time.perf_counter() - began
        print(
            f"| optimum (expected, {len(known)} cases, {seconds:.0f} s) | {statistics.mean(values):.3f} | | |"
        )


if __name__ == "__main__":
    main()
