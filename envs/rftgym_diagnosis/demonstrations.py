"""Seeded visits of an imperfect player, as chat messages: data for supervised fine-tuning.

Visit `i` depends on (seed, i) and the player's habits only; its patients are of the train split.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from random import Random
from typing import Any, Final

from rftgym import Message, Task
from rftgym_diagnosis import prompts
from rftgym_diagnosis.belief import Clinic, information
from rftgym_diagnosis.clinics import generate
from rftgym_diagnosis.player import next_finding


@dataclass(frozen=True, slots=True)
class Habits:
    """How often a player slips; each is a probability at each place where it can happen.

    Attributes:
        aimless: any sign that can be paid for is asked for, not the best one.
        hurried: the player stops before a question.
        boastful: the diagnosis is given with probability 1, whatever the player believes.
        forgetful: the diagnosis goes by how common the illnesses are, not by what was found.
        muddled: a message before a question does not follow the form, and is lost.
    """

    aimless: float = 0.0
    hurried: float = 0.0
    boastful: float = 0.0
    forgetful: float = 0.0
    muddled: float = 0.0

    def __post_init__(self) -> None:
        if not all(0 <= getattr(self, each.name) <= 1 for each in fields(self)):
            raise ValueError(f"habits are probabilities, got {self}")


CAREFUL: Final = Habits()
DEFAULT: Final = Habits(aimless=0.6, hurried=0.25, boastful=0.6, forgetful=0.3, muddled=0.08)


class _Talk:
    """A visit as it is written down: what the environment says is what it would say."""

    def __init__(self, task: Task) -> None:
        self.clinic = Clinic.of(task.data)
        self.data: Any = task.data
        complaint = self.data["complaint"]
        self.known = {complaint: True}
        self.budget = self.left = self.clinic.budget(complaint)
        self.chat = [
            Message("system", prompts.SYSTEM),
            Message("user", prompts.opening(self.clinic, complaint)),
        ]

    def ask(self, name: str) -> None:
        self.known[name] = name in self.data["present"]
        self.left -= self.clinic.findings[name].cost
        told = prompts.told(name, present=self.known[name], left=self.left)
        self.chat += [Message("assistant", prompts.ask(name)), Message("user", told)]

    def mutter(self, name: str) -> None:
        self.left = max(0, self.left - 1)
        said = Message("assistant", f"Is there {name}?")
        self.chat += [said, Message("user", prompts.wasted(prompts.NO_ACTION, self.left))]

    def name(self, illness: str, probability: float) -> list[Message]:
        """The diagnosis, and the whole conversation."""
        self.chat.append(Message("assistant", prompts.diagnosis(illness, probability)))
        return self.chat

    def affordable(self) -> list[str]:
        findings = self.clinic.findings.values()
        return [each.name for each in findings if each.name not in self.known and each.cost <= self.left]

    def best(self, depth: int) -> str | None:
        return next_finding(self.clinic, self.known, self.left, self.budget, depth=depth)

    def most_telling(self) -> str | None:
        """The affordable sign that tells most a point; None where there is none."""
        belief = self.clinic.posterior(self.known)
        findings = [self.clinic.findings[name] for name in self.affordable()]
        best = max(findings, key=lambda each: information(each, belief) / each.cost, default=None)
        return None if best is None else best.name


def demonstrations(n: int, *, seed: int, habits: Habits = DEFAULT) -> Iterator[list[Message]]:
    """The first `n` visits of the series that belongs to `seed`."""
    return (demonstration(seed, index, habits) for index in range(n))


def demonstration(seed: int, index: int, habits: Habits = DEFAULT) -> list[Message]:
    """Visit number `index` of the endless series that belongs to `seed`."""
    chance = Random(f"rftgym-diagnosis:{seed}:{index}")
    return played(generate("train", chance, f"shown-{seed}-{index}"), habits, chance)


def played(task: Task, habits: Habits, chance: Random) -> list[Message]:
    """One visit of a player with habits, who does not know the illness, up to the diagnosis.

    Args:
        task: any of the environment's.
        habits: of the player.
        chance: the only source of chance.
    """
    talk = _Talk(task)
    while (name := talk.best(1)) is not None and chance.random() >= habits.hurried:
        if chance.random() < habits.muddled:
            talk.mutter(name)
        if chance.random() < habits.aimless:
            name = chance.choice(talk.affordable() or [name])
        if talk.clinic.findings[name].cost > talk.left:
            break
        talk.ask(name)
    clinic = talk.clinic
    known = {} if chance.random() < habits.forgetful else talk.known
    belief = clinic.posterior(known)
    sure = max(belief)
    return talk.name(clinic.illnesses[belief.index(sure)], 1.0 if chance.random() < habits.boastful else sure)


def solution(task: Task, turns: int) -> list[Message]:
    """The exact player's visit, ending with the true illness and the probability that the findings give it.

    Where the player would stop with another illness in mind, the signs that tell most a point are asked for until the
    true one leads, nothing can be paid for any more, or only the last turn is left.

    Args:
        task: any of the environment's.
        turns: completions that the visit has at most.
    """
    talk = _Talk(task)
    while len(talk.known) < turns and (name := talk.best(2)) is not None:
        talk.ask(name)
    place = talk.clinic.illnesses.index(task.data["illness"])
    belief = talk.clinic.posterior(talk.known)
    while (
        len(talk.known) < turns and belief[place] < max(belief) and (name := talk.most_telling()) is not None
    ):
        talk.ask(name)
        belief = talk.clinic.posterior(talk.known)
    return talk.name(task.data["illness"], belief[place])
