"""What a rubric makes of many trajectories, component by component."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rftgym.errors import RunFailed
from rftgym.rubric import Component, Rubric, reduced
from rftgym.scoring.watched import Call, call_all
from rftgym.types import Failure, Score, Trajectory

Judged = list[tuple[Trajectory, dict[str, float | None]]]
"""Trajectories with the values of the components so far, by name."""


def score_trajectories(rubric: Rubric, trajectories: Sequence[Trajectory], *, concurrency: int = 16) -> None:
    """Score finished episodes and store the results in them; never raises for a component's fault.

    The same scores as :meth:`rftgym.Rubric.score`, but component by component, with timeouts, and with
    asynchronous components called concurrently. An episode in which the environment, the policy or the parser
    failed has no score (None): half an episode is not judged. Per-turn values that are there already are kept.

    Synchronous components are called in a thread of their own, so that a call which hangs can be left behind:
    they can neither use signals nor rely on thread-local state of the caller.

    Args:
        concurrency: asynchronous calls at a time.
    """
    for part, own in rubric.by_part(trajectories):
        _score_part(part, own, concurrency)
    for trajectory in trajectories:
        rubric.told(trajectory)


def _score_part(rubric: Rubric, trajectories: Sequence[Trajectory], concurrency: int) -> None:
    """As :func:`score_trajectories`, of one environment's episodes."""
    judged: Judged = []
    for trajectory in trajectories:
        if any(failure.stage != "reward" for failure in trajectory.failures):
            trajectory.score = Score(None, None, {component.name: None for component in rubric.components})
        else:
            judged.append((trajectory, {}))
    for component in rubric.components:
        opened = _pass_gates(component, rubric, judged)
        if component.per == "turn":
            _value_turns(component, opened, concurrency)
        else:
            _value_ends(component, opened, concurrency)
    for trajectory, values in judged:
        trajectory.score = _composed(rubric, trajectory, values)


def _pass_gates(component: Component, rubric: Rubric, judged: Judged) -> Judged:
    """Those for which the component is to be called; the others get their value."""
    opened = []
    for trajectory, values in judged:
        state = rubric.gate(component, values) if component.needs else "open"
        if state == "shut":
            values[component.name] = 0.0
        elif state == "unknown" or not trajectory.turns:
            values[component.name] = None
        else:
            opened.append((trajectory, values))
    return opened


def _value_turns(component: Component, opened: Judged, concurrency: int) -> None:
    name = component.name
    calls = [
        (trajectory, turn)
        for trajectory, _ in opened
        for turn in trajectory.turns
        if name not in turn.rewards
    ]
    for (_, turn), value in zip(calls, _values(component, calls, concurrency), strict=True):
        turn.rewards[name] = value
    for trajectory, values in opened:
        values[name] = reduced(component, trajectory)


def _value_ends(component: Component, opened: Judged, concurrency: int) -> None:
    calls = [(trajectory, trajectory.turns[-1]) for trajectory, _ in opened]
    for (_, values), value in zip(opened, _values(component, calls, concurrency), strict=True):
        values[component.name] = value


def _values(component: Component, calls: Sequence[Call], concurrency: int) -> Iterator[float | None]:
    """What the calls gave; what went wrong is recorded in the trajectories."""
    for (trajectory, _), outcome in zip(
        calls, call_all(component, calls, concurrency=concurrency), strict=True
    ):
        if isinstance(outcome, Failure):
            trajectory.failures.append(outcome)
            yield None
        else:
            yield outcome


def _composed(rubric: Rubric, trajectory: Trajectory, values: dict[str, float | None]) -> Score:
    try:
        return rubric.compose(values)
    except (ArithmeticError, TypeError, ValueError) as error:  # say 0 ** -1, or a root of a negative value
        trajectory.failures.append(Failure("reward", "(rubric)", type(error).__name__, str(error)))
        return Score(None, None, values)


def check_error_share(trajectories: Sequence[Trajectory], max_share: float, *, where: str) -> None:
    """Stop a run in which too much cannot be scored.

    Args:
        trajectories: scored.
        max_share: of episodes that may have no reward, 0 to 1.
        where: the part of the run, for the message ("step 12").
    Raises:
        RunFailed: more of them have none; says how many, where it went wrong, the commonest reason, and the
        cure.
    """
    unscored = sum(trajectory.reward is None for trajectory in trajectories)
    if unscored > max_share * len(trajectories):
        raise RunFailed(
            f"{where}: {unscored} of {len(trajectories)} episodes cannot be scored (allowed: {max_share:.0%}). "
            f"{unscored_reasons(trajectories)}, or allow more with rewards.max_error_share"
        )


def unscored_reasons(trajectories: Sequence[Trajectory]) -> str:
    """Why episodes have no reward, in a line: counts by stage and name, the commonest message, and the cure."""
    unscored = [trajectory for trajectory in trajectories if trajectory.reward is None]
    failures = [failure for trajectory in unscored for failure in trajectory.failures]
    places = Counter(f"{failure.stage} {failure.name!r}" for failure in failures)
    silent = sum(not trajectory.failures for trajectory in unscored)
    if silent:
        places["rewards that say None"] = silent
    counts = ", ".join(f"{place}: {count}" for place, count in places.most_common())
    return f"{counts}. {_commonest(failures)}{_cure(failures)}"


def _commonest(failures: Sequence[Failure]) -> str:
    if not failures:
        return ""
    found = Counter((failure.stage, failure.name, failure.kind, failure.message) for failure in failures)
    (stage, name, kind, message), count = found.most_common(1)[0]
    return f"Most often ({count}x): {stage} {name!r}: {kind}: {message}. "


def _cure(failures: Sequence[Failure]) -> str:
    if not failures:
        return "See which tasks the rewards leave unscored"
    (stage, kind), _ = Counter((failure.stage, failure.kind) for failure in failures).most_common(1)[0]
    if kind == "ContextOverflow":
        return "Take a model with a larger context, or shorter tasks"
    return {
        "environment": "Mend the environment",
        "policy": "See that the model, or its server, answers",
        "parser": "Mend the parser: it has to accept any text",
        "reward": "Raise the component's timeout_seconds" if kind == "Timeout" else "Mend the reward",
    }[stage]
