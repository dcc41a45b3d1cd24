"""Decisions under uncertainty with feedback: ask an invented patient for findings, and stop with a diagnosis."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, NamedTuple

from rftgym import Message, MultiTurnEnv, Response, Rubric, TagParser, Task, Turn
from rftgym.errors import UsageError
from rftgym.parser import Parsed, Parser
from rftgym.tasks import ProceduralTaskset, Taskset
from rftgym_diagnosis import demonstrations, prompts, rewards
from rftgym_diagnosis.belief import Clinic
from rftgym_diagnosis.clinics import generate
from rftgym_diagnosis.rows import DiagnosisRow

Kind = Literal[
    "asked", "correct", "wrong", "none", "several", "unknown", "repeated", "unaffordable", "probability"
]
"""asked: a finding was told. correct, wrong: the episode ends with a diagnosis. The others cost a point and tell
nothing new. none: neither a question nor a diagnosis. several: more than one. unknown: no such sign or illness.
repeated: the sign is known. unaffordable: it costs more than is left. probability: what stands behind the illness is no
number from 0 to 1."""
LONGEST_ECHO = 40
_PROBABILITY = re.compile(r"(?:[01](?:\.[0-9]{0,9})?|\.[0-9]{1,9})")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%")


class Action(NamedTuple):
    """What a completion does; ``text`` stands between the tags, and is empty for "none" and "several"."""

    kind: Literal["ask", "diagnosis", "none", "several"]
    text: str = ""


class ActionParser(Parser):
    """Finds the one question or the one diagnosis in a completion; thoughts between think tags do not count.

    `parse` gives the text of a diagnosis, or None; well-formed is a completion with exactly one action.
    """

    def __init__(self) -> None:
        self._asks, self._diagnoses = TagParser("ask"), TagParser("diagnosis")

    def action(self, completion: str) -> Action:
        """What a completion does; any text has an action."""
        ask, one_ask = self._asks.parse(completion)
        named, one_named = self._diagnoses.parse(completion)
        if ask is None and named is None:
            return Action("none")
        if (ask is not None and named is not None) or not (one_ask or one_named):
            return Action("several")
        return Action("diagnosis", named) if ask is None else Action("ask", ask)

    def parse(self, completion: str) -> Parsed:
        """The diagnosis, if the completion gives one."""
        action = self.action(completion)
        return Parsed(
            action.text if action.kind == "diagnosis" else None, action.kind in ("ask", "diagnosis")
        )


@dataclass(slots=True)
class Visit:
    """An episode in progress.

    Attributes:
        clinic: the knowledge that the player sees too.
        patient: "illness" and "present" of the task's data: the secret.
        known: findings told so far, the complaint included.
        left: points; never below 0.
        budget: points at the beginning.
    """

    clinic: Clinic
    patient: dict[str, Any]
    known: dict[str, bool]
    left: int
    budget: int


class DiagnosisEnv(MultiTurnEnv[Visit]):
    """Ask for findings at a cost, then name an illness and its probability.

    Each turn's ``info`` says: "action" (see `Action`), "finding" and "present" (what was told, else None), "illness"
    and "probability" (of a diagnosis, else None), "left" and "budget" (points) and "verdict": its "kind" (see `Kind`)
    and "message".
    """

    max_turns = 12
    max_completion_chars = 8_192
    system = prompts.SYSTEM
    parser = ActionParser()
    task_row = DiagnosisRow

    def make_tasks(self) -> Taskset:
        return ProceduralTaskset(generate)

    def make_rubric(self) -> Rubric:
        return rewards.rubric()

    def begin(self, task: Task, rng: Random) -> tuple[Visit, str]:
        clinic, complaint = Clinic.of(task.data), task.data["complaint"]
        patient = {"illness": task.data["illness"], "present": list(task.data["present"])}
        budget = clinic.budget(complaint)
        return Visit(clinic, patient, {complaint: True}, budget, budget), prompts.opening(clinic, complaint)

    def respond(self, state: Visit, turn: Turn, rng: Random) -> Response:
        action = _ACTIONS.action(turn.completion)
        if action.kind == "ask":
            return _asked(state, action.text)
        if action.kind == "diagnosis":
            return _named(state, action.text)
        message = prompts.NO_ACTION if action.kind == "none" else prompts.SEVERAL
        return _wasted(state, action.kind, action.kind, message)

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """Several diagnoses at once, probability 0, names that are none."""
        from rftgym_diagnosis.cheats import cheats

        return cheats(task.data)

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Visits of a player who asks without a plan and is too sure of itself.

        Raises:
            UsageError: any split but "train": the rest is held out.
        """
        if split != "train":
            raise UsageError(
                f"diagnosis has demonstrations of split 'train' only, not of {split!r}: the rest is held out"
            )
        return demonstrations.demonstrations(n, seed=seed)

    def demonstrate(self, task: Task, seed: int) -> list[Message]:
        """The visit of the exact Bayesian player, who asks on where it would be wrong, and names the true illness."""
        return demonstrations.solution(task, self.max_turns)

    def same_answer(self, task: Task, answer: Any, other: Any) -> bool:
        """Whether two diagnoses name the same illness, whatever the probability."""
        one, another = (folded(str(each).partition(":")[0]) for each in (answer, other))
        return one == another


