"""Rewards: bounded, finite, deterministic, harmless; solutions earn the most and saying nothing the least."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from rftgym.conformance.findings import Finding, finding
from rftgym.conformance.judging import judged
from rftgym.conformance.playing import GARBAGE, Env, opening, place, play, quoted, unscored
from rftgym.conformance.subject import Subject
from rftgym.rubric import Component, Rubric, tried
from rftgym.runs.store import decode, encode
from rftgym.types import Failure, Task, Trajectory

NOTHING = ("", " \n\t ", "I don't know.", "...")
"""What says nothing. The question itself is said too."""
SHARE = 0.1
"""Of the way from the lowest reward to a solution's: what saying nothing may earn at most."""
LITTLE = 0.01
"""Not worth a word."""
CALLS = 3
LONG = (
    "Every good answer is a matter of weighing one thing against another, says somebody who was asked. " * 8
)
"""What a count of words or letters runs away with."""
KINDS = {
    "outside of its bounds": "reward-out-of-bounds",
    "no finite number": "reward-not-finite",
    "not a number or None": "reward-not-a-number",
}


def check_declared(subject: Subject) -> Iterator[Finding]:
    """What components declare of themselves."""
    for rubric in _rubrics(subject.first):
        for component in rubric.components:
            where = f"reward {component.name!r}"
            if component.bounds is None and component.weight:
                yield finding("reward-unbounded", "it declares no bounds", where)
            if component.name == rubric.success and _out_of_reach(component):
                yield finding(
                    "success-out-of-reach",
                    f"it passes at {component.passes_at:g}, and its bounds are {component.bounds}",
                    where,
                )


def _rubrics(env: Env) -> list[Rubric]:
    return [part.rubric for part in getattr(env, "parts", {"": env}).values()]


def _out_of_reach(component: Component) -> bool:
    summed = component.per == "turn" and component.reduce == "sum"
    return component.bounds is not None and not summed and component.bounds[1] < component.passes_at


def check_components(subject: Subject, only: str | None = None) -> Iterator[Finding]:
    """Every component on every episode: what it gives, whether it gives it again, and that it changes nothing.

    Args:
        only: the name of the one component that is examined.
    """
    env = subject.make()
    cases = [(task, [text]) for text in (*_long(subject), *subject.completions) for task in subject.tasks[:2]]
    solved = [(each.task, each.completions) for each in subject.solutions]
    said: dict[str, list[bool]] = {}
    for task, completions in subject.in_time("episodes to be judged", [*solved, *cases], at_least=4):
        try:
            played = unscored(env, task, 0, completions)
            trajectory = copy.deepcopy(played)
            env.rubric.score(trajectory)
        except Exception:  # noqa: BLE001, S112  # told by the check of episodes
            continue
        where = place(task, 0, completions[-1])
        yield from _failures(trajectory, where, only)
        for name, (component, numbers) in _calls(env, trajectory).items():
            if only in (None, name):
                if component.weight or name in (
                    only,
                    env.rubric.success,
                ):  # a mere metric may say None for ever
                    said.setdefault(name, []).append(_says_none(trajectory, name))
                yield from _called_again(
                    component, copy.deepcopy(played), numbers, f"reward {name!r}, {where}"
                )
        if only is None:
            yield from _stored(trajectory, where)
    for name, nones in said.items():
        if all(nones):
            yield finding(
                "reward-always-none", f"it says None of all {len(nones)} episodes", f"reward {name!r}"
            )


def _long(subject: Subject) -> list[str]:
    """A long completion, and one in the format of a solution."""
    said = [text for each in subject.solutions[:1] for text in each.completions[:1]]
    answers = [(text, subject.first.parser.parse(text).answer) for text in said]
    return [LONG, *(text.replace(a, LONG) for text, a in answers if isinstance(a, str) and a)]


def _says_none(trajectory: Trajectory, name: str) -> bool:
    """Whether a component said itself that it cannot score an episode; one that failed is told of already."""
    failed = any(each.name == name for each in trajectory.failures)
    return not failed and trajectory.score is not None and trajectory.score.components.get(name, 0.0) is None


def _calls(env: Env, trajectory: Trajectory) -> dict[str, tuple[Component, list[int]]]:
    """By the component's name, the numbers of the turns that it judges."""
    found: dict[str, tuple[Component, list[int]]] = {}
    for component, turn in judged(env, trajectory):
        number = next(n for n, each in enumerate(trajectory.turns) if each is turn)
        found.setdefault(component.name, (component, []))[1].append(number)
    return found


def _failures(trajectory: Trajectory, where: str, only: str | None) -> Iterator[Finding]:
    for failure in trajectory.failures:
        if failure.stage == "reward" and not failure.infrastructure and only in (None, failure.name):
            yield failure_finding(failure, where)


def failure_finding(failure: Failure, where: str) -> Finding:
    """What a component's failure breaks."""
    check = "reward-timeout" if failure.kind == "Timeout" else "reward-raises"
    if failure.kind == "ContractError":
        check = next((id for words, id in KINDS.items() if words in failure.message), check)
    said = failure.message if check in KINDS.values() else f"{failure.kind}: {failure.message}"
    return finding(check, said, f"reward {failure.name!r}, {where}")


def _called_again(
    component: Component, trajectory: Trajectory, turns: Sequence[int], where: str
) -> Iterator[Finding]:
    """One component on an episode that nobody has judged yet."""
    before = encode(trajectory)
    for number in turns:
        values = [tried(component, trajectory, trajectory.turns[number]) for _ in range(CALLS)]
        if component.stochastic or any(isinstance(value, Failure) for value in values):
            continue
        if any(value != values[0] for value in values):
            told = ", then ".join(map(str, dict.fromkeys(values)))
            yield finding("reward-not-deterministic", f"the same episode earns {told}", where)
    if encode(trajectory) != before:
        yield finding("reward-changes-episode", "the trajectory is another one after it was judged", where)


def _stored(trajectory: Trajectory, where: str) -> Iterator[Finding]:
    again = decode(encode(trajectory))
    if repr(again) == repr(trajectory):
        return
    for number, (turn, stored) in enumerate(zip(trajectory.turns, again.turns, strict=True), start=1):
        for name in ("answer", "info", "rewards", "messages", "completion"):
            was, came = getattr(turn, name), getattr(stored, name)
            if repr(was) != repr(came):
                yield finding(
                    "not-storable",
                    f"{name} {was!r:.80} comes back from disk as {came!r:.80}",
                    f"turn {number}, {where}",
                )
                return
    yield finding("not-storable", "the episode comes back from disk as another one", where)


# ---------------------------------------------------------------------------------------------------- what earns what


@dataclass(frozen=True)
class Earned:
    """What an episode earned: its ``kind`` is "solution", "nothing" or "other"."""

    kind: str
    text: str
    reward: float
    success: bool
    same: bool = False
    """It gives the very answer that a solution gives."""


def check_solutions(subject: Subject) -> Iterator[Finding]:
    """Whether the environment's own solutions succeed."""
    env = subject.make()
    for each in subject.in_time("solutions", subject.solutions, at_least=2):
        where = f"demonstrate(), {place(each.task, each.seed, each.completions[-1])}"
        trajectory = play(env, each.task, each.seed, each.completions)
        score = trajectory.score
        if trajectory.failures:
            continue  # told by the check of components
        if score is None or score.reward is None:
            yield finding("solution-fails", "what demonstrate() shows cannot be scored", where)
        elif not score.success:
            values = {name: value for name, value in score.components.items() if value is not None}
            yield finding("solution-fails", f"what demonstrate() shows is no success: {values}", where)


def check_incentives(subject: Subject) -> Iterator[Finding]:
    """Whether a solution earns the most, and saying nothing the least."""
    env, by_task = subject.make(), {}
    for task in subject.in_time("tasks on which rewards are compared", subject.tasks, at_least=2):
        by_task[task.id] = list(_earned(subject, env, task))
    yield from _not_best(by_task)
    yield from _constant(by_task)
    yield from _successes_for_nothing(by_task)
    yield from _pay_for_nothing(by_task)