_ACTIONS = ActionParser()


def folded(text: str) -> str:
    """A name for comparison: without regard to case and runs of blanks."""
    return " ".join(text.casefold().split())


def probability(text: str) -> float | None:
    """A probability as it may be written: 0.8, .8, 1, 80% or 97.5 %; None for anything else."""
    if _PROBABILITY.fullmatch(text):
        value = float(text)
    elif percent := _PERCENT.fullmatch(text):
        value = float(percent[1]) / 100
    else:
        return None
    return value if value <= 1 else None


def _asked(state: Visit, text: str) -> Response:
    name = next((each for each in state.clinic.findings if folded(each) == folded(text)), None)
    if name is None:
        return _wasted(state, "ask", "unknown", f"There is no sign {_echo(text)}.")
    if name in state.known:
        there = "present" if state.known[name] else "absent"
        return _wasted(state, "ask", "repeated", f"{name} is known to be {there}.")
    cost = state.clinic.findings[name].cost
    if cost > state.left:
        return _wasted(state, "ask", "unaffordable", f"{name} costs {cost}.")
    present = state.known[name] = name in state.patient["present"]
    state.left -= cost
    message = prompts.told(name, present=present, left=state.left)
    return Response(
        message, False, {**_info(state, "ask", "asked", message), "finding": name, "present": present}
    )


def _named(state: Visit, text: str) -> Response:
    name, colon, stated = (part.strip() for part in text.partition(":"))
    illness = next((each for each in state.clinic.illnesses if folded(each) == folded(name)), None)
    if illness is None:
        return _wasted(state, "diagnosis", "unknown", f"There is no illness {_echo(name)}.")
    sure = probability(stated) if colon else 1.0
    if sure is None:
        return _wasted(state, "diagnosis", "probability", f"{_echo(stated)} is no probability from 0 to 1.")
    true = state.patient["illness"]
    message = prompts.closing(true, right=illness == true)
    info = _info(state, "diagnosis", "correct" if illness == true else "wrong", message)
    return Response(message, True, {**info, "illness": illness, "probability": sure})


def _wasted(state: Visit, action: str, kind: Kind, message: str) -> Response:
    """Time passes: a point is lost."""
    state.left = max(0, state.left - 1)
    return Response(prompts.wasted(message, state.left), False, _info(state, action, kind, message))


def _info(state: Visit, action: str, kind: Kind, message: str) -> dict[str, Any]:
    return {
        "action": action,
        "finding": None,
        "present": None,
        "illness": None,
        "probability": None,
        "left": state.left,
        "budget": state.budget,
        "verdict": {"kind": kind, "message": message},
    }


def _echo(text: str) -> str:
    """What was written, as it may be repeated: quoted, ASCII, short."""
    return ascii(text if len(text) <= LONGEST_ECHO else f"{text[:LONGEST_ECHO]}...")