def _earned(subject: Subject, env: Env, task: Task) -> Iterator[Earned]:
    gold = next((each for each in subject.solutions if each.task is task), None)
    solved = play(env, task, 0, gold.completions) if gold else None
    if solved is not None:
        yield from _outcome(env, "solution", "its solution", solved)
    others = [each.completions for each in subject.solutions if each.task is not task][:2]
    nothings = [*NOTHING, opening(env, task, 0)]
    tried_too = [*([text] for text in (*subject.given, *GARBAGE)), *others]
    for kind, completions in [
        *(("nothing", [text]) for text in nothings),
        *(("other", each) for each in tried_too),
    ]:
        if kind == "other" and subject.clock.out:
            return
        try:
            trajectory = play(env, task, 0, completions)
        except Exception:  # noqa: BLE001, S112  # told by the check of episodes
            continue
        yield from _outcome(env, kind, completions[-1], trajectory, solved)


def _outcome(
    env: Env, kind: str, text: str, trajectory: Trajectory, solved: Trajectory | None = None
) -> Iterator[Earned]:
    score = trajectory.score
    if score is None or score.reward is None or not math.isfinite(score.reward):
        return
    same = solved is not None and env.same_answer(
        trajectory.task, trajectory.turns[-1].answer, solved.turns[-1].answer
    )
    yield Earned(kind, text, score.reward, bool(score.success), same)


def _gold(earned: Sequence[Earned]) -> float | None:
    return next((each.reward for each in earned if each.kind == "solution" and each.success), None)


def _not_best(by_task: dict[str, list[Earned]]) -> Iterator[Finding]:
    for id, earned in by_task.items():
        gold = _gold(earned)
        if gold is None:
            continue
        for each in earned:
            if each.kind != "solution" and not each.success and not each.same and each.reward >= gold - 1e-9:
                yield finding(
                    "solution-not-best",
                    f"a failure earns {each.reward:g}, the solution {gold:g}",
                    place(id, 0, each.text),
                )


def _constant(by_task: dict[str, list[Earned]]) -> Iterator[Finding]:
    """A reward that never differs although there were successes and failures."""
    everything = [each for earned in by_task.values() for each in earned]
    if {each.success for each in everything} == {True, False} and len(
        {each.reward for each in everything}
    ) == 1:
        yield finding(
            "reward-constant",
            f"everything earns {everything[0].reward:g}, solved or not",
            "the rubric's weights",
        )


def _successes_for_nothing(by_task: dict[str, list[Earned]]) -> Iterator[Finding]:
    by_text = _nothings(by_task)
    for text, found in by_text.items():
        won = [id for id, each in found if each.success]
        if won:
            most = 2 * len(won) >= len(found)
            yield finding(
                "empty-answer-succeeds",
                f"{text} counts as a success on {len(won)} of {len(found)} tasks",
                f"task {won[0]!r}, seed 0",
                severity="error" if most else "warning",
            )


def _pay_for_nothing(by_task: dict[str, list[Earned]]) -> Iterator[Finding]:
    floors = {id: min((each.reward for each in earned), default=0.0) for id, earned in by_task.items()}
    golds = {id: _gold(earned) for id, earned in by_task.items()}
    for text, found in _nothings(by_task).items():
        known = [_share(each.reward, floors[id], golds[id]) for id, each in found]
        shares = [share for share in known if share is not None]
        mean = fmean(shares) if shares else 0.0
        if mean > LITTLE:
            yield finding(
                "empty-answer-paid",
                f"{text} earns {mean:.0%} of the way from the lowest reward to a solution's",
                f"on {len(shares)} tasks",
                severity="error" if mean > SHARE else "warning",
            )


def _share(reward: float, floor: float, gold: float | None) -> float | None:
    """How far a reward is from the lowest one to a solution's; None where there is no solution."""
    if gold is None or gold <= floor:
        return None
    return (reward - floor) / (gold - floor)


def _nothings(by_task: dict[str, list[Earned]]) -> dict[str, list[tuple[str, Earned]]]:
    """By what was said, the tasks and what it earned there; where it happens to be the right answer it is left out."""
    found: dict[str, list[tuple[str, Earned]]] = {}
    for id, earned in by_task.items():
        for each in earned:
            if each.kind == "nothing" and not (each.same and each.success):
                text = quoted(each.text) if each.text in NOTHING else "the question itself"
                found.setdefault(text, []).append((id, each))
    return found
